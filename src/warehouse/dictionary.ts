import type { Dataset } from '../datasets/define.ts';
import { SQL_TYPE } from '../datasets/define.ts';
import { command } from '../shared/sqlite.ts';
import type { Db } from './open.ts';
import { RUN_COLUMNS } from './runs.ts';

const COMMON: readonly (readonly [name: string, type: string, meaning: string])[] = [
  ['experiment_id', 'TEXT', 'The experiment under which the record was read.'],
  [
    'key',
    'TEXT',
    "What identifies the row in its experiment: the room and the API's id or, without one, the values that identify the record or a digest of it; #2 for the second record of one key. %, /, # and : in them are percent-encoded.",
  ],
  [
    'extra',
    'TEXT',
    'JSON of everything that has no column of its own or does not fit it; NULL when nothing is left over.',
  ],
  ['first_seen_at', 'TEXT', 'When this row was first read, by the local clock, UTC.'],
  ['synced_at', 'TEXT', 'When this version of the row was written, by the local clock, UTC.'],
  [
    'synced_run',
    'INTEGER',
    'The run that wrote this version of the row: `_runs.id`. NULL: it was written before runs were recorded.',
  ],
];

/** The table that lists new fields and types for readers. */
const SCHEMA_CHANGES: readonly (readonly [name: string, type: string, unit: string | null, meaning: string])[] = [
  ['id', 'INTEGER', null, 'The number of the change.'],
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
  ['records', 'INTEGER', null, 'How often a record was written with it; one that changed later on counts again.'],
  ['since', 'TEXT', 'ISO 8601, UTC', 'The earliest time of these records, by the server; NULL where they have none.'],
  ['seen_at', 'TEXT', 'ISO 8601, UTC', 'When it was first read, by the local clock.'],
  [
    'accepted_at',
    'TEXT',
    'ISO 8601, UTC',
    'When it was accepted, by the local clock: at once with `schema: follow`; NULL while streams are stopped for it.',
  ],
];

/** Writes `_data_dictionary`, which explains every column to readers of the file. */
export function writeDictionary(db: Db, datasets: readonly Dataset[]): void {
  const write = command(
    db,
    `INSERT INTO _data_dictionary (table_name, column_name, type, unit, meaning, source) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET type = excluded.type, unit = excluded.unit, meaning = excluded.meaning, source = excluded.source
     WHERE type <> excluded.type OR unit IS NOT excluded.unit OR meaning <> excluded.meaning OR source <> excluded.source`,
  );
  for (const { table, column, type, unit, meaning } of RUN_COLUMNS)
    write(table, column, type, unit ?? null, meaning, 'HyperStudy Warehouse');
  for (const [name, type, unit, meaning] of SCHEMA_CHANGES) {
    write('_schema_changes', name, type, unit, meaning, 'HyperStudy Warehouse');
  }
  for (const dataset of datasets) {
    for (const [name, type, meaning] of COMMON) {
      write(dataset.table, name, type, null, meaning, 'HyperStudy Warehouse');
    }
    for (const { name, field, spec } of dataset.columns) {
      const unit = spec.kind === 'time' ? 'ISO 8601, UTC' : (spec.unit ?? null);
      write(dataset.table, name, SQL_TYPE[spec.kind], unit, spec.about, `HyperStudy API, ${dataset.name}: ${field}`);
    }
  }
}
