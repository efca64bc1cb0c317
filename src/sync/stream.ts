import type { Client } from '../api/client.ts';
import { PRIORITIES } from '../budget/priorities.ts';
import type { Config } from '../config/schema.ts';
import { streamText, type Stream } from '../datasets/stream.ts';
import type { Clock } from '../shared/clock.ts';
import { isLocal, stopsEverything, WarehouseError, type ErrorCode } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import type { Priority } from '../shared/priority.ts';
import { formatTime, MINUTE_MS } from '../shared/time.ts';
import { isBlocking, isComplete, reasonOf, type Doubt, type DoubtKind } from '../warehouse/doubts.ts';
import { plainError } from '../warehouse/open.ts';
import { readPosition, wereOthersRead, type Position, type PositionChange } from '../warehouse/positions.ts';
import { acceptChanges, unacceptedChanges } from '../warehouse/schema-changes.ts';
import { isShared } from '../warehouse/shares.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import { isOver } from '../read/by-room.ts';
import { openTraits } from '../read/endpoint-traits.ts';
import { readIncremental } from './incremental.ts';
import { openCostMeter } from '../read/cost.ts';
import { openPageSize } from '../read/page-size.ts';
import type { Proof } from './conclude.ts';
import { prove } from './prove.ts';
import { openOwnAnswers } from '../read/own-answer.ts';
import { createReader, type ReaderOptions } from '../read/reader.ts';
import { position, type Session } from '../read/session.ts';
import { committing, type Sink } from '../read/sink.ts';
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

/** What a sync works with; the same for all its streams. */
export interface SyncContext {
  readonly client: Client;
  readonly warehouse: Warehouse;
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal?: AbortSignal | undefined;
  readonly full: boolean;
  readonly acceptDeletes: boolean;
  /** Accept the new fields and types because of which streams are stopped, and continue reading. */
  readonly acceptSchema?: boolean | undefined;
  /** The priority of every request; by default that of fresh data or, in a first read, of a backfill. */
  readonly priority?: Priority | undefined;
  /** Commit each page of a first read by itself, so that nobody who shares the process waits for several. */
  readonly commitsEachPage?: boolean | undefined;
  readonly onPage?: ((stream: Stream, progress: { fetched: number; total: number | undefined }) => void) | undefined;
}

/** A row that one reading missed is deleted if another one, at least this much later, misses it as well. */
const CONFIRM_AFTER_MS = MINUTE_MS;

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
  try {
    const proof = await read();
    const isFinished = isComplete(proof.doubts) && stream.scope.kind === 'room' && isOver(session, stream.scope.id);
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

/** Reads what is new, or everything, and accounts for the whole stream. */
export async function readAndProve(session: Session, isStrict: boolean) {
  const reading = await (session.stream.dataset.read === 'incremental'
    ? readIncremental(session)
    : readSnapshot(session));
  return prove(session, reading, isStrict);
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

/** @param sink by default one that writes. */
export function openSession(
  context: SyncContext,
  stream: Stream,
  sink: Sink = committing(context.warehouse, stream, { freezes: context.config.schema === 'freeze' }),
): Session {
  const { client, warehouse, config, clock, log, signal, full, acceptDeletes, onPage } = context;
  const traits = openTraits(warehouse.db, stream, () => clock.now());
  const { backfilled, rows } = readPosition(warehouse.db, stream);
  const fixed = stream.dataset.pageLimit ?? (config.api.pageSize === 'auto' ? undefined : config.api.pageSize);
  const meter = openCostMeter();
  const readerOptions: ReaderOptions = {
    client,
    config,
    pageSize: openPageSize(traits, fixed),
    priority: context.priority ?? (backfilled ? PRIORITIES.fresh.rank : PRIORITIES.backfill.rank),
    signal,
    fill: stream.dataset.name === 'experiments' && isShared(warehouse.db, stream.experimentId) ? { shared: true } : {},
    mayBeAbsent: stream.dataset.mayBeAbsent === true && rows === 0,
    checkOwn: openOwnAnswers(warehouse.db, traits),
    meter,
    onPage: onPage === undefined ? undefined : (progress) => onPage(stream, progress),
    onLength(length) {
      if (length > (traits.known.largestPage ?? 0)) traits.learn({ largestPage: length }, 'an answer was so long');
    },
  };
  return {
    stream,
    reader: createReader(stream, readerOptions),
    meter,
    traits,
    warehouse,
    sink,
    client,
    config,
    clock,
    log,
    signal,
    startedAt: clock.now(),
    full,
    acceptDeletes,
    commitsEachPage: context.commitsEachPage ?? false,
    confirmAfterMs: acceptDeletes ? 0 : CONFIRM_AFTER_MS,
    inRoom: (id) => createReader({ ...stream, scope: { kind: 'room', id } }, readerOptions),
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
