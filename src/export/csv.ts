import type { Dataset } from '../datasets/define.ts';
import type { SqlValue } from '../shared/sqlite.ts';
import type { Db } from '../warehouse/open.ts';
import { tableRows, viewRows } from '../warehouse/records.ts';

/** The view of the data type, with nested and unknown fields as columns, as comma-separated values (RFC 4180). */
export function csvLines(db: Db, dataset: Dataset, experimentIds: readonly string[]): Generator<string> {
  return linesOf(viewRows(db, dataset, experimentIds));
}

/** A derived table or a view for readers, likewise. */
export function csvTableLines(db: Db, table: string, experimentIds: readonly string[]): Generator<string> {
  return linesOf(tableRows(db, table, experimentIds));
}

function* linesOf(rows: Iterable<readonly SqlValue[]>): Generator<string> {
  for (const row of rows) yield csvLine(row);
}

export function csvLine(row: readonly SqlValue[]): string {
  return `${row.map(cell).join(',')}\r\n`;
}

function cell(value: SqlValue): string {
  const text = value === null ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
