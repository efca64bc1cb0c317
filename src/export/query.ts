import { WarehouseError } from '../shared/errors.ts';
import { freeQuery, type AnyValue } from '../shared/sqlite.ts';
import type { Db } from '../warehouse/open.ts';

/** The answer to an SQL query, with one row in memory at a time. */
export interface Answer {
  readonly columns: readonly string[];
  readonly rows: Iterable<readonly AnyValue[]>;
}

/**
 * Runs a query that only reads.
 * @throws WarehouseError USAGE for SQL that SQLite refuses, that writes, or that returns no rows.
 */
export function ask(db: Db, sql: string): Answer {
  const query = plainly(() => freeQuery(db, sql));
  if (!query.onlyReads)
    throw new WarehouseError('USAGE', 'The statement writes, or returns no rows.', {
      hint: '`hsw query` only reads: give it one SELECT.',
    });
  return { columns: distinct(query.columns()), rows: plainRows(query.rows()) };
}

function* plainRows<Row>(rows: Generator<Row>): Generator<Row> {
  try {
    for (;;) {
      const next = plainly(() => rows.next());
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    // A statement that is not finished would keep the database open.
    rows.return(undefined);
  }
}

/** Columns that share a name are numbered, as objects and data frames need a name for each. */
function distinct(names: readonly string[]): string[] {
  const met = new Map<string, number>();
  return names.map((name) => {
    const n = met.get(name) ?? 0;
    met.set(name, n + 1);
    return n === 0 ? name : `${name}:${n}`;
  });
}

/** Errors that are about the query become errors for people. */
function plainly<T>(action: () => T): T {
  try {
    return action();
  } catch (cause) {
    const isOfQuery =
      cause instanceof RangeError || (cause instanceof Error && 'code' in cause && cause.code === 'SQLITE_ERROR');
    if (!isOfQuery) throw cause;
    throw new WarehouseError('USAGE', `SQLite refuses the query: ${cause.message}.`, {
      hint: 'The tables are listed by: hsw query "SELECT name, about FROM _tables"; their columns by _data_dictionary.',
      cause,
    });
  }
}

/** A value in a cell: nothing for NULL. */
export function textOfValue(value: AnyValue): string {
  if (value === null) return '';
  if (typeof value === 'number') return numberText(value);
  return Buffer.isBuffer(value) ? value.toString('hex') : String(value);
}

/** An object with a member for each column, as JSON; whole numbers have all their digits. */
export function jsonOf(columns: readonly string[], row: readonly AnyValue[]): string {
  const members = columns.map((name, i) => `${JSON.stringify(name)}: ${jsonOfValue(row[i] ?? null)}`);
  return `{${members.join(', ')}}`;
}

function jsonOfValue(value: AnyValue): string {
  if (value === null) return 'null';
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return Number.isFinite(value) ? numberText(value) : 'null';
  return JSON.stringify(Buffer.isBuffer(value) ? value.toString('hex') : value);
}

/** A number that is not of SQLite's type INTEGER shows that, as in SQLite's own shell. */
function numberText(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e15 ? value.toFixed(1) : String(value);
}
