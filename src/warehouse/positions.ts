import { z } from 'zod';
import { and, drizzle, eq, getTableColumns, sql } from '../shared/drizzle.ts';
import { command, queryValues } from '../shared/sqlite.ts';
import { formatTime, parseTime } from '../shared/time.ts';
import { doubtsFromText, doubtsToText, isComplete, reasonOf, type Doubt } from './doubts.ts';
import type { Db } from './open.ts';
import { endpoints, streams } from './schema.ts';
import { scopeText, type Stream } from '../datasets/stream.ts';

/** What a stream has safely read. Times are milliseconds since 1970 UTC. */
export interface Position {
  /** Everything up to this server time has been read. */
  readonly watermark: number | undefined;
  /** Whether the first read has reached the end. */
  readonly backfilled: boolean;
  /** What speaks against completeness. */
  readonly doubts: readonly Doubt[];
  /** Whether every record is accounted for; follows from `doubts`. */
  readonly complete: boolean;
  /** Why not complete, in words; follows from `doubts`. */
  readonly reason: string | undefined;
  /** How many records the API counts, without a time filter, and when that was last compared, by the local clock. */
  readonly apiTotal: number | undefined;
  readonly accountedAt: number | undefined;
  /** When a clean reading last showed as many records as are held, quarantined ones included, by the local clock. */
  readonly balancedAt: number | undefined;
  readonly quarantinedRecords: number;
  /** Rows that the delete guard withholds. */
  readonly withheldRows: number;
  /** Rows that one reading no longer found. */
  readonly missingRows: number;
  readonly datedAheadRows: number;
  /** Rows in its answers that name another room, participant or deployment: the API counts them here as well. */
  readonly elsewhereRows: number;
  /** Rows deleted in the day that began at `deletedFrom`, by the local clock. */
  readonly deletedRows: number;
  readonly deletedFrom: number | undefined;
  /** Why the whole stream is to be read again. */
  readonly rereadReason: string | undefined;
  /** What the server last said about its processing and the experiment's start. */
  readonly serverBasis: string | undefined;
  /** When the last successful read began, by the local clock. */
  readonly dataAsOf: number | undefined;
  /** When all of the stream was last read and compared, by the local clock. */
  readonly verifiedAt: number | undefined;
  /** When its changing part was last listed completely, by the local clock. */
  readonly listedAt: number | undefined;
  /** When the nightly run last compared it with the API's counts, by the local clock. */
  readonly countedAt: number | undefined;
  /** The rolling re-read in progress: when it began, by the local clock, and the server time it has reached. */
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

/** What a commit may change of a position; the rest follows from it or from the rows. */
export type PositionChange = Partial<Omit<Position, Kept>>;
type Kept =
  | 'rows'
  | 'lateRows'
  | 'latestMs'
  | 'complete'
  | 'reason'
  | 'missingRows'
  | 'quarantinedRecords'
  | 'deletedRows'
  | 'deletedFrom';

const UNREAD: readonly Doubt[] = [{ kind: 'unread', text: 'not read yet' }];

export const NEVER_READ: Position = {
  watermark: undefined,
  backfilled: false,
  doubts: UNREAD,
  complete: isComplete(UNREAD),
  reason: reasonOf(UNREAD),
  apiTotal: undefined,
  accountedAt: undefined,
  balancedAt: undefined,
  quarantinedRecords: 0,
  withheldRows: 0,
  missingRows: 0,
  datedAheadRows: 0,
  elsewhereRows: 0,
  deletedRows: 0,
  deletedFrom: undefined,
  rereadReason: undefined,
  serverBasis: undefined,
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
  const found = reading(db).get({ experimentId, data: dataset.name, scope: scopeText(stream) });
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

/**
 * The streams of an experiment's finished rooms, as named by `partText`: all at once, as there may be thousands. Those
 * that are to be read again are left out.
 */
export function finishedRooms(db: Db, experimentId: string): ReadonlySet<string> {
  const sql =
    "SELECT data || ' ' || scope FROM _streams WHERE experiment_id = ? AND finished = 1 AND reread_reason IS NULL";
  return new Set(queryValues(db, sql, z.string()).all(experimentId));
}

/** Whether another stream of the same data type and experiment, such as that of another room, was ever read. */
export function wereOthersRead(db: Db, stream: Stream): boolean {
  const sql = `SELECT 1 FROM _streams
    WHERE experiment_id = ? AND data = ? AND scope <> ? AND data_as_of IS NOT NULL LIMIT 1`;
  return (
    queryValues(db, sql, z.number()).get(stream.experimentId, stream.dataset.name, scopeText(stream)) !== undefined
  );
}

/** Writes a stream's position; inside a transaction it commits with the rows. */
export function writePosition(db: Db, stream: Stream, position: Position): void {
  command(db, WRITE)(toStored(stream, position));
}

const COLUMNS = Object.entries(getTableColumns(streams)).map(([field, { name }]) => ({ field, name }));
const KEY = ['experiment_id', 'data', 'scope'];

/** Every page reads and writes a position, so that both are prepared statements derived from the drizzle table. */
function prepareReading(db: Db) {
  const { placeholder } = sql;
  const isStream = and(
    eq(streams.experimentId, placeholder('experimentId')),
    eq(streams.data, placeholder('data')),
    eq(streams.scope, placeholder('scope')),
  );
  return drizzle(db).select().from(streams).where(isStream).prepare();
}

const readings = new WeakMap<Db, ReturnType<typeof prepareReading>>();

function reading(db: Db): ReturnType<typeof prepareReading> {
  const made = readings.get(db) ?? prepareReading(db);
  readings.set(db, made);
  return made;
}

const WRITE = `INSERT INTO _streams (${COLUMNS.map(({ name }) => name).join(', ')})
  VALUES (${COLUMNS.map(({ field }) => `@${field}`).join(', ')})
  ON CONFLICT (${KEY.join(', ')}) DO UPDATE SET ${COLUMNS.map(({ name }) => `${name} = excluded.${name}`).join(', ')}`;

/**
 * What was learned about an endpoint, as the JSON text given to `writeLearned`; undefined when nothing was. It is asked
 * for at each page, so the statement is prepared once.
 */
export function readLearned(db: Db, endpoint: string): string | undefined {
  return queryValues(db, 'SELECT learned FROM _endpoints WHERE endpoint = ?', z.string()).get(endpoint);
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
  const doubts = stored.doubts === null ? UNREAD : doubtsFromText(stored.doubts);
  return {
    experimentId: stored.experimentId,
    data: stored.data,
    scope: stored.scope,
    watermark: time(stored.watermark),
    backfilled: stored.backfilled === 1,
    doubts,
    complete: isComplete(doubts),
    reason: reasonOf(doubts),
    apiTotal: stored.apiTotal ?? undefined,
    accountedAt: time(stored.accountedAt),
    balancedAt: time(stored.balancedAt),
    quarantinedRecords: stored.quarantinedRecords,
    withheldRows: stored.withheldRows,
    missingRows: stored.missingRows,
    datedAheadRows: stored.datedAheadRows,
    elsewhereRows: stored.elsewhereRows,
    deletedRows: stored.deletedRows,
    deletedFrom: time(stored.deletedFrom),
    rereadReason: stored.rereadReason ?? undefined,
    serverBasis: stored.serverBasis ?? undefined,
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
    doubts: doubtsToText(position.doubts),
    complete: Number(isComplete(position.doubts)),
    reason: reasonOf(position.doubts) ?? null,
    apiTotal: position.apiTotal ?? null,
    accountedAt: time(position.accountedAt),
    balancedAt: time(position.balancedAt),
    quarantinedRecords: position.quarantinedRecords,
    withheldRows: position.withheldRows,
    missingRows: position.missingRows,
    datedAheadRows: position.datedAheadRows,
    elsewhereRows: position.elsewhereRows,
    deletedRows: position.deletedRows,
    deletedFrom: time(position.deletedFrom),
    rereadReason: position.rereadReason ?? null,
    serverBasis: position.serverBasis ?? null,
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
