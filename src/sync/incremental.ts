import type { BadRecord, Row } from '../datasets/normalise.ts';
import { WarehouseError } from '../shared/errors.ts';
import { countRows, firstSeen, keysOf } from '../warehouse/rows.ts';
import type { Page } from './reader.ts';
import { afterLast, compareRange, freeTime, readRange } from './reconcile.ts';
import { pageLengths } from './learned.ts';
import { narrow } from './narrow.ts';
import { braked, doubt, position, write, type Session } from './session.ts';
import { readSnapshot } from './snapshot.ts';
import { numbered } from './ordinals.ts';
import { NotWalkable, walk, type Stretch } from './walk.ts';

/** Pages that a transaction of a first read takes together, which a kill repeats at most; and rows, as memory holds them. */
const BACKFILL = { pages: 10, rows: 5000 };

/**
 * Brings a stream with a time filter up to date: the first read walks from the beginning; later ones poll the
 * lookback. An endpoint that turns out not to honour its filters is listed whole instead, and remembered.
 */
export async function readIncremental(session: Session): Promise<void> {
  const { backfilled, watermark } = position(session);
  await byTime(session, async () => {
    if (session.full) await readRange(session, {});
    else if (backfilled && watermark !== undefined) await poll(session, watermark);
    else await walkOn(session);
    if (session.partial.size > 0) await readNarrower(session);
  });
}

/** What an answer lacked is asked for in narrower requests: from the lookback on or, in a first read, from where it stands. */
async function readNarrower(session: Session): Promise<void> {
  const { backfilled, watermark } = position(session);
  const from = session.full || watermark === undefined ? undefined : watermark;
  await narrow(session, backfilled && from !== undefined ? freeTime(session, from - session.config.lookbackMs) : from);
}

/** Reads by time where the endpoint allows it, and lists everything where it turns out not to. */
export async function byTime(session: Session, read: () => Promise<void>): Promise<void> {
  const { learned } = session.memory;
  if (learned.startTime === 'ignored' || learned.startTime === 'rejected') {
    await readSnapshot(session);
    return;
  }
  try {
    await read();
  } catch (error) {
    const why = whyNotWalkable(error);
    if (why === undefined) throw error;
    session.log.info({ why }, 'endpoint does not filter or sort by time; listing it whole');
    await readSnapshot(session);
    session.memory.learn({ startTime: why });
  }
}

function whyNotWalkable(error: unknown): 'ignored' | 'rejected' | undefined {
  if (error instanceof NotWalkable) return 'ignored';
  return error instanceof WarehouseError && error.code === 'PARAMETER_REFUSED' ? 'rejected' : undefined;
}

/**
 * Walks from the watermark to the end. Rows and watermark commit together; behind the first doubtful page rows are
 * still kept, but the watermark stays, so that the next sync reads that part again.
 */
async function walkOn(session: Session): Promise<void> {
  const { reader, memory, startedAt } = session;
  const before = position(session);
  const batch = before.backfilled ? { pages: 1, rows: 0 } : BACKFILL;
  let pending: Stretch[] = [];
  let watermark = before.watermark;
  const flush = () => {
    if (pending.length === 0) return;
    const rows = pending.flatMap((stretch) => stretch.rows);
    write(session, { rows, bad: pending.flatMap(({ bad }) => bad), position: { watermark } });
    pending = [];
  };
  const options = { from: before.watermark, by: 'key', sorted: true, ...pageLengths(memory) } as const;
  try {
    for await (const stretch of walk(reader, options)) {
      doubt(session, stretch);
      if (session.doubts.size === 0) watermark = later(watermark, stretch.upTo);
      pending.push(stretch);
      const rows = pending.reduce((sum, one) => sum + one.rows.length, 0);
      if (pending.length >= batch.pages || rows >= batch.rows) flush();
    }
  } catch (error) {
    // Whatever ended the reading, these pages are right, and need not be asked for again.
    if (error instanceof WarehouseError && !error.code.startsWith('WAREHOUSE_')) flush();
    throw error;
  }
  flush();
  if (session.doubts.size === 0 && !before.backfilled) await compareResumed(session, before.watermark, watermark);
  if (session.doubts.size === 0) write(session, { rows: [], position: { backfilled: true, dataAsOf: startedAt } });
}

/**
 * A first read that was interrupted and goes on later may have been overtaken: rows that came late in the meantime lie
 * behind its watermark. None of them is older than the beginning of that read less the lookback.
 */
async function compareResumed(
  session: Session,
  resumedFrom: number | undefined,
  watermark: number | undefined,
): Promise<void> {
  const began = resumedFrom === undefined ? undefined : firstSeen(session.warehouse.db, session.stream);
  if (began === undefined || watermark === undefined) return;
  const from = freeTime(session, began - session.config.lookbackMs);
  if (from < watermark) await compareRange(session, { from, to: afterLast(session, watermark) });
}

/**
 * One request, newest first from the start of the lookback, shows new rows and, by its total, whether any came late:
 * as long as the page reaches back behind the watermark and the count equals ours, nothing more need be asked.
 */
async function poll(session: Session, watermark: number): Promise<void> {
  const { reader, memory, config, startedAt } = session;
  const from = freeTime(session, watermark - config.lookbackMs);
  if (memory.learned.descending === 'ignored' || memory.learned.total === 'wrong') return readRange(session, { from });
  const page = await reader.page({ from, order: 'desc' });
  doubt(session, page);
  const rows = newestFirst(page, from);
  if (rows === undefined) {
    memory.learn({ descending: 'ignored' });
    return readRange(session, { from });
  }
  if (session.doubts.size > 0) {
    keepDoubtful(session, page);
    return;
  }
  if (page.hasMore === false) {
    takeWhole(session, rows, page.bad, { from, watermark });
    return;
  }

  const oldest = rows.at(-1)?.time;
  if (page.total === undefined || oldest === undefined) return readRange(session, { from });
  // The watermark moves last: should this end in between, the next sync looks for the same late rows again.
  if (oldest >= watermark) {
    await compareRange(session, { from, to: afterLast(session, watermark) });
    await walkOn(session);
    return;
  }
  // The oldest timestamp may go on behind the page, so that only rows after it are surely all there.
  const certain = rows.filter(({ time }) => time !== undefined && time > oldest);
  write(session, { rows: certain, bad: page.bad });
  const local = countRows(session.warehouse.db, session.stream, { from });
  if (local !== undefined && local !== page.total)
    await compareRange(session, { from, to: afterLast(session, watermark) });
  if (session.doubts.size > 0) return;
  write(session, { rows: [], position: { watermark: later(watermark, rows[0]?.time), dataAsOf: startedAt } });
}

/** The whole lookback came in one answer: what it lacks has vanished. */
function takeWhole(
  session: Session,
  rows: readonly Row[],
  bad: readonly BadRecord[],
  { from, watermark }: { from: number; watermark: number },
): void {
  const keys = new Set(rows.map(({ key }) => key));
  const local = keysOf(session.warehouse.db, session.stream, { from }) ?? [];
  const vanished = bad.length > 0 ? [] : local.filter((key) => !keys.has(key));
  write(session, {
    rows,
    bad,
    vanished: braked(session, vanished),
    position: { watermark: later(watermark, rows[0]?.time), dataAsOf: session.startedAt },
  });
}

function keepDoubtful(session: Session, { rows, bad }: Page): void {
  // Without every repeat in view the ordinals of records without an id would be guesses.
  write(session, { rows: rows.filter(({ needsOrdinal }) => !needsOrdinal), bad });
}

/**
 * The rows of a descending page with their final keys, or undefined when they are in another order. Filters that
 * are ignored show as rows before `from`.
 */
function newestFirst({ rows }: Page, from: number): readonly Row[] | undefined {
  const times = rows.map(({ time }) => time);
  if (times.some((time, i) => time === undefined || time > (times[i - 1] ?? Infinity))) return undefined;
  if (times.some((time) => time !== undefined && time < from)) throw new NotWalkable('startTime');
  return numbered(rows).rows;
}

function later(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.max(a, b);
}
