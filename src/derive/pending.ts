import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { command, queryRows } from '../shared/sqlite.ts';
import type { Place } from './whose.ts';

/** Places that a first read has touched and that are not computed yet: experiment, room and participant, as JSON. */
export const PENDING_SQL = `CREATE TABLE _derive_pending (
  data TEXT NOT NULL, place TEXT NOT NULL, PRIMARY KEY (data, place)) STRICT, WITHOUT ROWID`;

/** By data type: places by their keys. */
export type Places = ReadonlyMap<string, ReadonlyMap<string, Place>>;

/** No text of a table contains these: a NUL, and half a character. */
const [BETWEEN, NONE] = ['\0', '\ud800'];

/** The same for the same place. */
export function keyOf(experiment: string, room: string | null, participant: string | null): string {
  return `${room ?? NONE}${BETWEEN}${participant ?? NONE}${BETWEEN}${experiment}`;
}

/** Stores places to be computed later, in the transaction of their rows. */
export function postpone(db: Database, places: Places): void {
  const add = command(db, 'INSERT INTO _derive_pending (data, place) VALUES (?, ?) ON CONFLICT DO NOTHING');
  for (const [data, at] of places)
    for (const { experiment, room, participant } of at.values())
      add(data, JSON.stringify([experiment, room, participant]));
}

const Pending = z.object({
  data: z.string(),
  place: z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(z.tuple([z.string(), z.string().nullable(), z.string().nullable()])),
});

/** Takes out what is stored. */
export function takePostponed(db: Database): Places {
  const pending = queryRows(db, 'SELECT data, place FROM _derive_pending', Pending).all();
  if (pending.length > 0) command(db, 'DELETE FROM _derive_pending')();
  const places = new Map<string, Map<string, Place>>();
  for (const { data, place } of pending) {
    const [experiment, room, participant] = place;
    const at = places.get(data) ?? new Map<string, Place>();
    places.set(data, at.set(keyOf(experiment, room, participant), { experiment, room, participant }));
  }
  return places;
}

export function joined(places: Places, others: Places): Places {
  if (others.size === 0) return places;
  const names = new Set([...places.keys(), ...others.keys()]);
  return new Map([...names].map((name) => [name, new Map([...(places.get(name) ?? []), ...(others.get(name) ?? [])])]));
}
