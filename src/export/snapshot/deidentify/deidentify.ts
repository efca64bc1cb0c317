import { z } from 'zod';
import { DATASETS } from '../../../datasets/registry.ts';
import { isPseudonym, pseudonymBy } from '../../../shared/pseudonym.ts';
import { queryLists, queryRows, queryValues, quote, type SqlValue } from '../../../shared/sqlite.ts';
import type { Db } from '../../../warehouse/open.ts';
import { privacyIn } from '../../../warehouse/privacy.ts';
import { wideTables } from '../../../derive/wide-names.ts';
import { answerMeanings, namedAfterPeople, personalIn } from '../../codebook/impersonal.ts';
import type { Column, Table } from '../tables.ts';
import { treatmentOf, type Treatment } from './treatment.ts';
import { replacerOf } from './words.ts';

/** How a snapshot is de-identified. */
export interface Deidentification {
  /** The lab's key, with which the same id becomes the same pseudonym in every snapshot. */
  readonly key: string;
  readonly withFreeText: boolean;
}

/** What became of a column. */
export interface Treated {
  readonly table: string;
  readonly column: string;
  readonly privacy: string;
  readonly treatment: Treatment;
}

/** Tables that explain the others: they hold what is declared, and what the tables have in them is scrubbed. */
const EXPLAINING = ['_tables', '_values', '_data_dictionary'];

/** Tables about reading, which name rooms and people everywhere. */
const LEFT_OUT = ['_answer_metadata', '_experiment_starts'];

/** The tables without what says who someone is, and what became of each column. */
export function deidentify(
  db: Db,
  tables: readonly Table[],
  how: Deidentification,
): { tables: Table[]; report: Treated[]; scrub: (text: string) => string } {
  const make = pseudonymBy(how.key);
  const pseudonym = (text: string) => (isPseudonym(text) ? text : make(text));
  const scrub = replacerOf(knownWords(db), pseudonym);
  const zero = clockZeros(db);
  const kept = tables.filter(({ name }) => !LEFT_OUT.includes(name));
  const plans = kept.map((table) => planOf(db, table, how.withFreeText, personalColumns(db, scrub)));
  const report = plans.flatMap(({ report: of }) => of);
  const work = { pseudonym, scrub, zero };
  const made = plans.map((plan) => treated(plan, work));
  return { tables: made.map((table) => aboutTables(table, made)), report, scrub };
}

interface Plan {
  readonly table: Table;
  /** The place of the room's id in a row; -1 where there is none. */
  readonly roomAt: number;
  readonly columns: readonly { readonly column: Column; readonly at: number; readonly treatment: Treatment }[];
  readonly report: readonly Treated[];
}

function planOf(
  db: Db,
  table: Table,
  withFreeText: boolean,
  isPersonal: (table: string, column: string) => boolean,
): Plan {
  const classOf = privacyIn(db);
  const meanings = answerMeanings(db, table.name);
  const roomAt = table.columns.findIndex(({ name }) => name === (table.name === 'rooms' ? 'id' : 'room_id'));
  const place = {
    withFreeText,
    hasRoom: roomAt >= 0,
    hasOnset: table.columns.some(({ name }) => name === 'onset_s' || name === 'onset'),
  };
  const all = table.columns.map((column, at) => {
    const privacy = classOf(table.name, column.name);
    const isNamed = isPersonal(table.name, column.name);
    const treatment = EXPLAINING.includes(table.name)
      ? ('kept' as const)
      : isNamed
        ? ('dropped' as const)
        : treatmentOf(table.name, column, privacy, place);
    return {
      column: { ...column, meaning: meanings.get(column.name) ?? column.meaning },
      at,
      treatment,
      privacy,
      isNamed,
    };
  });
  return {
    table,
    roomAt,
    columns: all.filter(({ treatment }) => treatment !== 'dropped'),
    report: all.map(({ column, privacy, treatment, isNamed }) => ({
      table: table.name,
      column: isNamed ? NAMED_AFTER : column.name,
      privacy: isNamed ? 'direct' : privacy,
      treatment,
    })),
  };
}

/** What the report says instead of a name that is an id, or made of one. */
const NAMED_AFTER = '(named after a person or room)';

/** A function that says whether a column is named after someone: members of objects are, and variables may be. */
function personalColumns(db: Db, scrub: (text: string) => string): (table: string, column: string) => boolean {
  const sql = `SELECT relation, "column" AS name, path FROM _column_names WHERE "column" IS NOT NULL
    UNION ALL SELECT t.column_name, w.column_name, w.path FROM _wide_columns w
      JOIN _wide_columns t ON t.experiment_id = w.experiment_id AND t.form = 'table'
      WHERE w.form <> 'table' AND w.column_name IS NOT NULL AND t.column_name IS NOT NULL`;
  const Named = z.object({ relation: z.string(), name: z.string(), path: z.string() });
  const found = new Map<string, Set<string>>();
  const add = (table: string, column: string) => void found.set(table, (found.get(table) ?? new Set()).add(column));
  for (const { relation, name, path } of queryRows(db, sql, Named).iterate())
    if (path.includes('@') || scrub(path) !== path) add(relation, name);
  const isPersonal = personalIn(db);
  for (const { table } of [...DATASETS, ...wideTables(db)])
    for (const name of namedAfterPeople(db, table, isPersonal)) add(table, name);
  return (table, column) => found.get(table)?.has(column) === true || scrub(column) !== column;
}

interface Work {
  readonly pseudonym: (text: string) => string;
  readonly scrub: (text: string) => string;
  /** By room: when its clock began, in ms since 1970. */
  readonly zero: ReadonlyMap<string, number>;
}

/** The end of the name of a column whose times became onsets. */
const ONSET = '_onset_s';

function treated({ table, columns, roomAt }: Plan, { pseudonym, scrub, zero }: Work): Table {
  const onset = (value: SqlValue, row: readonly SqlValue[]): SqlValue => {
    const start = zero.get(String(row[roomAt]));
    return value === null || start === undefined ? null : (Date.parse(String(value)) - start) / 1000;
  };
  const change = (value: SqlValue, treatment: Treatment, row: readonly SqlValue[]): SqlValue => {
    if (treatment === 'onsets') return onset(value, row);
    if (typeof value !== 'string') return value;
    return treatment === 'pseudonyms' ? pseudonym(value) : scrub(value);
  };
  const names = columns.map(({ column }) => column.name);
  // The names of tables and columns that are there reveal nothing about anyone.
  const isName = ({ name }: Column) => EXPLAINING.includes(table.name) && /^(name|table_name|column_name)$/.test(name);
  return {
    name: table.name,
    about: table.about,
    columns: columns.map(({ column, treatment }) => describe(column, treatment, scrub)),
    key: table.key.every((name) => names.includes(name)) ? table.key : [],
    count: () => table.count(),
    *rows() {
      for (const row of table.rows())
        yield columns.map(({ column, at, treatment }) =>
          isName(column) ? (row[at] ?? null) : change(row[at] ?? null, treatment, row),
        );
    },
  };
}

function describe(column: Column, treatment: Treatment, scrub: (text: string) => string): Column {
  const { name, missing } = column;
  const meaning = scrub(column.meaning);
  if (treatment === 'pseudonyms') return { ...column, meaning: `${meaning} A pseudonym.` };
  if (treatment !== 'onsets') return { ...column, meaning };
  return {
    name: `${name}${ONSET}`,
    type: 'REAL',
    unit: 's',
    isBoolean: false,
    isRequired: false,
    meaning: `${meaning} From the start of the experiment in its room.`,
    missing: `${missing} Or the start of its room is not known.`,
  };
}

/** The tables that explain the others explain only what is there, as it is there. */
function aboutTables(table: Table, all: readonly Table[]): Table {
  const at = (name: string) => table.columns.findIndex((column) => column.name === name);
  const columnsOf = new Map(all.map((one) => [one.name, one.columns]));
  const find = (row: readonly SqlValue[], column: string) =>
    columnsOf.get(String(row[at('table_name')]))?.find(({ name }) => name === column);
  const explain = (row: readonly SqlValue[]): readonly SqlValue[] | undefined => {
    if (table.name === '_tables') return columnsOf.has(String(row[at('name')])) ? row : undefined;
    const name = String(row[at('column_name')]);
    if (find(row, name) !== undefined) return row;
    const onset = table.name === '_data_dictionary' ? find(row, `${name}${ONSET}`) : undefined;
    if (onset === undefined) return undefined;
    const { type, unit, meaning, missing } = onset;
    const now = new Map<number, SqlValue>(
      Object.entries({ column_name: onset.name, type, unit, meaning, missing, privacy: 'none' }).map(
        ([column, value]) => [at(column), value],
      ),
    );
    return row.map((value, i) => (now.has(i) ? (now.get(i) ?? null) : value));
  };
  if (!EXPLAINING.includes(table.name)) return table;
  const rows = function* () {
    for (const row of table.rows()) {
      const explained = explain(row);
      if (explained !== undefined) yield explained;
    }
  };
  return { ...table, rows, count: () => [...rows()].length };
}

/** Ids of people and rooms, and their names and addresses, wherever the warehouse has a column for these. */
function knownWords(db: Db): Set<string> {
  const classOf = privacyIn(db);
  const words = new Set(
    queryValues(
      db,
      'SELECT participant_id FROM people WHERE participant_id IS NOT NULL UNION SELECT room_id FROM people WHERE room_id IS NOT NULL UNION SELECT id FROM rooms WHERE id IS NOT NULL',
      z.string(),
    ).all(),
  );
  for (const { table, columns } of DATASETS) {
    const telling = columns.filter(
      ({ name, type, spec }) =>
        // Who wrote something may be a program, whose name is an ordinary word; those of people are known already.
        type === 'TEXT' && spec.kind === 'text' && spec.isAuthor !== true && classOf(table, name) === 'direct',
    );
    for (const { name } of telling) {
      const sql = `SELECT DISTINCT ${quote(name)} FROM ${quote(table)} WHERE ${quote(name)} IS NOT NULL`;
      for (const [word] of queryLists(db, sql).iterate()) words.add(String(word));
    }
  }
  return words;
}

function clockZeros(db: Db): Map<string, number> {
  const sql = `SELECT room_id AS room, min(clock_zero_unix) AS zero FROM people
    WHERE room_id IS NOT NULL AND clock_zero_unix IS NOT NULL GROUP BY 1`;
  const found = queryRows(db, sql, z.object({ room: z.string(), zero: z.number() })).all();
  return new Map(found.map(({ room, zero }) => [room, zero * 1000]));
}
