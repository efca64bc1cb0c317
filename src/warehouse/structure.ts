import { isOver } from '../datasets/room-status.ts';
import type { Stream } from '../datasets/stream.ts';
import type { Db } from './open.ts';
import { prepared } from './prepared.ts';
import { quote } from './upsert.ts';

/** Every experiment of which the warehouse has read something. */
export function knownExperiments(db: Db): string[] {
  return prepared<string>(db, 'values', 'SELECT DISTINCT experiment_id FROM _streams ORDER BY 1').all();
}

/** The rooms of an experiment as its last listing gave them, and whether that listing was complete. */
export function knownRooms(db: Db, experimentId: string): { ids: string[]; complete: boolean } {
  const ids = prepared<string>(
    db,
    'values',
    'SELECT id FROM rooms WHERE experiment_id = ? AND id IS NOT NULL ORDER BY created_at, id',
  ).all(experimentId);
  const listed = prepared<number>(
    db,
    'values',
    "SELECT complete FROM _streams WHERE experiment_id = ? AND data = 'rooms' AND scope = 'experiment'",
  ).get(experimentId);
  return { ids, complete: listed === 1 };
}

export function knownDeployments(db: Db, experimentId: string): string[] {
  return prepared<string>(
    db,
    'values',
    'SELECT id FROM deployments WHERE experiment_id = ? AND id IS NOT NULL ORDER BY created_at, id',
  ).all(experimentId);
}

/** How many of a stream's rows name no room. */
export function countRowsOutsideRooms(db: Db, { dataset, experimentId }: Stream): number {
  if (!dataset.columns.some(({ name }) => name === 'room_id')) return 0;
  return (
    prepared<number>(
      db,
      'values',
      `SELECT count(*) FROM ${quote(dataset.table)} WHERE experiment_id = ? AND room_id IS NULL`,
    ).get(experimentId) ?? 0
  );
}

/** The rooms that last changed, with their status and when it was first seen (milliseconds since 1970 UTC). */
export function openRooms(db: Db, experimentId: string): { status: string | null; since: number }[] {
  const sql = 'SELECT status, synced_at FROM rooms WHERE experiment_id = ? ORDER BY synced_at DESC LIMIT 50';
  const rooms = prepared<{ status: string | null; synced_at: string }>(db, 'rows', sql).all(experimentId);
  return rooms.map(({ status, synced_at }) => ({ status, since: Date.parse(synced_at) }));
}

/** When a room ended, in milliseconds since 1970 UTC: undefined while it runs or where the API does not say. */
export function roomEndedAt(db: Db, experimentId: string, room: string): number | undefined {
  const found = db
    .prepare<[string, string], { status: string | null; ended_at: string | null; synced_at: string }>(
      'SELECT status, ended_at, synced_at FROM rooms WHERE experiment_id = ? AND id = ?',
    )
    .get(experimentId, room);
  if (found === undefined) return undefined;
  if (found.ended_at !== null) return Date.parse(found.ended_at);
  return found.status !== null && isOver(found.status) ? Date.parse(found.synced_at) : undefined;
}
