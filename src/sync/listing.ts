import { createSeen, type Seen } from '../warehouse/seen.ts';
import { pageLengths } from './learned.ts';
import type { Page } from './reader.ts';
import { doubt, write, type Session } from './session.ts';
import { Shifted, walk } from './walk.ts';

/** How often a listing that moves under the reader, or disagrees with the API's total, is read. */
const MOST_LISTINGS = 4;

/** What one listing came to. */
interface Listed {
  /** How many records the API counts; undefined where it does not say. */
  readonly total: number | undefined;
  /** Records came or went before the reader. */
  readonly isShifted: boolean;
  readonly bad: number;
}

/**
 * Lists everything that the session's reader gives, until a listing is confirmed: by the API's total or, where that
 * disagrees, by a second listing that meets the same records. A full read outranks a total.
 * @param settle is handed the keys of the confirmed listing and whether no bad record was in it; it is not called where
 * a doubt is left.
 * @returns how many records the API counted at the end.
 */
export async function list(
  session: Session,
  first: Page | undefined,
  settle: (seen: Seen, isClean: boolean) => void,
): Promise<number | undefined> {
  const { warehouse, memory, doubts } = session;
  let previous: Seen | undefined;
  const all: Seen[] = [];
  try {
    for (let listing = 1; listing <= MOST_LISTINGS; listing++) {
      const seen = createSeen(warehouse.db);
      all.push(seen);
      const { total, isShifted, bad } = await listInto(session, seen, listing === 1 ? first : undefined);
      if (doubts.size > 0) return undefined;
      const told = memory.learned.total === 'wrong' ? undefined : total;
      const isTwice = !isShifted && previous?.equals(seen) === true;
      if (!isShifted && (told === undefined || told === seen.count() + bad || isTwice)) {
        if (isTwice && told !== undefined) memory.learn({ total: 'wrong' });
        settle(seen, bad === 0);
        return told;
      }
      previous = isShifted ? undefined : seen;
    }
    doubts.add('the listing kept changing while it was read');
    return undefined;
  } finally {
    for (const seen of all) seen.drop();
  }
}

async function listInto(session: Session, seen: Seen, first: Page | undefined): Promise<Listed> {
  const { reader, memory, counts } = session;
  const badBefore = counts.bad;
  let total: number | undefined;
  try {
    for await (const stretch of walk(reader, {
      by: 'offset',
      sorted: memory.learned.sort !== 'rejected',
      first,
      ...pageLengths(memory),
    })) {
      doubt(session, stretch);
      write(session, { rows: stretch.rows, bad: stretch.bad });
      seen.add(stretch.rows.map(({ key }) => key));
      total = stretch.total;
    }
  } catch (error) {
    if (!(error instanceof Shifted)) throw error;
    return { total, isShifted: true, bad: counts.bad - badBefore };
  }
  return { total, isShifted: false, bad: counts.bad - badBefore };
}
