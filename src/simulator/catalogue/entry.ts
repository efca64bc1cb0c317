import type { Person, SimRecord, Versions, WorldOptions } from '../life.ts';
import type { Random } from '../random.ts';

/** What requests under /data can be limited to. */
export type DataScope = 'experiment' | 'room' | 'participant';

/** A data type of the simulated API. */
export interface Entry {
  readonly name: string;
  /** The field of the ids, if records have one. */
  readonly id?: string;
  /** Whether its ids count from 1 in every room if ids are unique only within a room. */
  readonly isNumbered?: true;
  /** The field that it filters and sorts by, if there is one. */
  readonly time?: string;
  /** The scopes of which a key needs one. */
  readonly keyScopes: readonly string[];
  /** None for a data type with a path outside of /data. */
  readonly scopes: readonly DataScope[];
  /** Query parameters that filter records by a field of that name. */
  readonly filters?: readonly string[];
  /** Whether one answer has all records. */
  readonly isUnpaged?: true;
  /** The room of a record, if it is not in `roomId` or `sessionId`. */
  readonly roomOf?: (record: SimRecord) => unknown;
  /** Makes its records of one experiment, or of one room. Each data type has its own random stream. */
  readonly ofExperiment?: (stage: Stage<ExperimentSetting>) => void;
  readonly ofRoom?: (stage: Stage<RoomSetting>) => void;
}

/** The properties of an experiment that are fixed before anything happens in it. */
export interface ExperimentSetting {
  readonly experimentId: string;
  readonly index: number;
  readonly name: string;
  readonly description: string;
  /** When it was created, in ms since 1970 UTC. */
  readonly made: number;
  readonly deployment: { readonly id: string; readonly name: string };
  readonly hasAgents: boolean;
  readonly options: WorldOptions;
  readonly rooms: readonly RoomSetting[];
}

/** The properties of a room that are fixed before it opens. Times are ms since 1970 UTC. */
export interface RoomSetting extends Omit<ExperimentSetting, 'rooms' | 'name' | 'description' | 'made'> {
  readonly roomId: string;
  /** When it opens, when the experiment's clock starts in it, and when it ends. */
  readonly start: number;
  readonly zero: number;
  readonly end: number;
  readonly people: readonly Person[];
}

/** A setting, and the tools with which a data type makes its records. */
export type Stage<Setting> = Setting & {
  readonly random: Random;
  /** Adds a record with the versions of its life. */
  readonly add: (...versions: Versions) => void;
  /** Adds a record of a time, which reaches the server a little later. */
  readonly emit: (happened: number, record: SimRecord) => void;
};

/** Every data type by its name. */
export type Catalogue = ReadonlyMap<string, Entry>;

/** The room that a record belongs to, if it has one. */
export function roomOf(entry: Entry | undefined, record: SimRecord): string | undefined {
  const found = entry?.roomOf?.(record) ?? record['roomId'] ?? record['sessionId'];
  return typeof found === 'string' ? found : undefined;
}
