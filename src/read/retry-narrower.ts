import { parseTime } from '../shared/time.ts';
import { countRows, timeAt, type TimeRange } from '../warehouse/records.ts';
import { readRooms } from './by-room.ts';
import { freeTime, readRange } from './reconcile.ts';
import { roomsOf } from './rooms.ts';
import { both, NOTHING_READ, position, type Reading, type Session } from './session.ts';

/** Into how many parts a range is divided. */
const PARTS = 8;

/**
 * If the API said that answers lacked records, requests the same range in parts and, if a part is not complete either,
 * room by room. What then comes without a warning replaces the doubtful answers.
 */
export async function readNarrower(
  session: Session,
  reading: Reading,
  range: TimeRange = { from: begins(session) },
): Promise<Reading> {
  const { traits } = session;
  if (!isPartial(reading) || traits.known.narrowerFailed === true) return reading;
  let narrower: Reading = NOTHING_READ;
  for (const part of parts(session, range)) {
    const one = await readRange(session, part);
    if (isPartial(one)) return byRooms(session, reading);
    narrower = both(narrower, one);
  }
  return narrower;
}

/** Where the range begins: at the lookback or, in a first read, at the watermark. */
function begins(session: Session): number | undefined {
  const { backfilled, watermark } = position(session);
  if (session.full || watermark === undefined) return undefined;
  return backfilled ? freeTime(session, watermark - session.config.lookbackMs) : watermark;
}

async function byRooms(session: Session, reading: Reading): Promise<Reading> {
  const { traits } = session;
  const rooms = roomsOf(session);
  const narrower = rooms === undefined ? reading : await readRooms(session, rooms, reading.doubts);
  if (!isPartial(narrower)) traits.forget('narrowerMissed');
  else if (traits.known.narrowerMissed === true) traits.learn({ narrowerFailed: true }, FAILED);
  else traits.learn({ narrowerMissed: true }, FAILED);
  return narrower;
}

const FAILED = 'narrower requests lacked records as well';

/** Whether the API itself said that records are missing. */
function isPartial({ doubts }: Reading): boolean {
  return doubts.some(({ kind }) => kind === 'warned' || kind === 'cut');
}

/** Parts of the range, in order, each with about the same number of stored rows. */
function parts(session: Session, range: TimeRange): TimeRange[] {
  const { from, to } = range;
  const { warehouse, stream } = session;
  const rows = countRows(warehouse.db, stream, range) ?? 0;
  const cuts = Array.from({ length: PARTS - 1 }, (_, i) => Math.floor(((i + 1) * rows) / PARTS))
    .map((place) => timeAt(warehouse.db, stream, range, place))
    .map((text) => (text === undefined ? undefined : parseTime(text)))
    .filter((time) => time !== undefined)
    .map((time) => freeTime(session, time))
    .filter((time, i, all) => time > (from ?? -Infinity) && time > (all[i - 1] ?? -Infinity));
  const starts = [from, ...cuts.map((cut) => cut + 1)];
  return starts.map((start, i) => ({ from: start, to: cuts[i] ?? to }));
}
