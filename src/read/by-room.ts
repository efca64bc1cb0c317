import type { Stream } from '../datasets/stream.ts';
import { createSeen, type Seen } from '../warehouse/seen.ts';
import { countRows } from '../warehouse/records.ts';
import { roomEndedAt } from '../warehouse/structure.ts';
import { markVerified, verifiedRooms } from '../warehouse/verified-rooms.ts';
import { list } from './full-listing.ts';
import { areStillAll, roomsOf, type Rooms } from './rooms.ts';
import { both, NOTHING_READ, position, type Reading, type Session } from './session.ts';

/**
 * Reads every room separately because the answers for the whole experiment lacked records.
 * @param doubts why they lacked records: these doubts remain unless the rooms certainly cover the stream.
 */
export async function readRooms(session: Session, rooms: Rooms, doubts: Reading['doubts']): Promise<Reading> {
  const { warehouse } = session;
  const met = createSeen(warehouse.db);
  let reading: Reading = NOTHING_READ;
  let bad = 0;
  try {
    for (const room of rooms.ids) {
      const listed = await list(session, { reader: session.inRoom(room), end: 'shown' }, (seen, one) => {
        met.addAll(seen);
        bad += one.met - seen.count();
        return one;
      });
      reading = both(reading, { doubts: listed.doubts, unseen: [] });
    }
    const isProven = rooms.areAll && reading.doubts.length === 0 && (await areStillAll(session, rooms));
    if (!isProven) return { doubts: [...reading.doubts, ...doubts], unseen: [] };
    return {
      doubts: [],
      unseen: session.sink.seen.missing({}),
      // A record that appears in the answers of two rooms counts once.
      met: met.count() + bad,
      byRoom: true,
      isWhole: true,
      isListed: true,
    };
  } finally {
    met.drop();
  }
}

/** A listing of more pages than this is large. */
const LARGE = 5;

/**
 * Brings a large listing up to date by reading only the rooms that may still change. A room that had ended longer than
 * the lookback ago when it was read whole is skipped, as long as the API's counts show that no row came or went there.
 * Returns undefined if everything has to be listed.
 * @param total how many records the API counts in the whole stream.
 */
export async function readLiveRooms(session: Session, total: number | undefined): Promise<Reading | undefined> {
  const { warehouse, stream, reader } = session;
  if (!position(session).backfilled || total === undefined) return undefined;
  const pages = total / reader.pageSize;
  const rooms = pages > LARGE ? roomsOf(session) : undefined;
  if (rooms?.areAll !== true) return undefined;
  const verified = verifiedRooms(warehouse.db, stream);
  const live = rooms.ids.filter((room) => !verified.has(room));
  if (live.length >= pages) return undefined;
  const met = createSeen(warehouse.db);
  let reading: Reading = NOTHING_READ;
  let bad = 0;
  let isLeaky = false;
  try {
    for (const room of live) {
      const one = await readLiveRoom(session, room, met);
      if (one.met === undefined || one.doubts.length > 0) return undefined;
      bad += one.bad;
      isLeaky ||= one.isLeaky;
      reading = both(reading, { doubts: [], unseen: one.unseen });
    }
    const ofFinished = (count: (of: Stream) => number) =>
      rooms.ids.filter((room) => verified.has(room)).reduce((sum, room) => sum + count(partOf(stream, room)), 0);
    // A live room's answer may also contain a record of a finished room; it is counted once.
    const counted = met.count() + bad - (isLeaky ? ofFinished((part) => met.countIn(part)) : 0);
    const held = ofFinished((part) => countRows(warehouse.db, part) ?? 0);
    const now = await countNow(session, { before: total, counted, held });
    return now === undefined ? undefined : { ...reading, total: now, isShown: true, isRenewed: true };
  } finally {
    met.drop();
  }
}

/**
 * How many records there are, if the finished rooms have as many as before; otherwise undefined. Records may have come
 * to the live rooms while these were read. So the total before, minus the records of the live rooms, may be at most
 * what the finished rooms hold, and the total now, minus the same, at least that.
 */
async function countNow(
  { reader, sink }: Session,
  { before, counted, held }: { before: number; counted: number; held: number },
): Promise<number | undefined> {
  if (before - counted === held) return before;
  if (before - counted > held) return undefined;
  const { total, doubts } = await reader.page({ limit: 1 });
  if (total === undefined || doubts.length > 0 || total - counted < held) return undefined;
  // Records that came in the meantime are left to the next sync.
  return Math.min(total, sink.held());
}

function partOf(stream: Stream, room: string): Stream {
  return { ...stream, scope: { kind: 'room', id: room } };
}

/** One live room: how many malformed records it has, and whether records of other rooms are in its answer. */
interface LiveRoom extends Reading {
  readonly bad: number;
  readonly isLeaky: boolean;
}

/** @param met receives the keys that the room has. */
async function readLiveRoom(session: Session, room: string, met: Seen): Promise<LiveRoom> {
  const { warehouse, stream } = session;
  const part = partOf(stream, room);
  return list(session, { reader: session.inRoom(room) }, (seen, listed) => {
    const isWhole = listed.doubts.length === 0 && (listed.total === undefined || listed.total === listed.met);
    if (isWhole && isOver(session, room)) markVerified(warehouse.db, stream, room, session.startedAt);
    met.addAll(seen);
    return {
      ...listed,
      met: isWhole ? listed.met : undefined,
      unseen: session.sink.seen.missing({}, part),
      bad: listed.met - seen.count(),
      isLeaky: seen.countElsewhere(part) > 0,
    };
  });
}

/** Whether a room ended longer ago than the lookback, so that no more records are expected. */
export function isOver({ stream, warehouse, config, startedAt }: Session, room: string): boolean {
  const endedAt = roomEndedAt(warehouse.db, stream.experimentId, room);
  return endedAt !== undefined && startedAt - endedAt > config.lookbackMs;
}
