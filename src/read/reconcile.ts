import type { Row } from '../datasets/normalise.ts';
import { WarehouseError } from '../shared/errors.ts';
import { parseTime } from '../shared/time.ts';
import type { Doubt } from '../warehouse/doubts.ts';
import { countRows, timeAt, type TimeRange } from '../warehouse/records.ts';
import { createSeen } from '../warehouse/seen.ts';
import { countedBy, fillsPlaces, isShownLast, showsAll } from './evidence.ts';
import { distinct, isPartial } from './full-listing.ts';
import { otherPages } from './other-pages.ts';
import { paginate } from './paginate.ts';
import type { Page } from './page.ts';
import { either, NOTHING_BEHIND, type LookedBehind } from './behind.ts';
import { both, later, NOTHING_READ, serverNow, type Reading, type Session } from './session.ts';

/**
 * Reads a time range (both ends included; without ends the whole stream) page by page and passes it to the sink.
 * @param look looks at where the records of each page were before.
 */
export async function readRange(
  session: Session,
  range: TimeRange,
  look?: (rows: readonly Row[]) => Promise<LookedBehind>,
): Promise<Reading> {
  const { reader, warehouse, sink, traits } = session;
  const seen = createSeen(warehouse.db);
  const doubts: Doubt[] = [];
  let upTo: number | undefined;
  let bad = 0;
  const atMost = otherPages(session);
  let isShown = true;
  let last: Page | undefined;
  let total: number | undefined;
  const { known } = traits;
  try {
    for await (const chunk of paginate(reader, { ...range, by: 'key', sorted: true, atMost, known, end: 'claimed' })) {
      const { rows, isMet } = distinct(session, chunk, seen);
      const behind = (await look?.(rows)) ?? NOTHING_BEHIND;
      doubts.push(...chunk.doubts, ...behind.reading.doubts);
      sink.take({ rows, bad: chunk.bad, isPartial: isPartial(chunk), isMet: either(isMet, behind.isMet) });
      seen.add(rows.map(({ key }) => key));
      bad += chunk.bad.length;
      upTo = later(upTo, newest(session, chunk.rows));
      last = chunk.page;
      total = countedBy(chunk.page) ?? total;
      isShown = (chunk.isEnd || isShownLast(chunk.page, Infinity, traits.known)) && showsAll(chunk.page, total);
    }
    const isWhole = range.from === undefined && range.to === undefined;
    const met = seen.count() + bad;
    // A malformed record may be a stored row in another form, and a doubtful answer does not show which rows are gone.
    const isClean = doubts.length === 0 && bad === 0;
    return {
      doubts,
      unseen: isClean ? sink.seen.missing(range) : [],
      ...(range.to === undefined ? { upTo } : {}),
      ...(isWhole ? { isWhole, total, met, isShown: isShown && (last === undefined || fillsPlaces(last, met)) } : {}),
    };
  } finally {
    seen.drop();
  }
}

/** The newest time of the rows, without those dated ahead of the server's clock. */
export function newest(
  session: Pick<Session, 'reader' | 'clock'>,
  rows: readonly { readonly time: number | undefined }[],
): number | undefined {
  const now = serverNow(session);
  return rows.reduce<number | undefined>(
    (latest, { time }) => (time === undefined || time > now ? latest : later(latest, time)),
    undefined,
  );
}

/**
 * Compares the counts of a time range with the API's and reads only the parts that differ, halving the range until a
 * part fits a page. No stored row should have the time of one of its ends. Equal counts can hide one row that came and
 * another that went: `halvings` is how often the range is halved even if its counts are equal.
 */
export async function compareRange(session: Session, range: TimeRange, halvings = 0): Promise<Reading> {
  const local = countRows(session.warehouse.db, session.stream, range);
  const server = await serverCount(session, range);
  if (local === undefined || server === undefined) return readRange(session, range);
  return compareParts(session, range, server, halvings);
}

/**
 * Compares the counts of the rows that are older than an answer, if the counts of the whole stream are known.
 * @param since the answer has all records from this time on; their number is `records`.
 * @param lacking how many more records the API has than are held, in the whole stream.
 */
export async function compareBehind(
  session: Session,
  { since, records }: NonNullable<Reading['view']>,
  lacking: number,
): Promise<Reading> {
  const { warehouse, stream } = session;
  const [range, inView] = [{ to: since - 1 }, countRows(warehouse.db, stream, { from: since })];
  const local = countRows(warehouse.db, stream, range);
  if (local === undefined || inView === undefined) return compareRange(session, {});
  return compareParts(session, range, local + lacking + inView - records, 0);
}

async function compareParts(session: Session, range: TimeRange, server: number, halvings: number): Promise<Reading> {
  const { warehouse, stream, reader } = session;
  const local = countRows(warehouse.db, stream, range) ?? 0;
  if (local === server && halvings === 0) return NOTHING_READ;
  const middle = Math.max(local, server) > reader.pageSize ? splitTime(session, range, local) : undefined;
  const left = middle === undefined ? undefined : await serverCount(session, { from: range.from, to: middle });
  if (middle === undefined || left === undefined) return local === server ? NOTHING_READ : readRange(session, range);
  const fewer = Math.max(halvings - 1, 0);
  const before = await compareParts(session, { from: range.from, to: middle }, left, fewer);
  // A row exactly in the middle may count on both sides or on neither: then the right side differs and is read as well.
  const behind = await compareParts(session, { from: middle + 1, to: range.to }, server - left, fewer);
  return both(before, behind);
}

/** A time that halves our rows in a range and lies inside it; undefined if there is none. */
function splitTime(session: Session, range: TimeRange, local: number): number | undefined {
  const text = timeAt(session.warehouse.db, session.stream, range, Math.floor(local / 2));
  const median = text === undefined ? undefined : freeTime(session, parseTime(text) ?? 0);
  const isInside = median !== undefined && median > (range.from ?? -Infinity) && median < (range.to ?? Infinity);
  return isInside ? median : undefined;
}

/** A millisecond at or shortly before `ms` without a row, so that inclusive and exclusive ends count the same. */
export function freeTime({ warehouse, stream }: Session, ms: number): number {
  for (let at = ms; at > ms - 50; at--) {
    if ((countRows(warehouse.db, stream, { from: at, to: at }) ?? 0) === 0) return at;
  }
  return ms;
}

/**
 * How many records the API counts in a range; undefined if it does not say, or only says how many it sent. If the
 * endpoint ignores or refuses `endTime`, the counts from both ends on are requested and subtracted.
 */
async function serverCount({ reader, traits }: Session, { from, to }: TimeRange): Promise<number | undefined> {
  const count = async (range: TimeRange) => {
    const page = await reader.page({ ...range, order: 'desc', limit: 1 });
    const { total, returned, hasMore, doubts, ignored } = page;
    if (ignored.includes('endTime')) traits.learn({ endTime: 'ignored' }, 'its echo lacks endTime');
    const isCount =
      !ignored.includes('startTime') &&
      !ignored.includes('endTime') &&
      total !== undefined &&
      doubts.length === 0 &&
      total >= returned &&
      (hasMore !== true || total > returned);
    return { newest: page.rows[0]?.time, total: isCount ? total : undefined };
  };
  if (to === undefined) return (await count({ from })).total;
  const { endTime, endTimeRefused } = traits.known;
  if (endTimeRefused !== true && endTime !== 'ignored') {
    try {
      const { newest: last, total } = await count({ from, to });
      if (traits.known.endTime !== 'ignored' && (last === undefined || last <= to)) return total;
      traits.learn({ endTime: 'ignored' }, 'a row later than endTime came');
    } catch (error) {
      if (!(error instanceof WarehouseError) || error.code !== 'PARAMETER_REFUSED') throw error;
      traits.learn({ endTimeRefused: true }, error.message);
    }
  }
  const [since, behind] = [await count({ from }), await count({ from: to })];
  return since.total === undefined || behind.total === undefined ? undefined : since.total - behind.total;
}
