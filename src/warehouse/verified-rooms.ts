import { z } from 'zod';
import type { Stream } from '../datasets/stream.ts';
import { command, queryValues } from '../shared/sqlite.ts';
import { formatTime } from '../shared/time.ts';
import type { Db } from './open.ts';

/** The rooms of a stream that were read completely after they were over. */
export function verifiedRooms(db: Db, { experimentId, dataset }: Stream): ReadonlySet<string> {
  const sql = 'SELECT room_id FROM _verified_rooms WHERE experiment_id = ? AND data = ?';
  return new Set(queryValues(db, sql, z.string()).all(experimentId, dataset.name));
}

/** Records that a room was over and was read completely, without a doubt, at `now` (milliseconds since 1970 UTC). */
export function markVerified(db: Db, { experimentId, dataset }: Stream, room: string, now: number): void {
  command(
    db,
    `INSERT INTO _verified_rooms (experiment_id, data, room_id, verified_at) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET verified_at = excluded.verified_at`,
  )(experimentId, dataset.name, room, formatTime(now));
}
