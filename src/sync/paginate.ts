import type { BadRecord, Row } from '../datasets/normalise.ts';
import type { Doubt } from '../warehouse/doubts.ts';
import type { TraitValues } from './endpoint-traits.ts';
import { askSteadily, isShownLast, whatFollows } from './evidence.ts';
import { markOf, numbered, tailStart, type Repeats } from './ordinals.ts';
import type { Page, PageRequest, Reader } from './reader.ts';
import { ENDLESS, MOST_IDLE, readGroup } from './same-timestamp.ts';

/** A stretch of a stream that is read whole: no row between the previous stretch and the end of this one is left out. */
export interface Stretch {
  /** Rows with their final keys. */
  readonly rows: readonly Row[];
  readonly bad: readonly BadRecord[];
  /** Everything up to this time has been read; undefined where nothing has a time. */
  readonly upTo: number | undefined;
  readonly doubts: readonly Doubt[];
  /** The answer that ends the stretch. */
  readonly page: Page;
  /** A request for what comes behind brought nothing new: this is the end, whatever the API says. */
  readonly isEnd: boolean;
}

export interface PaginateOptions {
  /** Start with rows of this time (milliseconds since 1970 UTC); undefined: with the first. */
  readonly from?: number | undefined;
  /** Stop behind rows of this time. */
  readonly to?: number | undefined;
  /** key: by time, as `startTime` works here; offset: by place, as it does not. */
  readonly by: 'key' | 'offset';
  /** Whether to ask for an order by time; an endpoint that refuses it is listed as it comes. */
  readonly sorted: boolean;
  /** The first page, where it was read already. */
  readonly first?: Page | undefined;
  /** What is known of the endpoint: an answer that does not say so may be shown to be the last. */
  readonly known: TraitValues;
  /**
   * claimed: a page that is shorter than asked for and says that it is the last ends the reading. shown: it also has to
   * be shorter than others that the endpoint served. empty: only a request that brings nothing new does, as what the API
   * says of the end was found wrong.
   */
  readonly end: 'claimed' | 'shown' | 'empty';
  /** One answer is all there is: the same again for a later place is the end. */
  readonly isUnpaged?: boolean;
}

/** The endpoint does not do what `startTime` or `sort` say: its pages cannot be walked by key. */
export class NotWalkable extends Error {
  readonly why: 'startTime' | 'sort';
  constructor(why: 'startTime' | 'sort') {
    super(`the endpoint ignores ${why}`);
    this.why = why;
  }
}

/** A listing by offset moved under the reader: rows may have been skipped. */
export class Shifted extends Error {}

/** The endpoint gives the same records again, however far behind is asked for. */
export const OFFSET_IGNORED: Doubt = {
  kind: 'unproven',
  text: 'the API sends the same records again when asked for later ones',
};

/**
 * Reads a stream from one time to the end, page by page. The rows of one timestamp are always taken from one answer,
 * whatever their order in it: each next page starts again with the whole last timestamp. By key it does so with
 * `startTime` (one millisecond earlier, so that an exclusive one works too), which stays right when rows come and go
 * behind the reader; by offset it steps back to the timestamp's first row and checks that it is still there.
 * Only a timestamp that fills more than a page is read across answers, until every place in it is accounted for.
 *
 * @throws NotWalkable by key, when the endpoint ignores `startTime` or `sort`.
 * @throws Shifted by offset, when rows before the reader came or went.
 */
export async function* paginate(reader: Reader, options: PaginateOptions): AsyncGenerator<Stretch> {
  let place: Place = { from: options.from, offset: 0 };
  let carried: readonly Row[] = [];
  let idle = 0;
  let asked: Place | undefined;
  let beginning: Page | undefined;
  let shorter = 0;
  const repeats: Repeats = new Map();
  for (let first = options.first; ; first = undefined) {
    const { page, contradiction } =
      first === undefined
        ? await askSteadily(reader, pageAt(options, place))
        : { page: first, contradiction: undefined };
    const doubts: Doubt[] = contradiction === undefined ? [] : [{ kind: 'contradiction', text: contradiction }];
    if (options.by === 'key') checkOrder(page, place.from);
    const isAgain =
      options.by === 'offset' && options.isUnpaged !== true && place.offset > 0 && isSame(page, beginning);
    if (isAgain) doubts.push(OFFSET_IGNORED);
    if (options.isUnpaged === true && beginning !== undefined) {
      // One answer is all there is: the same again for a later place is the newer one, and nothing is the end.
      if (page.returned > 0 && !includesAll(page.rows, beginning.rows)) throw new Shifted();
      const rows = page.returned === 0 ? beginning.rows : page.rows;
      yield { ...stretch(page, numbered(rows).rows, doubts), isEnd: true };
      return;
    }
    beginning ??= page;
    if (options.isUnpaged === true && !isLast(page, options)) {
      place = { from: undefined, offset: page.returned };
      continue;
    }
    shorter = options.end === 'empty' && isShort(page, beginning) ? shorter + 1 : 0;
    if (isAgain || (page.returned === 0 && carried.length > 0)) {
      if (!isAgain && contradiction === undefined)
        throw options.by === 'offset' ? new Shifted() : new NotWalkable('startTime');
      yield { ...stretch(page, numbered(carried, repeats).rows, doubts), isEnd: false };
      return;
    }
    const start = tailStart(page.rows);
    // A timestamp that fills more than a page may show other rows of it each time: the group accounts for them.
    const isWhole = start > 0 || isLast(page, options);
    if (options.by === 'offset' && isWhole && !includesAll(page.rows, carried)) throw new Shifted();
    if (options.by === 'key' && lacksAll(page.rows, carried)) throw new NotWalkable('startTime');
    const isStuck = place.from === asked?.from && place.offset === asked?.offset;
    asked = place;
    const isNew = !isStuck && bringsNew(page, carried, options);
    idle = isNew ? 0 : idle + 1;
    if (!isNew && (page.hasMore !== true || idle === MOST_IDLE)) {
      const said = page.hasMore === true ? [...doubts, ENDLESS] : doubts;
      yield { ...stretch(page, numbered(carried, repeats).rows, said), isEnd: page.hasMore !== true };
      return;
    }
    const beyond = firstBeyond(page.rows, options.to);
    if (beyond >= 0 || isLast(page, options) || shorter === MOST_SHORT) {
      yield stretch(page, numbered(beyond >= 0 ? page.rows.slice(0, beyond) : page.rows, repeats).rows, doubts);
      return;
    }
    if (start > 0) {
      yield stretch(page, numbered(page.rows.slice(0, start), repeats).rows, doubts);
      carried = page.rows.slice(start);
      place = after(options, place, carried[0]?.time, page.places[start] ?? page.returned);
      continue;
    }
    const group = await readGroup(
      (offset) => reader.page(pageAt(options, { ...place, offset: place.offset + offset })),
      page,
      (one) => isLast(one, options),
    );
    if (options.by === 'offset' && !includesAll(group.rows, carried)) throw new Shifted();
    yield { ...stretch(group, numbered(group.rows, repeats).rows, doubts), isEnd: group.isEnd };
    if (group.isLast) return;
    carried = [];
    place = after(options, place, group.next, group.length);
  }
}

/** Where an answer begins: at a time, less a millisecond, and so many records further on. */
interface Place {
  readonly from: number | undefined;
  readonly offset: number;
}

function pageAt({ by, sorted }: PaginateOptions, { from, offset }: Place): PageRequest {
  return {
    from: by === 'key' && from !== undefined ? from - 1 : undefined,
    order: sorted ? 'asc' : undefined,
    offset,
  };
}

/** By key the next answer begins at the time of the rows carried over; where that is no progress, or by offset, at their place. */
function after({ by }: PaginateOptions, { from, offset }: Place, time: number | undefined, places: number): Place {
  return by === 'key' && time !== undefined && time > (from ?? -Infinity)
    ? { from: time, offset: 0 }
    : { from, offset: offset + places };
}

/** Whether the API says, or an endpoint known to serve longer pages shows, that nothing comes behind the page. */
function isLast(page: Page, { known, end }: PaginateOptions): boolean {
  if (end === 'empty') return page.returned === 0;
  const follows = whatFollows(page);
  // An answer that says itself that it lacks records is asked no further.
  if (page.doubts.length > 0) return follows !== 'more';
  if (follows === 'unsaid' || end === 'shown')
    return isShownLast(page, page.offset === 0 ? page.returned : Infinity, known);
  return follows === 'last';
}

/** Short pages in a row, each said to be the last, that only bring what has just arrived. */
const MOST_SHORT = 3;

/** Whether a page says that it is the last, and is shorter than pages are here. */
function isShort(page: Page, beginning: Page): boolean {
  return page.offset > 0 && whatFollows(page) === 'last' && page.returned < beginning.returned;
}

/** Whether the page has more than the rows carried over, which by key may come with those a millisecond earlier. */
function bringsNew({ rows, bad }: Page, carried: readonly Row[], { by }: PaginateOptions): boolean {
  const time = by === 'key' ? carried[0]?.time : undefined;
  const fresh = rows.filter((row) => time === undefined || row.time === undefined || row.time >= time);
  return bad.length > 0 || fresh.length > carried.length || !includesAll(carried, fresh);
}

/** Rows that were just read must come again with a filter that begins before them, unless others fill their timestamp. */
function lacksAll(rows: readonly Row[], carried: readonly Row[]): boolean {
  const time = carried[0]?.time;
  if (time === undefined || rows.every((row) => row.time === time)) return false;
  const marks = new Set(carried.map(markOf));
  return !rows.some((row) => marks.has(markOf(row)));
}

function isSame({ rows }: Page, other: Page | undefined): boolean {
  return other !== undefined && other.rows.length === rows.length && includesAll(other.rows, rows);
}

function firstBeyond(rows: readonly Row[], to: number | undefined): number {
  return to === undefined ? -1 : rows.findIndex(({ time }) => time !== undefined && time > to);
}

function checkOrder({ rows }: Page, from: number | undefined): void {
  const times = rows.map(({ time }) => time).filter((time) => time !== undefined);
  if (from !== undefined && times.some((time) => time < from - 1)) throw new NotWalkable('startTime');
  if (times.some((time, i) => time < (times[i - 1] ?? -Infinity))) throw new NotWalkable('sort');
}

function includesAll(rows: readonly Row[], wanted: readonly Row[]): boolean {
  if (wanted.length === 0) return true;
  const present = new Set(rows.map(markOf));
  return wanted.every((row) => present.has(markOf(row)));
}

function stretch(page: Page, rows: readonly Row[], doubts: readonly Doubt[]): Stretch {
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
