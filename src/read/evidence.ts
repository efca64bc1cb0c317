import { isOutage, WarehouseError } from '../shared/errors.ts';
import type { TraitValues } from './endpoint-traits.ts';
import type { Page, PageRequest } from './page.ts';
import type { Reader } from './reader.ts';

/** What an answer says about the records that come after it. */
export type Follows =
  /** At least one of its members says that there are more. */
  | 'more'
  /** All of its members agree that it is the last, and it is shorter than requested. */
  | 'last'
  /** It says that it is the last, but is as long as a page can be. */
  | 'full'
  /** It does not say. */
  | 'unknown';

/** What an answer says about the records that come after it. Accounting finds out whether that is true. */
export function whatFollows(page: Page): Follows {
  const { returned, limit, offset, hasMore, nextOffset, doubts } = page;
  // An answer that says that it lacks records counts these in its total.
  const total = doubts.length > 0 ? undefined : page.total;
  const end = offset + returned;
  const saysMore = hasMore === true || (nextOffset ?? 0) > offset || (total !== undefined && total > end);
  if (saysMore) return 'more';
  if (hasMore === undefined && total === undefined) return 'unknown';
  return returned >= limit ? 'full' : 'last';
}

/**
 * Describes how an answer contradicts itself; undefined if it does not. `hasMore`, `total`, `returned`, `nextOffset`
 * and the number of its records have to agree.
 */
export function contradictionIn(page: Page): string | undefined {
  const { returned, offset, total, hasMore, nextOffset, reportedReturned } = page;
  const end = offset + returned;
  if (reportedReturned !== undefined && reportedReturned !== returned)
    return `the API says that it sent ${reportedReturned} records, but sent ${returned}`;
  if (total !== undefined && returned === 0 && total > offset)
    return `the API counts ${total} records, but sent none after the first ${offset}`;
  if (total !== undefined && hasMore === false && total > end)
    return `the API counts ${total} records, but says that there are none after the first ${end}`;
  if (total !== undefined && returned > 0 && total < end)
    return `the API counts ${total} records, but sent at least one more`;
  if (hasMore === false && nextOffset !== undefined && nextOffset > offset)
    return 'the API says that there are no more records, but also where the next ones begin';
  if (hasMore === true && returned === 0) return 'the API says that there are more records, but sent none';
  return undefined;
}

/** A page, and how it still contradicted itself when it was requested a second time. */
export interface CheckedPage {
  readonly page: Page;
  readonly contradiction: string | undefined;
}

/** Requests a page and, if the answer contradicts itself, requests it once more. */
export async function requestPage(reader: Pick<Reader, 'page'>, request: PageRequest): Promise<CheckedPage> {
  const first = await reader.page(request);
  // An answer that says that it lacks records is in doubt already.
  if (first.doubts.length > 0 || contradictionIn(first) === undefined) return { page: first, contradiction: undefined };
  const page = await reader.page(request);
  return { page, contradiction: contradictionIn(page) };
}

/**
 * How many records the API counts in the whole stream; undefined if the answer does not say, or only says how many it
 * sent, as an endpoint did on full pages (release notes of 0.6.51).
 */
export function countedBy(page: Page): number | undefined {
  const { total, isFiltered, doubts, offset, returned, limit } = page;
  if (total === undefined || isFiltered || doubts.length > 0) return undefined;
  const isPageLength = total === returned && (returned >= limit || offset > 0);
  return isPageLength ? undefined : total;
}

/**
 * Whether a page is shown to be the last by more than its own words: it is empty, it is shorter than other pages that
 * the endpoint served, or it had room for more and ends with as many records as were once proven to be all.
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

/**
 * Whether the last page of a reading can show that all records came. The last one with a time filter shows only that
 * those came which the filter sees.
 * @param total how many records the API counts in the whole stream.
 */
export function showsAll({ isFiltered }: Page, total: number | undefined): boolean {
  return !isFiltered || total !== undefined;
}

/**
 * Whether a listing met a record at each place up to the end of its last page: where records came that say the same as
 * others, they may be others. What names a time, or has no places, says nothing of it.
 */
export function fillsPlaces({ isFiltered, limit, offset, returned }: Page, met: number): boolean {
  return isFiltered || limit === Infinity || returned === 0 || met >= offset + returned;
}

/** More records than any timestamp or listing has. */
const FAR = 10_000_000;

/**
 * Whether the endpoint heeds `offset`: a request far behind the end brings nothing. This distinguishes exact repeats
 * that fill page after page from an answer that is always the same.
 * @param pageAt requests the page that many places further on.
 */
export async function heedsOffset(pageAt: (further: number) => Promise<Page>): Promise<boolean> {
  try {
    const { returned, doubts } = await pageAt(FAR);
    return returned === 0 && doubts.length === 0;
  } catch (error) {
    if (error instanceof WarehouseError && !isOutage(error.code)) return false;
    throw error;
  }
}
