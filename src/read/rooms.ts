import { experiments } from '../datasets/experiments.ts';
import type { Row } from '../datasets/normalise.ts';
import { rooms } from '../datasets/rooms.ts';
import { stopsEverything, WarehouseError } from '../shared/errors.ts';
import { countedInExperiment, countRowsOutsideRooms, isHeld, knownRooms } from '../warehouse/structure.ts';
import { contradictionIn, countedBy } from './evidence.ts';
import type { Page } from './page.ts';
import type { Reader } from './reader.ts';
import type { Session } from './session.ts';

/** The rooms of a stream's experiment, as a way to read it. */
export interface Rooms {
  /** In the order in which they were created. */
  readonly ids: readonly string[];
  /**
   * Whether they certainly cover the whole stream. They do not if records may belong to no room, if the list of rooms
   * is incomplete, empty or shorter than the experiment counts, or if a stored row names no room.
   */
  readonly areAll: boolean;
}

/** Undefined if the data type cannot be requested by room, or no room is known. */
export function roomsOf({ stream, warehouse }: Pick<Session, 'stream' | 'warehouse'>): Rooms | undefined {
  if (stream.scope.kind !== 'experiment' || !stream.dataset.scopes.includes('room')) return undefined;
  const { ids, complete } = knownRooms(warehouse.db, stream.experimentId);
  if (ids.length === 0) return undefined;
  const areAll =
    complete &&
    stream.dataset.roomless !== true &&
    ids.length >= countedInExperiment(warehouse.db, stream.experimentId, 'roomCount') &&
    countRowsOutsideRooms(warehouse.db, stream) === 0;
  return { ids, areAll };
}

/**
 * Whether the rooms are still all there are: another one may have opened since they were listed, and its records would
 * be in none of the answers. Costs one request, and another one if the experiment's own record is not held.
 */
export async function areStillAll(session: Session, { ids }: Rooms): Promise<boolean> {
  const page = await firstOf(session.readerOf(rooms));
  if (page === undefined || page.doubts.length > 0 || contradictionIn(page) !== undefined) return false;
  const known = new Set<unknown>(ids);
  const isKnown = (row: Row) => known.has(valueIn(row, 'id'));
  const listed = countedBy(page) ?? (page.returned < page.limit ? page.returned : Infinity);
  if (page.bad.length > 0 || !page.rows.every(isKnown) || listed > ids.length) return false;
  return (await countedNow(session)) <= ids.length;
}

/** How many rooms the experiment counts, if that could not be compared with what is held; 0 if it does not say. */
async function countedNow({ warehouse, stream, readerOf }: Session): Promise<number> {
  if (isHeld(warehouse.db, stream.experimentId)) return 0;
  const [own] = (await firstOf(readerOf(experiments)))?.rows ?? [];
  const counted = own === undefined ? Infinity : valueIn(own, 'room_count');
  return typeof counted === 'number' ? counted : 0;
}

function valueIn({ dataset, values }: Row, column: string): Row['values'][number] | undefined {
  return values[dataset.columns.findIndex(({ name }) => name === column)];
}

/** The first page; undefined if the API does not give it. */
async function firstOf(reader: Reader): Promise<Page | undefined> {
  try {
    return await reader.page({});
  } catch (error) {
    if (!(error instanceof WarehouseError) || stopsEverything(error.code)) throw error;
    return undefined;
  }
}
