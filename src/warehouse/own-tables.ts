import { NEVER, type Columns, type Explained } from '../derive/define.ts';
import { ANSWER_TABLES } from './answer-metadata.ts';
import { COLUMN_NAMES } from './column-names.ts';
import { FRESHNESS } from './freshness.ts';
import { HISTORY } from './history.ts';
import { RUN_TABLES } from './runs.ts';
import { SCHEMA_CHANGES } from './schema-changes.ts';

export const TABLES: Explained = {
  name: '_tables',
  about: 'Every table and view for readers.',
  row: 'a table or view',
  columns: {
    name: { type: 'TEXT', about: 'Its name.', missing: NEVER },
    kind: {
      type: 'TEXT',
      about: 'What it is.',
      missing: NEVER,
      values: {
        derived: 'a table that is computed from the mirrored ones',
        view: 'a view, which selects and renames columns of tables',
        mirrored: 'a table with the records of a data type',
        own: 'a table or view about the file itself',
      },
      isCode: true,
    },
    data: {
      type: 'TEXT',
      about: 'The data types that it comes from, as in `_freshness.data`, joined by commas.',
      missing: 'It comes from none.',
    },
    row_is: { type: 'TEXT', about: 'What one row is.', missing: NEVER },
    about: { type: 'TEXT', about: 'What it holds.', missing: NEVER },
    join_by: {
      type: 'TEXT',
      about: 'The columns by which to join it with others, joined by commas.',
      missing: 'There are none.',
    },
  },
};

export const ABOUT: Explained = {
  name: '_about',
  about: 'What the file is, how to open it, what holds for all tables, and how to cite it.',
  row: 'a statement',
  columns: {
    name: { type: 'TEXT', about: 'What it is about.', missing: NEVER },
    value: { type: 'TEXT', about: 'The statement.', missing: NEVER },
  },
};

const DATA_DICTIONARY: Explained = {
  name: '_data_dictionary',
  about: 'Every column of every table and view in `_tables`.',
  row: 'a column',
  columns: {
    table_name: { type: 'TEXT', about: 'The table or view.', missing: NEVER, isCode: true },
    column_name: {
      type: 'TEXT',
      about: 'The column; where the type is none, a member that has no column.',
      missing: NEVER,
    },
    type: {
      type: 'TEXT',
      about: 'The type of its values.',
      missing: NEVER,
      allowed: ['TEXT', 'INTEGER', 'REAL', 'none'],
      isCode: true,
    },
    unit: { type: 'TEXT', about: 'The unit, or the form of a text.', missing: 'It is a plain text.', isCode: true },
    is_boolean: {
      type: 'INTEGER',
      about: 'Whether 0 and 1 stand for false and true.',
      missing: NEVER,
      isBoolean: true,
    },
    meaning: { type: 'TEXT', about: 'What it holds.', missing: NEVER },
    source: {
      type: 'TEXT',
      about: 'Where it comes from: the field of the API, or HyperStudy Warehouse.',
      missing: NEVER,
    },
    missing: { type: 'TEXT', about: 'What it means that there is no value (NULL).', missing: NEVER },
    allowed_values: {
      type: 'TEXT',
      about: 'The values that it may have, joined by commas; `_values` says what they mean.',
      missing: 'They are not known, or there are too many.',
    },
  },
};

/** The tables and views about the file itself, for readers. Others whose names start with `_` are internal. */
export const OWN_TABLES: readonly Explained[] = [
  FRESHNESS,
  TABLES,
  DATA_DICTIONARY,
  ABOUT,
  ...RUN_TABLES,
  HISTORY,
  SCHEMA_CHANGES,
  COLUMN_NAMES,
  ...ANSWER_TABLES,
];

/** The statement that creates one of these tables; a column that always has a value comes as NOT NULL. */
export function createStatement({ name, columns }: { readonly name: string; readonly columns: Columns }): string {
  const declared = Object.entries(columns).map(
    ([column, { type, missing }], i) =>
      `${column} ${type}${missing === NEVER ? ' NOT NULL' : ''}${i === 0 ? ' PRIMARY KEY' : ''}`,
  );
  return `CREATE TABLE ${name} (${declared.join(', ')}) STRICT`;
}
