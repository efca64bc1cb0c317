import { isDigest } from '../datasets/keys.ts';
import type { Row } from '../datasets/normalise.ts';
import { isLocal, WarehouseError } from '../shared/errors.ts';
import type { Doubt } from '../warehouse/doubts.ts';
import { countRows, keysOf } from '../warehouse/records.ts';
import { requestPage, countedBy, isShownLast, showsAll } from '../read/evidence.ts';
import { certainRows, isPartial } from '../read/full-listing.ts';
import { NotWalkable, paginate, type Chunk } from '../read/paginate.ts';
import type { Page, PageRequest } from '../read/page.ts';
import { notLeftToRooms } from '../read/left-to-rooms.ts';
import { freeTime, newest, readRange } from '../read/reconcile.ts';
import { either, NOTHING_BEHIND, type LookedBehind } from '../read/behind.ts';
import { numbered, withCertainKeys } from '../read/ordinals.ts';
import { readNarrower } from '../read/retry-narrower.ts';
import { both, later, position, serverNow, type Reading, type Session } from '../read/session.ts';
import { lookBehind } from './moved.ts';
import { readSnapshot } from './snapshot.ts';

/** The most pages and rows in one transaction of a first read. After a kill at most these are read again. */
const BACKFILL = { pages: 10, rows: 5000 };

/**
 * Reads what is new in a stream with a time filter: the first read starts at the beginning, later ones request the
 * newest page. An endpoint that turns out to ignore its filters is listed whole instead, which is remembered.
 */
export async function readIncremental(session: Session): Promise<Reading> {
  const { backfilled, watermark } = position(session);
  return byTime(session, async () => {
    const reading = session.full
      ? await readRange(session, {})
      : backfilled
        ? await poll(session, watermark)
        : await walkOn(session);
    // Only an answer shows the server's clock: this computer's may be wrong.
    const isAhead = backfilled && watermark !== undefined && notAheadOf(session, watermark) === undefined;
    return readNarrower(session, isAhead && !session.full ? await readRange(session, {}) : reading);
  });
}

/** Reads by time if the endpoint allows it; otherwise lists everything. */
export async function byTime(session: Session, read: () => Promise<Reading>): Promise<Reading> {
  const { startTimeIgnored, startTimeRefused } = session.traits.known;
  if (startTimeIgnored === true || startTimeRefused === true) return readSnapshot(session);
  try {
    return await read();
  } catch (error) {
    const isRefused = error instanceof WarehouseError && error.code === 'PARAMETER_REFUSED';
    if (!isRefused && !(error instanceof NotWalkable)) throw error;
    session.log.info({ why: error.message }, 'endpoint does not filter or sort by time; listing it whole');
    const reading = await readSnapshot(session);
    session.traits.learn(isRefused ? { startTimeRefused: true } : { startTimeIgnored: true }, error.message);
    return reading;
  }
}

/** Ignores a watermark that is ahead of the server's clock, which an earlier version could store. */
function notAheadOf(session: Session, watermark: number | undefined): number | undefined {
  return watermark !== undefined && watermark > serverNow(session) ? undefined : watermark;
}

/**
 * Reads from the watermark to the end. Rows and watermark are committed together. After the first doubtful page rows
 * are still stored, but the watermark stays, so that the next sync reads that part again.
 */
async function walkOn(session: Session, from = notAheadOf(session, position(session).watermark)): Promise<Reading> {
  const { reader, traits, sink } = session;
  const before = position(session);
  const batch = before.backfilled || session.commitsEachPage === true ? { pages: 1, rows: 0 } : BACKFILL;
  const doubts: Doubt[] = [];
  let pending: (Chunk & { readonly behind: LookedBehind })[] = [];
  let watermark = notAheadOf(session, before.watermark);
  let last: Chunk | undefined;
  let total: number | undefined;
  let met = 0;
  const flush = () => {
    if (pending.length === 0) return;
    const rows = pending.flatMap((chunk) => certainRows(session, chunk));
    const bad = pending.flatMap((chunk) => chunk.bad);
    const isMet = either(...pending.map(({ behind }) => behind.isMet));
    sink.take({ rows, bad, isPartial: pending.some(isPartial), isMet, position: { watermark } });
    pending = [];
  };
  try {
    const { known } = traits;
    for await (const chunk of paginate(reader, { from, by: 'key', sorted: true, known, end: 'claimed' })) {
      const behind = before.backfilled ? await lookBehind(session, chunk.rows, from) : NOTHING_BEHIND;
      doubts.push(...chunk.doubts, ...behind.reading.doubts);
      if (doubts.length === 0) watermark = later(watermark, newest(session, chunk.rows));
      pending.push({ ...chunk, behind });
      last = chunk;
      total = countedBy(chunk.page) ?? total;
      met += chunk.rows.length + chunk.bad.length;
      const rows = pending.reduce((sum, one) => sum + one.rows.length, 0);
      if (pending.length >= batch.pages || rows >= batch.rows) flush();
    }
  } catch (error) {
    // Whatever ended the reading, these pages are correct and need not be requested again.
    if (error instanceof WarehouseError && !isLocal(error.code)) flush();
    throw error;
  }
  flush();
  const isFromBeginning = from === undefined;
  const isShown =
    last !== undefined && (last.isEnd || isShownLast(last.page, met, traits.known)) && showsAll(last.page, total);
  return {
    doubts,
    unseen: [],
    upTo: watermark,
    ...(isFromBeginning ? { total, met, isShown } : {}),
  };
}

/** A poll requests at least this many records, so that a few new ones do not cost another request. */
const POLL_LEAST = 100;

/**
 * One request for the newest records, without a time filter, shows new rows and how many records there are in all. Rows
 * that came late at any depth, that no filter sees or that were deleted show as a difference from what is held.
 */
async function poll(session: Session, watermark: number | undefined): Promise<Reading> {
  const { reader, traits, config, sink, warehouse, stream } = session;
  const from = watermark === undefined ? undefined : freeTime(session, watermark - config.lookbackMs);
  const since = () => readRange(session, { from }, (rows) => lookBehind(session, rows, from));
  if (traits.known.descendingIgnored === true || from === undefined) return since();
  const recent = countRows(warehouse.db, stream, { from }) ?? reader.pageSize;
  const atMost = Math.max(POLL_LEAST, 2 * recent);
  const { page, contradiction } = await requestPage(reader, { order: 'desc', atMost });
  const doubts: Doubt[] = [
    ...page.doubts,
    ...(contradiction === undefined ? [] : [{ kind: 'contradiction', text: contradiction } as const]),
  ];
  if (doubts.length > 0) {
    // Without every repeat in view the ordinals of records without an id would be guesses.
    sink.take({ rows: certainOf(session, page), bad: page.bad, isPartial: true });
    return { doubts, unseen: [] };
  }
  const isUnheeded = page.ignored.some((name) => name === 'sort' || name === 'order');
  if (isUnheeded || !isNewestFirst(page)) {
    const evidence = isUnheeded ? 'its echo lacks the order' : 'the newest records did not come first';
    traits.learn({ descendingIgnored: true }, evidence);
    return since();
  }
  const reading = await takeNewest(session, page);
  await lookFurther(session, page);
  const oldest = page.rows.findLast(({ time }) => time !== undefined)?.time;
  const isReached = oldest !== undefined && oldest < (watermark ?? oldest);
  // If nothing on the page is new or changed, the previous account still holds; older rows show in the count.
  const isNews =
    reading.total === undefined ? sink.tally.inserted + sink.tally.updated > 0 : reading.total !== sink.held();
  const isGap = reading.isWhole !== true && !isReached && (isNews || isApart(session, oldest, watermark));
  if (!isGap) return reading;
  const walked = both(reading, await walkOn(session, watermark));
  // This read only the newest of the known rows: the server may have changed others as well.
  if (sink.tally.updated > 0) await takeSome(session, { order: 'desc', to: watermark });
  return walked;
}

/**
 * Whether a page begins behind the watermark, so that what lies between was never read to its end: an earlier reading
 * may have ended there. No count excuses it, as others may have gone meanwhile. Rows dated ahead are always behind it.
 */
function isApart(session: Session, oldest: number | undefined, watermark: number | undefined): boolean {
  return oldest !== undefined && watermark !== undefined && oldest > watermark && oldest <= serverNow(session);
}

/** How many known rows are enough to see whether a change affects a single row only. */
const TELLING = 20;

/**
 * If known rows changed and the page had few of them, reads the next page, which shows whether others changed as well.
 */
async function lookFurther(session: Session, { returned, total = 0 }: Page): Promise<void> {
  const { updated, unchanged } = session.sink.tally;
  if (updated === 0 || updated + unchanged >= TELLING || returned === 0 || total <= returned) return;
  await takeSome(session, { order: 'desc', offset: returned });
}

/** Takes the rows of one page, which proves nothing about the others. */
async function takeSome(session: Session, request: PageRequest): Promise<void> {
  const page = await session.reader.page({ ...request, atMost: POLL_LEAST });
  session.sink.take({ rows: certainOf(session, page), bad: page.bad, isPartial: page.doubts.length > 0 });
}

function certainOf(session: Session, page: Page): readonly Row[] {
  const certain = withCertainKeys(numbered(page.rows).rows);
  return page.doubts.length > 0 ? notLeftToRooms(session, certain) : certain;
}

/** Takes the newest page. Some rows with its oldest timestamp may be on the next page. */
async function takeNewest(session: Session, page: Page): Promise<Reading> {
  const { sink, stream, traits, warehouse } = session;
  const { rows, bad } = page;
  const oldest = rows.findLast(({ time }) => time !== undefined)?.time;
  const isAll = page.returned < page.limit && isShownLast(page, page.returned, traits.known);
  const isCertain = ({ time }: Row) => isAll || (time !== undefined && oldest !== undefined && time > oldest);
  const own = numbered(rows.filter((row) => isDigest(row.key) || !row.needsOrdinal || isCertain(row))).rows;
  const { isMet, reading: former } = await lookBehind(session, own, isAll ? undefined : oldest);
  sink.take({ rows: own, bad, isMet });
  const range = isAll ? {} : { from: oldest === undefined ? undefined : oldest + 1 };
  const isClean = bad.length === 0 && (isAll || oldest !== undefined);
  const view = oldest === undefined ? undefined : { since: oldest + 1, records: rows.filter(isCertain).length };
  const held = isClean ? (keysOf(warehouse.db, stream, range) ?? []) : [];
  return {
    doubts: former.doubts,
    unseen: [...former.unseen, ...held].filter((key) => !sink.seen.has(key)),
    upTo: newest(session, rows),
    total: countedBy(page),
    isShown: isAll || (page.total ?? 0) > page.returned,
    ...(isAll ? { isWhole: true, isListed: true, met: page.returned } : isClean && view !== undefined ? { view } : {}),
  };
}

/** Whether the rows with a time are sorted from newest to oldest. */
function isNewestFirst({ rows }: Page): boolean {
  const times = rows.map(({ time }) => time).filter((time) => time !== undefined);
  return times.every((time, i) => time <= (times[i - 1] ?? Infinity));
}
