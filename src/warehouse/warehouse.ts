import { DATASETS } from '../datasets/registry.ts';
import type { Clock } from '../shared/clock.ts';
import { markCutTexts } from './cut-texts.ts';
import { rekey } from './rekey.ts';
import { prepareDerived, tendDerived } from './derived.ts';
import { openDerivation } from '../derive/derivation.ts';
import { carryOverReasons } from './carry-over.ts';
import { writeDictionary } from './dictionary.ts';
import { keepHistory } from './history.ts';
import { acquireWriterLock } from './lock.ts';
import { migrate } from './migrate.ts';
import { endInterrupted, type Run } from './runs.ts';
import { closeForWriting, openForWriting, PRAGMAS, undoInMemory, watchFile, withPlainErrors, type Db } from './open.ts';
import type { Stream } from '../datasets/stream.ts';
import { openSchemaWatch } from './schema-watch.ts';
import { refill } from './refill.ts';
import { noteRenamed } from './renamed.ts';
import { tendQueryIndexes } from './query-indexes.ts';
import { endOld, type History } from './retention.ts';
import { openTableWriters } from './table-writers.ts';
import { refreshViews } from './views.ts';
import type { PolicySettings } from '../datasets/policy.ts';
import { clean, requirePolicy } from './clean.ts';
import { erase, isOverwriteDue, overwrite, type ErasureParts, type Receipt } from './erase.ts';
import { removeErasedFiles } from './erased-media.ts';
import type { Person } from './person.ts';
import { openCommit, type Batch, type Committed } from './commit.ts';
import { makeFreshnessView } from './freshness.ts';

/** The warehouse as its only writer sees it. */
export interface Warehouse {
  readonly db: Db;
  readonly path: string;
  /** Writes rows, deletions and the position of a stream in one transaction: all or nothing. */
  commit(stream: Stream, batch: Batch): Committed;
  /** The same warehouse, whose commits count for a run and leave its id in the rows that they write. */
  during(run: Run): Warehouse;
  /**
   * Erases a person from every table, and rewrites the file so that nothing of them is left in it. A kill meanwhile
   * undoes it, or it is finished at the next start.
   * @param isTrial only finds out what would be erased.
   */
  erase(person: Person, isTrial: boolean): Erasure;
  /** Brings what is stored under a privacy policy, in the same way. */
  clean(privacy: PolicySettings, isTrial: boolean): Erasure;
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
  readonly history: History;
  /** Whether indexes for readers are built; they are by default. */
  readonly queryIndexes?: boolean;
  /** Between two instants of the table `ratings_grid`, in ms; by default there is no such table. */
  readonly ratingsGrid?: number | undefined;
  /** What may be stored; without it, what held so far: for what stores nothing of the API. */
  readonly privacy?: PolicySettings | undefined;
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
      noteRenamed(db, migrate(db), options.clock.now());
      if (options.privacy !== undefined) requirePolicy(db, options.privacy, options.clock.now());
      rekey(db, options.clock.now());
      markCutTexts(db, options.clock.now());
      refill(db, options.clock.now());
      prepareDerived(db, options.clock.now(), options.ratingsGrid);
      db.transaction(() => {
        carryOverReasons(db);
        makeFreshnessView(db, DATASETS);
        refreshViews(db, DATASETS);
        writeDictionary(db, DATASETS);
        endInterrupted(db);
      }).immediate();
      removeErasedFiles(db);
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
  undoInMemory(db);
  const writers = openTableWriters(db);
  const watch = openSchemaWatch(db);
  const checkFile = watchFile(path);
  let lastNow = 0;
  /** Strictly increasing, as a row counts as new when it was first seen in this very transaction. */
  const nextNow = () => (lastNow = Math.max(clock.now(), lastNow + 1));

  /** The run whose transaction is under way, for the history. */
  let current: Run | undefined;
  if (history !== false) keepHistory(db, DATASETS, () => current?.id);
  const derivation = openDerivation(db);
  const commit = openCommit({ db, writers, watch, derivation, nextNow });

  const forget = () => {
    watch.forget();
    writers.forget();
    derivation.forget();
  };

  const erasing = db.transaction((work: (parts: ErasureParts) => Receipt, isTrial: boolean): Receipt => {
    current = undefined;
    const receipt = work({
      now: nextNow(),
      upsertOf: (dataset) => writers.of(dataset).upsert,
      settle: () => derivation.settle(false),
    });
    if (isTrial) throw new Trial(receipt);
    return receipt;
  });
  const overwriting = (work: (parts: ErasureParts) => Receipt, isTrial: boolean): Erasure => {
    checkFile();
    // Pages that the transaction frees are overwritten in the log as well.
    db.pragma('secure_delete = ON');
    try {
      const receipt = withPlainErrors(path, () => erasing.immediate(work, isTrial));
      const left = removeErasedFiles(db);
      const unreached = [...receipt.unreached, ...left];
      return { ...receipt, unreached, isOverwritten: withPlainErrors(path, () => overwrite(db, clock.now())) };
    } catch (error) {
      forget();
      if (error instanceof Trial) return { ...error.receipt, isOverwritten: false };
      throw error;
    } finally {
      db.pragma(`secure_delete = ${PRAGMAS.secure_delete}`);
    }
  };

  const writing = (run: Run | undefined): Warehouse => ({
    db,
    path,
    commit(stream, batch) {
      checkFile();
      try {
        current = run;
        return withPlainErrors(path, () => commit.immediate(stream, batch, run));
      } catch (error) {
        forget();
        throw error;
      }
    },
    erase: (person, isTrial) => overwriting((parts) => erase(db, person, parts), isTrial),
    clean: (privacy, isTrial) => overwriting((parts) => clean(db, privacy, parts), isTrial),
    during: writing,
    tendForReaders: () =>
      withPlainErrors(path, () => {
        tendForReaders(db, queryIndexes);
        if (isOverwriteDue(db)) overwrite(db, clock.now());
        endOld(db, history, clock.now());
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

function tendForReaders(db: Db, queryIndexes: boolean): void {
  tendDerived(db);
  db.transaction(() => {
    refreshViews(db, DATASETS);
    writeDictionary(db, DATASETS);
  }).immediate();
  tendQueryIndexes(db, DATASETS, queryIndexes);
}
