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

/** A record as it was from when on, in ms since 1970 UTC, in that order. */
export type Versions = Life['versions'];

/** Takes a record with the versions of its life. */
export type Add = (dataType: string, experimentId: string, ...versions: Versions) => void;

export interface Person {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly isAgent: boolean;
}

export function iso(ms: number): string {
  return new Date(ms).toISOString();
}
