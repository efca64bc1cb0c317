import { readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { DATASETS } from '../../src/datasets/registry.ts';

const FIRST = readFileSync(join(import.meta.dirname, '..', '..', 'migrations', '0000_first_light.sql'), 'utf8');

/**
 * Puts a file with the tables of the first version in the place of a warehouse. What those tables have no column for is
 * left out, as that version never had it.
 * @returns false where the file has those tables already.
 */
export function setBack(path: string): boolean {
  const earlier = `${path}.earlier`;
  rmSync(earlier, { force: true });
  const db = new Database(earlier);
  try {
    db.pragma('journal_mode = WAL');
    db.exec(FIRST.replaceAll('--> statement-breakpoint', ''));
    const tables = tablesOf(db, 'main');
    db.prepare('ATTACH ? AS later').run(path);
    if (db.prepare('SELECT count(*) FROM later.__drizzle_migrations').pluck().get() === 1) return false;
    const known = new Set(tablesOf(db, 'later'));
    for (const table of tables.filter((name) => known.has(name))) copy(db, table);
    forgetLater(db, tables);
    db.exec('DETACH later');
    db.pragma('wal_checkpoint(TRUNCATE)');
  } finally {
    db.close();
  }
  for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, { force: true });
  renameSync(earlier, path);
  return true;
}

function tablesOf(db: Database.Database, schema: string): string[] {
  return db
    .prepare<[], string>(`SELECT name FROM ${schema}.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
    .pluck()
    .all();
}

/** Copies the columns that both have. */
function copy(db: Database.Database, table: string): void {
  const columnsOf = (schema: string) =>
    db.prepare<[string, string], string>('SELECT name FROM pragma_table_info(?, ?)').pluck().all(table, schema);
  const later = new Set(columnsOf('later'));
  const both = columnsOf('main').filter((name) => later.has(name));
  const columns = both.map((name) => `"${name}"`).join(', ');
  const value = (name: string) =>
    table === '_ledger' && name === 'endpoint'
      ? "CASE kind WHEN 'request' THEN endpoint ELSE kind || ':' || coalesce(endpoint, '') END"
      : `"${name}"`;
  db.exec(`INSERT INTO main."${table}" (${columns}) SELECT ${both.map(value).join(', ')} FROM later."${table}"`);
}

/** Forgets the later migrations, and the streams of data types that had no table yet. */
function forgetLater(db: Database.Database, tables: readonly string[]): void {
  db.exec(`CREATE TABLE __drizzle_migrations (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at numeric);
    INSERT INTO __drizzle_migrations SELECT * FROM later.__drizzle_migrations ORDER BY created_at LIMIT 1`);
  const forget = db.prepare('DELETE FROM _streams WHERE data = ?');
  for (const { name, table } of DATASETS) if (!tables.includes(table)) forget.run(name);
}
