import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { command, queryRows } from '../shared/sqlite.ts';
import type { Place } from './whose.ts';

/** Places that a first read has touched and that are not computed yet; empty names stand for none. */
export const PENDING_SQL = `CREATE TABLE IF NOT EXISTS _derive_pending (
  data TEXT NOT NULL, experiment_id TEXT NOT NULL, room_id TEXT NOT NULL, participant_id TEXT NOT NULL,
  PRIMARY KEY (data, experiment_id, room_id, participant_id)) STRICT, WITHOUT ROWID`;

/** By data type: places by their keys. */
export type Places = ReadonlyMap<string, ReadonlyMap<string, Place>>;

/** The same for the same place. */
export function keyOf(experiment: string, room: string | null, participant: string | null): string {
  return `${room ?? '\0'}\n${participant ?? '\0'}\n${experiment}`;
}

/** Stores places to be computed later, in the transaction of their rows. */
export function postpone(db: Database, places: Places): void {
  const add = command(
    db,
    'INSERT INTO _derive_pending (data, experiment_id, room_id, participant_id) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
  );
  for (const [data, at] of places)
    for (const { experiment, room, participant } of at.values()) add(data, experiment, room ?? '', participant ?? '');
}

const Pending = z.object({ data: z.string(), experiment: z.string(), room: z.string(), participant: z.string() });

/** Takes out what is stored. */
export function takePostponed(db: Database): Places {
  const sql = `SELECT data, experiment_id AS experiment, room_id AS room, participant_id AS participant FROM _derive_pending`;
  const pending = queryRows(db, sql, Pending).all();
  if (pending.length > 0) command(db, 'DELETE FROM _derive_pending')();
  const places = new Map<string, Map<string, Place>>();
  for (const { data, experiment, room, participant } of pending) {
    const place = { experiment, room: room === '' ? null : room, participant: participant === '' ? null : participant };
    const at = places.get(data) ?? new Map<string, Place>();
    places.set(data, at.set(keyOf(place.experiment, place.room, place.participant), place));
  }
  return places;
}

export function joined(places: Places, others: Places): Places {
  if (others.size === 0) return places;
  const names = new Set([...places.keys(), ...others.keys()]);
  return new Map([...names].map((name) => [name, new Map([...(places.get(name) ?? []), ...(others.get(name) ?? [])])]));
}
