import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { drizzle, migrate as runMigrations } from '../shared/drizzle.ts';
import { z } from 'zod';
import { WarehouseError } from '../shared/errors.ts';
import { packaged } from '../shared/package.ts';
import { createPrivate } from '../shared/private-files.ts';
import { command, queryValues } from '../shared/sqlite.ts';
import { DATASETS } from '../datasets/registry.ts';
import { releaseNames } from './column-names.ts';
import type { Db } from './open.ts';
import { isRefilled } from './refill.ts';

const FOLDER = packaged('migrations');

const Journal = z.object({ entries: z.array(z.object({ when: z.number(), tag: z.string() })) });

/**
 * Migrates the file's tables to this version; a file with data is backed up beside it first. Call it as the
 * only writer.
 * @returns the migrations that a file with data has got, by name.
 * @throws WarehouseError WAREHOUSE_NEWER when a newer version has written the file.
 */
export function migrate(db: Db, folder = FOLDER): string[] {
  const { journal, latest } = readJournal(folder);
  const applied = appliedMigrations(db);
  if (applied.some((when) => when > latest)) {
    throw new WarehouseError(
      'WAREHOUSE_NEWER',
      `The warehouse ${db.name} was written by a newer hyperstudy-warehouse. Nothing was changed.`,
      {
        hint: 'Update hyperstudy-warehouse, or set warehouse.path to another file.',
      },
    );
  }
  if (applied.includes(latest)) return [];
  if (applied.length > 0) backUp(db, `${db.name}.before-${journal.entries.at(-1)?.tag ?? 'migration'}`);
  db.transaction(() => releaseNames(db, DATASETS)).immediate();
  try {
    if (applied.length === 0) createWhole(db, folder);
    runMigrations(drizzle(db), { migrationsFolder: folder });
  } catch (error) {
    needRoom(db);
    throw error;
  }
  if (db.pragma('integrity_check', { simple: true }) !== 'ok') {
    throw new WarehouseError(
      'WAREHOUSE_CORRUPT',
      `The warehouse ${db.name} does not pass its check after the migration.`,
      {
        hint: 'Restore the backup beside the file (its name ends in .before-…) and report this.',
      },
    );
  }
  const fresh = journal.entries.filter(({ when }) => !applied.includes(when));
  return applied.length === 0 ? [] : fresh.map(({ tag }) => tag);
}

/**
 * Gives an empty file at once the tables that the migrations make one after the other, as SQLite reads the whole schema
 * again for each of their columns. `npm run docs` writes the statements, and `npm run check` compares them. A migration
 * that they lack is run after them.
 */
function createWhole(db: Db, folder: string): void {
  const file = join(folder, 'whole.sql');
  if (existsSync(file)) db.transaction(() => db.exec(readFileSync(file, 'utf8')))();
}

/**
 * SQLite undoes a transaction itself when the disk is full, and drizzle's own ROLLBACK then fails and hides that.
 * @throws SqliteError SQLITE_FULL when there is no room for what a migration writes.
 */
function needRoom(db: Db): void {
  db.transaction(() => {
    db.exec('CREATE TABLE _room (bytes BLOB) STRICT; INSERT INTO _room VALUES (zeroblob(4000000)); DROP TABLE _room');
  })();
}

/** A warehouse without rows, in memory: stands in for a missing file. */
export function openEmpty(): Db {
  const db = new Database(':memory:');
  migrate(db);
  return db;
}

function readJournal(folder: string): { journal: z.infer<typeof Journal>; latest: number } {
  const journal = Journal.parse(JSON.parse(readFileSync(join(folder, 'meta', '_journal.json'), 'utf8')));
  return { journal, latest: Math.max(0, ...journal.entries.map(({ when }) => when)) };
}

/**
 * Refuses a file whose tables and rows are not those of this version, for commands that only read it.
 * @throws WarehouseError WAREHOUSE_OLDER until a writer has brought the file up to date.
 */
export function requireMigrated(db: Db, folder = FOLDER): void {
  if (appliedMigrations(db).includes(readJournal(folder).latest) && isRefilled(db)) return;
  throw new WarehouseError(
    'WAREHOUSE_OLDER',
    `The warehouse ${db.name} was written by an earlier hyperstudy-warehouse.`,
    {
      hint: 'Run `hsw sync now` or start the daemon: the file is brought up to date once, with a backup beside it.',
    },
  );
}

function appliedMigrations(db: Db): number[] {
  const isThere = "SELECT 1 FROM sqlite_schema WHERE name = '__drizzle_migrations'";
  if (queryValues(db, isThere, z.number()).get() === undefined) return [];
  return queryValues(db, 'SELECT created_at FROM __drizzle_migrations', z.number()).all();
}

function backUp(db: Db, file: string): void {
  rmSync(file, { force: true });
  // An empty file is filled, so that no one can read the rows before the mode is right.
  createPrivate(file, statSync(db.name));
  command(db, 'VACUUM INTO ?')(file);
}
