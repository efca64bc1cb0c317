import { and, eq, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/better-sqlite3';
import { formatTime, parseTime } from '../shared/time.ts';
import type { Db } from './open.ts';
import { endpoints, streams } from './schema.ts';
import { scopeText, type Stream } from '../datasets/stream.ts';

/** What a stream has safely read. Times are milliseconds since 1970 UTC. */
export interface Position {
  /** Everything up to this server time has been read. */
  readonly watermark: number | undefined;
  /** Whether the first read has reached the end. */
  readonly backfilled: boolean;
  readonly complete: boolean;
  /** Why not complete, in words. */
  readonly reason: string | undefined;
  /** When the last successful read began, by the local clock. */
  readonly dataAsOf: number | undefined;
  /** When all of the stream was last read and compared, by the local clock. */
  readonly verifiedAt: number | undefined;
  readonly rows: number;
  /** The room is over and was read whole afterwards. */
  readonly finished: boolean;
  readonly lateRows: number;
  readonly latestMs: number;
  readonly lastStatus: string | undefined;
  readonly lastError: string | undefined;
  readonly lastSyncAt: number | undefined;
}

export const NEVER_READ: Position = {
  watermark: undefined,
  backfilled: false,
  complete: false,
  reason: 'not read yet',
  dataAsOf: undefined,
  verifiedAt: undefined,
  rows: 0,
  finished: false,
  lateRows: 0,
  latestMs: 0,
  lastStatus: undefined,
  lastError: undefined,
  lastSyncAt: undefined,
};

export interface StoredPosition extends Position {
  readonly experimentId: string;
  readonly data: string;
  readonly scope: string;
}

type Stored = typeof streams.$inferSelect;

export function readPosition(db: Db, stream: Stream): Position {
  const found = drizzle(db)
    .select()
    .from(streams)
    .where(
      and(
        eq(streams.experimentId, stream.experimentId),
        eq(streams.data, stream.dataset.name),
        eq(streams.scope, scopeText(stream)),
      ),
    )
    .get();
  return found === undefined ? NEVER_READ : fromStored(found);
}

export function allPositions(db: Db): StoredPosition[] {
  return drizzle(db)
    .select()
    .from(streams)
    .orderBy(streams.experimentId, streams.data, streams.scope)
    .all()
    .map(fromStored);
}

/** Writes a stream's position; inside a transaction it commits with the rows. */
export function writePosition(db: Db, stream: Stream, position: Position): void {
  const values = toStored(stream, position);
  drizzle(db)
    .insert(streams)
    .values(values)
    .onConflictDoUpdate({ target: [streams.experimentId, streams.data, streams.scope], set: values })
    .run();
}

/** What was learned of an endpoint, as the JSON text that `writeLearned` was given; undefined when nothing was. */
export function readLearned(db: Db, endpoint: string): string | undefined {
  return drizzle(db).select().from(endpoints).where(eq(endpoints.endpoint, endpoint)).get()?.learned;
}

export function writeLearned(db: Db, endpoint: string, learned: string, now: number): void {
  const values = { learned, updatedAt: formatTime(now) };
  drizzle(db)
    .insert(endpoints)
    .values({ endpoint, ...values })
    .onConflictDoUpdate({
      target: endpoints.endpoint,
      set: values,
      setWhere: sql`${endpoints.learned} <> excluded.learned`,
    })
    .run();
}

function fromStored(stored: Stored): StoredPosition {
  const time = (text: string | null) => (text === null ? undefined : parseTime(text));
  return {
    experimentId: stored.experimentId,
    data: stored.data,
    scope: stored.scope,
    watermark: time(stored.watermark),
    backfilled: stored.backfilled === 1,
    complete: stored.complete === 1,
    reason: stored.reason ?? undefined,
    dataAsOf: time(stored.dataAsOf),
    verifiedAt: time(stored.verifiedAt),
    rows: stored.rows,
    finished: stored.finished === 1,
    lateRows: stored.lateRows,
    latestMs: stored.latestMs,
    lastStatus: stored.lastStatus ?? undefined,
    lastError: stored.lastError ?? undefined,
    lastSyncAt: time(stored.lastSyncAt),
  };
}

function toStored(stream: Stream, position: Position): Stored {
  const time = (ms: number | undefined) => (ms === undefined ? null : formatTime(ms));
  return {
    experimentId: stream.experimentId,
    data: stream.dataset.name,
    scope: scopeText(stream),
    watermark: time(position.watermark),
    backfilled: Number(position.backfilled),
    complete: Number(position.complete),
    reason: position.reason ?? null,
    dataAsOf: time(position.dataAsOf),
    verifiedAt: time(position.verifiedAt),
    rows: position.rows,
    finished: Number(position.finished),
    lateRows: position.lateRows,
    latestMs: position.latestMs,
    lastStatus: position.lastStatus ?? null,
    lastError: position.lastError ?? null,
    lastSyncAt: time(position.lastSyncAt),
  };
}
