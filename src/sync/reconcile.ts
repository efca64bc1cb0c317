import { WarehouseError } from '../shared/errors.ts';
import { countRows, timeAt, type TimeRange } from '../warehouse/rows.ts';
import { parseTime } from '../shared/time.ts';
import { createSeen, type Seen } from '../warehouse/seen.ts';
import { pageLengths } from './learned.ts';
import type { Reader } from './reader.ts';
import { braked, doubt, position, write, type Session } from './session.ts';
import { walk } from './walk.ts';

/**
 * Reads a time range whole (both ends included; without ends the whole stream), writes what differs and lets rows go
 * that a clean read no longer has. The watermark moves only when the range reaches the end.
 * @param readers of the stream or, one for each, of all its rooms.
 */
export async function readRange(
  session: Session,
  range: TimeRange,
  readers: readonly Reader[] = [session.reader],
): Promise<void> {
  const { stream, warehouse, startedAt } = session;
  const before = position(session);
  const badBefore = session.counts.bad;
  const seen = createSeen(warehouse.db);
  try {
    let upTo: number | undefined;
    for (const reader of readers) {
      const reached = await walkInto(session, seen, reader, range);
      if (reached !== undefined) upTo = Math.max(upTo ?? reached, reached);
    }
    if (session.doubts.size > 0) return;
    // A bad record may be a row that we hold, in another form.
    const isClean = session.counts.bad === badBefore;
    const vanished = isClean ? braked(session, seen.missing(stream, range) ?? []) : [];
    const isWhole = range.from === undefined && range.to === undefined;
    const reachesEnd = range.to === undefined;
    write(session, {
      rows: [],
      vanished,
      isWholeAndClean: isWhole && isClean,
      position: {
        ...(reachesEnd && upTo !== undefined ? { watermark: Math.max(upTo, before.watermark ?? upTo) } : {}),
        ...(reachesEnd ? { dataAsOf: startedAt } : {}),
        ...(isWhole ? { backfilled: true, verifiedAt: startedAt } : {}),
      },
    });
  } finally {
    seen.drop();
  }
}

/** Walks a range once, writes what comes and notes its keys; gives the time of the last row. */
async function walkInto(
  session: Session,
  seen: Seen,
  reader: Reader,
  { from, to }: TimeRange,
): Promise<number | undefined> {
  let upTo: number | undefined;
  for await (const stretch of walk(reader, { from, to, by: 'key', sorted: true, ...pageLengths(session.memory) })) {
    doubt(session, stretch);
    write(session, { rows: stretch.rows, bad: stretch.bad });
    seen.add(stretch.rows.map(({ key }) => key));
    if (stretch.upTo !== undefined) upTo = Math.max(upTo ?? stretch.upTo, stretch.upTo);
  }
  return upTo;
}

/**
 * Compares counts in a time range with the API's and reads again only the parts that differ, halving the range
 * until a part fits a page. Its ends should be times of which the table holds no row. Equal counts can hide a row that
 * came for one that went: `halvings` has the range halved so often even where they are equal.
 */
export async function compareRange(session: Session, range: TimeRange, halvings = 0): Promise<void> {
  const { warehouse, stream, memory } = session;
  const local = countRows(warehouse.db, stream, range);
  const server = memory.learned.total === 'wrong' ? undefined : await serverCount(session, range);
  if (local === undefined || server === undefined) {
    await readRange(session, range);
    return;
  }
  const before = found(session);
  await repair(session, range, server, halvings);
  // Everything that differed was read, and yet we held just what was there: the count itself is wrong.
  if (local !== server && found(session) === before && session.doubts.size === 0) memory.learn({ total: 'wrong' });
}

/** How many differences came to light so far. */
function found({ counts, audit }: Session): number {
  return counts.inserted + counts.deleted + (audit === undefined ? 0 : audit.missing.size + audit.extra.size);
}

async function repair(session: Session, range: TimeRange, server: number, halvings: number): Promise<void> {
  const { warehouse, stream, reader } = session;
  const local = countRows(warehouse.db, stream, range) ?? 0;
  if (local === server && halvings === 0) return;
  const middle = Math.max(local, server) > reader.pageSize ? splitTime(session, range, local) : undefined;
  const left = middle === undefined ? undefined : await serverCount(session, { from: range.from, to: middle });
  if (middle === undefined || left === undefined) {
    if (local !== server) await readRange(session, range);
    return;
  }
  const fewer = Math.max(halvings - 1, 0);
  await repair(session, { from: range.from, to: middle }, left, fewer);
  // A row in the very middle may count on both sides or on none: then the right side differs and is read, too.
  await repair(session, { from: middle + 1, to: range.to }, server - left, fewer);
}

/** A time that halves our rows in a range and lies inside it; undefined where there is none. */
function splitTime(session: Session, range: TimeRange, local: number): number | undefined {
  const text = timeAt(session.warehouse.db, session.stream, range, Math.floor(local / 2));
  const median = text === undefined ? undefined : freeTime(session, parseTime(text) ?? 0);
  const isInside = median !== undefined && median > (range.from ?? -Infinity) && median < (range.to ?? Infinity);
  return isInside ? median : undefined;
}

/** A millisecond at or shortly before `ms` in which we hold no row: there, inclusive and exclusive count the same. */
export function freeTime({ warehouse, stream }: Session, ms: number): number {
  for (let at = ms; at > ms - 50; at--) {
    if ((countRows(warehouse.db, stream, { from: at, to: at }) ?? 0) === 0) return at;
  }
  return ms;
}

/** The millisecond behind the watermark, unless we hold a row there as well: up to it, inclusive and exclusive count the same. */
export function afterLast({ warehouse, stream }: Session, watermark: number): number {
  const next = watermark + 1;
  return (countRows(warehouse.db, stream, { from: next, to: next }) ?? 0) === 0 ? next : watermark;
}

/**
 * How many records the API counts in a range; undefined where it does not say. An endpoint that ignores or refuses
 * `endTime` is asked for both ends separately.
 */
async function serverCount({ reader, memory }: Session, { from, to }: TimeRange): Promise<number | undefined> {
  const count = async (range: TimeRange) => {
    const page = await reader.page({ ...range, order: 'desc', limit: 1 });
    return { newest: page.rows[0]?.time, total: page.doubts.length > 0 ? undefined : page.total };
  };
  if (to === undefined) return (await count({ from })).total;
  if (memory.learned.endTime === undefined || memory.learned.endTime === 'honoured') {
    try {
      const { newest, total } = await count({ from, to });
      if (newest === undefined || newest <= to) return total;
      memory.learn({ endTime: 'ignored' });
    } catch (error) {
      if (!(error instanceof WarehouseError) || error.code !== 'PARAMETER_REFUSED') throw error;
      memory.learn({ endTime: 'rejected' });
    }
  }
  const [since, behind] = [await count({ from }), await count({ from: to })];
  return since.total === undefined || behind.total === undefined ? undefined : since.total - behind.total;
}
