import type { Db } from './open.ts';

/** Words that end a room's life in the API's `status`. */
const OVER = /^(completed?|ended|finished|closed|terminated|abandoned|archived|cancell?ed|failed|expired)$/i;

/** The rooms of an experiment as its last listing gave them, and whether that listing was complete. */
export function knownRooms(db: Db, experimentId: string): { ids: string[]; complete: boolean } {
  const ids = db
    .prepare<[string], string>(
      'SELECT id FROM rooms WHERE experiment_id = ? AND id IS NOT NULL ORDER BY created_at, id',
    )
    .pluck()
    .all(experimentId);
  const listed = db
    .prepare<[string], number>(
      "SELECT complete FROM _streams WHERE experiment_id = ? AND data = 'rooms' AND scope = 'experiment'",
    )
    .pluck()
    .get(experimentId);
  return { ids, complete: listed === 1 };
}

export function knownDeployments(db: Db, experimentId: string): string[] {
  return db
    .prepare<[string], string>(
      'SELECT id FROM deployments WHERE experiment_id = ? AND id IS NOT NULL ORDER BY created_at, id',
    )
    .pluck()
    .all(experimentId);
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
  return found.status !== null && OVER.test(found.status) ? Date.parse(found.synced_at) : undefined;
}
