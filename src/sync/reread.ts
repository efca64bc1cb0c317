import type { Dataset } from '../datasets/define.ts';
import type { Stream } from '../datasets/stream.ts';
import { silentLog } from '../shared/log.ts';
import { formatTime } from '../shared/time.ts';
import { isBlocking, reasonOf, type Doubt, type DoubtKind } from '../warehouse/doubts.ts';
import { readPosition } from '../warehouse/positions.ts';
import type { TimeRange } from '../warehouse/records.ts';
import { byTime } from './incremental.ts';
import { prove } from './prove.ts';
import { readRange } from '../read/reconcile.ts';
import { readNarrower } from '../read/retry-narrower.ts';
import type { Reading, Session } from '../read/session.ts';
import { comparing } from '../read/sink.ts';
import { readSnapshot } from './snapshot.ts';
import { openSession, type SyncContext } from './open-session.ts';
import { runSession, isStopped, leaveStopped, release, type StreamResult } from './stream.ts';

/** A time range to read again. */
export interface Reread {
  /** Its start (included) and its end (excluded), in milliseconds since 1970 UTC; undefined: without that limit. */
  readonly from?: number;
  readonly to?: number;
  /** Only report what would change. */
  readonly dryRun: boolean;
}

/** Whether the records of a data type have a time. */
export function hasTime({ timeField, read }: Pick<Dataset, 'timeField' | 'read'>): boolean {
  return timeField !== undefined && read !== 'single';
}

/** The range as `_runs.options` stores it. */
export function rangeText({ from, to }: Reread): { from?: string; to?: string } {
  return {
    ...(from === undefined ? {} : { from: formatTime(from) }),
    ...(to === undefined ? {} : { to: formatTime(to) }),
  };
}

/**
 * Reads a range of a stream again, or the whole stream if the API does not filter it by time, and accounts for the
 * whole stream as every sync does. The watermark stays, because nothing between it and the range was read. If the
 * stream's first read has not ended, the rows are stored and the stream remains incomplete.
 * @throws WarehouseError as `syncStream` does.
 */
export async function rereadStream(context: SyncContext, stream: Stream, reread: Reread): Promise<StreamResult> {
  const sink = reread.dryRun ? comparing(context.warehouse, stream) : undefined;
  const log = reread.dryRun ? silentLog : context.log;
  if (!reread.dryRun) release(context, stream);
  const session = openSession({ ...context, log, full: true }, stream, sink);
  const before = readPosition(context.warehouse.db, stream);
  const { backfilled, watermark, doubts } = before;
  if (isStopped(before)) return leaveStopped(session, before);
  const { result, proof } = await runSession(session, async () => {
    const reading = await read(session, reread);
    const isListed = reading.isListed === true;
    if (!backfilled && !isListed) return { doubts, position: {}, isListed };
    const proven = await prove(session, reading, true);
    const position = isListed ? proven.position : { ...proven.position, watermark };
    return { doubts: proven.doubts, position, isListed };
  });
  return {
    ...result,
    ...(proof !== undefined && reread.dryRun ? wouldBe(session, proof.doubts, result) : {}),
    ...(proof?.isListed === true ? { listed: true } : {}),
  };
}

function read(session: Session, { from, to }: Reread): Promise<Reading> {
  if (session.stream.dataset.read !== 'incremental') return readSnapshot(session);
  const range: TimeRange = { from, to: to === undefined ? undefined : to - 1 };
  return byTime(session, async () => readNarrower(session, await readRange(session, range), range));
}

/** Doubts that a dry run reports as changes, or that are about accounted records. */
const ARE_CHANGES: ReadonlySet<DoubtKind> = new Set(['missing-upstream', 'withheld', 'quarantined', 'reread']);

/** What a dry run would have changed. */
function wouldBe({ sink }: Session, doubts: readonly Doubt[], { status }: StreamResult): Partial<StreamResult> {
  const { missing, changed, extra } = sink.differences;
  const others = doubts.filter(({ kind }) => !ARE_CHANGES.has(kind));
  const reason = reasonOf(others);
  return {
    inserted: missing.size,
    updated: changed.size,
    marked: extra.size,
    ...(status === 'incomplete' ? { status: others.some(isBlocking) ? 'incomplete' : 'ok' } : {}),
    ...(reason === undefined ? {} : { reason }),
  };
}
