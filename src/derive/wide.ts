import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { command, queryLists, queryRows, queryValues, quote, type SqlValue } from '../shared/sqlite.ts';
import type { Part } from './define.ts';
import { partsAt } from './parts.ts';
import { experimentName } from './participation.ts';
import type { Place } from './whose.ts';
import { named, Num, scopeOf, Text, WITHIN } from './source.ts';
import {
  addWideColumn,
  createWideTable,
  WIDE_KEY,
  wideColumns,
  wideTable,
  wideTables,
  type Form,
  type WideColumn,
} from './wide-names.ts';

/** The data types that bring a variable or an answer; a person comes with `people`. */
export const WIDE_SOURCES = ['variables', 'events', 'ratings/sparse'];

/** Computes again what touched rows concern: at their places, and where people came or went. */
export function recomputeWideAt(db: Database, places: readonly Place[], moved: readonly Part[]): void {
  // What a person did before a room was assigned may show in the row of their room.
  const roomless = places.filter(({ room }) => room === null);
  const people = [...moved, ...roomless].filter(({ participant }) => participant !== null);
  const rooms = people.flatMap((person) => roomsOf(db, person));
  for (const part of partsAt(db, 'room', [...places, ...rooms])) recomputeWide(db, part);
}

/** The places of a person who came or went; those that are gone are in the table only. */
function roomsOf(db: Database, { experiment, participant }: Omit<Part, 'room'>): Place[] {
  const table = wideTable(db, experiment);
  const held =
    table === undefined ? '' : `UNION SELECT room_id FROM ${quote(table)} WHERE participant_id = @participant`;
  const sql = `SELECT room_id FROM people WHERE participant_id = @participant AND +experiment_id = @experiment ${held}`;
  const rooms = queryValues(db, sql, Text).all({ experiment, participant });
  return rooms.map((room) => ({ experiment, room, participant }));
}

/** Computes every such table again; returns how many rows were not as they should be. */
export function rebuildWide(db: Database): number {
  const Found = z.object({ experiment: z.string(), room: Text, participant: Text });
  const placesIn = (table: string) => {
    const sql = `SELECT DISTINCT experiment_id AS experiment, room_id AS room, participant_id AS participant FROM ${quote(table)}`;
    return queryRows(db, sql, Found).all();
  };
  const places = ['people', ...wideTables(db).map(({ table }) => table)].flatMap(placesIn);
  return partsAt(db, 'room', places).reduce((sum, part) => sum + recomputeWide(db, part), 0);
}

/** A cell: the value of a variable, or of a question's last answer. */
interface Cell {
  readonly path: string;
  /** The name of its column, if it is free. */
  readonly wanted: string;
  readonly about: string;
  readonly form: Form;
  readonly value: SqlValue;
}

/**
 * Writes the rows of a part into the experiment's table with one row a person and one column a variable or question:
 * those that differ. It adds columns as they come. Returns how many rows it wrote.
 */
function recomputeWide(db: Database, part: Part): number {
  const { experiment } = part;
  const people = peopleOf(db, part);
  const table =
    wideTable(db, experiment) ??
    (people.length === 0 ? undefined : createWideTable(db, experiment, experimentName(db, experiment)));
  if (table === undefined) return 0;
  const ofRoom = part.room === null ? [] : roomVariables(db, part);
  const cells = people.map((person) => ({ person, cells: [...ofRoom, ...ownCells(db, part, person)] }));
  const columns = withColumns(db, { experiment, table, cells: cells.flatMap(({ cells: of }) => of) });
  const names = columns.flatMap(({ column }) => column ?? []);
  const wanted = new Map(
    cells.map(({ person, cells: of }) => [person, [experiment, part.room, person, ...valuesOf(columns, of)]]),
  );
  return writeRows(db, { table, names: [...WIDE_KEY, ...names], part, wanted });
}

/** Who has a row in `people`, whose rooms are settled. */
function peopleOf(db: Database, part: Part): string[] {
  const sql = `SELECT DISTINCT participant_id FROM people WHERE ${WITHIN[scopeOf(part)]} AND participant_id IS NOT NULL ORDER BY 1`;
  return queryValues(db, sql, z.string()).all(named(part));
}

const Value = z.object({ value_type: Text, value_number: Num, value_text: Text, value_json: Text });

/** The form and the value of what `typed` gave columns for; undefined where there is none. */
function cellOf({
  value_type,
  value_number,
  value_text,
  value_json,
}: z.infer<typeof Value>): Pick<Cell, 'form' | 'value'> | undefined {
  if (value_type === null) return undefined;
  if (value_type === 'boolean') return { form: 'boolean', value: value_number };
  if (value_number !== null) return { form: 'number', value: value_number };
  return value_text === null ? { form: 'json', value: value_json } : { form: 'text', value: value_text };
}

const Variable = Value.extend({ variable: z.string() });

const VARIABLES = `SELECT variable, value_type, value_number, value_text, value_json FROM variable_values
  WHERE is_last AND variable IS NOT NULL AND`;

function variableCells(rows: readonly z.infer<typeof Variable>[]): Cell[] {
  return rows.flatMap(({ variable, ...value }) => {
    const cell = cellOf(value);
    const about = `The last value of the variable ${variable}: the person's own, or else that of the room.`;
    return cell === undefined ? [] : [{ path: `variable ${variable}`, wanted: `var_${variable}`, about, ...cell }];
  });
}

function roomVariables(db: Database, part: Part): Cell[] {
  const sql = `${VARIABLES} ${WITHIN.room} AND participant_id IS NULL ORDER BY variable, key`;
  return variableCells(queryRows(db, sql, Variable).all(named(part)));
}

const Answer = Value.extend({ kind: z.string(), question_id: z.string(), question: Text, sample: Num });

/** A person's own variables, which come after those of the room, and their answers; of their only room, also those before it. */
function ownCells(db: Database, part: Part, person: string): Cell[] {
  const whose = `participant_id = @participant AND +experiment_id = @experiment AND (+room_id IS @room
    OR (+room_id IS NULL AND 1 = (SELECT count(*) FROM people p WHERE p.participant_id = @participant AND +p.experiment_id = @experiment)))`;
  const parameters = { experiment: part.experiment, room: part.room, participant: person };
  const variables = queryRows(db, `${VARIABLES} ${whose} ORDER BY room_id IS NOT NULL, variable, key`, Variable).all(
    parameters,
  );
  const answered = `SELECT kind, question_id, question, sample, value_type, value_number, value_text, value_json FROM answers
    WHERE is_last AND question_id IS NOT NULL AND ${whose} ORDER BY room_id IS NOT NULL, onset, timestamp, key`;
  const answers = queryRows(db, answered, Answer).all(parameters);
  return [...variableCells(variables), ...answers.flatMap(answerCell)];
}

function answerCell({ kind, question_id, question, sample, ...value }: z.infer<typeof Answer>): Cell[] {
  const cell = cellOf(value);
  if (cell === undefined) return [];
  const of = sample === null ? '' : ` ${sample}`;
  const about = `The last answer to ${question ?? question_id}${sample === null ? '' : `, sample ${sample}`} (${kind}).`;
  return [{ path: `${kind} ${question_id}${of}`, wanted: `${question_id}${of}`, about, ...cell }];
}

/** The columns of the table, with those that these cells lack. */
function withColumns(
  db: Database,
  { experiment, table, cells }: { experiment: string; table: string; cells: readonly Cell[] },
): WideColumn[] {
  const columns = wideColumns(db, experiment);
  const known = new Set(columns.map(({ path, form }) => `${form} ${path}`));
  for (const { path, form, wanted, about } of cells) {
    if (known.has(`${form} ${path}`)) continue;
    known.add(`${form} ${path}`);
    columns.push(addWideColumn(db, experiment, { table, columns, path, form, wanted, about }));
  }
  return columns;
}

/** A later cell of the same path takes the place of an earlier one, whatever its form. */
function valuesOf(columns: readonly WideColumn[], cells: readonly Cell[]): SqlValue[] {
  const last = new Map(cells.map((cell) => [cell.path, cell]));
  return columns.flatMap(({ path, form, column }) => {
    if (column === null) return [];
    const cell = last.get(path);
    return [cell?.form === form ? cell.value : null];
  });
}

interface Rows {
  readonly table: string;
  readonly names: readonly string[];
  readonly part: Part;
  /** By person. */
  readonly wanted: ReadonlyMap<string, readonly SqlValue[]>;
}

function writeRows(db: Database, { table, names, part, wanted }: Rows): number {
  const columns = names.map(quote).join(', ');
  const held = queryLists(db, `SELECT rowid, ${columns} FROM ${quote(table)} WHERE ${WITHIN[scopeOf(part)]}`).all(
    named(part),
  );
  const drop = command(db, `DELETE FROM ${quote(table)} WHERE rowid = ?`);
  const add = command(db, `INSERT INTO ${quote(table)} (${columns}) VALUES (${names.map(() => '?').join(', ')})`);
  const right = new Set<string>();
  let written = 0;
  for (const [rowid = null, ...values] of held) {
    const person = String(values[WIDE_KEY.indexOf('participant_id')]);
    const row = right.has(person) ? undefined : wanted.get(person);
    if (row !== undefined && row.every((value, i) => value === values[i])) right.add(person);
    else written += drop(rowid);
  }
  for (const [person, row] of wanted) if (!right.has(person)) written += add(...row);
  return written;
}
