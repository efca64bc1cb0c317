import { createHash } from 'node:crypto';
import { canonicalJson, isObject, parseJson, type Json } from '../shared/json.ts';
import { isJsonColumn, type Dataset } from './define.ts';
import { exactTime } from './exact-time.ts';
import type { SqlValue } from './values.ts';

/*
 * What a record says, however an answer writes it. The members of a JSON object have no order (RFC 8259), and one
 * instant has many forms: a server that writes either in another way each time has changed nothing.
 */

/** What a table holds of a record. */
interface Written {
  readonly values: readonly SqlValue[];
  readonly extra: string | null;
}

type Columns = Pick<Dataset, 'columns'>;

/** A digest of what a row says, which sorts records with one key independently of the server's order. */
export function contentOf(row: Written & { readonly dataset: Columns }): string {
  const { columns } = row.dataset;
  const values = row.values.map((value, i) => {
    const column = columns[i];
    return column !== undefined && isJsonColumn(column) ? canonical(value) : value;
  });
  return createHash('sha256')
    .update(JSON.stringify([values, plainExtra(row.dataset, row.extra)]))
    .digest('base64url');
}

/** The columns in which two rows of a data type say something else. */
export function differingColumns(dataset: Columns, row: Written, held: Written): string[] {
  const differing = dataset.columns.filter((column, i) => {
    const [now = null, before = null] = [row.values[i], held.values[i]];
    return now !== before && !(isJsonColumn(column) && sayTheSame(now, before));
  });
  const names = differing.map(({ name }) => name);
  const isSame = row.extra === held.extra || plainExtra(dataset, row.extra) === plainExtra(dataset, held.extra);
  return isSame ? names : [...names, 'extra'];
}

export function isSameRow(dataset: Columns, row: Written, held: Written): boolean {
  return differingColumns(dataset, row, held).length === 0;
}

function sayTheSame(a: SqlValue, b: SqlValue): boolean {
  // The same members in another order are as long.
  const isPossible = typeof a === 'string' && typeof b === 'string' && a.length === b.length;
  return isPossible && canonical(a) === canonical(b);
}

function canonical(value: SqlValue): SqlValue {
  return typeof value === 'string' ? canonicalJson(parseJson(value)) : value;
}

/** `extra` without the forms of times that their columns hold exactly, and with the others in one form. */
function plainExtra({ columns }: Columns, extra: string | null): string | null {
  const members = extra === null ? null : parseJson(extra);
  if (members === null || !isObject(members)) return extra;
  const times = new Set(columns.filter(({ spec }) => spec.kind === 'time').map(({ field }) => field));
  const left = Object.entries<Json>(members).flatMap(([name, sent]): [string, Json][] => {
    const exact = times.has(name) ? exactTime(sent) : undefined;
    if (exact === undefined) return [[name, sent]];
    return isHeldByColumn(exact) ? [] : [[name, exact]];
  });
  return left.length === 0 ? null : canonicalJson(Object.fromEntries(left));
}

function isHeldByColumn(exact: string): boolean {
  return exact.length === '2026-01-12T11:00:00.000Z'.length;
}
