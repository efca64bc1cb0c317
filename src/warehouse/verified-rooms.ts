import { and, drizzle, eq } from '../shared/drizzle.ts';
import type { Stream } from '../datasets/stream.ts';
import { formatTime } from '../shared/time.ts';
import type { Db } from './open.ts';
import { verifiedRooms as table } from './schema.ts';

/** The rooms of a stream that were read completely after they were over. */
export function verifiedRooms(db: Db, { experimentId, dataset }: Stream): ReadonlySet<string> {
  const rows = drizzle(db)
    .select({ room: table.room })
    .from(table)
    .where(and(eq(table.experimentId, experimentId), eq(table.data, dataset.name)))
    .all();
  return new Set(rows.map(({ room }) => room));
}

/** Records that a room was over and was read completely, without a doubt, at `now` (milliseconds since 1970 UTC). */
export function markVerified(db: Db, { experimentId, dataset }: Stream, room: string, now: number): void {
  const verifiedAt = formatTime(now);
  drizzle(db)
    .insert(table)
    .values({ experimentId, data: dataset.name, room, verifiedAt })
    .onConflictDoUpdate({ target: [table.experimentId, table.data, table.room], set: { verifiedAt } })
    .run();
}
