import type { BadRecord, Row } from '../datasets/normalise.ts';
import type { Doubt } from '../warehouse/doubts.ts';
import type { TraitValues } from './endpoint-traits.ts';
import { requestPage, contradictionIn, heedsOffset, isShownLast, whatFollows } from './evidence.ts';
import { bringsNew, hasRepeats, includesAll, isSame, lacksAll, mayHaveMore } from './carried.ts';
import { numbered, openNumbering, tailStart } from './ordinals.ts';
import type { Page, PageRequest } from './page.ts';
import type { Reader } from './reader.ts';
import { ENDLESS, MOST_IDLE } from './pass.ts';
import { after, between, guardOf, isGuardGone, pageAt, type Place, type Way } from './place.ts';
import { readSameTimestamp } from './same-timestamp.ts';

/** A part of a stream that was read whole: it has every row from the end of the previous chunk to its own end. */
export interface Chunk {
  /** Rows with their final keys. */
  readonly rows: readonly Row[];
  readonly bad: readonly BadRecord[];
  /** Everything up to this time has been read; undefined if no row has a time. */
  readonly upTo: number | undefined;
  readonly doubts: readonly Doubt[];
  /** The answer that ends the chunk. */
  readonly page: Page;
  /** A request for what comes next brought nothing new: this is the end, whatever the API says. */
  readonly isEnd: boolean;
}

export interface PaginateOptions extends Way {
  /** Start with rows of this time (milliseconds since 1970 UTC); undefined: with the first row. */
  readonly from?: number | undefined;
  /** Stop after rows of this time. */
  readonly to?: number | undefined;
  /** The first page, if it has been read already. */
  readonly first?: Page | undefined;
  /** What is known of the endpoint: this may show that an answer is the last although it does not say so. */
  readonly known: TraitValues;
  /**
   * claimed: a page that is shorter than requested and says that it is the last ends the reading. shown: it also has to
   * be shorter than other pages that the endpoint served. empty: only a request that brings nothing new ends it,
   * because the API was found wrong about the end.
   */
  readonly end: 'claimed' | 'shown' | 'empty';
  /** The endpoint sends everything in one answer: the same answer at a later place is the end. */
  readonly isUnpaged?: boolean;
}

/** The endpoint ignores `startTime` or `sort`, so that its pages cannot be read by key. */
export class NotWalkable extends Error {
  readonly why: 'startTime' | 'sort';
  constructor(why: 'startTime' | 'sort') {
    super(`the endpoint ignores ${why}`);
    this.why = why;
  }
}

/** Records moved during a listing by offset: rows may have been skipped. */
export class Shifted extends Error {}

/** How often a reading restarts a timestamp because records before it moved. */
const MOST_MOVES = 10;
export const RESTLESS: Doubt = { kind: 'unstable', text: 'records kept coming and going while they were listed' };

/** The endpoint returns the same records at every offset. */
export const OFFSET_IGNORED: Doubt = {
  kind: 'unproven',
  text: 'the API sends the same records again when asked for later ones',
};

/**
 * Reads a stream from a given time to the end, page by page. The rows of one timestamp are always taken from one
 * answer, whatever their order in it: each page starts again with the whole last timestamp. By key it requests that
 * timestamp with `startTime` (one millisecond earlier, so that an exclusive `startTime` works too), which stays correct
 * when rows come and go in the part that was read. By offset it steps back to the timestamp's first row and checks that
 * it is still there. Only a timestamp that fills more than a page is read across answers, until every place in it is
 * accounted for.
 *
 * @throws NotWalkable by key, if the endpoint ignores `startTime` or `sort`.
 * @throws Shifted by offset, if rows came or went in the part that was read.
 */
export async function* paginate(reader: Reader, options: PaginateOptions): AsyncGenerator<Chunk> {
  if (options.isUnpaged === true) {
    yield* readUnpaged(reader, options);
    return;
  }
  let place: Place = { from: options.from, offset: 0 };
  let carried: readonly Row[] = [];
  let idle = 0;
  let moves = 0;
  let asked: Place | undefined;
  let beginning: Page | undefined;
  let previous: Page | undefined;
  let shorter = 0;
  let isBehindFullTimestamp = false;
  let isHeeded: boolean | undefined;
  const number = openNumbering();
  for (let first = options.first; ; first = undefined) {
    const guard = guardOf(place, carried);
    const { page, doubts } = await ask(reader, first ?? pageAt(options, place, -guard));
    const own = between(page, guard);
    const { rows, places } = own;
    if (options.by === 'key') {
      checkEcho(page);
      checkOrder(page, place.from);
    }
    const looksRepeated =
      options.by === 'offset' && place.offset > 0 && (isSame(page, beginning) || isSame(page, previous));
    if (looksRepeated && hasRepeats(page))
      isHeeded ??= await heedsOffset((further) => reader.page(pageAt(options, place, further)));
    const isRepeated = looksRepeated && isHeeded !== true;
    if (isRepeated) doubts.push(OFFSET_IGNORED);
    beginning ??= page;
    previous = page;
    shorter = options.end === 'empty' && isShort(page, beginning) ? shorter + 1 : 0;
    const start = tailStart(rows);
    if (!isRepeated && contradictionIn(page) === undefined && hasMoved(own, carried, { place, guard, page, options })) {
      if (options.by === 'offset') throw new Shifted();
      if (++moves === MOST_MOVES) {
        yield chunk(own, [], [RESTLESS]);
        return;
      }
      // Without an offset, no place can move.
      place = { from: place.from, offset: 0 };
      [carried, asked] = [[], undefined];
      continue;
    }
    if (isRepeated || (page.returned <= guard && carried.length > 0)) {
      if (doubts.length === 0) throw options.by === 'offset' ? new Shifted() : new NotWalkable('startTime');
      yield { ...chunk(page, number(carried).rows, doubts), isEnd: false };
      return;
    }
    if (options.by === 'key' && lacksAll(rows, carried)) throw new NotWalkable('startTime');
    const isStuck = place.from === asked?.from && place.offset === asked?.offset;
    asked = place;
    // Rows behind a timestamp that fills pages may fill the page again.
    const isNew = isBehindFullTimestamp || (!isStuck && bringsNew(own, carried, options));
    isBehindFullTimestamp = false;
    idle = isNew ? 0 : idle + 1;
    if (!isNew && (!mayHaveMore(own, carried, options) || idle === MOST_IDLE)) {
      if (options.by === 'offset' && page.hasMore !== true && !includesAll(rows, carried)) throw new Shifted();
      const doubt = page.hasMore === true ? ENDLESS : idle === MOST_IDLE ? OFFSET_IGNORED : undefined;
      const said = doubt === undefined ? doubts : [...doubts, doubt];
      yield { ...chunk(page, number(carried).rows, said), isEnd: doubt === undefined };
      return;
    }
    const beyond = firstBeyond(rows, options.to);
    if (beyond >= 0 || isLast(page, options) || shorter === MOST_SHORT) {
      yield chunk(own, number(beyond >= 0 ? rows.slice(0, beyond) : rows).rows, doubts);
      return;
    }
    const step = places[start] ?? page.returned - guard;
    if (start > 0) {
      yield chunk(between(page, guard, step + guard), number(rows.slice(0, start)).rows, doubts);
      carried = rows.slice(start);
      const next = after(options, place, carried[0]?.time, step);
      // If the rows fill the page except for the one before them, the next request would be the same.
      const isFull = guard === 0 && step === 1 && guardOf(next, carried) > 0;
      place = isFull ? { ...place, offset: place.offset + step } : next;
      if (!isFull) continue;
    }
    const time = carried[0]?.time ?? rows[0]?.time;
    const group = await readFullTimestamp(reader, options, place, { page, lead: start > 0 ? step : guard, time });
    if (options.by === 'offset' && !includesAll(group.rows, carried)) throw new Shifted();
    yield { ...chunk(group, number(group.rows).rows, doubts), isEnd: group.isEnd };
    if (group.isLast) return;
    const [next] = group.following;
    place = after(options, place, next?.time, group.length);
    carried = place.offset > 0 ? group.following.filter((row) => row.time === next?.time) : [];
    isBehindFullTimestamp = true;
  }
}

/** The page with the first record of a timestamp that fills more than a page, and how many other records precede it. */
interface FullTimestamp {
  readonly page: Page;
  readonly lead: number;
  readonly time: number | undefined;
}

function readFullTimestamp(
  reader: Reader,
  options: PaginateOptions,
  place: Place,
  { page, lead, time }: FullTimestamp,
) {
  const pageAtPlace = (offset: number) => reader.page(pageAt(options, place, offset));
  // By key each pass begins with the records of the millisecond before, so that no place before it can move.
  const [back, skip] = options.by === 'key' ? [place.offset, 0] : [lead, lead];
  return readSameTimestamp(
    pageAtPlace,
    { page, place: -lead, skip: lead },
    {
      isEnd: (one) => isLast(one, options),
      isHeld: lead > 0 || place.offset === 0,
      again: async () => {
        const begin = await pageAtPlace(-back);
        if (isGuardGone(begin, skip, time)) throw new Shifted();
        return { page: begin, place: -back, skip };
      },
    },
  );
}

/** A page, which may have been read already, with a doubt if it contradicts itself. */
async function ask(reader: Reader, request: Page | PageRequest): Promise<{ page: Page; doubts: Doubt[] }> {
  if ('rows' in request) return { page: request, doubts: [] };
  const { page, contradiction } = await requestPage(reader, request);
  return { page, doubts: contradiction === undefined ? [] : [{ kind: 'contradiction', text: contradiction }] };
}

/**
 * Reads an endpoint that sends everything in one answer. If a later place returns the same records, that newer answer
 * counts.
 */
async function* readUnpaged(reader: Reader, options: PaginateOptions): AsyncGenerator<Chunk> {
  const first = await ask(reader, options.first ?? pageAt(options, { from: undefined, offset: 0 }));
  if (isLast(first.page, options)) {
    yield { ...chunk(first.page, numbered(first.page.rows).rows, first.doubts), isEnd: first.page.returned === 0 };
    return;
  }
  const { page, doubts } = await ask(reader, pageAt(options, { from: undefined, offset: first.page.returned }));
  if (page.returned > 0 && !includesAll(page.rows, first.page.rows)) throw new Shifted();
  const rows = page.returned === 0 ? first.page.rows : page.rows;
  yield { ...chunk(page, numbered(rows).rows, doubts), isEnd: true };
}

interface Step {
  readonly place: Place;
  readonly guard: number;
  readonly page: Page;
  readonly options: PaginateOptions;
}

/**
 * Whether records came or went before the current place, so that the rows read last are no longer where they were. A
 * timestamp that fills more than a page may show other rows each time: then it is read until it is whole.
 */
function hasMoved({ rows }: Page, carried: readonly Row[], { place, guard, page, options }: Step): boolean {
  if (place.offset === 0) return false;
  const isWhole = tailStart(rows) > 0 || rows.length === 0 || isLast(page, options);
  return isGuardGone(page, guard, carried[0]?.time) || (isWhole && !includesAll(rows, carried));
}

/** Whether the page is the last: the API says so, or the endpoint is known to serve longer pages. */
function isLast(page: Page, { known, end }: PaginateOptions): boolean {
  if (end === 'empty') return page.returned === 0;
  const follows = whatFollows(page);
  // After an answer that says that it lacks records, only more pages are requested, no proof of the end.
  if (page.doubts.length > 0) return follows !== 'more';
  if (follows === 'unknown' || end === 'shown')
    return isShownLast(page, page.offset === 0 ? page.returned : Infinity, known);
  return follows === 'last';
}

/** How many short pages in a row, each said to be the last, bring only records that have just arrived. */
const MOST_SHORT = 3;

/** Whether a page says that it is the last, and is shorter than the first page. */
function isShort(page: Page, beginning: Page): boolean {
  return page.offset > 0 && whatFollows(page) === 'last' && page.returned < beginning.returned;
}

function firstBeyond(rows: readonly Row[], to: number | undefined): number {
  return to === undefined ? -1 : rows.findIndex(({ time }) => time !== undefined && time > to);
}

/** A parameter that is missing from the echo of the request was ignored. */
function checkEcho({ ignored }: Page): void {
  if (ignored.includes('startTime')) throw new NotWalkable('startTime');
  if (ignored.includes('sort') || ignored.includes('order')) throw new NotWalkable('sort');
}

function checkOrder({ rows }: Page, from: number | undefined): void {
  const times = rows.map(({ time }) => time).filter((time) => time !== undefined);
  if (from !== undefined && times.some((time) => time < from - 1)) throw new NotWalkable('startTime');
  if (times.some((time, i) => time < (times[i - 1] ?? -Infinity))) throw new NotWalkable('sort');
}

function chunk(page: Page, rows: readonly Row[], doubts: readonly Doubt[]): Chunk {
  const times = rows.map(({ time }) => time).filter((time) => time !== undefined);
  return {
    rows,
    bad: page.bad,
    upTo: times.length === 0 ? undefined : times.reduce((a, b) => Math.max(a, b)),
    doubts: [...page.doubts, ...doubts],
    page,
    isEnd: false,
  };
}
