import { withoutOrdinal } from '../datasets/keys.ts';
import type { Row } from '../datasets/normalise.ts';
import { NOTHING_BEHIND, type LookedBehind } from '../read/behind.ts';
import type { Session } from '../read/session.ts';
import { parseTime } from '../shared/time.ts';
import { twinsOf } from '../warehouse/doubles.ts';
import { heldTimes } from '../warehouse/records.ts';
import { readAt } from './search.ts';

/** Where more rows moved at once, a look for each costs too much: so many of them show what happened to all. */
const FEW = 5;

/**
 * Looks where the rows of a reading of the newest records come from, before they are taken. One of them may be held with
 * an earlier time than the reading goes back to: it moved, or it is another record with the same id, which must not take
 * the other's place. No count shows which, if a row was deleted meanwhile. So the former times are read. Where many moved
 * at once only a few times are read. If a record is still at one of them, all others count as still there: one that did
 * move is then found as missing, and nothing is lost.
 * @param since how far the reading goes back; with what is held at that very time it may have begun in the middle.
 */
export async function lookBehind(
  session: Session,
  rows: readonly Row[],
  since: number | undefined,
): Promise<LookedBehind> {
  const former = since === undefined ? [] : heldBefore(session, rows, since);
  if (former.length === 0) return NOTHING_BEHIND;
  const looked = spread(former, FEW);
  const reading = await readAt(session, looked);
  const there = looked.filter((key) => session.sink.seen.has(key));
  if (there.length === 0) return { ...NOTHING_BEHIND, reading };
  const all = new Set([...there, ...former.filter((key) => !looked.includes(key))]);
  return { isMet: (key) => all.has(key), reading };
}

/**
 * The keys under which records of the rows' ids are held with an earlier time, where a row is none of those held.
 * @param since the time up to which a time is an earlier one.
 */
export function heldBefore({ warehouse, stream }: Session, rows: readonly Row[], since: number): string[] {
  const identified = rows.filter(({ needsOrdinal }) => !needsOrdinal);
  const times = heldTimes(
    warehouse.db,
    stream,
    identified.map(({ key }) => key),
  );
  const isElsewhere = ({ key, time }: Row) => {
    const held = times.get(key);
    return held !== undefined && held <= since && held !== time;
  };
  const bases = new Set(identified.filter(isElsewhere).map(({ key }) => withoutOrdinal(key)));
  if (bases.size === 0) return [];
  const find = twinsOf(warehouse.db, stream);
  const groups = Map.groupBy(identified, ({ key }) => withoutOrdinal(key));
  return [...bases].flatMap((base) => {
    const twins = find(base).map(({ key, time }) => ({ key, time: parseTime(String(time)) }));
    const came = (groups.get(base) ?? []).map(({ time }) => time);
    const known = twins.filter(({ time }) => came.includes(time));
    if (known.length >= came.length) return [];
    return twins.filter(({ time }) => time !== undefined && time <= since).map(({ key }) => key);
  });
}

/** So many of the keys, from all over the list. */
function spread(keys: readonly string[], most: number): string[] {
  const step = Math.max(keys.length / most, 1);
  return keys.filter((_, i) => Math.floor(i / step) !== Math.floor((i - 1) / step));
}
