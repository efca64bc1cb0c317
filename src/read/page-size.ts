import type { Stream } from '../datasets/stream.ts';
import { WarehouseError, type ErrorCode } from '../shared/errors.ts';
import type { Db } from '../warehouse/open.ts';
import { openTraits, type Traits } from './endpoint-traits.ts';

/** How many records to request at once. */
export interface PageSize {
  /** The size of the next page. */
  readonly known: number;
  /**
   * Requests a page with a limit; requests a smaller one if that size is refused, or fails where a small page comes.
   * @param atMost how many records are needed at most.
   */
  use<Page extends Served>(ask: (limit: number) => Promise<Page>, atMost?: number): Promise<Page>;
}

interface Served {
  /** The limit that was applied: lower than requested if the answer says so. */
  readonly limit: number;
  readonly returned: number;
  readonly hasMore: boolean | undefined;
  readonly doubts: readonly unknown[];
}

/** The documented page (HyperStudy API overview). */
const DOCUMENTED_PAGE = 1000;
/** Sizes that are tried in turn once pages come full, because every request counts against the limits. */
const LARGER = [2000, 5000];
/** The smallest page. If even this one fails, the cause is another. */
const SMALLEST = 10;
/** After a failure the next page is this many times smaller. */
const SHRINK = 4;

/** Failures that a smaller page may avoid. */
const TOO_MUCH: ReadonlySet<ErrorCode> = new Set(['SERVER_FAILED', 'ANSWER_UNREADABLE', 'SERVER_UNREACHABLE']);
const REFUSED: ReadonlySet<ErrorCode> = new Set(['PARAMETER_REFUSED']);

/** The page size that the endpoint of a stream is known to serve. */
export function knownPageSize(db: Db, stream: Stream, now: number): number {
  const { pageSize = DOCUMENTED_PAGE, smallerPage = Infinity } = openTraits(db, stream, () => now).known;
  return Math.min(stream.dataset.pageLimit ?? pageSize, smallerPage);
}

/**
 * The page size of the configuration or the data type or, without either, the largest that the endpoint really serves:
 * after a full page with more behind it, the next request tries a larger size, once. If a page fails and a small one
 * comes, the stream's pages are smaller for a day.
 */
export function openPageSize(traits: Traits, fixed: number | undefined): PageSize {
  let isFull = false;
  let isGuessRefused = false;
  const wanted = () => fixed ?? (isGuessRefused ? DOCUMENTED_PAGE : (traits.known.pageSize ?? DOCUMENTED_PAGE));
  const known = () => Math.min(wanted(), traits.known.smallerPage ?? Infinity);
  const larger = () =>
    fixed === undefined &&
    isFull &&
    !isGuessRefused &&
    traits.known.pageSizeTried !== true &&
    traits.known.smallerPage === undefined
      ? LARGER.find((size) => size > known())
      : undefined;
  const askKnown = async <Page extends Served>(ask: (limit: number) => Promise<Page>, size: number): Promise<Page> => {
    try {
      return await ask(size);
    } catch (error) {
      if (size > DOCUMENTED_PAGE && isOneOf([...TOO_MUCH, ...REFUSED], error)) {
        if (fixed !== undefined) throw withHint(error, size);
        const page = await ask(DOCUMENTED_PAGE);
        isGuessRefused = true;
        if (isOneOf(REFUSED, error))
          traits.learn({ pageSize: DOCUMENTED_PAGE, pageSizeTried: true }, `a page of ${size} was refused`);
        return page;
      }
      if (size <= SMALLEST || !isOneOf(TOO_MUCH, error) || isOfAnySize(error)) throw error;
      const page = await ask(SMALLEST).catch(() => {
        throw error;
      });
      const smaller = Math.max(SMALLEST, Math.floor(size / SHRINK));
      traits.learn({ smallerPage: smaller }, `a page of ${size} failed, one of ${SMALLEST} came: ${error.message}`);
      return page;
    }
  };
  // An answer that names a lower limit shows what is served, without a trial.
  const noteClamp = <Page extends Served>(asked: number, page: Page): Page => {
    const isClamped = page.limit < asked && page.doubts.length === 0;
    if (isClamped && fixed === undefined && traits.known.smallerPage === undefined)
      traits.learn({ pageSize: page.limit, pageSizeTried: true }, `asked for ${asked}, it served ${page.limit}`);
    return page;
  };
  return {
    get known() {
      return known();
    },
    async use(ask, atMost = Infinity) {
      const asking = async (limit: number) => noteClamp(limit, await ask(limit));
      const guess = atMost === Infinity ? larger() : undefined;
      const tried = guess === undefined ? undefined : traits.tryOut(() => tryLarger(traits, guess, known(), asking));
      const page = await (tried ?? askKnown(asking, Math.min(known(), atMost)));
      isFull = page.hasMore === true && page.returned >= known() && page.doubts.length === 0;
      return page;
    },
  };
}

async function tryLarger<Page extends Served>(
  traits: Traits,
  guess: number,
  known: number,
  ask: (limit: number) => Promise<Page>,
): Promise<Page> {
  let isRefused = false;
  try {
    const page = await ask(guess);
    if (page.doubts.length === 0) {
      const served = Math.min(page.returned, guess);
      if (page.returned > known) traits.learn({ pageSize: served }, `${page.returned} of ${guess} came`);
      const isCutDown = page.hasMore !== false && page.returned < guess;
      if (isCutDown) traits.learn({ pageSizeTried: true }, `${page.returned} of ${guess} came`);
      return page;
    }
  } catch (error) {
    if (!isOneOf([...TOO_MUCH, ...REFUSED], error)) throw error;
    isRefused = true;
  }
  // A warning may be about the size as well: a page of the usual size shows that.
  const page = await ask(known);
  if (isRefused || page.doubts.length === 0)
    traits.learn({ pageSizeTried: true }, `a page of ${guess} did not come whole`);
  return page;
}

function withHint({ code, message, requestId }: WarehouseError, size: number): WarehouseError {
  const hint = `The config asks for pages of ${size} records (api.pageSize), and the API may not serve that many: set it to auto.`;
  return new WarehouseError(code, message, { hint, requestId });
}

/** The answer was one to another request. */
export class OtherAnswer extends Error {}

/** Whether another answer came, or nothing at all and not because of a time-out: then the size is not the cause. */
function isOfAnySize({ code, cause }: WarehouseError): boolean {
  if (cause instanceof OtherAnswer) return true;
  return code === 'SERVER_UNREACHABLE' && !(cause instanceof Error && cause.name === 'TimeoutError');
}

function isOneOf(codes: Iterable<ErrorCode>, error: unknown): error is WarehouseError {
  return error instanceof WarehouseError && [...codes].includes(error.code);
}
