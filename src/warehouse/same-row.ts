import { isJsonColumn, type Dataset } from '../datasets/define.ts';
import { canonicalJson, parseJson } from '../shared/json.ts';
import type { SqlValue } from '../shared/sqlite.ts';
import type { Held } from './held.ts';

/**
 * The columns in which two rows of a data type differ. The members of a JSON object have no order (RFC 8259), and a
 * server may send them in another one each time: that is no change of the record.
 */
export function differingColumns({ columns }: Pick<Dataset, 'columns'>, row: Held, held: Held): string[] {
  const differing = columns
    .filter((column, i) => !isSame(row.values[i] ?? null, held.values[i] ?? null, isJsonColumn(column)))
    .map(({ name }) => name);
  return isSame(row.extra, held.extra, true) ? differing : [...differing, 'extra'];
}

export function isSameRow(dataset: Pick<Dataset, 'columns'>, row: Held, held: Held): boolean {
  return differingColumns(dataset, row, held).length === 0;
}

/** Whether any column of a row holds JSON. */
export function hasJson({ columns }: Pick<Dataset, 'columns'>, { values, extra }: Held): boolean {
  return extra !== null || columns.some((column, i) => typeof values[i] === 'string' && isJsonColumn(column));
}

function isSame(a: SqlValue, b: SqlValue, areJson: boolean): boolean {
  if (a === b) return true;
  // The same members in another order are as long.
  if (!areJson || typeof a !== 'string' || typeof b !== 'string' || a.length !== b.length) return false;
  return canonicalJson(parseJson(a)) === canonicalJson(parseJson(b));
}
