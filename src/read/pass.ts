import { contentOf } from '../datasets/content.ts';
import type { BadRecord, Row } from '../datasets/normalise.ts';
import type { Doubt } from '../warehouse/doubts.ts';
import { heedsOffset } from './evidence.ts';
import type { Page } from './page.ts';

/** One reading of all places of a timestamp, from the first to the last. */
export interface Pass {
  /** The records, in the order of their places. */
  readonly met: readonly Met[];
  /** How many places the timestamp has, by the first and the last answer. */
  readonly places: number;
  /** The place after its last record. */
  readonly end: number;
  /** Each page began with enough of the last records of the previous page to show that the order is stable. */
  readonly isSteady: boolean;
  /** The last answer shows where the timestamp ends: no record can have been skipped there. */
  readonly isEndSeen: boolean;
  /** The endpoint returns the same answer for every place. */
  readonly isOneAnswer: boolean;
  readonly doubts: readonly Doubt[];
  /** The answer that ends it. */
  readonly page: Page;
  /** Rows after the timestamp in that answer. */
  readonly following: readonly Row[];
  /** Nothing comes after it. */
  readonly isLast: boolean;
  /** A request for what comes after it brought nothing new. */
  readonly isEnd: boolean;
}

/** The record of one place; for a record of another data type, only the place. */
export interface Met {
  readonly mark: string;
  readonly time: number | undefined;
  readonly row?: Row;
  readonly bad?: BadRecord;
}

/** How many pages in a row may bring nothing new although the API says that there is more. */
export const MOST_IDLE = 3;
export const ENDLESS: Doubt = {
  kind: 'endless',
  text: 'the API keeps saying that there is more but sends nothing new',
};
/**
 * How many records of the previous page a page begins with, if pages are long enough that this costs next to nothing.
 */
const OVERLAP = 3;
/** From this many records on, a page is long: three of them come in the same order by chance once in 24,000 times. */
const LONG = 30;

/** The page with which a pass begins. */
export interface Start {
  readonly page: Page;
  /** The place of its first record. */
  readonly place: number;
  /** How many of its records come before the timestamp's. */
  readonly skip?: number | undefined;
}

/** One page of a pass, and where in it the timestamp's records are. */
interface View {
  readonly page: Page;
  /** The place of its first record. */
  readonly place: number;
  readonly all: readonly Met[];
  /** How many of its first records have to be the last ones of the previous page, and whether they are. */
  readonly overlap: number;
  readonly reappears: boolean;
  /** Records before `head` are older, records from `stop` on are newer. */
  readonly head: number;
  readonly stop: number;
  readonly isOneAnswer: boolean;
}

/**
 * Reads every place of a timestamp once. Each page begins with the last records of the previous one: if these come
 * again, nothing in between can have been missed, as long as the order is stable.
 * @param pageAt reads the page at a place.
 * @param start the first page and its place.
 * @param time the timestamp; older records before it are skipped.
 */
export async function sweep(
  pageAt: (place: number) => Promise<Page>,
  start: Start,
  time: number | undefined,
  isEnd: (page: Page) => boolean,
): Promise<Pass> {
  const views: View[] = [];
  const marks = new Set<string>();
  const beginning = metOf(start.page);
  let [idle, page, place] = [0, start.page, start.place];
  let isHeeded = false;
  for (;;) {
    const view = look({ page, place, skip: views.length === 0 ? start.skip : 0 }, views, beginning, time);
    views.push(view);
    const news = view.all.slice(view.reappears ? view.overlap : 0);
    idle = news.every(({ mark, bad }) => bad === undefined && marks.has(mark)) ? idle + 1 : 0;
    for (const { mark } of news) marks.add(mark);
    if (idle === MOST_IDLE && !isHeeded && hasRepeats(view)) {
      isHeeded = await heedsOffset((further) => pageAt(place + further));
      if (isHeeded) idle = 0;
    }
    const isEnough = bringsNothing(view) || isEnd(page) || (idle >= MOST_IDLE && !isHeeded);
    if (view.stop < page.returned || isEnough) return passOf(views, idle >= MOST_IDLE && !isHeeded);
    place += page.returned - overlapOf(page, views.length);
    page = await pageAt(place);
  }
}

/** The time of the first record of a page that may have one. */
export function timeAt({ page, skip }: Start): number | undefined {
  return metOf(page)
    .slice(skip)
    .find((one) => (one.row ?? one.time) !== undefined)?.time;
}

function look(
  { page, place, skip = 0 }: Start,
  formers: readonly View[],
  beginning: readonly Met[],
  time: number | undefined,
): View {
  const all = metOf(page);
  const former = formers.at(-1);
  const overlap = former === undefined ? 0 : overlapOf(former.page, formers.length);
  const carried = former === undefined || overlap === 0 ? [] : former.all.slice(-overlap);
  const head = Math.max(
    skip,
    all.findLastIndex((one) => time !== undefined && one.time !== undefined && one.time < time) + 1,
  );
  // A malformed record without a time may belong to the timestamp.
  const other = all.findIndex((one, i) => i >= head && one.time !== time && (one.row ?? one.time) !== undefined);
  return {
    page,
    place,
    all,
    overlap,
    reappears: carried.every(({ mark }, i) => mark === all[i]?.mark),
    head,
    stop: other === -1 ? page.returned : other,
    isOneAnswer: former !== undefined && page.hasMore === undefined && isSame(all, beginning),
  };
}

/** A short first page usually has everything; if it does not, the pass is no proof by itself. */
function overlapOf({ returned, limit }: Page, nth: number): number {
  if (returned >= LONG) return OVERLAP;
  return nth === 1 && returned < limit ? 0 : Math.min(1, Math.max(returned - 1, 0));
}

/** Whether a page has exact repeats, so that a different page may seem to bring nothing new. */
function hasRepeats({ all }: View): boolean {
  return new Set(all.map(({ mark }) => mark)).size < all.length;
}

function bringsNothing({ page, overlap, reappears, isOneAnswer }: View): boolean {
  const isOnlyOverlap = overlap > 0 && reappears && page.returned === overlap && page.hasMore !== true;
  return isOneAnswer || isOnlyOverlap || page.returned === 0;
}

function passOf(views: readonly View[], isIdle: boolean): Pass {
  const met = views.flatMap(recordsIn);
  const first = views.find((view) => recordsIn(view).length > 0);
  const last = views.findLast(({ isOneAnswer }) => !isOneAnswer);
  const ending = views.at(-1);
  if (last === undefined || ending === undefined) throw new Error('a pass without a page');
  const { page, stop } = ending;
  const begin = first === undefined ? last.place + last.stop : first.place + first.head;
  const end = last.place + last.stop;
  const isLast = stop === page.returned;
  const isEnd = isLast && bringsNothing(ending);
  const [{ page: opening }] = [views[0] ?? ending];
  return {
    met,
    places: end - begin,
    end,
    isSteady:
      (opening.returned >= LONG || opening.returned < opening.limit) &&
      views.slice(1).every((view) => view.reappears && (view.overlap > 0 || recordsIn(view).length === 0)) &&
      new Set(met.map(({ mark }) => mark)).size === met.length,
    isEndSeen: showsEnd(ending),
    isOneAnswer: ending.isOneAnswer,
    doubts: [...new Set(views.flatMap((view) => view.page.doubts)), ...(isIdle && !isEnd ? [ENDLESS] : [])],
    page,
    following: page.rows.filter((_, i) => (page.places[i] ?? 0) >= stop),
    isLast,
    isEnd,
  };
}

/** Whether the timestamp's last record is in the answer, or certainly was in the one before. */
function showsEnd({ page, head, stop, overlap, reappears, isOneAnswer }: View): boolean {
  return isOneAnswer || stop > head || (reappears && (overlap > 0 || page.returned === 0));
}

/** The timestamp's records that are in this page and were not in the page before. */
function recordsIn({ all, head, stop, overlap, reappears, isOneAnswer }: View): readonly Met[] {
  return isOneAnswer ? [] : all.slice(Math.max(head, reappears ? overlap : 0), stop);
}

/** The records of a page by their places. */
function metOf({ rows, places, bad, badPlaces, returned }: Page): readonly Met[] {
  const all: Met[] = Array.from({ length: returned }, () => ({ mark: '', time: undefined }));
  // Several records may share an id: their content distinguishes them.
  rows.forEach((row, i) => (all[places[i] ?? 0] = { mark: `${row.key} ${contentOf(row)}`, time: row.time, row }));
  bad.forEach((one, i) => (all[badPlaces[i] ?? 0] = { mark: one.text, time: one.time, bad: one }));
  return all;
}

/** Whether two answers have the same records in any order, as an endpoint that ignores `offset` sends them. */
function isSame(all: readonly Met[], others: readonly Met[]): boolean {
  const marks = new Set(others.map(({ mark }) => mark));
  return all.length === others.length && marks.size === others.length && all.every(({ mark }) => marks.has(mark));
}
