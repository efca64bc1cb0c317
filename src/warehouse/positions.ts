import { eq, getTableColumns, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/better-sqlite3';
import { formatTime, parseTime } from '../shared/time.ts';
import type { Db } from './open.ts';
import { prepared } from './prepared.ts';
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
  /** When its changing part was last listed whole, by the local clock. */
  readonly listedAt: number | undefined;
  /** When it last had its turn in the nightly comparison with the API's counts, by the local clock. */
  readonly countedAt: number | undefined;
  /** The rolling re-read that is under way: when it began, by the local clock, and up to which server time it is. */
  readonly rereadBegan: number | undefined;
  readonly rereadTo: number | undefined;
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
  listedAt: undefined,
  countedAt: undefined,
  rereadBegan: undefined,
  rereadTo: undefined,
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
  const { experimentId, dataset } = stream;
  const found = prepared<Stored>(db, 'rows', READ).get(experimentId, dataset.name, scopeText(stream));
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

/** A stream's name within its experiment. */
export function partText(stream: Pick<Stream, 'dataset' | 'scope' | 'filter'>): string {
  return `${stream.dataset.name} ${scopeText(stream)}`;
}

/** The streams of an experiment's finished rooms, as `partText` names them: all at once, as there may be thousands. */
export function finishedRooms(db: Db, experimentId: string): ReadonlySet<string> {
  const sql = "SELECT data || ' ' || scope FROM _streams WHERE experiment_id = ? AND finished = 1";
  return new Set(prepared<string>(db, 'values', sql).all(experimentId));
}

/** Writes a stream's position; inside a transaction it commits with the rows. */
export function writePosition(db: Db, stream: Stream, position: Position): void {
  prepared(db, 'rows', WRITE).run(toStored(stream, position));
}

const COLUMNS = Object.entries(getTableColumns(streams)).map(([field, { name }]) => ({ field, name }));
const KEY = ['experiment_id', 'data', 'scope'];

/** Every page reads and writes a position, so that both are prepared statements derived from the drizzle table. */
const READ = `SELECT ${COLUMNS.map(({ field, name }) => `${name} AS "${field}"`).join(', ')} FROM _streams
  WHERE ${KEY.map((name) => `${name} = ?`).join(' AND ')}`;
const WRITE = `INSERT INTO _streams (${COLUMNS.map(({ name }) => name).join(', ')})
  VALUES (${COLUMNS.map(({ field }) => `@${field}`).join(', ')})
  ON CONFLICT (${KEY.join(', ')}) DO UPDATE SET ${COLUMNS.map(({ name }) => `${name} = excluded.${name}`).join(', ')}`;

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
    listedAt: time(stored.listedAt),
    countedAt: time(stored.countedAt),
    rereadBegan: time(stored.rereadBegan),
    rereadTo: time(stored.rereadTo),
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
    listedAt: time(position.listedAt),
    countedAt: time(position.countedAt),
    rereadBegan: time(position.rereadBegan),
    rereadTo: time(position.rereadTo),
    rows: position.rows,
    finished: Number(position.finished),
    lateRows: position.lateRows,
    latestMs: position.latestMs,
    lastStatus: position.lastStatus ?? null,
    lastError: position.lastError ?? null,
    lastSyncAt: time(position.lastSyncAt),
  };
}
