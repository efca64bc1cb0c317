import type { Database, Statement } from 'better-sqlite3';
import { z } from 'zod';

/** What a column of the warehouse holds. */
export type SqlValue = string | number | null;

/** The values for each `?` of a statement, or one object for its `@names`. */
type Params = readonly (SqlValue | Readonly<Record<string, SqlValue>>)[];

/** A statement that returns rows, each of which is checked. */
export interface Query<Row> {
  get(...params: Params): Row | undefined;
  all(...params: Params): Row[];
  /** One row after the other, holding only one in memory. */
  iterate(...params: Params): Generator<Row>;
}

/** The first column of each row. */
export function queryValues<Value>(db: Database, sql: string, type: z.ZodType<Value>): Query<Value> {
  return query(db, 'values', sql, type);
}

/** Each row as an object. */
export function queryRows<Row>(db: Database, sql: string, type: z.ZodType<Row>): Query<Row> {
  return query(db, 'rows', sql, type);
}

/** Each row as a list of its columns' values. */
export function queryLists(db: Database, sql: string): Query<readonly SqlValue[]> {
  return query(db, 'lists', sql, SqlValues);
}

/** A statement that writes; returns the number of rows that it changed. */
export function command(db: Database, sql: string): (...params: Params) => number {
  const statement = prepared(db, 'rows', sql);
  return (...params) => statement.run(...params).changes;
}

/** A value of any type that SQLite has: INTEGER is a BigInt, REAL a number and BLOB a buffer. */
export type AnyValue = string | number | bigint | Buffer | null;

/** A statement that a person wrote. */
export interface FreeQuery {
  /** Whether it returns rows and writes nothing. */
  readonly onlyReads: boolean;
  /** The names of its columns, which need not differ. */
  readonly columns: () => string[];
  /** One row after the other. */
  readonly rows: () => Generator<readonly AnyValue[]>;
}

/** @throws SqliteError for what is no SQL, RangeError for none or several statements. */
export function freeQuery(db: Database, sql: string): FreeQuery {
  const statement = db.prepare<[], AnyValue[]>(sql);
  return {
    onlyReads: statement.reader && statement.readonly,
    columns: () => statement.columns().map(({ name }) => name),
    *rows() {
      yield* statement.raw().safeIntegers().iterate();
    },
  };
}

/** An SQL identifier. */
export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

type Form = 'values' | 'rows' | 'lists';

function query<Row>(db: Database, form: Form, sql: string, type: z.ZodType<Row>): Query<Row> {
  const statement = prepared(db, form, sql);
  return {
    get(...params) {
      const found = statement.get(...params);
      return found === undefined ? undefined : type.parse(found);
    },
    all: (...params) => statement.all(...params).map((row) => type.parse(row)),
    *iterate(...params) {
      // A statement returns one set of rows at a time, and this one may stay open for long.
      for (const row of prepare(db, form, sql).iterate(...params)) yield type.parse(row);
    },
  };
}

const caches = new WeakMap<Database, Map<string, Statement>>();

/**
 * The statement for an SQL text, prepared once for each connection, as preparing costs more than running most of them.
 */
function prepared(db: Database, form: Form, sql: string): Statement {
  const cache = caches.get(db) ?? new Map<string, Statement>();
  caches.set(db, cache);
  const name = `${form} ${sql}`;
  const statement = cache.get(name) ?? prepare(db, form, sql);
  cache.set(name, statement);
  return statement;
}

function prepare(db: Database, form: Form, sql: string): Statement {
  const statement = db.prepare(sql);
  if (form === 'values') return statement.pluck();
  return form === 'lists' ? statement.raw() : statement;
}

const isSqlValue = (value: unknown) => value === null || typeof value === 'string' || typeof value === 'number';

/** A tenth of the time that zod's own list of unions takes, for the rows of a whole export. */
const SqlValues = z.custom<readonly SqlValue[]>((row) => Array.isArray(row) && row.every(isSqlValue));
