import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { isStorableText } from '../datasets/values.ts';
import { isObject, isRawNumber, parseJson, textOfJson, type Json, type JsonObject } from '../shared/json.ts';
import { queryRows } from '../shared/sqlite.ts';
import type { Part } from './define.ts';
import { inOrder } from './moment.ts';

/** A text column. */
export const Text = z.string().nullable();
/** A numeric column. */
export const Num = z.number().nullable();
/** A JSON column. */
export const Parsed = z
  .string()
  .nullable()
  .transform((text): Json => (text === null ? null : parseJson(text)));
/** A JSON column with an object; empty for anything else. */
export const Members = Parsed.transform(objectOf);

/** The columns that place a record in time, and say which row it is. */
const Placed = z.object({ key: z.string(), room_id: Text, participant_id: Text, timestamp: Text, onset: Num });
export type Placed = z.infer<typeof Placed>;

/**
 * The rows of a part in one of the mirrored tables, in the order in which they happened. Their columns are those of
 * `shape`, besides those that say when and whose a row is.
 * @param where which of them, as SQL.
 */
export function rowsOf<Shape extends z.ZodRawShape>(
  db: Database,
  table: string,
  part: Part,
  { shape, where = '1' }: { shape: Shape; where?: string },
): (Placed & z.infer<z.ZodObject<Shape>>)[] {
  const columns = [...Object.keys(Placed.shape), ...Object.keys(shape)].join(', ');
  const sql = `SELECT ${columns} FROM ${table} WHERE ${WITHIN[scopeOf(part)]} AND (${where}) ORDER BY onset, timestamp, key`;
  const rest = z.object(shape);
  const type = z.looseObject(Placed.shape).transform((row) => ({ ...Placed.parse(row), ...rest.parse(row) }));
  return inOrder(queryRows(db, sql, type).all(named(part)));
}

/** What the rows of a part have in common. The plus signs keep SQLite from an index that finds more than the part. */
export const WITHIN = {
  room: '+experiment_id = @experiment AND room_id = @room',
  roomless: '+experiment_id = @experiment AND participant_id = @participant AND +room_id IS NULL',
} as const;

/** Which of `WITHIN` fits a part. */
export function scopeOf({ room }: Part): keyof typeof WITHIN {
  return room === null ? 'roomless' : 'room';
}

/** The part as parameters of a statement with `WITHIN`. */
export function named({ experiment, room, participant }: Part): Record<string, string | null> {
  return room === null ? { experiment, participant } : { experiment, room };
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
