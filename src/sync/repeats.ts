import { both, NOTHING_READ, type Reading, type Session } from '../read/session.ts';
import { heldRepeats } from '../warehouse/doubles.ts';
import { repeatedDoubt, type Doubt } from '../warehouse/doubts.ts';
import { missingSince } from '../warehouse/missing.ts';
import type { Position } from '../warehouse/positions.ts';
import { ifByTime, listWhole, mayFilter, readAt } from './search.ts';

/*
 * Exact repeats: an answer may have one record twice and lack another, so that as many came as the API counts. A record
 * that says exactly what another one says counts once two readings have shown it.
 */

/** The reading, and where exact repeats wait for a second one that it did not show, a reading of those. */
export async function withAwaited(session: Session, reading: Reading, before: Position): Promise<Reading> {
  const { read, unpaged } = session.stream.dataset;
  const isOver = reading.isWhole === true || reading.doubts.length > 0 || unpaged === true || read === 'single';
  return isOver || !isRepeated(before) ? reading : both(reading, await readAwaited(session));
}

/** What only one reading has shown so far. */
export function repeatDoubts(session: Session, before: Position): Doubt[] {
  const awaited = isRepeated(before) ? awaitedRepeats(session).length : 0;
  const rows = Math.max(session.sink.seen.newRepeats, awaited);
  return rows === 0 ? [] : [repeatedDoubt(rows)];
}

function isRepeated({ doubts }: Position): boolean {
  return doubts.some(({ kind }) => kind === 'repeated');
}

/** Exact repeats that a reading neither showed nor missed. */
function awaitedRepeats({ warehouse, stream, sink }: Session): string[] {
  const missing = missingSince(warehouse.db, stream);
  return heldRepeats(warehouse.db, stream).filter((key) => !sink.seen.has(key) && !missing.has(key));
}

/** Reads where they are: at their times, where the API filters by it, or everything. */
async function readAwaited(session: Session): Promise<Reading> {
  const keys = awaitedRepeats(session);
  if (keys.length === 0) return NOTHING_READ;
  const reading = mayFilter(session) ? await ifByTime(session, () => readAt(session, keys)) : NOTHING_READ;
  const isSettled = awaitedRepeats(session).every((key) => reading.unseen.includes(key));
  return isSettled || reading.doubts.length > 0 ? reading : both(reading, await listWhole(session, false));
}
