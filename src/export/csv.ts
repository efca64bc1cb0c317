import type { Dataset } from '../datasets/define.ts';
import type { SqlValue } from '../shared/sqlite.ts';
import type { Db } from '../warehouse/open.ts';
import { tableRows, viewRows } from '../warehouse/records.ts';

/** How values are written as comma-separated values. */
export interface Dialect {
  /** What the file begins with. */
  readonly start: string;
  readonly separator: ',' | ';';
  readonly decimal: '.' | ',';
  /** What stands for no value. */
  readonly none: string;
  /** Whether an empty text is written in quotes, so that it is distinct from no value. */
  readonly quotesEmpty: boolean;
  /** Whether texts that a spreadsheet would run as a formula begin with an apostrophe. */
  readonly defuses: boolean;
}

/** RFC 4180. */
const PLAIN: Dialect = { start: '', separator: ',', decimal: '.', none: '', quotesEmpty: false, defuses: false };

/** For spreadsheets. */
export const DEFUSED: Dialect = { ...PLAIN, defuses: true };

/** Of a snapshot: an empty text is not the same as no value. */
export const EXACT: Dialect = { ...PLAIN, quotesEmpty: true };

/** For spreadsheets where the decimal separator is a comma. */
export const EXCEL: Dialect = {
  start: '\uFEFF',
  separator: ';',
  decimal: ',',
  none: 'NA',
  quotesEmpty: false,
  defuses: true,
};

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

export function csvLine(row: readonly SqlValue[], dialect: Dialect = PLAIN): string {
  return `${row.map((value) => cell(value, dialect)).join(dialect.separator)}\r\n`;
}

function cell(value: SqlValue, { separator, decimal, none, quotesEmpty, defuses }: Dialect): string {
  if (value === null) return none;
  if (typeof value === 'number') return decimal === '.' ? String(value) : String(value).replace('.', decimal);
  if (value === '') return quotesEmpty ? '""' : '';
  // A spreadsheet ignores spaces in front, and takes these for the start of a formula or of another cell.
  const text = defuses && /^\s*[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return text.includes(separator) || /["\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
