import { NEVER, type Columns, type Explained } from '../derive/define.ts';
import { PRIVACY } from '../datasets/privacy.ts';
import { ANSWER_TABLES } from './answer-metadata.ts';
import { COLUMN_NAMES } from './column-names.ts';
import { FRESHNESS } from './freshness.ts';
import { HISTORY } from './history.ts';
import { MEDIA_FILES } from './media-table.ts';
import { RUN_TABLES } from './runs.ts';
import { SCHEMA_CHANGES } from './schema-changes.ts';

export const TABLES: Explained = {
  name: '_tables',
  about: 'Every table and view for readers.',
  row: 'a table or view',
  columns: {
    name: { type: 'TEXT', about: 'Its name.', privacy: 'none', missing: NEVER },
    kind: {
      type: 'TEXT',
      about: 'What it is.',
      privacy: 'none',
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
      privacy: 'none',
      missing: 'It comes from none.',
    },
    row_is: { type: 'TEXT', about: 'What one row is.', privacy: 'none', missing: NEVER },
    about: { type: 'TEXT', about: 'What it holds.', privacy: 'none', missing: NEVER },
    join_by: {
      type: 'TEXT',
      about: 'The columns by which to join it with others, joined by commas.',
      privacy: 'none',
      missing: 'There are none.',
    },
  },
};

export const ABOUT: Explained = {
  name: '_about',
  about: 'What the file is, how to open it, what holds for all tables, and how to cite it.',
  row: 'a statement',
  columns: {
    name: { type: 'TEXT', about: 'What it is about.', privacy: 'none', missing: NEVER },
    value: { type: 'TEXT', about: 'The statement.', privacy: 'none', missing: NEVER },
  },
};

const DATA_DICTIONARY: Explained = {
  name: '_data_dictionary',
  about: 'Every column of every table and view in `_tables`.',
  row: 'a column',
  columns: {
    table_name: { type: 'TEXT', about: 'The table or view.', privacy: 'none', missing: NEVER, isCode: true },
    column_name: {
      type: 'TEXT',
      about: 'The column; where the type is none, a member that has no column.',
      privacy: 'indirect',
      missing: NEVER,
    },
    type: {
      type: 'TEXT',
      about: 'The type of its values.',
      privacy: 'none',
      missing: NEVER,
      allowed: ['TEXT', 'INTEGER', 'REAL', 'none'],
      isCode: true,
    },
    unit: {
      type: 'TEXT',
      about: 'The unit, or the form of a text.',
      privacy: 'none',
      missing: 'It is a plain text.',
      isCode: true,
    },
    is_boolean: {
      type: 'INTEGER',
      about: 'Whether 0 and 1 stand for false and true.',
      privacy: 'none',
      missing: NEVER,
      isBoolean: true,
    },
    meaning: { type: 'TEXT', about: 'What it holds.', privacy: 'none', missing: NEVER },
    source: {
      type: 'TEXT',
      about: 'Where it comes from: the field of the API, or HyperStudy Warehouse.',
      privacy: 'none',
      missing: NEVER,
    },
    missing: { type: 'TEXT', about: 'What it means that there is no value (NULL).', privacy: 'none', missing: NEVER },
    allowed_values: {
      type: 'TEXT',
      about: 'The values that it may have, joined by commas; `_values` says what they mean.',
      privacy: 'none',
      missing: 'They are not known, or there are too many.',
    },
    privacy: {
      type: 'TEXT',
      about: 'What it tells about a person.',
      privacy: 'none',
      missing: NEVER,
      values: PRIVACY,
      isCode: true,
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
  MEDIA_FILES,
];

/** The statement that creates one of these tables; a column that always has a value comes as NOT NULL. */
export function createStatement({ name, columns }: { readonly name: string; readonly columns: Columns }): string {
  const declared = Object.entries(columns).map(
    ([column, { type, missing }], i) =>
      `${column} ${type}${missing === NEVER ? ' NOT NULL' : ''}${i === 0 ? ' PRIMARY KEY' : ''}`,
  );
  return `CREATE TABLE ${name} (${declared.join(', ')}) STRICT`;
}
