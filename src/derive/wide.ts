import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { command, queryLists, queryRows, queryValues, quote, type SqlValue } from '../shared/sqlite.ts';
import type { Part } from './define.ts';
import { plannedIn, sharedComponents } from './design.ts';
import { partsAt, type SourcePlace } from './parts.ts';
import { experimentName } from './participation.ts';
import { named, Num, Text, within } from './source.ts';
import {
  createWideTable,
  extendWideTable,
  nameWideColumn,
  WIDE_KEY,
  wideColumns,
  wideTable,
  wideTables,
  type Form,
  type WideColumn,
} from './wide-names.ts';

/** The tables of which a change may show in a row of a person. */
export const WIDE_FROM = ['people', 'answers', 'variable_values'];

/** An experiment's table with its columns so far. */
interface Wide {
  readonly table: string;
  readonly columns: readonly WideColumn[];
}

/**
 * Computes again what changes of other tables concern.
 * @param changed parts with other answers or variables than before.
 * @param moved people who came or went.
 */
export function recomputeWideAt(db: Database, changed: readonly Part[], moved: readonly Part[]): void {
  // What a person did before a room was assigned may show in the row of their room.
  const roomless = changed.filter(({ room }) => room === null);
  const rooms = [...moved, ...roomless].flatMap((part) => roomsOf(db, part));
  recomputeParts(db, [...changed.flatMap(placesOf), ...rooms]);
}

function placesOf({ experiment, room, people }: Part): SourcePlace[] {
  return (people ?? [null]).map((participant) => ({ data: ROOM, experiment, room, participant }));
}

const ROOM = 'room';
/** What concerns a room concerns everyone in it. */
const WIDE = { of: 'room', roomWide: [ROOM] } as const;

function recomputeParts(db: Database, places: readonly SourcePlace[]): number {
  const ofExperiment = Map.groupBy(partsAt(db, WIDE, places), ({ experiment }) => experiment);
  return [...ofExperiment].reduce((sum, [experiment, parts]) => sum + recomputeWide(db, experiment, parts), 0);
}

/** The places of people who came or went; those that are gone are in the table only. */
function roomsOf(db: Database, { experiment, people }: Part): SourcePlace[] {
  const table = wideTable(db, experiment);
  const are = 'participant_id IN (SELECT value FROM json_each(@people))';
  const held = table === undefined ? '' : `UNION SELECT ${PLACE} FROM ${quote(table)} WHERE ${are}`;
  const sql = `SELECT ${PLACE} FROM people WHERE ${are} AND +experiment_id = @experiment ${held}`;
  return queryRows(db, sql, Found).all({ experiment, people: JSON.stringify(people ?? []) });
}

/** Computes every such table again; returns how many rows were not as they should be. */
export function rebuildWide(db: Database): number {
  const tables = ['people', ...wideTables(db).map(({ table }) => table)];
  const places = tables.flatMap((table) => queryRows(db, `SELECT ${PLACE} FROM ${quote(table)}`, Found).all());
  return recomputeParts(db, places);
}

const PLACE = `'${ROOM}' AS data, experiment_id AS experiment, room_id AS room, participant_id AS participant`;
const Found = z.object({ data: z.string(), experiment: z.string(), room: Text, participant: Text });

/** A cell: the value of a variable, or of a question's last answer. */
interface Cell {
  readonly path: string;
  /** Names for its column: the first that is free. */
  readonly wanted: readonly string[];
  readonly form: Form;
  readonly value: SqlValue;
}

/**
 * Writes the rows of an experiment's parts into its table with one row a person and one column a variable or question:
 * those that differ. It adds columns as they come. Returns how many rows it wrote.
 */
function recomputeWide(db: Database, experiment: string, parts: readonly Part[]): number {
  let wide: Wide | undefined;
  let written = 0;
  for (const part of parts) {
    const people = peopleOf(db, part);
    wide ??= openWide(db, experiment, people.length > 0);
    if (wide === undefined) continue;
    const ofRoom = part.room === null ? [] : roomVariables(db, part);
    const rows = people.map((person) => ({ person, cells: [...ofRoom, ...ownCells(db, part, person)] }));
    wide = withColumns(
      db,
      experiment,
      wide,
      rows.flatMap(({ cells }) => cells),
    );
    written += writePart(db, part, wide, rows);
  }
  return written;
}

function writePart(
  db: Database,
  part: Part,
  { table, columns }: Wide,
  rows: readonly { readonly person: string; readonly cells: readonly Cell[] }[],
): number {
  const names = columns.flatMap(({ column }) => column ?? []);
  const wanted = new Map(
    rows.map(({ person, cells }) => [person, [part.experiment, part.room, person, ...valuesOf(columns, cells)]]),
  );
  return writeRows(db, { table, names: [...WIDE_KEY, ...names], part, wanted });
}

/** The table of an experiment, which is made when someone is to have a row in it. */
function openWide(db: Database, experiment: string, hasPeople: boolean): Wide | undefined {
  const found = wideTable(db, experiment);
  if (found === undefined && !hasPeople) return undefined;
  const table = found ?? createWideTable(db, experiment, experimentName(db, experiment));
  return { table, columns: wideColumns(db, experiment) };
}

/** Who has a row in `people`, whose rooms are settled. */
function peopleOf(db: Database, part: Part): string[] {
  const sql = `SELECT DISTINCT participant_id FROM people WHERE ${within(part)} AND participant_id IS NOT NULL ORDER BY 1`;
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
    return cell === undefined ? [] : [{ path: `variable ${variable}`, wanted: [`var_${variable}`], ...cell }];
  });
}

function roomVariables(db: Database, part: Part): Cell[] {
  const sql = `${VARIABLES} +experiment_id = @experiment AND room_id = @room AND participant_id IS NULL ORDER BY variable, key`;
  return variableCells(queryRows(db, sql, Variable).all({ experiment: part.experiment, room: part.room }));
}

const Answer = Value.extend({
  kind: z.string(),
  question_id: z.string(),
  component_id: Text,
  state_id: Text,
  stimulus_id: Text,
  dimension: Text,
  sample: Num,
});

/** A person's own variables, which come after those of the room, and their answers; of their only room, also those before it. */
function ownCells(db: Database, part: Part, person: string): Cell[] {
  const whose = `participant_id = @participant AND +experiment_id = @experiment AND (+room_id IS @room
    OR (+room_id IS NULL AND 1 = (SELECT count(*) FROM people p WHERE p.participant_id = @participant AND +p.experiment_id = @experiment)))`;
  const parameters = { experiment: part.experiment, room: part.room, participant: person };
  const variables = queryRows(db, `${VARIABLES} ${whose} ORDER BY room_id IS NOT NULL, variable, key`, Variable).all(
    parameters,
  );
  const answered = `SELECT kind, question_id, component_id, state_id, stimulus_id, dimension, sample, value_type, value_number, value_text, value_json FROM answers
    WHERE is_last AND question_id IS NOT NULL AND ${whose} ORDER BY room_id IS NOT NULL, onset, timestamp, key`;
  const answers = queryRows(db, answered, Answer).all(parameters);
  const shared = sharedComponents(plannedIn(db, part.experiment));
  const cells = answers.flatMap((answer) =>
    answerCell(shared.has(answer.component_id ?? '') ? answer : { ...answer, state_id: null }),
  );
  return [...variableCells(variables), ...cells];
}

/** What `attempt` tells apart, the path does too: the same question before and after is two columns. */
function answerCell({
  kind,
  question_id,
  component_id,
  state_id,
  stimulus_id,
  dimension,
  sample,
  ...value
}: z.infer<typeof Answer>): Cell[] {
  const cell = cellOf(value);
  if (cell === undefined) return [];
  const [component, what] = [component_id, dimension].map((name) => (name === question_id ? null : name));
  const parts = [
    [component, `component ${component}`],
    [stimulus_id, `stimulus ${stimulus_id}`],
    [what, what],
    [sample, `sample ${sample}`],
    [state_id, `state ${state_id}`],
  ].flatMap(([part, said]) => (part === null ? [] : [said]));
  const path = [`${kind} ${question_id}`, ...parts].join(', ');
  const name = [question_id, what, sample ?? stimulus_id, state_id].filter((part) => part !== null).join(' ');
  const longer = [stimulus_id, component].flatMap((part) => (part === null ? [] : [`${name} ${part}`]));
  return [{ path, wanted: [name, ...longer], ...cell }];
}

/** The table with the columns that these cells lack. */
function withColumns(db: Database, experiment: string, { table, columns }: Wide, cells: readonly Cell[]): Wide {
  const all = [...columns];
  const known = new Set(columns.map(({ path, form }) => `${form} ${path}`));
  for (const { path, form, wanted } of cells) {
    if (known.has(`${form} ${path}`)) continue;
    known.add(`${form} ${path}`);
    all.push(nameWideColumn(db, experiment, { table, columns: all, path, form, wanted }));
  }
  if (all.slice(columns.length).some(({ column }) => column !== null)) extendWideTable(db, table, all);
  return { table, columns: all };
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
  const held = queryLists(db, `SELECT rowid, ${columns} FROM ${quote(table)} WHERE ${within(part)}`).all(named(part));
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
