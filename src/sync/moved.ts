import type { Row } from '../datasets/normalise.ts';
import { NOTHING_READ, type Reading, type Session } from '../read/session.ts';
import { matchDoubles, twinsOf } from '../warehouse/doubles.ts';
import { heldTimes } from '../warehouse/records.ts';
import { readAt } from './search.ts';

/** Where more rows moved at once, the server has most likely derived its data again: a look for each costs too much. */
const FEW = 5;

/**
 * The rows of a reading of the newest records, before they are taken. One of them may be held with an earlier time than
 * the reading goes back to: it moved, or it is another record with the same id, which must not take the other's place.
 * No count shows which, if a row was deleted meanwhile. So the former time is read: a record that is still there keeps its
 * key, and the other one gets an ordinal.
 * @param since how far the reading goes back; with what is held at that very time it may have begun in the middle.
 */
export async function toldApart(
  session: Session,
  rows: readonly Row[],
  since: number | undefined,
): Promise<{ readonly rows: readonly Row[]; readonly former: Reading }> {
  const moved = since === undefined ? [] : movedFrom(session, rows, since);
  if (moved.length === 0 || moved.length > FEW) return { rows, former: NOTHING_READ };
  const former = await readAt(session, moved);
  const { warehouse, stream, sink } = session;
  const isThere = (key: string) => moved.includes(key) && sink.seen.has(key);
  return { rows: moved.some(isThere) ? matchDoubles(warehouse.db, stream, rows, { isMet: isThere }) : rows, former };
}

/** The keys of the rows that are held once, and with an earlier time. */
function movedFrom({ warehouse, stream }: Session, rows: readonly Row[], since: number): string[] {
  const identified = rows.filter(({ needsOrdinal }) => !needsOrdinal);
  const times = heldTimes(
    warehouse.db,
    stream,
    identified.map(({ key }) => key),
  );
  const isMoved = ({ key, time }: Row) => {
    const held = times.get(key);
    return held !== undefined && held <= since && held !== time;
  };
  const find = twinsOf(warehouse.db, stream);
  return identified
    .filter(isMoved)
    .map(({ key }) => key)
    .filter((key) => find(key).length === 1);
}
