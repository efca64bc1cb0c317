import type { Row } from '../datasets/normalise.ts';
import type { Stream } from '../datasets/stream.ts';
import type { SqlValue } from '../datasets/values.ts';
import type { Db } from './open.ts';
import { quote } from './upsert.ts';

/** How rows just read differ from those in the table. */
export interface Difference {
  /** Keys of those that the table lacks. */
  readonly missing: readonly string[];
  /** Those that the table has otherwise, each with the columns that differ. */
  readonly changed: readonly { readonly key: string; readonly columns: readonly string[] }[];
}

/** Compares rows with the table's, value by value, and changes nothing. */
export function compareRows(db: Db, { experimentId, dataset }: Stream, rows: readonly Row[]): Difference {
  const names = [...dataset.columns.map(({ name }) => name), 'extra'];
  const find = preparedRaw(
    db,
    `SELECT ${names.map(quote).join(', ')} FROM ${quote(dataset.table)} WHERE experiment_id = ? AND key = ?`,
  );
  const missing: string[] = [];
  const changed: { key: string; columns: string[] }[] = [];
  for (const row of rows) {
    const held = find(experimentId, row.key);
    if (held === undefined) missing.push(row.key);
    else {
      const values = [...row.values, row.extra];
      const columns = names.filter((_, i) => values[i] !== held[i]);
      if (columns.length > 0) changed.push({ key: row.key, columns });
    }
  }
  return { missing, changed };
}

function preparedRaw(db: Db, sql: string): (...params: SqlValue[]) => SqlValue[] | undefined {
  const statement = db.prepare<SqlValue[], SqlValue[]>(sql).raw();
  return (...params) => statement.get(...params);
}
