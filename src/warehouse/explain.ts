import { z } from 'zod';
import type { Dataset } from '../datasets/define.ts';
import { derivedIn } from '../derive/registry.ts';
import type { Explained } from '../derive/columns.ts';
import { sourcesOf } from '../derive/sources.ts';
import { wideTables } from '../derive/wide-names.ts';
import { VIEWS } from '../derive/views.ts';
import { command, queryLists, queryValues, type SqlValue } from '../shared/sqlite.ts';
import { VERSION } from '../shared/version.ts';
import { policyText } from './applied-policy.ts';
import type { Db } from './open.ts';
import { ABOUT, createStatement, OWN_TABLES, TABLES } from './own-tables.ts';
import { viewName } from './views.ts';

const WIDE_ABOUT = 'Everyone in one experiment, with a column for each variable and question.';

/** How the rows of a table are joined to those of others. */
const BY_PERSON = 'experiment_id, room_id, participant_id';

/**
 * Writes the tables with which the file explains itself to readers: `_tables`, what a row of each table and view is;
 * `_about`, what the file is and how to open it; and the values of `_values` that are the same everywhere.
 */
export function explain(db: Db, datasets: readonly Dataset[], schemaVersion: string): void {
  const derived = derivedIn(db);
  const dataOf = (name: string) => sourcesOf(db, name)?.join(', ') ?? null;
  replace(db, TABLES, [
    ...derived.map(({ name, row, about, columns }) => [
      name,
      'derived',
      dataOf(name),
      row,
      about,
      joinOf(Object.keys(columns)),
    ]),
    ...wideTables(db).map(({ table }) => [table, 'derived', dataOf(table), 'a participation', WIDE_ABOUT, BY_PERSON]),
    ...VIEWS.map(({ name, row, about }) => [name, 'view', dataOf(name), row, about, BY_PERSON]),
    ...datasets.flatMap((dataset) => {
      const { name, table, about, columns, derived } = dataset;
      const join = joinOf([
        'experiment_id',
        ...columns.map((column) => column.name),
        ...derived.map((column) => column.name),
      ]);
      return [
        [table, 'mirrored', name, `a record of ${name}`, about, join],
        [
          viewName(dataset),
          'view',
          name,
          `a record of ${name}`,
          `${table} without extra and null_fields, in the order in which one reads it.`,
          join,
        ],
      ];
    }),
    ...OWN_TABLES.map(({ name, row, about, columns }) => [name, 'own', null, row, about, joinOf(Object.keys(columns))]),
  ]);
  replace(db, ABOUT, Object.entries(about(db, schemaVersion)));
  fill(db, {
    held: 'SELECT table_name, column_name, position, value_text, label FROM _values WHERE experiment_id IS NULL ORDER BY rowid',
    drop: 'DELETE FROM _values WHERE experiment_id IS NULL',
    add: 'INSERT INTO _values (table_name, column_name, position, value_text, label) VALUES (?, ?, ?, ?, ?)',
    rows: codes(derived, datasets),
  });
}

/** The values that are the same everywhere, with what they mean, in the order of their declaration. */
function codes(derived: readonly Explained[], datasets: readonly Dataset[]): SqlValue[][] {
  const declared = [
    ...[...derived, ...OWN_TABLES].map(({ name, columns }) => ({ table: name, columns: Object.entries(columns) })),
    ...datasets.map(({ table, columns }) => ({
      table,
      columns: columns.map(({ name, spec }) => [name, spec] as const),
    })),
  ];
  return declared.flatMap(({ table, columns }) =>
    columns.flatMap(([column, { values = {} }]) =>
      Object.entries(values).map(([value, label], i) => [table, column, i + 1, value, label]),
    ),
  );
}

function joinOf(columns: readonly string[]): string | null {
  const found = BY_PERSON.split(', ').filter((column) => columns.includes(column));
  return found.length === 0 ? null : found.join(', ');
}

function about(db: Db, schemaVersion: string): Record<string, string> {
  return {
    product: 'HyperStudy Warehouse: a copy of the data of HyperStudy experiments, kept up to date',
    version: VERSION,
    schema_version: schemaVersion,
    begin_with: 'people, answers, stages; _tables lists all, _data_dictionary explains every column, _values the codes',
    is_it_complete: 'SELECT experiment_id, data, complete, reason, data_as_of FROM _freshness',
    open: 'Open it read-only. While it is being written, the files -wal and -shm beside it belong to it: do not copy the file alone. VACUUM INTO makes a copy that travels.',
    times:
      'Texts are ISO 8601 in UTC with milliseconds; columns that end in _unix are seconds since 1970; onset is in ms from the start of the experiment, onset_s in seconds.',
    booleans: '0 and 1; _data_dictionary.is_boolean says which columns are booleans.',
    missing: 'NULL: there is no value; _data_dictionary.missing says what that means in each column.',
    privacy: `${policyText(db)} _data_dictionary.privacy says what each column reveals about a person.`,
    people: 'A participant id is unique within a room only: join by experiment_id, room_id and participant_id.',
    cite: 'Cite HyperStudy (https://hyperstudy.io) for the data, and HyperStudy Warehouse with its version for the copy.',
  };
}

/** Creates a small table again if its declaration differs, and fills it. */
function replace(db: Db, table: Explained, rows: readonly (readonly SqlValue[])[]): void {
  const { name } = table;
  const sql = createStatement(table);
  const find = queryValues(db, "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?", z.string());
  if (find.get(name) !== sql) db.exec(`DROP TABLE IF EXISTS ${name}; ${sql}`);
  const places = rows[0]?.map(() => '?').join(', ') ?? '';
  fill(db, {
    held: `SELECT * FROM ${name} ORDER BY rowid`,
    drop: `DELETE FROM ${name}`,
    add: `INSERT INTO ${name} VALUES (${places})`,
    rows,
  });
}

interface Filling {
  readonly held: string;
  readonly drop: string;
  readonly add: string;
  readonly rows: readonly (readonly SqlValue[])[];
}

/** Writes rows in place of those that are held, if they differ: opening a warehouse then writes nothing. */
function fill(db: Db, { held, drop, add, rows }: Filling): void {
  if (JSON.stringify(queryLists(db, held).all()) === JSON.stringify(rows)) return;
  command(db, drop)();
  for (const row of rows) command(db, add)(...row);
}
