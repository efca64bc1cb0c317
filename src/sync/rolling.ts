import { streamText, type Stream } from '../datasets/stream.ts';
import { isOutage, stopsEverything, WarehouseError } from '../shared/errors.ts';
import { parseTime, HOUR_MS, DAY_MS } from '../shared/time.ts';
import { isComplete } from '../warehouse/doubts.ts';
import { readPosition, type Position } from '../warehouse/positions.ts';
import { timeAt } from '../warehouse/records.ts';
import { byTime } from './incremental.ts';
import { prove } from './prove.ts';
import { freeTime, readRange } from '../read/reconcile.ts';
import { recorded, type Recording } from './recording.ts';
import { position, type Reading, type Session } from '../read/session.ts';
import { readSnapshot } from './snapshot.ts';
import { openSession, type SyncContext } from './open-session.ts';
import { named } from './stream.ts';

/** What one run of the rolling reconcile did. */
export interface Reconciled {
  readonly requests: number;
  /** How many streams were compared. */
  readonly streams: number;
  /** Rows that differed and were repaired. */
  readonly repaired: number;
  /** Whether every stream that was due was compared; otherwise the allowance was used up first. */
  readonly isDone: boolean;
}

/** Returns a function that releases the stream again, or undefined while it is being read elsewhere. */
export type Claim = (stream: Stream) => (() => void) | undefined;

/** A stream is due again the next night, even if that begins somewhat earlier. */
const DUE_AFTER_MS = 20 * HOUR_MS;
/**
 * Every range is read again within this many nights, which leaves two of the promised thirty days for nights without a
 * run.
 */
const NIGHTS = 28;

/**
 * Compares and re-reads streams, those that waited longest first, until an allowance of requests is spent: counts of
 * every stream each night, small streams whole, and of large ones the next part, so that each range is read again and
 * compared record by record within thirty days.
 * @param streams all of the configured ones; which of them are due is found here.
 * @param allowance requests; the one stream that is under way when it is spent is finished.
 * @param claim keeps others from the stream meanwhile, as their rows would count as gone; gives nothing while it is
 * in use, and then the stream stays due.
 * @throws WarehouseError when no other stream could be read either; the next run goes on with those.
 */
export function reconcile(
  context: SyncContext,
  streams: readonly Stream[],
  allowance: number,
  claim: Claim = () => () => undefined,
): Promise<Reconciled> {
  const work = (recording: Recording) => reconcileDue(context, streams, { allowance, claim, recording });
  return recorded(context, { kind: 'nightly reconcile' }, work, () => true);
}

interface Bounds {
  readonly allowance: number;
  readonly claim: Claim;
  readonly recording: Recording;
}

async function reconcileDue(
  outer: SyncContext,
  streams: readonly Stream[],
  { allowance, claim, recording }: Bounds,
): Promise<Reconciled> {
  const context = recording.within(outer);
  const { client, warehouse, clock, log } = context;
  const before = client.tries;
  const due = streams
    .map((stream) => ({ stream, at: readPosition(warehouse.db, stream) }))
    .filter(({ stream, at }) => isDue(stream, at, clock.now()))
    .sort((a, b) => (a.at.countedAt ?? 0) - (b.at.countedAt ?? 0));
  let repaired = 0;
  let looked = 0;
  for (const { stream } of due) {
    if (client.tries - before >= allowance) break;
    const release = claim(stream);
    if (release === undefined) continue;
    const corrected = await reconcileStream(context, stream)
      .catch((error: unknown) => {
        if (error instanceof WarehouseError) throw error;
        // The next night would begin with the same stream, so the error must not prevent the others from being
        // compared.
        log.error(
          { ...named(stream), err: error },
          `internal error (a bug in hyperstudy-warehouse); ${streamText(stream)} was left as it is`,
        );
        return 0;
      })
      .finally(release);
    recording.note(stream, readPosition(warehouse.db, stream).complete);
    if (corrected > 0) log.warn({ ...named(stream), repaired: corrected }, `reconcile repaired ${streamText(stream)}`);
    repaired += corrected;
    looked++;
  }
  return { requests: client.tries - before, streams: looked, repaired, isDone: looked === due.length };
}

function isDue({ dataset, scope }: Stream, { backfilled, countedAt, verifiedAt }: Position, now: number): boolean {
  // A time in the future was written by a wrong clock.
  const since = (at = 0) => (at > now ? Infinity : now - at);
  if (!backfilled || since(countedAt) < DUE_AFTER_MS) return false;
  // For rooms named in the configuration, no count of the whole experiment shows late rows.
  const isNamedRoom = scope.kind === 'room' && dataset.scopes.includes('experiment');
  return dataset.read === 'incremental' || isNamedRoom || since(verifiedAt) > NIGHTS * DAY_MS;
}

/** Reconciles one night's part of a stream; returns how many rows were repaired. */
async function reconcileStream(context: SyncContext, stream: Stream): Promise<number> {
  const session = openSession({ ...context, full: true }, stream);
  try {
    const proof = await prove(session, await nightly(session), true);
    // A finished room is read again until no doubt is left.
    const finished = isComplete(proof.doubts) ? {} : { finished: false };
    session.sink.note({ ...proof.position, ...finished, countedAt: session.startedAt });
  } catch (error) {
    if (!(error instanceof WarehouseError) || stopsEverything(error.code)) throw error;
    context.log.warn({ ...named(stream), code: error.code, requestId: error.requestId }, error.message);
    // The other streams go first before it is tried again: streams that always fail would use up every allowance.
    session.sink.note({ countedAt: session.startedAt });
    // Without a network all other streams would fail as well.
    if (isOutage(error.code)) throw error;
  } finally {
    session.sink.close();
  }
  const { inserted, updated, deleted } = session.sink.tally;
  return inserted + updated + deleted;
}

/**
 * Reads a small stream whole, and the next part of a large one; each night the count of the whole stream is compared.
 */
async function nightly(session: Session): Promise<Reading> {
  if (session.stream.dataset.read !== 'incremental') return readSnapshot(session);
  return byTime(session, async () => {
    const { rows, watermark } = position(session);
    if (rows <= session.reader.pageSize || watermark === undefined) return readRange(session, {});
    return rereadPart(session, watermark);
  });
}

/**
 * Reads the next part of a large stream and stores how far it got. After the last part the whole stream is verified.
 */
async function rereadPart(session: Session, watermark: number): Promise<Reading> {
  const { warehouse, stream, reader, startedAt, sink } = session;
  const { rows, rereadBegan = startedAt, rereadTo } = position(session);
  const pages = Math.ceil(rows / reader.pageSize / NIGHTS);
  const from = rereadTo === undefined ? undefined : rereadTo + 1;
  const end = parseTime(timeAt(warehouse.db, stream, { from, to: watermark }, pages * reader.pageSize) ?? '');
  const free = end === undefined ? undefined : freeTime(session, end);
  // If more rows share one time than fit in a part, the part ends with that time.
  const to = free === undefined || free >= (from ?? -Infinity) ? free : end;
  const isLast = to === undefined || to >= watermark;
  const reading = await readRange(session, { from, to: isLast ? undefined : to });
  if (reading.doubts.length > 0) return reading;
  sink.note(
    isLast ? { verifiedAt: rereadBegan, rereadBegan: undefined, rereadTo: undefined } : { rereadBegan, rereadTo: to },
  );
  return reading;
}
