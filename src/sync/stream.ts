import type { Client } from '../api/client.ts';
import type { Config } from '../config/schema.ts';
import { streamText, type Stream } from '../datasets/stream.ts';
import type { Clock } from '../shared/clock.ts';
import { WarehouseError } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import type { Priority } from '../shared/priority.ts';
import { formatTime } from '../shared/time.ts';
import { plainError } from '../warehouse/open.ts';
import { readPosition } from '../warehouse/positions.ts';
import { countQuarantined, type Warehouse } from '../warehouse/warehouse.ts';
import { readIncremental } from './incremental.ts';
import { openMemory } from './learned.ts';
import { fixedPageSize, learnedPageSize } from './page-size.ts';
import { createReader, type ReaderOptions } from './reader.ts';
import { isOver } from './rooms.ts';
import { inWords, isBraked, keptPart, position, reasonOf, write, type Session } from './session.ts';
import { readSnapshot } from './snapshot.ts';

/** What came of one stream in one sync, in the words of `sync now --json`. */
export interface StreamResult {
  readonly experiment: string;
  readonly data: string;
  readonly room?: string;
  readonly participant?: string;
  readonly deployment?: string;
  readonly filter?: Readonly<Record<string, string | boolean>>;
  /** ok · incomplete: read, but rows may be missing · skipped: the key or the server does not give it · failed. */
  readonly status: 'ok' | 'incomplete' | 'skipped' | 'failed';
  readonly fetched: number;
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly deleted: number;
  readonly requests: number;
  /** The time of the earliest row that was new. */
  readonly oldestNew: string | null;
  readonly watermark: string | null;
  readonly complete: boolean;
  readonly error?: { code: string; message: string; hint?: string };
}

/** What a sync works with, the same for all its streams. */
export interface SyncContext {
  readonly client: Client;
  readonly warehouse: Warehouse;
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal?: AbortSignal | undefined;
  readonly full: boolean;
  readonly acceptDeletes: boolean;
  /** The priority of every request; by default that of a stream read before, or of a first read. */
  readonly priority?: Priority | undefined;
  readonly onPage?: ((stream: Stream, progress: { fetched: number; total: number | undefined }) => void) | undefined;
}

/** Errors after which no other stream can be read either. */
export const ENDS_ALL = new Set([
  'KEY_REFUSED',
  'KEY_MISSING',
  'INTERRUPTED',
  'WAREHOUSE_FULL',
  'WAREHOUSE_UNWRITABLE',
  'WAREHOUSE_CORRUPT',
  'WAREHOUSE_BUSY',
]);

/**
 * Whose requests go first: what a person asked for and waits for, experiments that are running, others, first reads,
 * reconcile.
 */
export const PRIORITY = { asked: 0, live: 2, fresh: 4, backfill: 6, reconcile: 8 } as const;

/**
 * Reads one stream and reports what came of it. What fails here is this stream's own: its watermark stays, its rows
 * stay, and the reason is kept beside them.
 * @throws WarehouseError when no other stream could be read either (key, interruption, disk).
 */
export async function syncStream(context: SyncContext, stream: Stream): Promise<StreamResult> {
  const { log } = context;
  const kept = keptPart(readPosition(context.warehouse.db, stream).reason);
  // The kept rows that somebody lets go now may lie behind the lookback.
  const full = context.full || (context.acceptDeletes && kept !== undefined);
  const session = openSession({ ...context, full }, stream);
  try {
    await (stream.dataset.read === 'incremental' ? readIncremental(session) : readSnapshot(session));
  } catch (thrown) {
    const error = thrown instanceof WarehouseError ? thrown : plainError(context.warehouse.path, thrown);
    if (error === undefined) throw thrown;
    const status = error.code === 'SCOPE_MISSING' ? 'skipped' : 'failed';
    // What was interrupted is as complete as it was before.
    if (!error.code.startsWith('WAREHOUSE_') && error.code !== 'INTERRUPTED') {
      write(session, {
        rows: [],
        position: {
          doubts: inWords(kept === undefined ? error.message : `${error.message}; ${kept}`),
          lastStatus: status,
          lastError: error.message,
          lastSyncAt: session.startedAt,
        },
      });
    }
    if (ENDS_ALL.has(error.code)) throw error;
    const failed = result(session, status, error);
    log.warn({ ...figures(failed, session), code: error.code, requestId: error.requestId }, error.message);
    return failed;
  }
  if (kept !== undefined && !isSettled(session)) session.doubts.add(kept);
  const quarantined = countQuarantined(context.warehouse.db, stream);
  if (quarantined > 0)
    session.doubts.add(`${quarantined} records could not be stored as rows and are kept in _quarantine`);
  const complete = session.doubts.size === 0;
  const reason = complete ? undefined : reasonOf(session.doubts);
  const status = complete ? 'ok' : 'incomplete';
  const { scope } = stream;
  const finished = complete && scope.kind === 'room' && isOver(session, scope.id);
  write(session, {
    rows: [],
    position: {
      doubts: inWords(reason),
      lastStatus: status,
      lastError: undefined,
      lastSyncAt: session.startedAt,
      finished,
    },
  });
  const done = result(session, status);
  log[complete ? 'info' : 'warn'](
    { ...figures(done, session), reason },
    complete ? `synced ${streamText(stream)}` : `${streamText(stream)} may be incomplete: ${reason ?? ''}`,
  );
  return done;
}

/** Whether a read says anew what became of rows that the brake kept: only one of the whole stream does. */
function isSettled(session: Session): boolean {
  const { verifiedAt, listedAt } = position(session);
  return [verifiedAt, listedAt].includes(session.startedAt) || [...session.doubts].some(isBraked);
}

/** What the one line says that the log has of each sync of a stream, in the words of its result. */
function figures(result: StreamResult, { stream, counts, clock, startedAt }: Session) {
  const { status, inserted, updated, deleted, unchanged, fetched, requests, oldestNew } = result;
  return {
    ...named(stream),
    status,
    inserted,
    updated,
    deleted,
    unchanged,
    fetched,
    ...(counts.bad === 0 ? {} : { bad: counts.bad }),
    ...(oldestNew === null ? {} : { oldestNew }),
    requests,
    ms: clock.now() - startedAt,
  };
}

export function openSession(context: SyncContext, stream: Stream): Session {
  const { client, warehouse, config, clock, log, signal, full, acceptDeletes, onPage } = context;
  const memory = openMemory(warehouse.db, stream, () => clock.now());
  const { backfilled } = readPosition(warehouse.db, stream);
  const fixed = stream.dataset.pageLimit ?? (config.api.pageSize === 'auto' ? undefined : config.api.pageSize);
  const readerOptions: ReaderOptions = {
    client,
    config,
    pageSize: fixed === undefined ? learnedPageSize(memory) : fixedPageSize(fixed),
    priority: context.priority ?? (backfilled ? PRIORITY.fresh : PRIORITY.backfill),
    signal,
    onPage: onPage === undefined ? undefined : (progress) => onPage(stream, progress),
  };
  const reader = createReader(stream, readerOptions);
  return {
    stream,
    reader,
    memory,
    warehouse,
    config,
    clock,
    log,
    startedAt: clock.now(),
    full,
    acceptDeletes,
    inRoom: (id) => createReader({ ...stream, scope: { kind: 'room', id } }, { ...readerOptions, spent: reader.spent }),
    counts: { inserted: 0, updated: 0, unchanged: 0, deleted: 0, bad: 0, oldestNew: undefined },
    doubts: new Set(),
    partial: new Set(),
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

function result(session: Session, status: StreamResult['status'], error?: WarehouseError): StreamResult {
  const { stream, reader, warehouse, counts } = session;
  const { watermark, complete } = readPosition(warehouse.db, stream);
  return {
    ...named(stream),
    status,
    fetched: reader.spent.fetched,
    inserted: counts.inserted,
    updated: counts.updated,
    unchanged: counts.unchanged,
    deleted: counts.deleted,
    requests: reader.spent.requests,
    oldestNew: counts.oldestNew === undefined ? null : formatTime(counts.oldestNew),
    watermark: watermark === undefined ? null : formatTime(watermark),
    complete,
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
