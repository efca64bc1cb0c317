import { WarehouseError, type ErrorCode } from '../shared/errors.ts';
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
const TOO_MUCH: ReadonlySet<ErrorCode> = new Set([
  'PARAMETER_REFUSED',
  'SERVER_FAILED',
  'ANSWER_UNREADABLE',
  'SERVER_UNREACHABLE',
]);
/** Those that say so of every such page, rather than of this one or this hour. */
const ALWAYS_TOO_MUCH: ReadonlySet<ErrorCode> = new Set(['PARAMETER_REFUSED']);

/** The largest page that the endpoint of a stream is known to serve. */
export function knownPageSize(db: Db, stream: Stream): number {
  return stream.dataset.pageLimit ?? openMemory(db, stream, () => 0).learned.pageSize ?? DOCUMENTED_PAGE;
}

/** The page size of the configuration, or of the data type. */
export function fixedPageSize(known: number): PageSize {
  return {
    known,
    use: (ask) =>
      ask(known).catch((error: unknown) => {
        if (known <= DOCUMENTED_PAGE || !isOneOf(ALWAYS_TOO_MUCH, error)) throw error;
        const hint = `The config asks for pages of ${known} records (api.pageSize), and the API may not serve that many: set it to auto.`;
        throw new WarehouseError(error.code, error.message, { hint, cause: error, requestId: error.requestId });
      }),
  };
}

/**
 * Learns the largest page that an endpoint really serves. Starting from the documented size, a full page with more
 * behind it makes the next request ask for a larger one. A larger page that comes is remembered; one that is cut down
 * or refused ends the guessing for good, so that it costs one request for an endpoint, ever. Should the API refuse one
 * day what it served before, the documented size is what is left.
 */
export function learnedPageSize(memory: Memory): PageSize {
  let most = Infinity;
  let isFull = false;
  const known = () => Math.min(memory.learned.pageSize ?? DOCUMENTED_PAGE, most);
  const larger = () =>
    isFull && most === Infinity && memory.learned.pageSizeTried !== true
      ? LARGER.find((size) => size > known())
      : undefined;
  const askKnown = async <Page extends Served>(ask: (limit: number) => Promise<Page>): Promise<Page> => {
    if (known() <= DOCUMENTED_PAGE) return ask(known());
    try {
      return await ask(known());
    } catch (error) {
      if (!isOneOf(TOO_MUCH, error)) throw error;
      const page = await ask(DOCUMENTED_PAGE);
      most = DOCUMENTED_PAGE;
      if (isOneOf(ALWAYS_TOO_MUCH, error)) memory.learn({ pageSize: DOCUMENTED_PAGE, pageSizeTried: true });
      return page;
    }
  };
  return {
    get known() {
      return known();
    },
    async use(ask) {
      const guess = larger();
      const tried = guess === undefined ? undefined : memory.tryOut(() => tryLarger(memory, guess, known(), ask));
      const page = await (tried ?? askKnown(ask));
      isFull = page.hasMore === true && page.returned >= known() && page.doubts.length === 0;
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
  let isRefused = false;
  try {
    const page = await ask(guess);
    if (page.doubts.length === 0) {
      if (page.returned > known) memory.learn({ pageSize: Math.min(page.returned, guess) });
      const isCutDown = page.hasMore !== false && page.returned < guess;
      if (isCutDown) memory.learn({ pageSizeTried: true });
      return page;
    }
  } catch (error) {
    if (!isOneOf(TOO_MUCH, error)) throw error;
    isRefused = true;
  }
  // A warning, too, may be about the size: a page of the usual one shows that.
  const page = await ask(known);
  if (isRefused || page.doubts.length === 0) memory.learn({ pageSizeTried: true });
  return page;
}

function isOneOf(codes: ReadonlySet<ErrorCode>, error: unknown): error is WarehouseError {
  return error instanceof WarehouseError && codes.has(error.code);
}
