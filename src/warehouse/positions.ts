import { z } from 'zod';
import { getTableColumns } from '../shared/drizzle.ts';
import { command, queryRows, queryValues, type SqlValue } from '../shared/sqlite.ts';
import { formatTime, parseTime } from '../shared/time.ts';
import { doubtsFromText, doubtsToText, isComplete, reasonOf, type Doubt } from './doubts.ts';
import type { Db } from './open.ts';
import { streams } from './schema.ts';
import { scopeText, type Stream } from '../datasets/stream.ts';

const UNREAD: readonly Doubt[] = [{ kind: 'unread', text: 'not read yet' }];

const Time = z
  .string()
  .nullable()
  .transform((text) => (text === null ? undefined : parseTime(text)));
const Flag = z.number().transform((value) => value === 1);
const Count = z
  .number()
  .nullable()
  .transform((value) => value ?? undefined);
const Text = z
  .string()
  .nullable()
  .transform((text) => text ?? undefined);

/** The columns of `_streams` that say what a stream has safely read. Times are milliseconds since 1970 UTC. */
const Columns = z.object({
  /** Everything up to this server time has been read. */
  watermark: Time,
  /** Whether the first read has reached the end. */
  backfilled: Flag,
  /** What speaks against completeness. */
  doubts: z
    .string()
    .nullable()
    .transform((text) => (text === null ? UNREAD : doubtsFromText(text))),
  /** How many records the API counts, without a time filter, and when that was last compared, by the local clock. */
  apiTotal: Count,
  accountedAt: Time,
  /** When a clean reading last showed as many records as are held, quarantined ones included, by the local clock. */
  balancedAt: Time,
  quarantinedRecords: z.number(),
  /** Rows that the delete guard withholds. */
  withheldRows: z.number(),
  /** Rows that one reading no longer found. */
  missingRows: z.number(),
  datedAheadRows: z.number(),
  /** Rows in its answers that name another room, participant or deployment: the API counts them here as well. */
  elsewhereRows: z.number(),
  /** Rows deleted in the day that began at `deletedFrom`, by the local clock. */
  deletedRows: z.number(),
  deletedFrom: Time,
  /** Why the whole stream is to be read again. */
  rereadReason: Text,
  /** What the server last said about its processing and the experiment's start. */
  serverBasis: Text,
  /** When the last successful read began, by the local clock. */
  dataAsOf: Time,
  /** When all of the stream was last read and compared, by the local clock. */
  verifiedAt: Time,
  /** When its changing part was last listed completely, by the local clock. */
  listedAt: Time,
  /** When the nightly run last compared it with the API's counts, by the local clock. */
  countedAt: Time,
  /** The rolling re-read in progress: when it began, by the local clock, and the server time it has reached. */
  rereadBegan: Time,
  rereadTo: Time,
  rows: z.number(),
  /** The room is over and was read whole afterwards. */
  finished: Flag,
  lateRows: z.number(),
  latestMs: z.number(),
  lastStatus: Text,
  lastError: Text,
  lastSyncAt: Time,
});

type Stored = Readonly<z.output<typeof Columns>>;

/** What a stream has safely read. */
export interface Position extends Stored {
  /** Whether every record is accounted for; follows from `doubts`. */
  readonly complete: boolean;
  /** Why not complete, in words; follows from `doubts`. */
  readonly reason: string | undefined;
}

function positionOf<T extends Stored>(stored: T) {
  return { ...stored, complete: isComplete(stored.doubts), reason: reasonOf(stored.doubts) };
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

const NAMES = Object.entries(getTableColumns(streams)).map(([field, { name, notNull }]) => ({ field, name, notNull }));

/** That of a stream of which nothing is stored: each column is empty. */
export const NEVER_READ: Position = positionOf(
  Columns.parse(Object.fromEntries(NAMES.map(({ field, notNull }) => [field, notNull ? 0 : null]))),
);

const Row = Columns.extend({ experimentId: z.string(), data: z.string(), scope: z.string() }).transform(positionOf);
export type StoredPosition = Readonly<z.output<typeof Row>>;

const READ = `SELECT ${NAMES.map(({ field, name }) => `${name} AS ${field}`).join(', ')} FROM _streams`;
const KEY = ['experiment_id', 'data', 'scope'];
const READ_ONE = `${READ} WHERE ${KEY.map((name) => `${name} = ?`).join(' AND ')}`;
const WRITE = `INSERT INTO _streams (${NAMES.map(({ name }) => name).join(', ')})
  VALUES (${NAMES.map(({ field }) => `@${field}`).join(', ')})
  ON CONFLICT (${KEY.join(', ')}) DO UPDATE SET ${NAMES.map(({ name }) => `${name} = excluded.${name}`).join(', ')}`;

export function readPosition(db: Db, stream: Stream): Position {
  const find = queryRows(db, READ_ONE, Row);
  return find.get(stream.experimentId, stream.dataset.name, scopeText(stream)) ?? NEVER_READ;
}

export function allPositions(db: Db): StoredPosition[] {
  return queryRows(db, `${READ} ORDER BY ${KEY.join(', ')}`, Row).all();
}

/** Writes a stream's position; inside a transaction it commits with the rows. */
export function writePosition(db: Db, stream: Stream, position: Position): void {
  const { doubts } = position;
  const values: Readonly<Record<string, Position[keyof Position]>> = { ...position };
  const columns = Object.fromEntries(NAMES.map(({ field }) => [field, stored(field, values[field])]));
  const key = { experimentId: stream.experimentId, data: stream.dataset.name, scope: scopeText(stream) };
  command(db, WRITE)({ ...columns, ...key, complete: Number(isComplete(doubts)), reason: reasonOf(doubts) ?? null });
}

const TIMES = new Set(Object.entries(Columns.shape).flatMap(([field, type]) => (type === Time ? [field] : [])));

function stored(field: string, value: Position[keyof Position]): SqlValue {
  if (value === undefined || typeof value === 'string') return value ?? null;
  if (typeof value === 'number') return TIMES.has(field) ? formatTime(value) : value;
  return typeof value === 'boolean' ? Number(value) : doubtsToText(value);
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

/** What was learned about an endpoint, as the JSON text given to `writeLearned`; undefined when nothing was. */
export function readLearned(db: Db, endpoint: string): string | undefined {
  return queryValues(db, 'SELECT learned FROM _endpoints WHERE endpoint = ?', z.string()).get(endpoint);
}

export function writeLearned(db: Db, endpoint: string, learned: string, now: number): void {
  command(
    db,
    `INSERT INTO _endpoints (endpoint, learned, updated_at) VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET learned = excluded.learned, updated_at = excluded.updated_at WHERE learned <> excluded.learned`,
  )(endpoint, learned, formatTime(now));
}
