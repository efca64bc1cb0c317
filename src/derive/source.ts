import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import type { Dataset } from '../datasets/define.ts';
import { isStorableText } from '../datasets/values.ts';
import { isObject, isRawNumber, parseJson, textOfJson, type Json, type JsonObject } from '../shared/json.ts';
import { queryRows } from '../shared/sqlite.ts';
import { inOrder } from './moment.ts';
import type { Part } from './part.ts';
import { roomWideOnly, whose } from './whose.ts';

/** A text column. */
export const Text = z.string().nullable();
/** A numeric column. */
export const Num = z.number().nullable();

/** The columns that place a record in time, and say which row it is. */
export const PLACED = { key: z.string(), room_id: Text, participant_id: Text, timestamp: Text, onset: Num };
export type Placed = z.infer<z.ZodObject<typeof PLACED>>;

/** What is read of rows: their columns, `PLACED` among them. To be made once, as zod compiles it. */
type RowType<Row> = z.ZodType<Row> & { readonly shape: object };

/** Which rows are read, and what of them. */
interface Reading<Row> {
  readonly type: RowType<Row>;
  /** A condition, as SQL. */
  readonly where?: string;
  /** The members that are not columns, as SQL. */
  readonly computed?: Readonly<Record<string, string>>;
}

/** The rows of a part in one of the mirrored tables, those of each person in the order in which they happened. */
export function rowsOf<Row extends Placed>(db: Database, table: string, part: Part, reading: Reading<Row>): Row[] {
  return happened(rowsByOnset(db, table, part, reading));
}

/** The rows of a part in one of the mirrored tables, by onset; `happened` puts those of them that are needed in order. */
export function rowsByOnset<Row extends Placed>(
  db: Database,
  table: string,
  part: Part,
  { type, where = '1', computed = {} }: Reading<Row>,
): Row[] {
  const columns = Object.keys(type.shape).map((name) => (name in computed ? `${computed[name]} AS ${name}` : name));
  const sql = `SELECT ${columns.join(', ')} FROM ${table}
    WHERE ${within(part)} AND (${where}) ORDER BY onset, timestamp, key`;
  return queryRows(db, sql, type).all(named(part));
}

/** Rows by onset, those of each person in the order in which they happened. */
export function happened<Row extends Placed>(rows: Row[]): Row[] {
  // Sorted by onset, those without one come first.
  if (rows[0]?.onset !== null) return rows;
  return [...Map.groupBy(rows, ({ participant_id }) => participant_id).values()].flatMap(inOrder);
}

const IS_NOBODYS = 'participant_id IS NULL';

/** The rows of a room in one of the mirrored tables that name no one and concern everyone in it. */
export function roomWideRows<Row extends Placed>(
  db: Database,
  dataset: Dataset,
  { experiment, room }: Part,
  { type, where = '1' }: Reading<Row>,
): Row[] {
  if (room === null) return [];
  const named = `${dataset.table} INDEXED BY ${roomWideIndex(dataset).name}`;
  const own = `${IS_NOBODYS} ${roomWideOnly(whose(dataset), 'AND')} AND (${where})`;
  return rowsOf(db, named, { experiment, room, people: null }, { type, where: own });
}

/** An index of those rows, which are few. */
export function roomWideIndex(dataset: Dataset): { name: string; sql: string } {
  const { table } = dataset;
  const name = `${table}_of_rooms`;
  const where = `${IS_NOBODYS} ${roomWideOnly(whose(dataset), 'AND')}`;
  return { name, sql: `CREATE INDEX IF NOT EXISTS ${name} ON ${table} (room_id) WHERE ${where}` };
}

/**
 * What the rows of a part have in common, as SQL. The plus signs keep SQLite from an index that finds more than the
 * part.
 * @param participant the column that names the participant.
 */
export function within({ people }: Part, participant = 'participant_id'): string {
  if (people === null) return '+experiment_id = @experiment AND room_id = @room';
  return `+experiment_id = @experiment AND +room_id IS @room AND ${participant} IN (SELECT value FROM json_each(@people))`;
}

/** The part as parameters of a statement with `within`. */
export function named({ experiment, room, people }: Part): Record<string, string | null> {
  return people === null ? { experiment, room } : { experiment, room, people: JSON.stringify(people) };
}

/** A JSON column. */
export function parsed(text: string | null): Json {
  return text === null ? null : parseJson(text);
}

/** A JSON column with an object; empty for anything else. */
export function membersOf(text: string | null): JsonObject {
  return objectOf(parsed(text));
}

/** The first of these members that is a text. */
export function textIn(members: JsonObject, ...names: readonly string[]): string | null {
  return names.map((name) => members[name]).find(isText) ?? null;
}

/** A member that is an id: a text, or a number as text. */
export function idIn(members: JsonObject, ...names: readonly string[]): string | null {
  const ids = names.map((name) => members[name]).map((id) => (isNumber(id) ? textOfJson(id) : id));
  return ids.find(isText) ?? null;
}

/** The first of these members that is a number. */
export function numberIn(members: JsonObject, ...names: readonly string[]): number | null {
  return names.map((name) => members[name]).find((value) => typeof value === 'number') ?? null;
}

/** A member that is an object; empty if it is not. */
export function objectIn(members: JsonObject, name: string): JsonObject {
  return objectOf(members[name]);
}

/** A value that is an object; empty if it is not. */
export function objectOf(value: Json | undefined): JsonObject {
  return value !== undefined && isObject(value) ? value : {};
}

/** A member that is a list; empty if it is not. */
export function listIn(members: JsonObject, name: string): readonly Json[] {
  const value = members[name];
  return Array.isArray(value) ? value : [];
}

function isText(value: Json | undefined): value is string {
  return typeof value === 'string' && isStorableText(value);
}

function isNumber(value: Json | undefined): value is number {
  return value !== undefined && (typeof value === 'number' || isRawNumber(value));
}
