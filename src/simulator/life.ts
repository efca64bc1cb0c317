import type { Random } from './random.ts';

/** A record as the API shows it. */
export type SimRecord = Readonly<Record<string, unknown>>;

/** One record through its life: what it said from when on, and when it was removed. */
export interface Life {
  readonly participant: string | undefined;
  /** Versions in the order in which they took effect; `from` is when the server had it, in ms since 1970 UTC. */
  versions: { from: number; record: SimRecord }[];
  removedAt: number;
}

export interface WorldOptions {
  readonly seed: number;
  /** When the first room opens, in ms since 1970 UTC. */
  readonly start: number;
  readonly experiments: number;
  readonly roomsPerExperiment: number;
  readonly participantsPerRoom: number;
  /** Length of the video that participants watch and rate, in seconds. */
  readonly videoSeconds: number;
  /** Time between the openings of two rooms of an experiment, in ms. */
  readonly roomEveryMs: number;
  /** How far ids are unique: in their data type, as by default, or only within a room. */
  readonly ids?: 'dataType' | 'room';
}

/** Takes a record with the versions of its life. */
export type Add = (dataType: string, experimentId: string, ...versions: Life['versions']) => void;

/** Takes a record that happened at a time and reaches the server a little later. */
export type Emit = (dataType: string, happened: number, record: SimRecord) => void;

/** What is fixed of a room before it opens. */
export interface RoomPlan {
  readonly experimentId: string;
  readonly deployment: { readonly id: string; readonly name: string };
  readonly start: number;
  readonly index: number;
  readonly hasAgents: boolean;
  readonly options: WorldOptions;
  readonly random: Random;
  readonly add: Add;
}

export interface Person {
  readonly id: string;
  readonly name: string;
  readonly role: string;
}

export function iso(ms: number): string {
  return new Date(ms).toISOString();
}
