import { z } from 'zod';
import type { Dataset } from '../datasets/define.ts';
import { canBeColumn, memberName } from '../datasets/members.ts';
import { command, queryRows, queryValues, quote } from '../shared/sqlite.ts';
import { code, text, time, type Explained } from '../derive/columns.ts';
import { ROW_NUMBER_NAMES } from '../shared/sql-words.ts';
import { heldNames } from './held.ts';
import type { Db } from './open.ts';

/** What a name stands for: the form of a column's values, a part of a mixed value, or one of these: */
const TYPES = ['text', 'number', 'boolean', 'json', 'type', 'mixed', 'reserved'] as const;
/** `mixed`: no column, as its parts have one each. `reserved`: no column yet, as no value was seen. */
export type NameType = (typeof TYPES)[number];

const ColumnName = z.object({
  path: z.string(),
  /** Null: what has no column. */
  column: z.string().nullable(),
  type: z.enum(TYPES),
  unit: z.string().nullable(),
  /** When it was given, by the local clock; null: an earlier version has shown it. */
  since: z.string().nullable().optional(),
});
export type ColumnName = z.infer<typeof ColumnName>;

/** The names that were given in a table, in their order: each once, and for ever. */
export function columnNames(db: Db, table: string): ColumnName[] {
  const sql = 'SELECT path, "column", type, unit, since FROM _column_names WHERE relation = ? ORDER BY rowid';
  return queryRows(db, sql, ColumnName).all(table);
}

/** Whether a name stands for a column of the table. */
export function isColumn({ column, type }: ColumnName): boolean {
  return column !== null && type !== 'mixed' && type !== 'reserved';
}

/** Whether it is named because it has no column. */
export function hasNoColumn({ column, type }: ColumnName): boolean {
  return column === null && type !== 'reserved';
}

/**
 * Notes that something has no column. Half a character in its name is replaced in the file, so that other names may look
 * the same there.
 */
export function noteWithoutColumn(db: Db, table: string, { path, type, unit }: ColumnName, since: string): void {
  const sql = `INSERT INTO _column_names (relation, path, "column", type, unit, since) VALUES (?, ?, NULL, ?, ?, ?)
    ON CONFLICT DO NOTHING`;
  command(db, sql)(table, path, type, unit, since);
}

export function giveName(db: Db, table: string, name: ColumnName, since: string): void {
  const { path, column, type, unit } = name;
  command(db, `INSERT INTO _column_names (relation, path, "column", type, unit, since) VALUES (?, ?, ?, ?, ?, ?)`)(
    table,
    path,
    column,
    type,
    unit,
    since,
  );
}

/** Gives a reserved name to what it was reserved for, as the last one. */
export function takeReserved(db: Db, table: string, { path, column, type, unit }: ColumnName): void {
  const free = `DELETE FROM _column_names WHERE relation = ? AND path = ? AND type = 'reserved'`;
  const give = `INSERT INTO _column_names (relation, path, "column", type, unit) VALUES (?, ?, ?, ?, ?)`;
  command(db, free)(table, path);
  command(db, give)(table, path, column, type, unit);
}

/** The names that no further column of a table may have. */
export function takenNames({ columns, derived }: Dataset, names: readonly ColumnName[]): Set<string> {
  const given = names.flatMap(({ column }) => (column === null ? [] : [column]));
  return new Set([
    ...['experiment_id', 'key', 'extra', 'null_fields', 'first_seen_at', 'synced_at', 'synced_run'],
    ...ROW_NUMBER_NAMES,
    ...[...columns, ...derived].map(({ name }) => name),
    ...given,
  ]);
}

/** The wanted name, or the first free one with a number behind it. */
export function freeName(wanted: string, taken: ReadonlySet<string>): string {
  let name = wanted;
  for (let n = 2; taken.has(name); n++) name = `${wanted}_${n}`;
  return name;
}

/** How many of a table's members an earlier version's view had as columns. */
const MOST_BEFORE = 300;

/**
 * Reserves the names under which the view of an earlier version showed members. The migration took these over from
 * where it noted them, without the names, which followed from the order.
 */
export function reserveNames(db: Db, datasets: readonly Dataset[]): void {
  const reserve = command(
    db,
    `UPDATE _column_names SET "column" = ? WHERE relation = ? AND path = ? AND type = 'reserved'`,
  );
  for (const dataset of datasets) {
    const names = columnNames(db, dataset.table);
    const unnamed = names.filter(({ type, column }) => type === 'reserved' && column === null);
    const taken = takenNames(dataset, names);
    const shown = unnamed
      .sort((a, b) => (a.path < b.path ? -1 : 1))
      .slice(0, MOST_BEFORE)
      .filter(({ path }) => canBeColumn(path) && !isField(dataset, path));
    for (const { path } of shown) {
      const name = freeName(memberName(path), taken);
      taken.add(name);
      reserve(name, dataset.table, path);
    }
  }
}

function isField({ columns }: Dataset, path: string): boolean {
  return columns.some(({ field }) => path === `extra.${field}`);
}

/**
 * Frees the names that this version gives to columns of its own, before its migrations add them: as unknown fields, they
 * may have been members so far. What is stored is not touched, and the rows are filled again.
 */
export function releaseNames(db: Db, datasets: readonly Dataset[]): void {
  const isNoted = "SELECT 1 FROM sqlite_schema WHERE name = '_column_names'";
  if (queryValues(db, isNoted, z.number()).get() === undefined) return;
  for (const dataset of datasets) {
    const own = new Set([...heldNames(dataset), ...dataset.derived.map(({ name }) => name)]);
    for (const { path, column, type } of columnNames(db, dataset.table)) {
      if (column === null || !own.has(column)) continue;
      if (isColumn({ path, column, type, unit: null })) {
        db.exec(`DROP VIEW IF EXISTS ${quote(`${dataset.table}_all`)};
          ALTER TABLE ${quote(dataset.table)} DROP COLUMN ${quote(column)}`);
      }
      command(db, 'DELETE FROM _column_names WHERE relation = ? AND "column" = ?')(dataset.table, column);
    }
  }
}

export const COLUMN_NAMES: Explained = {
  name: '_column_names',
  about: 'The columns that members of objects and unknown fields got. A name is given once.',
  row: 'a name, or a member that has none',
  columns: {
    relation: code('The table.'),
    path: text('The column and the member, as in `response.value`.', { privacy: 'indirect' }),
    column: text('The name of its column.', {
      privacy: 'indirect',
      missing: 'It has none: there are too many, or its name cannot be one.',
    }),
    type: code('What the column holds.', {
      values: {
        text: 'texts',
        number: 'numbers',
        boolean: 'booleans',
        json: 'lists and objects',
        type: 'the type of a value that may be of any',
        mixed: 'no column: the name with which those of such a value begin',
        reserved: 'no column yet, as no value was seen',
      } satisfies Record<NameType, string>,
    }),
    unit: code('Its unit.', { missing: 'It has none.' }),
    since: time('When it was first seen, by the local clock.', {
      privacy: 'none',
      missing: 'An earlier version has seen it.',
    }),
  },
};
