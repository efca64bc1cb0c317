import { WarehouseError } from '../shared/errors.ts';
import { countRows, timeAt, type TimeRange } from '../warehouse/rows.ts';
import { parseTime } from '../shared/time.ts';
import { createSeen } from '../warehouse/seen.ts';
import { braked, position, write, type Session } from './session.ts';
import { walk } from './walk.ts';

/**
 * Reads a time range whole (both ends included; without ends the whole stream), writes what differs and lets rows go
 * that a clean read no longer has. The watermark moves only when the range reaches the end.
 */
export async function readRange(session: Session, range: TimeRange): Promise<void> {
  const { reader, memory, stream, warehouse, startedAt } = session;
  const before = position(session);
  const seen = createSeen(warehouse.db);
  try {
    let upTo: number | undefined;
    for await (const stretch of walk(reader, {
      from: range.from,
      to: range.to,
      by: 'key',
      sorted: true,
      limit: reader.pageSize,
      shortIsLast: session.full ? undefined : memory.learned.shortIsLast,
      onShortLast: (shortIsLast) => memory.learn({ shortIsLast }),
    })) {
      for (const doubt of stretch.doubts) session.doubts.add(doubt);
      write(session, { rows: stretch.rows, bad: stretch.bad });
      seen.add(stretch.rows.map(({ key }) => key));
      if (stretch.upTo !== undefined) upTo = Math.max(upTo ?? stretch.upTo, stretch.upTo);
    }
    if (session.doubts.size > 0) return;
    const vanished = braked(session, seen.missing(stream, range) ?? []);
    const isWhole = range.from === undefined && range.to === undefined;
    const reachesEnd = range.to === undefined;
    write(session, {
      rows: [],
      vanished,
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

/** A range with as many rows as this or fewer is read rather than split. */
const LEAF_PAGES = 1;

/**
 * Compares counts in a time range with the API's and reads again only the parts that differ, halving the range
 * until a part fits a page. Its ends should be times of which the table holds no row.
 */
export async function compareRange(session: Session, range: Required<TimeRange>): Promise<void> {
  const { warehouse, stream, memory } = session;
  const local = countRows(warehouse.db, stream, range);
  const server = await serverCount(session, range);
  if (local === undefined || server === undefined) return readRange(session, range);
  const before = { ...session.counts };
  await repair(session, range, server);
  const { counts } = session;
  const changed = counts.inserted !== before.inserted || counts.deleted !== before.deleted;
  // Everything that differed was read, and yet we held just what was there: the count itself is wrong.
  if (local !== server && !changed && session.doubts.size === 0) memory.learn({ total: 'wrong' });
}

async function repair(session: Session, range: Required<TimeRange>, server: number): Promise<void> {
  const { warehouse, stream, reader } = session;
  const local = countRows(warehouse.db, stream, range) ?? 0;
  if (local === server) return;
  const middle = Math.max(local, server) > LEAF_PAGES * reader.pageSize ? splitTime(session, range, local) : undefined;
  if (middle === undefined) return readRange(session, range);
  const left = await serverCount(session, { from: range.from, to: middle });
  if (left === undefined) return readRange(session, range);
  await repair(session, { from: range.from, to: middle }, left);
  // A row in the very middle may count on both sides or on none: then the right side differs and is read, too.
  await repair(session, { from: middle + 1, to: range.to }, server - left);
}

/** A time that halves our rows in a range and stands between two of them; undefined where there is none. */
function splitTime(session: Session, range: Required<TimeRange>, local: number): number | undefined {
  const { warehouse, stream } = session;
  const text = timeAt(warehouse.db, stream, range, Math.floor(local / 2));
  const median = text === undefined ? Math.floor(((range.from ?? 0) + (range.to ?? 0)) / 2) : parseTime(text);
  if (median === undefined || range.from === undefined || range.to === undefined) return undefined;
  return median > range.from && median < range.to ? median : undefined;
}

/**
 * How many records the API counts in a range; undefined where it does not say. An endpoint that ignores or refuses
 * `endTime` is asked for both ends separately.
 */
async function serverCount(
  { reader, memory }: Session,
  { from, to }: Required<TimeRange>,
): Promise<number | undefined> {
  if (memory.learned.endTime === undefined || memory.learned.endTime === 'honoured') {
    try {
      const page = await reader.page({ from, to, order: 'desc', limit: 1 });
      if (page.doubts.length > 0) return undefined;
      const newest = page.rows[0]?.time;
      if (newest === undefined || to === undefined || newest <= to) return page.total;
      memory.learn({ endTime: 'ignored' });
    } catch (error) {
      if (!(error instanceof WarehouseError) || error.code !== 'PARAMETER_REFUSED') throw error;
      memory.learn({ endTime: 'rejected' });
    }
  }
  const [since, behind] = [
    await reader.page({ from, order: 'desc', limit: 1 }),
    await reader.page({ from: to, order: 'desc', limit: 1 }),
  ];
  if (since.total === undefined || behind.total === undefined || since.doubts.length + behind.doubts.length > 0)
    return undefined;
  return since.total - behind.total;
}
