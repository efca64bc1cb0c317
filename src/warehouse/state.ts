import { z } from 'zod';
import { command, queryRows, queryValues } from '../shared/sqlite.ts';
import { formatTime, parseTime } from '../shared/time.ts';
import type { Db } from './open.ts';

/** What was last stored under a name, as the JSON text given to `remember`. */
export function recall(db: Db, name: string): string | undefined {
  return queryValues(db, 'SELECT value FROM _state WHERE name = ?', z.string()).get(name);
}

/** Stores a JSON text under a name across restarts. */
export function remember(db: Db, name: string, value: string, now: number): void {
  command(
    db,
    `INSERT INTO _state (name, value, updated_at) VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at`,
  )(name, value, formatTime(now));
}

/** How many points of the warehouse's growth are kept: a year of hours. */
const MOST_POINTS = 8760;

/** Records how many rows the warehouse holds now. */
export function noteGrowth(db: Db, now: number): void {
  const add = `INSERT INTO _growth (at, rows) SELECT ?, coalesce(sum(rows), 0) FROM _streams WHERE true
    ON CONFLICT DO NOTHING`;
  const forget = 'DELETE FROM _growth WHERE at <= (SELECT at FROM _growth ORDER BY at DESC LIMIT 1 OFFSET ?)';
  command(db, add)(formatTime(now));
  command(db, forget)(MOST_POINTS);
}

const Point = z.object({ at: z.string().transform((at) => parseTime(at) ?? 0), rows: z.number() });

/** How many rows the warehouse held, oldest first; times are milliseconds since 1970 UTC. */
export function readGrowth(db: Db, points: number): { at: number; rows: number }[] {
  return queryRows(db, 'SELECT at, rows FROM _growth ORDER BY at DESC LIMIT ?', Point).all(points).reverse();
}
