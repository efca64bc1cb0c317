import { streamText, type Stream } from '../datasets/stream.ts';
import { isLocal, stopsEverything, WarehouseError, type ErrorCode } from '../shared/errors.ts';
import { formatTime } from '../shared/time.ts';
import { isBlocking, isComplete, reasonOf, type Doubt, type DoubtKind } from '../warehouse/doubts.ts';
import { plainError } from '../warehouse/open.ts';
import { readPosition, wereOthersRead, type Position, type PositionChange } from '../warehouse/positions.ts';
import { acceptChanges, unacceptedChanges } from '../warehouse/schema-changes.ts';
import { isOver } from '../read/by-room.ts';
import { readIncremental } from './incremental.ts';
import type { Proof } from './conclude.ts';
import { openSession, type SyncContext } from './open-session.ts';
import { prove, proveStopped } from './prove.ts';
import { NothingNew } from '../read/novelty.ts';
import { position, type Session } from '../read/session.ts';
import { readSnapshot } from './snapshot.ts';

/** The result of one stream in one sync, as `sync now --json` prints it. */
export interface StreamResult {
  readonly experiment: string;
  readonly data: string;
  readonly room?: string;
  readonly participant?: string;
  readonly deployment?: string;
  readonly filter?: Readonly<Record<string, string | boolean>>;
  /** ok · incomplete: read, but rows may be missing · skipped: not accessible to the key · failed. */
  readonly status: 'ok' | 'incomplete' | 'skipped' | 'failed';
  readonly fetched: number;
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly deleted: number;
  /** Rows that are newly missing upstream. */
  readonly marked: number;
  readonly requests: number;
  /** The time of the earliest new row. */
  readonly oldestNew: string | null;
  readonly watermark: string | null;
  readonly complete: boolean;
  /** The whole stream was listed, although a time range was requested. */
  readonly listed?: true;
  /** Why it is not complete, if it was read. */
  readonly reason?: string;
  readonly error?: { code: ErrorCode; message: string; hint?: string };
}

/** Whether a stream is complete after a reading. A stream that is not accessible to the key does not count. */
export function isFine({ status }: Pick<StreamResult, 'status'>): boolean {
  return status === 'ok' || status === 'skipped';
}

/**
 * Reads one stream, accounts for its records and reports the result. An error affects this stream only: its rows and
 * its watermark stay, and the reason is stored.
 * @throws WarehouseError if no other stream could be read either (key, interruption, disk).
 */
export async function syncStream(context: SyncContext, stream: Stream): Promise<StreamResult> {
  const { warehouse } = context;
  release(context, stream);
  const before = readPosition(warehouse.db, stream);
  // Rows to be deleted now may be older than the newest page.
  const isAccepted = context.acceptDeletes && before.withheldRows + before.missingRows > 0;
  const full = context.full || isAccepted || before.rereadReason !== undefined;
  const session = openSession({ ...context, full }, stream);
  if (isStopped(before)) return leaveStopped(session, before);
  const { result } = await runSession(session, () => readAndProve(session, !before.backfilled || full));
  return result;
}

/** The result of a session, and its proof; undefined if it failed. */
export interface SessionOutcome<Proven> {
  readonly result: StreamResult;
  readonly proof: Proven | undefined;
}

/**
 * Reads a session's stream, stores the result and reports it.
 * @throws WarehouseError as `syncStream` does.
 */
export async function runSession<Proven extends Pick<Proof, 'doubts' | 'position'>>(
  session: Session,
  read: () => Promise<Proven>,
): Promise<SessionOutcome<Proven>> {
  const { log, stream, warehouse } = session;
  const before = position(session);
  try {
    const proof = await read();
    const isFinished = isComplete(proof.doubts) && isFinal(session, before);
    const known = { ...proof.position, finished: isFinished, lastSyncAt: session.startedAt };
    session.sink.note(known, session.reader.serverInfo().metadata);
    const status = isComplete(proof.doubts) ? 'ok' : 'incomplete';
    const done = resultOf(session, status);
    const reason = reasonOf(proof.doubts);
    log[status === 'ok' ? 'info' : 'warn'](
      { ...figures(done, session), reason },
      reason === undefined ? `synced ${streamText(stream)}` : `${streamText(stream)} may be incomplete: ${reason}`,
    );
    return { result: done, proof };
  } catch (thrown) {
    const error = thrown instanceof WarehouseError ? thrown : plainError(warehouse.db.name, thrown);
    if (error === undefined) throw thrown;
    // An interruption does not change how complete the stream is.
    if (!isLocal(error.code) && error.code !== 'INTERRUPTED')
      session.sink.note({ ...failurePosition(session, error), lastSyncAt: session.startedAt });
    if (stopsEverything(error.code)) throw error;
    const failed = resultOf(session, statusOf(session, error), error);
    log.warn({ ...figures(failed, session), code: error.code, requestId: error.requestId }, error.message);
    return { result: failed, proof: undefined };
  } finally {
    session.sink.close();
  }
}

/**
 * Whether a room need not be read again: it is over, and two readings agree. Where an answer counts nothing, a single one
 * that lacks records looks like the whole.
 */
function isFinal(session: Session, { complete }: Position): boolean {
  const { scope } = session.stream;
  const { inserted, updated, deleted } = session.sink.tally;
  return complete && inserted + updated + deleted === 0 && scope.kind === 'room' && isOver(session, scope.id);
}

export function isStopped({ doubts }: Position): boolean {
  return doubts.some(({ kind }) => kind === 'schema');
}

/** Releases a stopped stream if its new fields and types are accepted, or need not be accepted any more. */
export function release({ acceptSchema, config, warehouse, clock }: SyncContext, stream: Stream): void {
  const before = readPosition(warehouse.db, stream);
  if (!isStopped(before)) return;
  const { name } = stream.dataset;
  if (acceptSchema === true || config.schema === 'follow') acceptChanges(warehouse.db, name, clock.now());
  if (unacceptedChanges(warehouse.db, name).length > 0) return;
  const doubts = before.doubts.filter(({ kind }) => kind !== 'schema');
  warehouse.commit(stream, { rows: [], position: { doubts } });
}

/** Reports a stopped stream without a request. Once it is released it is read from its watermark on. */
export function leaveStopped(session: Session, { reason = '' }: Position): StreamResult {
  const { stream, sink, log, startedAt } = session;
  sink.note({ lastStatus: 'incomplete', lastError: undefined, lastSyncAt: startedAt });
  sink.close();
  log.warn(named(stream), `${streamText(stream)} is not read: ${reason}`);
  return resultOf(session, 'incomplete');
}

/** Reads what is new, or everything, and accounts for the whole stream, unless the API sends nothing new any more. */
export async function readAndProve(session: Session, isStrict: boolean): Promise<Proof> {
  try {
    const reading = await (session.stream.dataset.read === 'incremental'
      ? readIncremental(session)
      : readSnapshot(session));
    return await prove(session, reading, isStrict);
  } catch (error) {
    if (!(error instanceof NothingNew)) throw error;
    return proveStopped(session, error.doubt);
  }
}

/** Doubts that remain after a failed read. */
const OUTLASTS_FAILURE: ReadonlySet<DoubtKind> = new Set([
  'withheld',
  'schema',
  'missing-upstream',
  'repeated',
  'quarantined',
  'reread',
]);

/** What is known about a stream after a failed read. */
function failurePosition(session: Session, error: WarehouseError): PositionChange {
  const kept = position(session).doubts.filter((doubt) => OUTLASTS_FAILURE.has(doubt.kind) || !isBlocking(doubt));
  const failed: Doubt = { kind: FAILURE_KINDS[error.code] ?? 'failed', text: error.message, code: error.code };
  // A finished room is tried again as well.
  return { doubts: [failed, ...kept], finished: false, lastStatus: statusOf(session, error), lastError: error.message };
}

const FAILURE_KINDS: Partial<Record<WarehouseError['code'], DoubtKind>> = {
  SCOPE_MISSING: 'no-scope',
  NOT_FOUND: 'gone',
};

/** A stream is not skipped if the key has read others of its data type, such as other rooms: then it lost access. */
function statusOf({ stream, warehouse }: Session, { code }: WarehouseError): 'skipped' | 'failed' {
  return code === 'SCOPE_MISSING' && !wereOthersRead(warehouse.db, stream) ? 'skipped' : 'failed';
}

/** The fields of the log line of a stream's sync. */
function figures(result: StreamResult, { stream, sink, clock, startedAt }: Session) {
  const { status, inserted, updated, deleted, unchanged, fetched, requests, oldestNew } = result;
  return {
    ...named(stream),
    status,
    inserted,
    updated,
    deleted,
    unchanged,
    fetched,
    ...(sink.tally.bad === 0 ? {} : { bad: sink.tally.bad }),
    ...(oldestNew === null ? {} : { oldestNew }),
    requests,
    ms: clock.now() - startedAt,
  };
}

export function named({ experimentId, dataset, scope, filter }: Stream) {
  return {
    experiment: experimentId,
    data: dataset.name,
    ...(scope.kind === 'experiment' ? {} : { [scope.kind]: scope.id }),
    ...(scope.kind === 'participant' ? { room: scope.room } : {}),
    ...(filter === undefined ? {} : { filter }),
  };
}

function resultOf(session: Session, status: StreamResult['status'], error?: WarehouseError): StreamResult {
  const { stream, meter, warehouse, sink } = session;
  const { watermark, complete, reason } = readPosition(warehouse.db, stream);
  const { inserted, updated, unchanged, deleted, marked, oldestNew } = sink.tally;
  return {
    ...named(stream),
    status,
    fetched: meter.cost().records,
    inserted,
    updated,
    unchanged,
    deleted,
    marked,
    requests: meter.cost().requests,
    oldestNew: oldestNew === undefined ? null : formatTime(oldestNew),
    watermark: watermark === undefined ? null : formatTime(watermark),
    complete,
    ...(reason === undefined || error !== undefined ? {} : { reason }),
    ...(error === undefined
      ? {}
      : {
          error: {
            code: error.code,
            message: error.message,
            ...(error.hint === undefined ? {} : { hint: error.hint }),
          },
        }),
  };
}
