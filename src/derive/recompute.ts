import type { Database } from 'better-sqlite3';
import { command, queryLists, type SqlValue } from '../shared/sqlite.ts';
import type { DerivedRow, DerivedTable, Part } from './define.ts';
import { named, scopeOf, WITHIN } from './source.ts';

/** How many rows of a table were written, because they were missing, wrong or too many. */
export interface Rewritten {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
}

/** Computes the rows of a part again and writes those that differ. */
export function recompute(db: Database, table: DerivedTable, part: Part): Rewritten {
  const numbered = new Set(table.numbered?.columns);
  const columns = Object.keys(table.columns).filter((column) => !numbered.has(column));
  const computed = new Map(table.rows(db, part).map((row) => [keyOf(table, row), valuesOf(columns, row)]));
  const held = `SELECT rowid, ${columns.join(', ')} FROM ${table.name} WHERE ${within(table, part)}`;
  const drop = command(db, `DELETE FROM ${table.name} WHERE rowid = ?`);
  const change = command(
    db,
    `UPDATE ${table.name} SET ${columns.map((name) => `${name} = ?`).join(', ')} WHERE rowid = ?`,
  );
  let [changed, removed] = [0, 0];
  for (const [rowid = null, ...values] of queryLists(db, held).all(parameters(table, part))) {
    const key = keyOf(table, Object.fromEntries(columns.map((name, i) => [name, values[i] ?? null])));
    const wanted = computed.get(key);
    // A second row of one key is one too many.
    computed.delete(key);
    if (wanted === undefined) removed += drop(rowid);
    else if (wanted.some((value, i) => value !== values[i])) changed += change(...wanted, rowid);
  }
  const add = `INSERT INTO ${table.name} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`;
  for (const values of computed.values()) command(db, add)(...values);
  return { added: computed.size, changed, removed };
}

function keyOf({ key }: DerivedTable, row: DerivedRow): string {
  return JSON.stringify(key.map((column) => row[column] ?? null));
}

function valuesOf(columns: readonly string[], row: DerivedRow): SqlValue[] {
  return columns.map((column) => row[column] ?? null);
}

/** The rows that a table holds of a part. */
function within({ of }: DerivedTable, part: Part): string {
  if (of === 'experiment') return 'experiment_id = @experiment';
  return of === 'person' ? '+experiment_id = @experiment AND participant_id = @participant' : WITHIN[scopeOf(part)];
}

function parameters({ of }: DerivedTable, part: Part): Record<string, string | null> {
  const { experiment, participant } = part;
  if (of === 'experiment') return { experiment };
  return of === 'person' ? { experiment, participant } : named(part);
}
