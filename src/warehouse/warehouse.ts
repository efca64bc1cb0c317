import { withoutOrdinal } from '../datasets/keys.ts';
import type { BadRecord, Row } from '../datasets/normalise.ts';
import { DATASETS } from '../datasets/registry.ts';
import type { Clock } from '../shared/clock.ts';
import type { Json } from '../shared/json.ts';
import { command, quote } from '../shared/sqlite.ts';
import { formatTime, DAY_MS } from '../shared/time.ts';
import { markCutTexts } from './cut-texts.ts';
import { rekey } from './rekey.ts';
import { prepareDerived, tendDerived } from './derived.ts';
import { openDerivation } from '../derive/derivation.ts';
import { keepMetadata, noteStart } from './answer-metadata.ts';
import { carryOverReasons } from './carry-over.ts';
import { writeDictionary } from './dictionary.ts';
import { keepHistory } from './history.ts';
import { acquireWriterLock } from './lock.ts';
import { clearMissing, countMissing, markMissing } from './missing.ts';
import { migrate } from './migrate.ts';
import { countInRun, endInterrupted, type Run } from './runs.ts';
import { closeForWriting, openForWriting, PRAGMAS, watchFile, withPlainErrors, type Db } from './open.ts';
import { countQuarantined, quarantine, settleQuarantine } from './quarantine.ts';
import { readPosition, writePosition, type Position, type PositionChange } from './positions.ts';
import type { Stream } from '../datasets/stream.ts';
import { stoppedDoubt, unacceptedChanges } from './schema-changes.ts';
import { openSchemaWatch } from './schema-watch.ts';
import { refill } from './refill.ts';
import { tendQueryIndexes } from './query-indexes.ts';
import { openTableWriters } from './table-writers.ts';
import { refreshViews } from './views.ts';
import { noteErased, settleErased, type ErasedRecord } from './erased-records.ts';
import { erase, isOverwriteDue, overwrite, type Receipt } from './erase.ts';
import { erasuresOf, type Person } from './erasures.ts';
import { makeFreshnessView } from './freshness.ts';

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

/** The warehouse as its only writer sees it. */
export interface Warehouse {
  readonly db: Db;
  readonly path: string;
  /** Writes rows, deletions and the position of a stream in one transaction: all or nothing. */
  commit(stream: Stream, batch: Batch): Committed;
  /** The same warehouse, whose commits count for a run and leave its id in the rows that they write. */
  during(run: Run): Warehouse;
  /**
   * Erases a person from every table, and writes the file anew so that nothing of them is left in it. A kill meanwhile
   * undoes it, or it is finished at the next start.
   * @param isTrial only finds out what would be erased.
   */
  erase(person: Person, isTrial: boolean): Erasure;
  /** Updates what readers use to the rows of now: the views to the keys of all rows, indexes, the planner's statistics. */
  tendForReaders(): void;
  /** Closes the file, checkpointed. */
  close(): void;
}

/** What an erasure did. */
export interface Erasure extends Receipt {
  /** Whether what was freed is overwritten: not while a reader keeps the file as it was. */
  readonly isOverwritten: boolean;
}

export interface WarehouseOptions {
  readonly clock: Clock;
  /** Whether earlier versions of rows are kept. */
  readonly history: boolean;
  /** Whether indexes for readers are built; they are by default. */
  readonly queryIndexes?: boolean;
}

/**
 * Opens the warehouse for writing: takes the writer's lock, migrates the tables to this version, keeps history.
 * @throws WarehouseError WAREHOUSE_BUSY, _UNWRITABLE, _FULL, _NEWER, _CORRUPT or _FILESYSTEM.
 */
export function openWarehouse(path: string, options: WarehouseOptions): Warehouse {
  const lock = acquireWriterLock(path);
  let opened: Db | undefined;
  try {
    return withPlainErrors(path, () => {
      const db = (opened = openForWriting(path));
      migrate(db);
      rekey(db, options.clock.now());
      markCutTexts(db, options.clock.now());
      refill(db, options.clock.now());
      prepareDerived(db, options.clock.now());
      db.transaction(() => {
        carryOverReasons(db);
        makeFreshnessView(db, DATASETS);
        refreshViews(db, DATASETS);
        writeDictionary(db, DATASETS);
        endInterrupted(db);
      }).immediate();
      if (isOverwriteDue(db)) overwrite(db, options.clock.now());
      return writer(db, { path, ...options, release: lock.release });
    });
  } catch (error) {
    opened?.close();
    lock.release();
    throw error;
  }
}

interface WriterOptions extends WarehouseOptions {
  readonly path: string;
  readonly release: () => void;
}

function writer(db: Db, { path, clock, history, queryIndexes = true, release }: WriterOptions): Warehouse {
  const writers = openTableWriters(db);
  const watch = openSchemaWatch(db);
  const checkFile = watchFile(path);
  let lastNow = 0;
  /** Strictly increasing, as a row counts as new when it was first seen in this very transaction. */
  const nextNow = () => (lastNow = Math.max(clock.now(), lastNow + 1));

  /** The run whose transaction is under way, for the history. */
  let current: Run | undefined;
  if (history) keepHistory(db, DATASETS, () => current?.id);
  const derivation = openDerivation(db);

  const commit = db.transaction((stream: Stream, came: Batch, run: Run | undefined): Committed => {
    current = run;
    const batch = withoutErased(db, stream, came);
    const { experimentId, dataset } = stream;
    const before = readPosition(db, stream);
    const now = nextNow();
    const { upsert, settle } = writers.of(dataset);
    if (batch.rows.length > 0) watch.open(dataset);

    const counts = { inserted: 0, updated: 0, unchanged: 0 };
    const late = { lateRows: before.lateRows, latestMs: before.latestMs };
    const at = formatTime(now);
    const changed: Row[] = [];
    let oldestNew: number | undefined;
    const met = new Set<string>();
    for (const row of batch.rows) {
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
    }
    const marked = markMissing(db, stream, batch.missing ?? [], batch.missedAt ?? now);
    const deleted = remove(db, stream, batch.deleted ?? []);
    clearMissing(db, stream, [
      ...(before.missingRows === 0 ? [] : batch.rows.map(({ key }) => key)),
      ...(batch.deleted ?? []),
    ]);
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

  const erasing = db.transaction((person: Person, isTrial: boolean): Receipt => {
    current = undefined;
    const receipt = erase(db, person, {
      now: nextNow(),
      upsertOf: (dataset) => writers.of(dataset).upsert,
      settle: () => derivation.settle(false),
    });
    if (isTrial) throw new Trial(receipt);
    return receipt;
  });
  const forget = () => {
    watch.forget();
    writers.forget();
    derivation.forget();
  };

  const writing = (run: Run | undefined): Warehouse => ({
    db,
    path,
    commit(stream, batch) {
      checkFile();
      try {
        return withPlainErrors(path, () => commit.immediate(stream, batch, run));
      } catch (error) {
        forget();
        throw error;
      }
    },
    erase(person, isTrial) {
      checkFile();
      // Pages that the transaction frees are overwritten in the log as well.
      db.pragma('secure_delete = ON');
      try {
        const receipt = withPlainErrors(path, () => erasing.immediate(person, isTrial));
        return { ...receipt, isOverwritten: withPlainErrors(path, () => overwrite(db, clock.now())) };
      } catch (error) {
        forget();
        if (error instanceof Trial) return { ...error.receipt, isOverwritten: false };
        throw error;
      } finally {
        db.pragma(`secure_delete = ${PRAGMAS.secure_delete}`);
      }
    },
    during: writing,
    tendForReaders: () =>
      withPlainErrors(path, () => {
        tendForReaders(db, queryIndexes);
        if (isOverwriteDue(db)) overwrite(db, clock.now());
      }),
    close() {
      closeForWriting(db);
      release();
    },
  });
  return writing(undefined);
}

/** Ends the transaction of a trial, so that nothing of it stays. */
class Trial extends Error {
  readonly receipt: Receipt;
  constructor(receipt: Receipt) {
    super('a trial');
    this.receipt = receipt;
  }
}

/** What may be stored of a batch, whoever made it. */
function withoutErased(db: Db, { dataset }: Stream, batch: Batch): Batch {
  const erasures = erasuresOf(db);
  if (erasures === undefined) return batch;
  const { rows, bad, erased } = erasures.apply(dataset, batch);
  const scrubbed = Object.entries(batch.metadata ?? {}).map(([name, value]) => [name, erasures.scrub(value)]);
  return { ...batch, rows, bad, erased: [...(batch.erased ?? []), ...erased], metadata: Object.fromEntries(scrubbed) };
}

function tendForReaders(db: Db, queryIndexes: boolean): void {
  tendDerived(db);
  db.transaction(() => {
    refreshViews(db, DATASETS);
    writeDictionary(db, DATASETS);
  }).immediate();
  tendQueryIndexes(db, DATASETS, queryIndexes);
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
