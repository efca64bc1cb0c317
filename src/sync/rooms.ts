import type { Stream } from '../datasets/stream.ts';
import { countRows } from '../warehouse/rows.ts';
import { createSeen } from '../warehouse/seen.ts';
import { countRowsOutsideRooms, knownRooms, roomEndedAt } from '../warehouse/structure.ts';
import { markVerified, verifiedRooms } from '../warehouse/verified-rooms.ts';
import { list } from './listing.ts';
import type { Page, Reader } from './reader.ts';
import { braked, position, write, type Session } from './session.ts';

/**
 * The rooms of the stream's experiment in the order of their making; `none` where the rooms together are not surely all
 * of the stream: the data type cannot be asked for by room, the list of rooms is not complete, or rows are known that
 * name no room.
 */
function roomsOf({ stream, warehouse }: Session): readonly string[] | 'none' {
  if (stream.scope.kind !== 'experiment' || !stream.dataset.scopes.includes('room')) return 'none';
  const rooms = knownRooms(warehouse.db, stream.experimentId);
  if (!rooms.complete || countRowsOutsideRooms(warehouse.db, stream) > 0) return 'none';
  return rooms.ids;
}

/** A reader for each room, where the rooms together are all of the stream. */
export function roomReaders(session: Session): readonly Reader[] | 'none' {
  const rooms = roomsOf(session);
  return rooms === 'none' ? 'none' : rooms.map(session.inRoom);
}

/** Lists every room by itself, as the whole listing came cut short; false where what was doubted still is. */
export async function listRooms(session: Session): Promise<boolean> {
  const { stream, warehouse, startedAt } = session;
  const rooms = roomsOf(session);
  if (rooms === 'none') return false;
  const anew: Session = { ...session, doubts: new Set(), partial: new Set() };
  const met = createSeen(warehouse.db);
  const badBefore = session.counts.bad;
  try {
    for (const room of rooms) {
      await list({ ...anew, reader: session.inRoom(room) }, undefined, (seen) => met.addAll(seen));
    }
    if (anew.partial.size > 0) return false;
    for (const why of anew.doubts) session.doubts.add(why);
    if (anew.doubts.size > 0) return true;
    const isWholeAndClean = session.counts.bad === badBefore;
    const vanished = isWholeAndClean ? braked(session, met.missing(stream, {}) ?? []) : [];
    const times = { dataAsOf: startedAt, verifiedAt: startedAt, listedAt: startedAt };
    write(session, { rows: [], vanished, isWholeAndClean, position: { ...times, backfilled: true } });
    return true;
  } finally {
    met.drop();
  }
}

/** A listing of more pages than this is large. */
const LARGE = 5;

/**
 * Brings a large listing up to date by the rooms that may still change. Rooms that were over for longer than the lookback
 * when they were read whole are left alone, as long as the API's counts show that no row came or went there.
 * Gives false where everything has to be listed.
 */
export async function listLiveRooms(session: Session, first: Page): Promise<boolean> {
  const { warehouse, stream, memory, startedAt, reader } = session;
  const { backfilled } = position(session);
  if (!backfilled || first.total === undefined || memory.learned.total === 'wrong') return false;
  const pages = first.total / reader.pageSize;
  const rooms = pages > LARGE ? roomsOf(session) : 'none';
  if (rooms === 'none') return false;
  const verified = verifiedRooms(warehouse.db, stream);
  const live = rooms.filter((room) => !verified.has(room));
  if (live.length >= pages) return false;
  let counted = 0;
  for (const room of live) {
    const total = await listRoom(session, room);
    if (session.doubts.size > 0) return true;
    if (total === undefined) return false;
    counted += total;
  }
  const held = rooms.filter((room) => verified.has(room)).reduce((sum, room) => sum + countRoom(session, room), 0);
  if (!(await isUnchanged(session, { before: first.total, counted, held }))) return false;
  write(session, { rows: [], position: { dataAsOf: startedAt, listedAt: startedAt } });
  return true;
}

/**
 * Whether the finished rooms hold as many records as before. Of live rooms, records may have come while they were read:
 * less what they counted, the total before is at most, and the total now at least, what the finished rooms have.
 */
async function isUnchanged(
  { reader }: Session,
  { before, counted, held }: { before: number; counted: number; held: number },
): Promise<boolean> {
  if (before - counted === held) return true;
  if (before - counted > held) return false;
  const { total, doubts } = await reader.page({ limit: 1 });
  return total !== undefined && doubts.length === 0 && total - counted >= held;
}

function countRoom({ stream, warehouse }: Session, room: string): number {
  return countRows(warehouse.db, { ...stream, scope: { kind: 'room', id: room } }) ?? 0;
}

/** Lists one room; gives how many records the API counts there. */
async function listRoom(session: Session, room: string): Promise<number | undefined> {
  const { warehouse, stream } = session;
  const inRoom: Stream = { ...stream, scope: { kind: 'room', id: room } };
  return list({ ...session, reader: session.inRoom(room) }, undefined, (seen, isClean) => {
    if (!isClean) return;
    write(session, { rows: [], vanished: braked(session, seen.missing(inRoom, {}) ?? []) });
    if (isOver(session, room)) markVerified(warehouse.db, stream, room, session.startedAt);
  });
}

/** A room that ended longer ago than the lookback has no more to say. */
export function isOver({ stream, warehouse, config, startedAt }: Session, room: string): boolean {
  const endedAt = roomEndedAt(warehouse.db, stream.experimentId, room);
  return endedAt !== undefined && startedAt - endedAt > config.lookbackMs;
}
