import type { Person, SimRecord, Versions, WorldOptions } from '../life.ts';
import type { Random } from '../random.ts';

/** What the API can be asked for under /data. */
export type DataScope = 'experiment' | 'room' | 'participant';

/** A data type as the simulated API knows it. */
export interface Entry {
  readonly name: string;
  /** The field of its ids, where records have one. */
  readonly id?: string;
  /** Its ids count from 1 in every room where ids are unique only within one. */
  readonly isNumbered?: true;
  /** The field that it filters and sorts by, where it has one. */
  readonly time?: string;
  /** Scopes of which a key needs one. */
  readonly keyScopes: readonly string[];
  /** None for what has a path outside of /data. */
  readonly scopes: readonly DataScope[];
  /** Query parameters that pick records by a field of that name. */
  readonly filters?: readonly string[];
  /** One answer is all there is. */
  readonly isUnpaged?: true;
  /** The room of a record, where it is not in `roomId` or `sessionId`. */
  readonly roomOf?: (record: SimRecord) => unknown;
  /** Its records of one experiment, or of one room. Each data type has a random stream of its own. */
  readonly ofExperiment?: (stage: Stage<ExperimentSetting>) => void;
  readonly ofRoom?: (stage: Stage<RoomSetting>) => void;
}

/** What is fixed of an experiment before anything happens in it. */
export interface ExperimentSetting {
  readonly experimentId: string;
  readonly index: number;
  readonly name: string;
  readonly description: string;
  /** When it was made, in ms since 1970 UTC. */
  readonly made: number;
  readonly deployment: { readonly id: string; readonly name: string };
  readonly hasAgents: boolean;
  readonly options: WorldOptions;
  readonly rooms: readonly RoomSetting[];
}

/** What is fixed of a room before it opens. Times are ms since 1970 UTC. */
export interface RoomSetting extends Omit<ExperimentSetting, 'rooms' | 'name' | 'description' | 'made'> {
  readonly roomId: string;
  /** When it opens, when the experiment's clock starts in it, and when it ends. */
  readonly start: number;
  readonly zero: number;
  readonly end: number;
  readonly people: readonly Person[];
}

/** A setting, and what a data type makes its records with. */
export type Stage<Setting> = Setting & {
  readonly random: Random;
  /** A record with the versions of its life. */
  readonly add: (...versions: Versions) => void;
  /** A record that happened at a time and reaches the server a little later. */
  readonly emit: (happened: number, record: SimRecord) => void;
};

/** Every data type by its name. */
export type Catalogue = ReadonlyMap<string, Entry>;

/** The room that a record belongs to, where it has one. */
export function roomOf(entry: Entry | undefined, record: SimRecord): string | undefined {
  const found = entry?.roomOf?.(record) ?? record['roomId'] ?? record['sessionId'];
  return typeof found === 'string' ? found : undefined;
}
