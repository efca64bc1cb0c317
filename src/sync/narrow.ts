import { countRows, timeAt, type TimeRange } from '../warehouse/rows.ts';
import { parseTime } from '../shared/time.ts';
import { freeTime, readRange } from './reconcile.ts';
import { roomReaders } from './rooms.ts';
import type { Session } from './session.ts';

/** Into how many parts a range is cut. */
const PARTS = 8;
/** Where narrower requests did not help, they are not tried again for so long. */
const TRY_AGAIN_MS = 24 * 3_600_000;

/**
 * Answers from a time on may have lacked records, as the API said: the same is asked for in parts of its time and,
 * where a part is not whole either, room by room. What then came without a warning is all there is.
 */
export async function narrow(session: Session, from: number | undefined): Promise<void> {
  const { memory, startedAt } = session;
  if (startedAt - (memory.learned.narrowFailedAt ?? -Infinity) < TRY_AGAIN_MS) return;
  for (const part of parts(session, from)) {
    const isWhole = (await isReadWhole(session, part)) || (await isReadWhole(session, part, roomReaders(session)));
    if (isWhole) continue;
    memory.learn({ narrowFailedAt: startedAt });
    return;
  }
  for (const why of session.partial) session.doubts.delete(why);
  session.partial.clear();
}

/** Reads a part anew; false where answers lacked records again, or nobody can be asked. */
async function isReadWhole(
  session: Session,
  part: TimeRange,
  readers: Parameters<typeof readRange>[2] | 'none' = [session.reader],
): Promise<boolean> {
  if (readers === 'none') return false;
  const anew: Session = { ...session, doubts: new Set(), partial: new Set() };
  await readRange(anew, part, readers);
  const isWhole = anew.partial.size === 0;
  // A brake, for example, stays a doubt however the rows were asked for.
  if (isWhole) for (const why of anew.doubts) session.doubts.add(why);
  return isWhole;
}

/** Parts of about equally many of our rows, in order; the last one is open to the end. */
function parts(session: Session, from: number | undefined): TimeRange[] {
  const { warehouse, stream } = session;
  const rows = countRows(warehouse.db, stream, { from }) ?? 0;
  const cuts = Array.from({ length: PARTS - 1 }, (_, i) => Math.floor(((i + 1) * rows) / PARTS))
    .map((place) => timeAt(warehouse.db, stream, { from }, place))
    .map((text) => (text === undefined ? undefined : parseTime(text)))
    .filter((time) => time !== undefined)
    .map((time) => freeTime(session, time))
    .filter((time, i, all) => time > (from ?? -Infinity) && time > (all[i - 1] ?? -Infinity));
  const starts = [from, ...cuts.map((cut) => cut + 1)];
  return starts.map((start, i) => ({ from: start, to: cuts[i] }));
}
