import { withoutOrdinal } from '../datasets/keys.ts';
import type { BadRecord, Row } from '../datasets/normalise.ts';
import type { Stream } from '../datasets/stream.ts';
import type { Derivation } from '../derive/derivation.ts';
import type { Json } from '../shared/json.ts';
import { command, quote } from '../shared/sqlite.ts';
import { formatTime, DAY_MS } from '../shared/time.ts';
import { keepMetadata, noteStart } from './answer-metadata.ts';
import { noteErased, settleErased, type ErasedRecord } from './erased-records.ts';
import { erasuresOf } from './erasures.ts';
import { clearMissing, clearUnheld, countMissing, markMissing } from './missing.ts';
import type { Db } from './open.ts';
import { readPosition, writePosition, type Position, type PositionChange } from './positions.ts';
import { countQuarantined, quarantine, settleQuarantine } from './quarantine.ts';
import { countInRun, type Run } from './runs.ts';
import { stoppedDoubt, unacceptedChanges } from './schema-changes.ts';
import type { SchemaWatch } from './schema-watch.ts';
import type { TableWriters } from './table-writers.ts';
import type { Upsert } from './upsert.ts';

/** What one transaction does to a stream. */
export interface Batch {
  readonly rows: readonly Row[];
  readonly bad?: readonly BadRecord[];
  /** Records of erased people, which are only counted. */
  readonly erased?: readonly ErasedRecord[];
  /** Keys of rows that a clean reading no longer found: they are marked. */
  readonly missing?: readonly string[];
  /** When the reading that missed them began, by the local clock; by default now. */
  readonly missedAt?: number;
  /** Keys of rows that move to the history. */
  readonly deleted?: readonly string[];
  /** The whole stream was read from this local time on: malformed records that did not come again are removed. */
  readonly wholeSince?: number;
  /** Members of the position to change; `rows` and the lateness are kept by the commit itself. */
  readonly position?: PositionChange;
  /** A new field or another type stops the stream until it is accepted: its watermark stays. */
  readonly freezes?: boolean;
  /** What the answers say besides their records. */
  readonly metadata?: Readonly<Record<string, Json>>;
}

export interface Committed {
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly deleted: number;
  /** Rows that were marked missing, and were not before. */
  readonly marked: number;
  /** The earliest time of the rows that were inserted. */
  readonly oldestNew: number | undefined;
  readonly position: Position;
}

/** What a commit works with. */
export interface CommitParts {
  readonly db: Db;
  readonly writers: TableWriters;
  readonly watch: SchemaWatch;
  readonly derivation: Derivation;
  /** The time of a transaction: later than that of the one before. */
  readonly nextNow: () => number;
}

/** Makes the function that writes rows, deletions and the position of a stream in one transaction. */
export function openCommit(parts: CommitParts) {
  const { db, writers, watch, derivation, nextNow } = parts;
  return db.transaction((stream: Stream, came: Batch, run: Run | undefined): Committed => {
    const batch = withoutErased(db, stream, came);
    const { dataset } = stream;
    const before = readPosition(db, stream);
    const now = nextNow();
    const { upsert, settle } = writers.of(dataset);
    if (batch.rows.length > 0) watch.open(dataset);

    const at = formatTime(now);
    const { counts, late, changed, oldestNew } = writeRows(parts, stream, batch.rows, { upsert, now, before, run });
    const { backfilled } = before;
    const stops = watch.note(stream, changed, { now, backfilled, freezes: batch.freezes === true });
    settle();
    keepMetadata(db, stream, batch.metadata ?? {}, at);
    if (batch.position?.serverBasis !== undefined) noteStart(db, stream, batch.position.serverBasis, at);
    quarantine(db, stream, batch.bad ?? [], at);
    noteErased(db, stream, batch.erased ?? [], at);
    if (batch.wholeSince !== undefined) {
      settleQuarantine(db, stream, batch.wholeSince);
      settleErased(db, stream, batch.wholeSince);
      if (before.missingRows > 0) clearUnheld(db, stream);
    }
    const marked = markMissing(db, stream, batch.missing ?? [], batch.missedAt ?? now);
    const deleted = remove(db, stream, batch.deleted ?? []);
    clearMissing(db, stream, [...batch.rows.map(({ key }) => key), ...(batch.deleted ?? [])]);
    const isMarked = before.missingRows > 0 || (batch.missing ?? []).length > 0;
    const isQuarantined = before.quarantinedRecords > 0 || (batch.bad ?? []).length > 0;
    const position = {
      ...before,
      ...batch.position,
      ...late,
      rows: before.rows + counts.inserted - deleted,
      missingRows: isMarked ? countMissing(db, stream) : 0,
      quarantinedRecords: isQuarantined ? countQuarantined(db, stream) : 0,
      ...deletedLately(before, deleted, now),
      ...stopped(db, stream, { before, doubts: batch.position?.doubts ?? before.doubts, stops }),
    };
    if (!samePosition(before, position)) writePosition(db, stream, position);
    derivation.settle(!(batch.position?.backfilled ?? backfilled));
    if (run !== undefined) countInRun(db, run, stream, { ...counts, deleted, marked });
    return { ...counts, deleted, marked, oldestNew, position };
  });
}

/** Inserts and updates rows, and finds out which came late. */
function writeRows(
  { derivation }: CommitParts,
  { experimentId, dataset }: Stream,
  rows: readonly Row[],
  { upsert, now, before, run }: { upsert: Upsert; now: number; before: Position; run: Run | undefined },
) {
  const at = formatTime(now);
  const counts = { inserted: 0, updated: 0, unchanged: 0 };
  const late = { lateRows: before.lateRows, latestMs: before.latestMs };
  const changed: Row[] = [];
  let oldestNew: number | undefined;
  const met = new Set<string>();
  for (const row of rows) {
    const upserted = upsert(experimentId, row, at, run?.id);
    // A row that was inserted a moment ago in this very transaction looks new.
    const written = upserted === 'inserted' && met.has(row.key) ? 'updated' : upserted;
    met.add(row.key);
    counts[written]++;
    if (written !== 'unchanged') changed.push(row);
    if (upserted === 'inserted') derivation.inserted(dataset, experimentId, row);
    if (written === 'inserted' && row.time !== undefined) oldestNew = Math.min(oldestNew ?? row.time, row.time);
    const isLate = written === 'inserted' && before.backfilled && row.time !== undefined;
    if (isLate && row.time < (before.watermark ?? 0)) {
      late.lateRows++;
      late.latestMs = Math.max(late.latestMs, now - row.time);
    }
  }
  return { counts, late, changed, oldestNew };
}

/** What may be stored of a batch, wherever it comes from. */
function withoutErased(db: Db, { dataset }: Stream, batch: Batch): Batch {
  const erasures = erasuresOf(db);
  if (erasures === undefined) return batch;
  const { rows, bad, erased } = erasures.apply(dataset, batch);
  const scrubbed = Object.entries(batch.metadata ?? {}).map(([name, value]) => [name, erasures.scrub(value)] as const);
  return { ...batch, rows, bad, erased: [...(batch.erased ?? []), ...erased], metadata: Object.fromEntries(scrubbed) };
}

/** What is different in the position of a stream whose records come, or came, in a shape that is not accepted. */
function stopped(
  db: Db,
  { dataset }: Stream,
  { before, doubts, stops }: { before: Position; doubts: Position['doubts']; stops: boolean },
): Partial<Pick<Position, 'doubts' | 'watermark'>> {
  const others = doubts.filter(({ kind }) => kind !== 'schema');
  if (!stops && others.length === doubts.length) return {};
  const { watermark } = before;
  return stops ? { doubts: [...others, stoppedDoubt(unacceptedChanges(db, dataset.name))], watermark } : { watermark };
}

function remove(db: Db, stream: Stream, keys: readonly string[]): number {
  const { experimentId, dataset } = stream;
  if (keys.length === 0) return 0;
  const drop = command(db, `DELETE FROM ${quote(dataset.table)} WHERE experiment_id = ? AND key = ?`);
  const deleted = keys.reduce((sum, key) => sum + drop(experimentId, key), 0);
  if (dataset.identity.length > 0) promote(db, stream, keys);
  return deleted;
}

/** Where the first record of an id is deleted, the next one takes its place. */
function promote(db: Db, { experimentId, dataset }: Stream, deleted: readonly string[]): void {
  const table = quote(dataset.table);
  const move = command(
    db,
    `UPDATE ${table} SET key = @key WHERE experiment_id = @experimentId AND key = (
       SELECT key FROM ${table} WHERE experiment_id = @experimentId AND key > @key || '#' AND key < @key || '$' ORDER BY length(key), key LIMIT 1)`,
  );
  for (const key of deleted) if (withoutOrdinal(key) === key) move({ key, experimentId });
}

/** How many rows were deleted in the day that began with the first of them. */
function deletedLately(
  { deletedRows, deletedFrom }: Position,
  deleted: number,
  now: number,
): Pick<Position, 'deletedRows' | 'deletedFrom'> {
  const isToday = deletedFrom !== undefined && now - deletedFrom < DAY_MS;
  if (isToday) return { deletedRows: deletedRows + deleted, deletedFrom };
  return deleted === 0 ? { deletedRows: 0, deletedFrom: undefined } : { deletedRows: deleted, deletedFrom: now };
}

function samePosition(a: Position, b: Position): boolean {
  return (Object.keys(b) as (keyof Position)[]).every((name) => a[name] === b[name]);
}
