import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { privacyOfForm } from '../datasets/privacy.ts';
import { command, queryRows, queryValues, quote } from '../shared/sqlite.ts';
import { ROW_NUMBER_NAMES, SQL_WORDS } from '../shared/sql-words.ts';
import { WHOSE } from './columns.ts';
import { ofState, plannedIn } from './design.ts';
import { dictionaryWriter, type Entry } from './dictionary.ts';

/** A column of a table with one row a person: a variable or a question, in one form of its values. */
export interface WideColumn {
  /** `variable NAME`, or `KIND QUESTION` with what else tells answers apart: component, stimulus, dimension, sample. */
  readonly path: string;
  readonly form: Form;
  /** Null: there were too many columns. */
  readonly column: string | null;
}

const FORMS = ['number', 'boolean', 'text', 'json'] as const;
export type Form = (typeof FORMS)[number];
const SQL_TYPE = { number: 'REAL', boolean: 'INTEGER', text: 'TEXT', json: 'TEXT' } as const;

/** Names are given once and never mean anything else, so they are kept although the tables can be computed. */
export const WIDE_NAMES_SQL = `CREATE TABLE IF NOT EXISTS _wide_columns (
  experiment_id TEXT NOT NULL, path TEXT NOT NULL, form TEXT NOT NULL, column_name TEXT, about TEXT NOT NULL,
  PRIMARY KEY (experiment_id, path, form)) STRICT`;

/** SQLite allows 2000 columns; no one reads so many. */
const MOST_COLUMNS = 1000;
/** Columns that every such table has. */
export const WIDE_KEY: readonly string[] = Object.keys(WHOSE);

/** The name of an experiment's table; undefined before it has one. */
export function wideTable(db: Database, experiment: string): string | undefined {
  const sql = "SELECT column_name FROM _wide_columns WHERE experiment_id = ? AND form = 'table'";
  return queryValues(db, sql, z.string()).get(experiment);
}

/** Every table with a row a person, and its experiment. */
export function wideTables(db: Database): { experiment: string; table: string }[] {
  const sql =
    'SELECT experiment_id AS experiment, column_name AS "table" FROM _wide_columns WHERE form = \'table\' ORDER BY 2';
  return queryRows(db, sql, z.object({ experiment: z.string(), table: z.string() })).all();
}

/** Gives an experiment's table a name made of the experiment's own, and creates it. */
export function createWideTable(db: Database, experiment: string, named: string | null): string {
  const taken = new Set(queryValues(db, 'SELECT name FROM sqlite_schema', z.string()).all());
  const slug = plainName(named ?? '') || plainName(experiment) || 'experiment';
  const table = freeName([`wide_${slug}`], taken);
  const add = 'INSERT INTO _wide_columns (experiment_id, path, form, column_name, about) VALUES (?, ?, ?, ?, ?)';
  command(db, add)(
    experiment,
    '',
    'table',
    table,
    `Everyone in ${named ?? experiment}, with their variables and answers.`,
  );
  makeTable(db, table, []);
  return table;
}

function makeTable(db: Database, table: string, columns: readonly WideColumn[]): void {
  const own = columns.flatMap(({ column, form }) => (column === null ? [] : [`${quote(column)} ${SQL_TYPE[form]}`]));
  const declared = [...WIDE_KEY.map((name) => `${name} TEXT`), ...own].join(', ');
  db.exec(`CREATE TABLE ${quote(table)} (${declared}) STRICT;
    CREATE INDEX ${quote(`${table}__by_room`)} ON ${quote(table)} (room_id);
    CREATE INDEX ${quote(`${table}__by_participant`)} ON ${quote(table)} (participant_id)`);
}

/**
 * Gives a table the columns that it lacks, the last of these. It is made again, as SQLite reads the whole schema again
 * for each column that it adds, and a questionnaire may bring hundreds.
 */
export function extendWideTable(db: Database, table: string, columns: readonly WideColumn[]): void {
  const held = queryValues(db, `SELECT name FROM pragma_table_info(?)`, z.string()).all(table).map(quote).join(', ');
  db.exec(`CREATE TEMP TABLE wide_rows AS SELECT ${held} FROM main.${quote(table)}; DROP TABLE main.${quote(table)}`);
  makeTable(db, table, columns);
  db.exec(`INSERT INTO main.${quote(table)} (${held}) SELECT ${held} FROM temp.wide_rows ORDER BY rowid;
    DROP TABLE temp.wide_rows`);
}

/** The columns of an experiment's table, in their order. */
export function wideColumns(db: Database, experiment: string): WideColumn[] {
  const sql =
    'SELECT path, form, column_name AS "column" FROM _wide_columns WHERE experiment_id = ? AND form <> \'table\' ORDER BY rowid';
  const Column = z.object({
    path: z.string(),
    form: z.enum(FORMS),
    column: z.string().nullable(),
  });
  return queryRows(db, sql, Column).all(experiment);
}

/** Names a column that comes to the end. The first form of a path has its plain name, the others say what they are. */
export function nameWideColumn(
  db: Database,
  experiment: string,
  {
    table,
    columns,
    path,
    form,
    wanted,
  }: { table: string; columns: readonly WideColumn[]; path: string; form: Form; wanted: readonly string[] },
): WideColumn {
  const first = columns.find((column) => column.path === path)?.column;
  const taken = new Set([...WIDE_KEY, ...ROW_NUMBER_NAMES, ...columns.flatMap(({ column }) => column ?? [])]);
  const name =
    first === undefined || first === null
      ? freeName(
          wanted.map((one) => plainName(one) || 'question'),
          taken,
        )
      : freeName([`${first}_${form}`], taken);
  const column = columns.length < MOST_COLUMNS ? name : null;
  const add = 'INSERT INTO _wide_columns (experiment_id, path, form, column_name, about) VALUES (?, ?, ?, ?, ?)';
  const about = meaningOf(path, wordsOf(db, experiment)(path));
  command(db, add)(experiment, path, form, column, about);
  explainColumn(db, table, { path, form, column }, about);
  return { path, form, column };
}

const VARIABLE = 'variable ';

/** What a column holds. Only the design has the words of a question: as someone was asked, they may name a person. */
function meaningOf(path: string, words: string | undefined): string {
  if (path.startsWith(VARIABLE))
    return `The last value of the variable ${path.slice(VARIABLE.length)}: the person's own, or else that of the room.`;
  return `The last answer${words === undefined ? '' : ` to ${words}`} (${path}).`;
}

/** Finds the words of a question in the design of an experiment, by the path of a column. */
function wordsOf(db: Database, experiment: string): (path: string) => string | undefined {
  const planned = plannedIn(db, experiment);
  return (path) => {
    const asked = path.slice(path.indexOf(' ') + 1);
    const isOf = (id: string | null) => id !== null && (asked === id || asked.startsWith(`${id}, `));
    const found = planned.filter(
      ({ question, question_id, component_id }) => question !== null && isOf(question_id ?? component_id),
    );
    const state = found.find(({ state_id }) => asked.endsWith(`, state ${state_id}`))?.state_id ?? null;
    return ofState(found, state)[0]?.question ?? undefined;
  };
}

function explainColumn(db: Database, table: string, { path, form, column }: WideColumn, about: string): void {
  const write = dictionaryWriter(db);
  if (column !== null) write(table, column, entryOf(form, about));
  else write(table, `${path} (${form})`, { ...entryOf(form, about), type: NO_COLUMN, ...LEFT_OUT });
}

/** The type by which `_data_dictionary` names what has no column. */
export const NO_COLUMN = 'none';
const LEFT_OUT = { unit: undefined, missing: 'There is no column, as there are too many: it is in its own table.' };

const UNIT = { number: 'as recorded', boolean: '0 or 1', text: undefined, json: 'JSON' } as const;
const NONE = {
  number: 'They have no value, or it is not a number.',
  boolean: 'They have no value, or it is neither true nor false.',
  text: 'They have no value, or it is not text.',
  json: 'They have no value, or it is neither a list nor an object.',
} as const;

function entryOf(form: Form, meaning: string): Entry {
  return {
    type: SQL_TYPE[form],
    unit: UNIT[form],
    isBoolean: form === 'boolean',
    meaning,
    missing: NONE[form],
    privacy: privacyOfForm('free text', form),
  };
}

/** Explains every column of these tables, and names what has none. */
export function explainWide(db: Database): void {
  const write = dictionaryWriter(db);
  for (const { experiment, table } of wideTables(db)) {
    for (const [name, { type, about, missing, privacy }] of Object.entries(WHOSE))
      write(table, name, { type, meaning: about, missing, privacy });
    const words = wordsOf(db, experiment);
    for (const column of wideColumns(db, experiment))
      explainColumn(db, table, column, meaningOf(column.path, words(column.path)));
  }
}

/** What `_data_dictionary` names in these tables although it has no column, as pairs of table and name. */
export const WIDE_LEFT_OUT = `SELECT t.column_name, c.path || ' (' || c.form || ')' FROM _wide_columns c
  JOIN _wide_columns t ON t.experiment_id = c.experiment_id AND t.form = 'table' WHERE c.column_name IS NULL`;

/** A name without quotes in SQL, R and Python. */
function plainName(text: string): string {
  const plain = text
    .normalize('NFKD')
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, 60);
  if (SQL_WORDS.has(plain)) return `q_${plain}`;
  return /^\d/.test(plain) ? `x${plain}` : plain;
}

/** The first of these names that is free, or the last one with a number behind it. */
function freeName(wanted: readonly string[], taken: ReadonlySet<string>): string {
  const last = wanted.at(-1) ?? '';
  let name = wanted.find((one) => !taken.has(one)) ?? last;
  for (let n = 2; taken.has(name); n++) name = `${last}_${n}`;
  return name;
}
