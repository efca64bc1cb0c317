import { code, flag, NEVER, text, type Columns, type Explained } from '../derive/columns.ts';
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
    name: text('Its name.', { privacy: 'none' }),
    kind: code('What it is.', {
      values: {
        derived: 'a table that is computed from the mirrored ones',
        view: 'a view, which selects and renames columns of tables',
        mirrored: 'a table with the records of a data type',
        own: 'a table or view about the file itself',
      },
    }),
    data: text('The data types that it comes from, as in `_freshness.data`, joined by commas.', {
      privacy: 'none',
      missing: 'It comes from none.',
    }),
    row_is: text('What one row is.', { privacy: 'none' }),
    about: text('What it holds.', { privacy: 'none' }),
    join_by: text('The columns by which to join it with others, joined by commas.', {
      privacy: 'none',
      missing: 'There are none.',
    }),
  },
};

export const ABOUT: Explained = {
  name: '_about',
  about: 'What the file is, how to open it, what holds for all tables, and how to cite it.',
  row: 'a statement',
  columns: {
    name: text('What it is about.', { privacy: 'none' }),
    value: text('The statement.', { privacy: 'none' }),
  },
};

const DATA_DICTIONARY: Explained = {
  name: '_data_dictionary',
  about: 'Every column of every table and view in `_tables`.',
  row: 'a column',
  columns: {
    table_name: code('The table or view.'),
    column_name: text('The column; where the type is none, a member that has no column.', { privacy: 'indirect' }),
    type: code('The type of its values.', { allowed: ['TEXT', 'INTEGER', 'REAL', 'none'] }),
    unit: code('The unit, or the form of a text.', { missing: 'It is a plain text.' }),
    is_boolean: flag('Whether 0 and 1 stand for false and true.'),
    meaning: text('What it holds.', { privacy: 'none' }),
    source: text('Where it comes from: the field of the API, or HyperStudy Warehouse.', { privacy: 'none' }),
    missing: text('What it means that there is no value (NULL).', { privacy: 'none' }),
    allowed_values: text('The values that it may have, joined by commas; `_values` says what they mean.', {
      privacy: 'none',
      missing: 'They are not known, or there are too many.',
    }),
    privacy: code('What it reveals about a person.', { values: PRIVACY }),
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
