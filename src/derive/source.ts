import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { isObject, parseJson, type Json, type JsonObject } from '../shared/json.ts';
import { queryRows } from '../shared/sqlite.ts';
import type { Part } from './define.ts';

/** A text column. */
export const Text = z.string().nullable();
/** A numeric column. */
export const Num = z.number().nullable();
/** A JSON column with an object; empty for anything else. */
export const Members = z
  .string()
  .nullable()
  .transform((text): JsonObject => {
    const value = text === null ? null : parseJson(text);
    return isObject(value) ? value : {};
  });

/** The columns that place a record in time, and say which row it is. */
const PLACED = { key: z.string(), room_id: Text, participant_id: Text, timestamp: Text, onset: Num };

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
): z.infer<z.ZodObject<typeof PLACED & Shape>>[] {
  const columns = [...Object.keys(PLACED), ...Object.keys(shape)].join(', ');
  const sql = `SELECT ${columns} FROM ${table} WHERE ${WITHIN[scopeOf(part)]} AND (${where}) ORDER BY onset, timestamp, key`;
  return queryRows(db, sql, z.object({ ...PLACED, ...shape })).all(named(part));
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

/** The first of these members that is a number. */
export function numberIn(members: JsonObject, ...names: readonly string[]): number | null {
  return names.map((name) => members[name]).find((value) => typeof value === 'number') ?? null;
}

/** A member that is an object; empty if it is not. */
export function objectIn(members: JsonObject, name: string): JsonObject {
  const value = members[name];
  return isObject(value) ? value : {};
}

/** A member that is a list; empty if it is not. */
export function listIn(members: JsonObject, name: string): readonly Json[] {
  const value = members[name];
  return Array.isArray(value) ? value : [];
}

function isText(value: Json | undefined): value is string {
  return typeof value === 'string' && value.isWellFormed() && !value.includes('\0');
}
