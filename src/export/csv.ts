import type { Dataset } from '../datasets/define.ts';
import type { SqlValue } from '../shared/sqlite.ts';
import type { Db } from '../warehouse/open.ts';
import { viewRows } from '../warehouse/records.ts';

/** The view of the data type, with nested and unknown fields as columns, as comma-separated values (RFC 4180). */
export function* csvLines(db: Db, dataset: Dataset, experimentIds: readonly string[]): Generator<string> {
  for (const row of viewRows(db, dataset, experimentIds)) yield `${row.map(cell).join(',')}\r\n`;
}

function cell(value: SqlValue): string {
  const text = value === null ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
