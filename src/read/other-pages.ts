import { SECOND_MS } from '../shared/time.ts';
import { position, type Session } from './session.ts';

/** Multiples of it, without their whole part, differ by much from one to the next. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * The page size for a reading that has to show exact repeats a second time; undefined if none wait for one. A store that
 * keeps no order among its records sends some of them twice, and never some others, as long as the pages are the same:
 * what two readings of the same pages show may be wrong twice. Therefore each such reading has pages of another size,
 * from half of the usual one on. A page of one record has no room for more than the record that leads over to it.
 */
export function otherPages(session: Session): number | undefined {
  const { startedAt, reader } = session;
  if (!position(session).doubts.some(({ kind }) => kind === 'repeated')) return undefined;
  const share = ((startedAt / SECOND_MS) * GOLDEN) % 1;
  return Math.max(2, Math.floor((reader.pageSize * (1 + share)) / 2));
}
