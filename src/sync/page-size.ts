import { WarehouseError } from '../shared/errors.ts';
import type { Stream } from '../datasets/stream.ts';
import type { Db } from '../warehouse/open.ts';
import { openMemory, type Memory } from './learned.ts';

/** How many records to ask for at once. */
export interface PageSize {
  /** What the endpoint is known to serve. */
  readonly known: number;
  /** Asks with a limit; may ask a second time where a guess was refused. */
  use<Page extends Served>(ask: (limit: number) => Promise<Page>): Promise<Page>;
}

interface Served {
  readonly returned: number;
  readonly hasMore: boolean | undefined;
  readonly doubts: readonly string[];
}

/** The documented page (HyperStudy API overview). */
const DOCUMENTED_PAGE = 1000;
/** What is tried one after the other once pages come full, as every request counts against the limits. */
const LARGER = [2000, 5000];

/** Failures of a larger page that a smaller one may not meet. */
const TOO_MUCH = new Set(['PARAMETER_REFUSED', 'SERVER_FAILED', 'ANSWER_UNREADABLE']);

/** The largest page that the endpoint of a stream is known to serve. */
export function knownPageSize(db: Db, stream: Stream): number {
  return stream.dataset.pageLimit ?? openMemory(db, stream, () => 0).learned.pageSize ?? DOCUMENTED_PAGE;
}

export function fixedPageSize(known: number): PageSize {
  return { known, use: (ask) => ask(known) };
}

/**
 * Learns the largest page that an endpoint really serves. Starting from the documented size, a full page with more
 * behind it makes the next request ask for a larger one. A larger page that comes is remembered; one that is cut down
 * or refused ends the guessing for good, so that it costs one request for an endpoint, ever.
 */
export function learnedPageSize(memory: Memory): PageSize {
  const known = () => memory.learned.pageSize ?? DOCUMENTED_PAGE;
  let isFull = false;
  const larger = () =>
    isFull && memory.learned.pageSizeTried !== true ? LARGER.find((size) => size > known()) : undefined;
  return {
    get known() {
      return known();
    },
    async use(ask) {
      const guess = larger();
      const page = guess === undefined ? await ask(known()) : await tryLarger(memory, guess, known(), ask);
      isFull = page.hasMore === true && page.returned >= known();
      return page;
    },
  };
}

async function tryLarger<Page extends Served>(
  memory: Memory,
  guess: number,
  known: number,
  ask: (limit: number) => Promise<Page>,
): Promise<Page> {
  try {
    const page = await ask(guess);
    if (page.doubts.length > 0) return page;
    if (page.returned > known) memory.learn({ pageSize: Math.min(page.returned, guess) });
    const isCutDown = page.hasMore !== false && page.returned < guess;
    if (isCutDown) memory.learn({ pageSizeTried: true });
    return page;
  } catch (error) {
    if (!(error instanceof WarehouseError) || !TOO_MUCH.has(error.code)) throw error;
    const page = await ask(known);
    memory.learn({ pageSizeTried: true });
    return page;
  }
}
