import { WarehouseError } from '../shared/errors.ts';
import type { TraitValues } from './endpoint-traits.ts';
import type { Page, PageRequest, Reader } from './reader.ts';

/** What an answer says of the records behind it. */
export type Follows =
  /** It says that there are more, by whichever of its members. */
  | 'more'
  /** All that it says agrees that it is the last, and it is shorter than what was asked for. */
  | 'last'
  /** It says that it is the last, but is as long as a page can be. */
  | 'full'
  /** It says nothing. */
  | 'unknown';

/** What an answer says of the records behind it; whether that is so is for accounting to find out. */
export function whatFollows(page: Page): Follows {
  const { returned, limit, offset, hasMore, nextOffset, doubts } = page;
  // What an answer lacks by its own words it counts all the same.
  const total = doubts.length > 0 ? undefined : page.total;
  const end = offset + returned;
  const saysMore = hasMore === true || (nextOffset ?? 0) > offset || (total !== undefined && total > end);
  if (saysMore) return 'more';
  if (hasMore === undefined && total === undefined) return 'unknown';
  return returned >= limit ? 'full' : 'last';
}

/**
 * Where an answer contradicts itself, in words; undefined where it does not. `hasMore`, `total`, `returned`,
 * `nextOffset` and the number of its records have to agree.
 */
export function contradictionIn(page: Page): string | undefined {
  const { returned, offset, total, hasMore, nextOffset, reportedReturned } = page;
  const end = offset + returned;
  if (reportedReturned !== undefined && reportedReturned !== returned)
    return `the API says that it sent ${reportedReturned} records, and sent ${returned}`;
  if (total !== undefined && returned === 0 && total > offset)
    return `the API counts ${total} records, and sent none behind the first ${offset}`;
  if (total !== undefined && hasMore === false && total > end)
    return `the API counts ${total} records, and says that there are none behind the first ${end}`;
  if (total !== undefined && returned > 0 && total < end)
    return `the API counts ${total} records, and sent one more than that`;
  if (hasMore === false && nextOffset !== undefined && nextOffset > offset)
    return 'the API says that there are no more records, and where the next ones begin';
  if (hasMore === true && returned === 0) return 'the API says that there are more records, and sent none';
  return undefined;
}

/** A page, and where it still contradicted itself when it was asked for a second time. */
export interface CheckedPage {
  readonly page: Page;
  readonly contradiction: string | undefined;
}

/** Asks for a page and, where the answer contradicts itself, once more. */
export async function requestPage(reader: Pick<Reader, 'page'>, request: PageRequest): Promise<CheckedPage> {
  const first = await reader.page(request);
  // An answer that says itself that it lacks records needs no second one to be doubted.
  if (first.doubts.length > 0 || contradictionIn(first) === undefined) return { page: first, contradiction: undefined };
  const page = await reader.page(request);
  return { page, contradiction: contradictionIn(page) };
}

/**
 * How many records the API counts in the whole stream; undefined where the answer says nothing of it or what it
 * says is only how many it sent, as an endpoint was seen to do on full pages (release notes of 0.6.51).
 */
export function countedBy(page: Page): number | undefined {
  const { total, isFiltered, doubts, offset, returned, limit } = page;
  if (total === undefined || isFiltered || doubts.length > 0) return undefined;
  const isPageLength = total === returned && (returned >= limit || offset > 0);
  return isPageLength ? undefined : total;
}

/**
 * Whether a page is shown to be the last by more than its own words: nothing is in it, it is shorter than others that
 * the endpoint served, or exactly as many records as once were proven to be all came where more had room.
 * @param met how many records came up to its end.
 */
export function isShownLast(page: Page, met: number, { largestPage = 0, totalProven = -1 }: TraitValues): boolean {
  const { returned, limit, capacity = 0, doubts } = page;
  if (doubts.length > 0 || contradictionIn(page) !== undefined) return false;
  if (returned === 0) return true;
  const follows = whatFollows(page);
  if (follows === 'more' || returned >= limit) return false;
  return returned < largestPage || (met === totalProven && returned < capacity);
}

/** No timestamp and no listing has so many records. */
const FAR = 10_000_000;

/**
 * Whether the endpoint heeds `offset`: nothing comes far behind the end. Exact repeats that fill page after page look
 * like an answer that is always the same, and this tells them from it.
 * @param pageAt asks for the page so many places on.
 */
export async function heedsOffset(pageAt: (further: number) => Promise<Page>): Promise<boolean> {
  try {
    const { returned, doubts } = await pageAt(FAR);
    return returned === 0 && doubts.length === 0;
  } catch (error) {
    if (error instanceof WarehouseError && error.code === 'PARAMETER_REFUSED') return false;
    throw error;
  }
}
