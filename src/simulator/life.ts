/** A record as the API shows it. */
export type SimRecord = Readonly<Record<string, unknown>>;

/** The life of one record: its versions, and when it was removed. */
export interface Life {
  readonly participant: string | undefined;
  /** Versions in the order in which they took effect; `from` is when the server received it, in ms since 1970 UTC. */
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
  /** Where ids are unique: in their data type, which is the default, or only within a room. */
  readonly ids?: 'dataType' | 'room';
}

/** Versions of a record and when each took effect (ms since 1970 UTC), in order of time. */
export type Versions = Life['versions'];

/** Adds a record with the versions of its life. */
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
