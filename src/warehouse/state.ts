import { z } from 'zod';
import { desc, drizzle, sql } from '../shared/drizzle.ts';
import { command, queryValues } from '../shared/sqlite.ts';
import { formatTime, parseTime } from '../shared/time.ts';
import type { Db } from './open.ts';
import { growth, streams } from './schema.ts';

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
  const rows = drizzle(db)
    .select({ rows: sql<number>`coalesce(sum(${streams.rows}), 0)` })
    .from(streams)
    .get();
  drizzle(db)
    .insert(growth)
    .values({ at: formatTime(now), rows: rows?.rows ?? 0 })
    .onConflictDoNothing()
    .run();
  drizzle(db)
    .delete(growth)
    .where(sql`${growth.at} <= (SELECT at FROM _growth ORDER BY at DESC LIMIT 1 OFFSET ${MOST_POINTS})`)
    .run();
}

/** How many rows the warehouse held, oldest first; times are milliseconds since 1970 UTC. */
export function readGrowth(db: Db, points: number): { at: number; rows: number }[] {
  const rows = drizzle(db).select().from(growth).orderBy(desc(growth.at)).limit(points).all();
  return rows.reverse().map(({ at, rows: held }) => ({ at: parseTime(at) ?? 0, rows: held }));
}
