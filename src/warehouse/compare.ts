import type { Row } from '../datasets/normalise.ts';
import type { Stream } from '../datasets/stream.ts';
import type { SqlValue } from '../datasets/values.ts';
import type { Db } from './open.ts';
import { quote } from './upsert.ts';

/** How rows just read differ from those in the table, by key. */
export interface Difference {
  /** In the API, not in the table. */
  readonly missing: readonly string[];
  /** In both, but not the same. */
  readonly changed: readonly string[];
}

/** Compares rows with the table's, value by value, and changes nothing. */
export function compareRows(db: Db, { experimentId, dataset }: Stream, rows: readonly Row[]): Difference {
  const columns = [...dataset.columns.map(({ name }) => quote(name)), 'extra'].join(', ');
  const find = db
    .prepare<[string, string], SqlValue[]>(
      `SELECT ${columns} FROM ${quote(dataset.table)} WHERE experiment_id = ? AND key = ?`,
    )
    .raw();
  const missing: string[] = [];
  const changed: string[] = [];
  for (const row of rows) {
    const held = find.get(experimentId, row.key);
    if (held === undefined) missing.push(row.key);
    else if ([...row.values, row.extra].some((value, i) => value !== held[i])) changed.push(row.key);
  }
  return { missing, changed };
}
