import { z } from 'zod';
import type { Dataset } from '../datasets/define.ts';
import { queryValues, quote } from '../shared/sqlite.ts';
import { columnNames, isColumn } from './column-names.ts';
import type { Db } from './open.ts';

/**
 * Creates the view of each table again if it does not exist or the table's columns have grown: `events_all` is `events`
 * without what is there for completeness only, in the order in which one reads it.
 */
export function refreshViews(db: Db, datasets: readonly Dataset[]): void {
  const find = queryValues(db, "SELECT sql FROM sqlite_schema WHERE type = 'view' AND name = ?", z.string());
  for (const dataset of datasets) {
    const view = viewOf(db, dataset);
    if (find.get(viewName(dataset)) === view) continue;
    db.exec(`DROP VIEW IF EXISTS ${quote(viewName(dataset))}; ${view}`);
  }
}

export function viewName({ table }: Dataset): string {
  return `${table}_all`;
}

/** The statement that creates a table's view: only its columns, as what computes is read otherwise by other programs. */
function viewOf(db: Db, dataset: Dataset): string {
  const { table, columns, derived } = dataset;
  const own = columns.flatMap(({ name }, i) => [
    name,
    ...derived.filter(({ from }) => from === i).map((one) => one.name),
  ]);
  const members = columnNames(db, table)
    .filter(isColumn)
    .map(({ column }) => String(column));
  const selected = ['experiment_id', 'key', ...own, 'first_seen_at', 'synced_at', 'synced_run', ...members].map(quote);
  return `CREATE VIEW ${quote(viewName(dataset))} AS SELECT ${selected.join(', ')} FROM ${quote(table)}`;
}
