import { join } from 'node:path';
import Database from 'better-sqlite3';
import { createPrivate } from '../../shared/private-files.ts';
import { command, quote } from '../../shared/sqlite.ts';
import type { Sink, Writing } from './format.ts';
import type { Table } from './tables.ts';

/** What the tables of a file are read by, besides their rows. */
export interface Readable {
  readonly views: readonly { readonly name: string; readonly sql: string }[];
  readonly indexesOf: (table: string) => readonly string[];
}

/**
 * One SQLite file without a write-ahead log, so that it opens on read-only media too. Indexes are made when the rows are
 * in, which takes a fraction of the time.
 */
export function sqliteFile(folder: string, path: string, { views, indexesOf }: Readable): Writing {
  const file = join(folder, path);
  createPrivate(file);
  const db = new Database(file);
  // No one has the file before it is complete, so that nothing of it has to be undone.
  for (const pragma of ['page_size = 8192', 'journal_mode = OFF', 'synchronous = OFF']) db.pragma(pragma);
  db.exec('BEGIN');
  const indexes: string[] = [];
  return {
    open(table: Table): Sink {
      db.exec(createStatement(table));
      const insert = command(
        db,
        `INSERT INTO ${quote(table.name)} VALUES (${table.columns.map(() => '?').join(', ')})`,
      );
      if (table.key.length > 0) indexes.push(keyIndex(table));
      indexes.push(...indexesOf(table.name));
      return { write: (row) => void insert(...row), close: () => undefined };
    },
    finish(tables) {
      for (const { sql } of views) db.exec(sql);
      for (const sql of indexes) db.exec(sql);
      db.exec('COMMIT');
      db.close();
      return [{ path, tables }];
    },
    abandon: () => void db.close(),
  };
}

function createStatement({ name, columns }: Table): string {
  const declared = columns.map(
    ({ name: column, type, isRequired }) => `${quote(column)} ${type}${isRequired ? ' NOT NULL' : ''}`,
  );
  return `CREATE TABLE ${quote(name)} (${declared.join(', ')}) STRICT`;
}

function keyIndex({ name, key }: Table): string {
  return `CREATE UNIQUE INDEX ${quote(`${name}_key`)} ON ${quote(name)} (${key.map(quote).join(', ')})`;
}
