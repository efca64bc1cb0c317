import type { Dataset } from '../datasets/define.ts';
import { aboutOf, missingOf, privacyOf, privacyOfKey, unitOf } from '../datasets/define.ts';
import { FORM_TYPE, type Form } from '../datasets/members.ts';
import { privacyOfForm, type PrivacyClass } from '../datasets/privacy.ts';
import { MIXED_TYPES } from '../datasets/mixed.ts';
import { integer, json, text, time, type Columns, type ExplainedColumn } from '../derive/columns.ts';
import { dictionaryWriter, explainLike } from '../derive/dictionary.ts';
import { derivedIn } from '../derive/registry.ts';
import { VIEWS } from '../derive/views.ts';
import { explainWide, NO_COLUMN, WIDE_LEFT_OUT } from '../derive/wide-names.ts';
import { handlingIn } from './applied-policy.ts';
import { columnNames, type ColumnName } from './column-names.ts';
import type { Db } from './open.ts';
import { OWN_TABLES } from './own-tables.ts';
import { viewName } from './views.ts';

const COMMON = {
  experiment_id: text('The experiment under which the record was read.', { privacy: 'none' }),
  key: text(
    "What identifies the row in its experiment: the room and the API's id or, without one, the values that identify the record or a digest of it; #2 for the second record of one key. %, /, # and : in them are percent-encoded.",
    { privacy: 'direct' },
  ),
  extra: json('Everything that has no column of its own or does not fit it.', {
    privacy: 'unknown',
    missing: 'Nothing is left over.',
  }),
  null_fields: json(
    'The fields that the API sent as null. Another field without a value in its column was not sent, or is in `extra`.',
    { privacy: 'none', missing: 'No field was sent as null.' },
  ),
  first_seen_at: time('When this row was first read, by the local clock.', { privacy: 'indirect' }),
  synced_at: time('When this version of the row was written, by the local clock.', { privacy: 'indirect' }),
  synced_run: integer('The run that wrote this version of the row: `_runs.id`.', {
    privacy: 'none',
    unit: 'id',
    missing: 'It was written before runs were recorded.',
  }),
} as const satisfies Columns;

/** Writes `_data_dictionary`, which explains every column of every table and view to readers of the file. */
export function writeDictionary(db: Db, datasets: readonly Dataset[]): void {
  const write = dictionaryWriter(db);
  const explained = [...OWN_TABLES, ...derivedIn(db), ...VIEWS.map(({ name, columns = {} }) => ({ name, columns }))];
  for (const { name, columns } of explained) {
    for (const [column, { about, values, allowed, ...rest }] of Object.entries<ExplainedColumn>(columns))
      write(name, column, { ...rest, meaning: about, allowed: allowed ?? (values && Object.keys(values)) });
  }
  for (const dataset of datasets) writeTable(db, dataset);
  explainWide(db);
  for (const dataset of datasets) explainLike(db, viewName(dataset), dataset.table);
  for (const { name, like } of VIEWS) if (like !== undefined) explainLike(db, name, like);
  db.exec(`DELETE FROM _data_dictionary
    WHERE type <> '${NO_COLUMN}' AND (table_name, column_name) NOT IN
      (SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type IN ('table', 'view'))
    OR type = '${NO_COLUMN}' AND (table_name, column_name) NOT IN
      (SELECT relation, path FROM _column_names WHERE "column" IS NULL UNION ALL ${WIDE_LEFT_OUT})`);
}

function writeTable(db: Db, dataset: Dataset): void {
  const write = dictionaryWriter(db);
  const handling = handlingIn(db);
  const { table, name: data, columns, derived } = dataset;
  const common: Columns = { ...COMMON, key: { ...COMMON.key, privacy: privacyOfKey(dataset) } };
  for (const [name, { about, ...rest }] of Object.entries(common)) write(table, name, { ...rest, meaning: about });

  for (const column of columns) {
    const { name, type, field, part, spec } = column;
    write(table, name, {
      type,
      unit: unitOf(column),
      isBoolean: spec.kind === 'boolean',
      ...handled(handling(data, field), {
        meaning: aboutOf(column),
        missing: missingOf(column),
        privacy: privacyOf(column),
      }),
      allowed: part === 'type' ? MIXED_TYPES : spec.values && Object.keys(spec.values),
      source: `HyperStudy API, ${data}: ${field}`,
    });
  }
  for (const { name, type, unit, about, missing, privacy, from } of derived)
    write(table, name, {
      type,
      unit,
      ...handled(handling(data, columns[from]?.field ?? ''), { meaning: about, missing, privacy }),
    });
  for (const name of columnNames(db, table)) explainMember(db, dataset, name);
}

/** What the dictionary says of a column after what the privacy policy did to it. */
function handled(
  what: ReturnType<ReturnType<typeof handlingIn>>,
  said: { meaning: string; missing: string; privacy: PrivacyClass },
): { meaning: string; missing: string; privacy: PrivacyClass } {
  if (what === undefined) return said;
  if (what === 'left out')
    return {
      ...said,
      meaning: `${said.meaning} Never stored, by the privacy policy of this file.`,
      missing: 'Always.',
    };
  // The same pseudonyms still show who is the same person.
  const privacy = said.privacy === 'none' ? 'none' : 'indirect';
  return { ...said, meaning: `${said.meaning} A pseudonym of it, by the privacy policy of this file.`, privacy };
}

/** Explains the column of a member, or says that it has none. */
export function explainMember(db: Db, dataset: Dataset, { path, column, type, unit }: ColumnName): void {
  if (type === 'reserved' || type === 'mixed') return;
  const { table, name: data } = dataset;
  const [place = '', ...rest] = path.split('.');
  const member = rest.join('.');
  const field = dataset.columns.find(({ name }) => name === place)?.field;
  const privacy = privacyOfMember(dataset, path, type);
  const source = `HyperStudy API, ${data}: ${field === undefined ? '' : `${field}.`}${member}`;
  if (column === null) {
    const meaning = `The ${MEANT[type]} of \`${member}\` in \`${place}\` have no column: there they are.`;
    dictionaryWriter(db)(table, path, { type: NO_COLUMN, meaning, missing: 'There is no column.', source, privacy });
    return;
  }
  const isBoolean = type === 'boolean';
  const meaning =
    type === 'type'
      ? `What \`${member}\` in \`${place}\` is: text, integer, number, boolean, list or object.`
      : `\`${member}\` in \`${place}\`, where it is ${AS[type]}.`;
  dictionaryWriter(db)(table, column, {
    type: type === 'type' ? 'TEXT' : FORM_TYPE[type],
    unit,
    isBoolean,
    ...handled(handlingIn(db)(data, field === undefined ? path : `${field}.${member}`), {
      meaning,
      missing: type === 'type' ? 'There is no value.' : `There is no value, or it is not ${AS[type]}.`,
      privacy,
    }),
    allowed: type === 'type' ? MIXED_TYPES : undefined,
    source,
  });
}

/** A member reveals what its field does; nothing is known of a field that is not declared. */
function privacyOfMember({ fields, columns, members = {} }: Dataset, path: string, type: Form | 'type'): PrivacyClass {
  const [place = '', ...rest] = path.split('.');
  const field = place === 'extra' ? rest.join('.') : columns.find(({ name }) => name === place)?.field;
  const declared =
    members[path]?.privacy ??
    (field !== undefined && Object.hasOwn(fields, field) ? fields[field]?.privacy : undefined);
  return declared === undefined ? 'unknown' : privacyOfForm(declared, type);
}

const MEANT = { text: 'texts', number: 'numbers', boolean: 'booleans', json: 'lists and objects', type: 'types' };
const AS = { text: 'a text', number: 'a number', boolean: 'true or false', json: 'a list or an object' };
