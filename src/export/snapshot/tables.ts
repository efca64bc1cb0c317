import { z } from 'zod';
import { DATASETS } from '../../datasets/registry.ts';
import { queryLists, queryRows, queryValues, quote, type SqlValue } from '../../shared/sqlite.ts';
import type { Db } from '../../warehouse/open.ts';

/** A column as it is written, and what the dictionary says of it. */
export interface Column {
  readonly name: string;
  readonly type: 'TEXT' | 'INTEGER' | 'REAL';
  /** The unit of a number or the form of a text; null for a plain text. */
  readonly unit: string | null;
  readonly isBoolean: boolean;
  /** Whether it always has a value. */
  readonly isRequired: boolean;
  readonly meaning: string;
  readonly missing: string;
}

/** What a snapshot holds of a table. Reading it twice gives the same rows in the same order. */
export interface Table {
  readonly name: string;
  readonly about: string;
  readonly columns: readonly Column[];
  /** The columns that identify a row; none where nothing does. */
  readonly key: readonly string[];
  count(): number;
  rows(): Generator<readonly SqlValue[]>;
}

/** Tables about the file itself that make sense to a reader of a copy; the others are about this installation. */
const ABOUT_DATA = ['_freshness', '_tables', '_data_dictionary', '_about', '_experiment_starts', '_answer_metadata'];

/** The form of a text that is a time. */
export const TIME = 'ISO 8601, UTC';

/**
 * The tables for readers with the rows of some experiments. Internal tables are not among them, nor history, and no
 * views, as these repeat the rows of tables.
 */
export function tablesIn(db: Db, experiments: readonly string[]): Table[] {
  const listed = listedTables(db, experiments);
  const names = listed.map(({ name }) => name);
  return listed
    .filter(({ kind }) => kind !== 'view')
    .map(({ name, about }) => tableOf(db, { name, about }, experiments, names));
}

/** The views for readers, by the statements that create them. */
export function viewsIn(db: Db): { readonly name: string; readonly sql: string }[] {
  const sql = `SELECT s.name, s.sql FROM _tables t JOIN sqlite_schema s ON s.name = t.name AND s.type = 'view'
    WHERE t.kind = 'view' ORDER BY t.rowid`;
  return queryRows(db, sql, z.object({ name: z.string(), sql: z.string() })).all();
}

/** The statements that create the indexes of a table. */
export function indexesOf(db: Db, table: string): string[] {
  const sql = "SELECT sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL ORDER BY name";
  return queryValues(db, sql, z.string()).all(table);
}

const Listed = z.object({ name: z.string(), kind: z.string(), about: z.string() });

/** A table with one row a person is that of one experiment, and no other experiment's is among them. */
function listedTables(db: Db, experiments: readonly string[]): z.infer<typeof Listed>[] {
  const sql = `SELECT name, kind, about FROM _tables WHERE name NOT IN
      (SELECT column_name FROM _wide_columns WHERE form = 'table' AND experiment_id NOT IN (SELECT value FROM json_each(?)))
    ORDER BY rowid`;
  const all = queryRows(db, sql, Listed).all(JSON.stringify(experiments));
  return all.filter(({ kind, name }) => kind !== 'own' || ABOUT_DATA.includes(name));
}

const Declared = z.object({
  name: z.string(),
  type: z.enum(['TEXT', 'INTEGER', 'REAL']),
  isRequired: z.number(),
  place: z.number(),
  unit: z.string().nullable(),
  isBoolean: z.number(),
  meaning: z.string(),
  missing: z.string(),
});

function tableOf(
  db: Db,
  { name, about }: { readonly name: string; readonly about: string },
  experiments: readonly string[],
  listed: readonly string[],
): Table {
  const declared = queryRows(
    db,
    `SELECT c.name, d.type, max(c."notnull", c.pk > 0) AS isRequired, c.pk AS place, d.unit, d.is_boolean AS isBoolean, d.meaning, d.missing
     FROM pragma_table_info(@name) c JOIN _data_dictionary d ON d.table_name = @name AND d.column_name = c.name ORDER BY c.cid`,
    Declared,
  ).all({ name });
  const columns = declared.map(({ name: column, type, unit, isRequired, isBoolean, meaning, missing }) => ({
    name: column,
    type,
    unit,
    meaning,
    missing,
    isRequired: isRequired === 1,
    isBoolean: isBoolean === 1,
  }));
  const key = declared
    .filter(({ place }) => place > 0)
    .sort((a, b) => a.place - b.place)
    .map((column) => column.name);
  const { where, params } = selection(name, columns, experiments, listed);
  const names = columns.map((column) => quote(column.name)).join(', ');
  return {
    name,
    about,
    columns,
    key,
    count: () => queryValues(db, `SELECT count(*) FROM ${quote(name)} ${where}`, z.number()).get(params) ?? 0,
    rows: () =>
      queryLists(db, `SELECT ${names} FROM ${quote(name)} ${where} ORDER BY ${order(name, columns, key)}`).iterate(
        params,
      ),
  };
}

/** Which rows of a table belong to the experiments, or are about the tables that are written. */
function selection(
  name: string,
  columns: readonly Column[],
  experiments: readonly string[],
  listed: readonly string[],
): { where: string; params: string } {
  const among = (column: string) => `WHERE ${quote(column)} IN (SELECT value FROM json_each(?))`;
  if (columns.some((column) => column.name === 'experiment_id')) {
    const everywhere = name === '_values' ? ' OR experiment_id IS NULL' : '';
    return { where: `${among('experiment_id')}${everywhere}`, params: JSON.stringify(experiments) };
  }
  const about = name === '_tables' ? 'name' : 'table_name';
  if (columns.some((column) => column.name === about)) return { where: among(about), params: JSON.stringify(listed) };
  // All of it; the parameter is used, as SQLite refuses one that is not.
  return { where: 'WHERE ? IS NOT NULL', params: '' };
}

/** By time where there is one, and always the same. */
function order(name: string, columns: readonly Column[], key: readonly string[]): string {
  const time = DATASETS.find(({ table }) => table === name)?.timeColumn;
  const names = key.length === 0 ? columns.map((column) => column.name) : key;
  const [first = '', ...others] = names;
  return (time === undefined ? names : [first, time, ...others]).map(quote).join(', ');
}
