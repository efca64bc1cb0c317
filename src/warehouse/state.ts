import { desc, drizzle, eq, sql } from '../shared/drizzle.ts';
import { formatTime, parseTime } from '../shared/time.ts';
import type { Db } from './open.ts';
import { growth, state, streams } from './schema.ts';

/** What was last stored under a name, as the JSON text given to `remember`. */
export function recall(db: Db, name: string): string | undefined {
  return drizzle(db).select().from(state).where(eq(state.name, name)).get()?.value;
}

/** Stores a JSON text under a name across restarts. */
export function remember(db: Db, name: string, value: string, now: number): void {
  const values = { value, updatedAt: formatTime(now) };
  drizzle(db)
    .insert(state)
    .values({ name, ...values })
    .onConflictDoUpdate({ target: state.name, set: values })
    .run();
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
