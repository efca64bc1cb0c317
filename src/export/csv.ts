import type { Dataset } from '../datasets/define.ts';
import type { SqlValue } from '../datasets/values.ts';
import type { Db } from '../warehouse/open.ts';
import { quote } from '../warehouse/upsert.ts';
import { viewName } from '../warehouse/views.ts';

/** The data type's view, with nested and unknown fields as columns, as comma-separated values (RFC 4180). */
export function* csvLines(db: Db, dataset: Dataset, experimentIds: readonly string[]): Generator<string> {
  const where = experimentIds.length === 0 ? '' : `WHERE experiment_id IN (${experimentIds.map(() => '?').join(', ')})`;
  const order = ['experiment_id', ...(dataset.timeColumn === undefined ? [] : [quote(dataset.timeColumn)]), 'key'];
  const statement = db
    .prepare<string[], SqlValue[]>(`SELECT * FROM ${quote(viewName(dataset))} ${where} ORDER BY ${order.join(', ')}`)
    .raw();
  yield `${statement
    .columns()
    .map(({ name }) => cell(name))
    .join(',')}\r\n`;
  for (const row of statement.iterate(...experimentIds)) yield `${row.map(cell).join(',')}\r\n`;
}

function cell(value: SqlValue): string {
  const text = value === null ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
