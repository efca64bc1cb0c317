import Database from 'better-sqlite3';
import { z } from 'zod';
import { drizzle, migrate } from '../src/shared/drizzle.ts';
import { packaged } from '../src/shared/package.ts';
import { queryLists, queryValues, quote, type SqlValue } from '../src/shared/sqlite.ts';

/** The statements that make what all migrations together make in an empty file: tables, their rows, and the rest. */
export function wholeSchema(): string {
  const db = new Database(':memory:');
  migrate(drizzle(db), { migrationsFolder: packaged('migrations') });
  const made = queryValues(
    db,
    "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid",
    z.string(),
  ).all();
  const tables = queryValues(
    db,
    "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid",
    z.string(),
  ).all();
  const rows = tables.flatMap((table) =>
    queryLists(db, `SELECT * FROM ${quote(table)}`)
      .all()
      .map((row) => `INSERT INTO ${quote(table)} VALUES (${row.map(literal).join(', ')})`),
  );
  db.close();
  return `${['-- Written by npm run docs: do not edit.', ...[...made, ...rows].map((statement) => `${statement};`)].join('\n')}\n`;
}

function literal(value: SqlValue): string {
  return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value ?? 'NULL');
}
