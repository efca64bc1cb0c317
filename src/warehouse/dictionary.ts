import type { Dataset } from '../datasets/define.ts';
import { aboutOf, unitOf } from '../datasets/define.ts';
import { FORM_TYPE } from '../datasets/members.ts';
import { DERIVED } from '../derive/registry.ts';
import { command } from '../shared/sqlite.ts';
import { columnNames, type ColumnName } from './column-names.ts';
import type { Db } from './open.ts';
import { RUN_COLUMNS } from './runs.ts';

const TIME = 'ISO 8601, UTC';

const COMMON: readonly (readonly [name: string, type: string, unit: string | null, meaning: string])[] = [
  ['experiment_id', 'TEXT', null, 'The experiment under which the record was read.'],
  [
    'key',
    'TEXT',
    null,
    "What identifies the row in its experiment: the room and the API's id or, without one, the values that identify the record or a digest of it; #2 for the second record of one key. %, /, # and : in them are percent-encoded.",
  ],
  [
    'extra',
    'TEXT',
    null,
    'JSON of everything that has no column of its own or does not fit it; NULL when nothing is left over.',
  ],
  ['first_seen_at', 'TEXT', TIME, 'When this row was first read, by the local clock.'],
  ['synced_at', 'TEXT', TIME, 'When this version of the row was written, by the local clock.'],
  [
    'synced_run',
    'INTEGER',
    'id',
    'The run that wrote this version of the row: `_runs.id`. NULL: it was written before runs were recorded.',
  ],
];

/** The table that lists new fields and types for readers. */
const SCHEMA_CHANGES: readonly (readonly [name: string, type: string, unit: string | null, meaning: string])[] = [
  ['id', 'INTEGER', 'id', 'The number of the change.'],
  ['data', 'TEXT', null, "The data type, by the API's name."],
  [
    'field',
    'TEXT',
    null,
    'The field of its records; NULL in the row that counts changes that are too many to be listed.',
  ],
  [
    'change',
    'TEXT',
    null,
    'new field: neither the data type nor the file knew it; changed type: its values have another type than before; more: further changes, which are only counted.',
  ],
  ['type_before', 'TEXT', null, 'The types of its values so far: text, number, boolean, object, list or null.'],
  ['type_now', 'TEXT', null, 'The types that came. A value is never stored here.'],
  ['experiment_id', 'TEXT', null, 'The experiment whose records first brought it.'],
  ['records', 'INTEGER', 'count', 'How often a record was written with it; one that changed later on counts again.'],
  ['since', 'TEXT', TIME, 'The earliest time of these records, by the server; NULL where they have none.'],
  ['seen_at', 'TEXT', TIME, 'When it was first read, by the local clock.'],
  [
    'accepted_at',
    'TEXT',
    TIME,
    'When it was accepted, by the local clock: at once with `schema: follow`; NULL while streams are stopped for it.',
  ],
];

/** What `_data_dictionary` says of a column. */
interface Entry {
  readonly type: string;
  readonly unit?: string | null | undefined;
  readonly isBoolean?: boolean;
  readonly meaning: string;
  readonly source?: string;
}

const OWN = 'HyperStudy Warehouse';

/** Writes `_data_dictionary`, which explains every column to readers of the file. */
export function writeDictionary(db: Db, datasets: readonly Dataset[]): void {
  const write = writing(db);
  for (const { table, column, ...entry } of RUN_COLUMNS) write(table, column, entry);
  for (const [name, type, unit, meaning] of SCHEMA_CHANGES) write('_schema_changes', name, { type, unit, meaning });
  for (const { name, columns } of DERIVED) {
    for (const [column, { type, about, unit, isBoolean = false }] of Object.entries(columns))
      write(name, column, { type, unit: isBoolean ? '0 or 1' : unit, isBoolean, meaning: about });
  }
  for (const { table, name: data, columns, derived } of datasets) {
    for (const [name, type, unit, meaning] of COMMON) write(table, name, { type, unit, meaning });
    for (const column of columns) {
      const { name, type, field, spec } = column;
      const source = `HyperStudy API, ${data}: ${field}`;
      const isBoolean = spec.kind === 'boolean';
      write(table, name, { type, unit: unitOf(column), isBoolean, meaning: aboutOf(column), source });
    }
    for (const { name, type, unit, about } of derived) write(table, name, { type, unit, meaning: about });
  }
  for (const dataset of datasets) for (const name of columnNames(db, dataset.table)) explainMember(db, dataset, name);
  db.exec(`DELETE FROM _data_dictionary
    WHERE type <> '${NONE}' AND column_name NOT IN (SELECT name FROM pragma_table_info(_data_dictionary.table_name))`);
}

/** The type of what has no column. */
const NONE = 'none';

/** Explains the column of a member, or says that it has none. */
export function explainMember(db: Db, dataset: Dataset, { path, column, type, unit }: ColumnName): void {
  if (type === 'reserved' || type === 'mixed') return;
  const { table, name: data } = dataset;
  const [place = '', ...rest] = path.split('.');
  const member = rest.join('.');
  const field = dataset.columns.find(({ name }) => name === place)?.field;
  const source = `HyperStudy API, ${data}: ${field === undefined ? '' : `${field}.`}${member}`;
  if (column === null) {
    const meaning = `The ${MEANT[type]} of \`${member}\` in \`${place}\` have no column: there they are.`;
    writing(db)(table, path, { type: NONE, meaning, source });
    return;
  }
  const isBoolean = type === 'boolean';
  const meaning =
    type === 'type'
      ? `What \`${member}\` in \`${place}\` is: text, integer, number, boolean, list or object.`
      : `\`${member}\` in \`${place}\`, where it is ${AS[type]}.`;
  writing(db)(table, column, { type: type === 'type' ? 'TEXT' : FORM_TYPE[type], unit, isBoolean, meaning, source });
}

const MEANT = { text: 'texts', number: 'numbers', boolean: 'booleans', json: 'lists and objects', type: 'types' };
const AS = { text: 'a text', number: 'a number', boolean: 'true or false', json: 'a list or an object' };

function writing(db: Db) {
  const store = command(
    db,
    `INSERT INTO _data_dictionary (table_name, column_name, type, unit, is_boolean, meaning, source) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET type = excluded.type, unit = excluded.unit, is_boolean = excluded.is_boolean,
       meaning = excluded.meaning, source = excluded.source
     WHERE type <> excluded.type OR unit IS NOT excluded.unit OR is_boolean <> excluded.is_boolean
       OR meaning <> excluded.meaning OR source <> excluded.source`,
  );
  return (table: string, column: string, { type, unit, isBoolean, meaning, source = OWN }: Entry) =>
    store(table, column, type, unit ?? null, Number(isBoolean === true), meaning, source);
}
