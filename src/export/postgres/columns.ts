import { createHash } from 'node:crypto';
import { quote, type SqlValue } from '../../shared/sqlite.ts';
import { TIME, type Column } from '../snapshot/tables.ts';

/** PostgreSQL cuts longer names, so that two could become one. */
const MOST_BYTES = 63;

/** Columns that every table of PostgreSQL has already. */
const TAKEN: readonly string[] = ['ctid', 'tableoid', 'xmin', 'xmax', 'cmin', 'cmax'];

/** The name of a table or column there: its own or, where PostgreSQL cannot have it, one that is as stable. */
export function nameThere(name: string): string {
  const bytes = Buffer.from(name);
  if (bytes.length > MOST_BYTES) {
    // A letter may have several bytes, and is not cut in two.
    const start = bytes.toString('utf8', 0, MOST_BYTES - 9).replace(/\uFFFD$/, '');
    return `${start}_${createHash('sha256').update(bytes).digest('hex').slice(0, 8)}`;
  }
  return TAKEN.includes(name.toLowerCase()) ? `${name}_` : name;
}

/** The quoted name of a table or column there. */
export function quoted(name: string): string {
  return quote(nameThere(name));
}

export type TypeThere = 'boolean' | 'bigint' | 'double precision' | 'timestamp with time zone' | 'text';

/**
 * JSON is text, since every type for JSON would lose or refuse something: jsonb rewrites numbers, drops members that come
 * twice and refuses an escaped NUL, json refuses deep nesting, and neither can be compared.
 */
export function typeOf({ type, unit, isBoolean }: Column): TypeThere {
  if (isBoolean) return 'boolean';
  if (type === 'INTEGER') return 'bigint';
  if (type === 'REAL') return 'double precision';
  return unit === TIME ? 'timestamp with time zone' : 'text';
}

/**
 * The form of COPY, in which a tab ends a value and a line feed a row.
 * @see https://www.postgresql.org/docs/current/sql-copy.html
 */
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };
const UNESCAPED: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };
const NONE = '\\N';

/** Makes the line of a row. */
export function lineWriter(table: string, columns: readonly Column[]): (row: readonly SqlValue[]) => string {
  const writers = columns.map((column) => valueWriter(table, column));
  return (row) => `${writers.map((write, i) => write(row[i] ?? null)).join('\t')}\n`;
}

function valueWriter(table: string, column: Column): (value: SqlValue) => string {
  const present = (convert: (value: string | number) => string) => (value: SqlValue) =>
    value === null ? NONE : convert(value);
  switch (typeOf(column)) {
    case 'boolean':
      return present((value) => (value === 1 ? 't' : 'f'));
    case 'bigint':
    case 'double precision':
      return present(String);
    case 'timestamp with time zone':
      return present((value) => timeThere(`${table}.${column.name}`, String(value)));
    case 'text':
      return present((value) => textThere(`${table}.${column.name}`, String(value)));
  }
}

/** @throws Error for a time in another form, as it could not be got back. */
function timeThere(place: string, text: string): string {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text)) throw new Error(`${place} holds no time: ${text}`);
  // There is no year 0: the one before the year 1 is 1 BC.
  return text.startsWith('0000') ? `0001${text.slice(4)} BC` : text;
}

/** @throws Error for a NUL, which texts of the warehouse never have: it is escaped in a JSON text. */
function textThere(place: string, text: string): string {
  if (text.includes('\0')) throw new Error(`${place} holds a text with a NUL, which PostgreSQL cannot store.`);
  return /[\\\t\n\r]/.test(text) ? text.replaceAll(/[\\\t\n\r]/g, (char) => ESCAPES[char] ?? char) : text;
}

/** Reads the line of a row, without its end, as SQLite has it. The session is in UTC, with dates in ISO form. */
export function lineReader(columns: readonly Column[]): (line: string) => SqlValue[] {
  const readers = columns.map(valueReader);
  return (line) => {
    const values = line.split('\t');
    return readers.map((read, i) => {
      const value = values[i] ?? NONE;
      return value === NONE ? null : read(value);
    });
  };
}

function valueReader(column: Column): (text: string) => SqlValue {
  switch (typeOf(column)) {
    case 'boolean':
      return (text) => (text === 't' ? 1 : 0);
    case 'bigint':
    case 'double precision':
      return Number;
    case 'timestamp with time zone':
      return timeHere;
    case 'text':
      return (text) =>
        text.includes('\\') ? text.replaceAll(/\\(.)/gs, (_, char: string) => UNESCAPED[char] ?? char) : text;
  }
}

/** `2026-01-12 09:00:00.5+00`, or the same with ` BC` behind it. */
function timeHere(text: string): string {
  const [, year = '', rest = '', fraction = '', era = ''] =
    /^(\d{4})(-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.(\d{1,3}))?\+00( BC)?$/.exec(text) ?? [];
  if (year === '') return text;
  return `${era === '' ? year : '0000'}${rest.replace(' ', 'T')}.${fraction.padEnd(3, '0')}Z`;
}
