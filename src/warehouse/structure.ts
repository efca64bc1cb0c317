import { z } from 'zod';
import { isOver } from '../datasets/room-status.ts';
import { DATASETS } from '../datasets/registry.ts';
import type { Stream } from '../datasets/stream.ts';
import { queryRows, queryValues, quote } from '../shared/sqlite.ts';
import type { Db } from './open.ts';

/** Every experiment of which the warehouse has read something. */
export function knownExperiments(db: Db): string[] {
  return queryValues(db, 'SELECT DISTINCT experiment_id FROM _streams ORDER BY 1', z.string()).all();
}

/** The names of the experiments that have one. */
export function experimentNames(db: Db): Map<string, string> {
  const sql = 'SELECT experiment_id AS id, name FROM experiments WHERE name IS NOT NULL ORDER BY first_seen_at';
  return new Map(
    queryRows(db, sql, z.object({ id: z.string(), name: z.string() }))
      .all()
      .map(({ id, name }) => [id, name]),
  );
}

/** Whether this is the id of an experiment, or of a room or deployment of any of them. */
export function isKnownPart(db: Db, id: string): boolean {
  const known = ['_streams WHERE experiment_id = @id', 'rooms WHERE id = @id', 'deployments WHERE id = @id'];
  const sql = known.map((where) => `SELECT 1 FROM ${where}`).join(' UNION ');
  return queryValues(db, sql, z.number()).get({ id }) !== undefined;
}

/**
 * The rooms of an experiment from its last listing, and whether that listing was complete: with one that has no id that
 * can be requested it is not.
 */
export function knownRooms(db: Db, experimentId: string): { ids: string[]; complete: boolean } {
  const listed = "SELECT complete FROM _streams WHERE experiment_id = ? AND data = 'rooms' AND scope = 'experiment'";
  return {
    ids: idsIn(db, 'rooms', experimentId),
    complete:
      queryValues(db, listed, z.number()).get(experimentId) === 1 && countUnnamed(db, 'rooms', experimentId) === 0,
  };
}

/** Whether the experiment's own record was read. */
export function isHeld(db: Db, experimentId: string): boolean {
  return queryValues(db, 'SELECT 1 FROM experiments WHERE experiment_id = ?', z.number()).get(experimentId) === 1;
}

/** How many rooms or participants the experiment's own record counts; 0 if it does not say. */
export function countedInExperiment(db: Db, experimentId: string, field: 'roomCount' | 'participantCount'): number {
  const column = field === 'roomCount' ? 'room_count' : 'participant_count';
  const sql = `SELECT max(${column}) FROM experiments WHERE experiment_id = ?`;
  return queryValues(db, sql, z.number().nullable()).get(experimentId) ?? 0;
}

export function knownDeployments(db: Db, experimentId: string): string[] {
  return idsIn(db, 'deployments', experimentId);
}

function idsIn(db: Db, table: 'rooms' | 'deployments', experimentId: string): string[] {
  const sql = `SELECT id FROM ${table} WHERE experiment_id = ? AND id IS NOT NULL ORDER BY created_at, id`;
  return queryValues(db, sql, z.string()).all(experimentId);
}

/** How many rooms or deployments have no id that a request can name, such as a number or a text with a NUL. */
export function countUnnamed(db: Db, table: 'rooms' | 'deployments', experimentId: string): number {
  const sql = `SELECT count(*) FROM ${table} WHERE experiment_id = ? AND id IS NULL`;
  return queryValues(db, sql, z.number()).get(experimentId) ?? 0;
}

/** How many of a stream's rows name no room. */
export function countRowsOutsideRooms(db: Db, { dataset, experimentId }: Stream): number {
  if (!dataset.columns.some(({ name }) => name === 'room_id')) return 0;
  const sql = `SELECT count(*) FROM ${quote(dataset.table)} WHERE experiment_id = ? AND room_id IS NULL`;
  return queryValues(db, sql, z.number()).get(experimentId) ?? 0;
}

/** A room, its status, and when that was first seen (milliseconds since 1970 UTC). */
export interface RoomStatus {
  readonly id: string | null;
  readonly status: string | null;
  readonly since: number;
}

/** The rooms that last changed. */
export function latestRooms(db: Db, experimentId: string): RoomStatus[] {
  const sql = 'SELECT id, status, synced_at FROM rooms WHERE experiment_id = ? ORDER BY synced_at DESC LIMIT 50';
  const Room = z.object({ id: z.string().nullable(), status: z.string().nullable(), synced_at: z.string() });
  const rooms = queryRows(db, sql, Room).all(experimentId);
  return rooms.map(({ id, status, synced_at }) => ({ id, status, since: Date.parse(synced_at) }));
}

/** Data types whose rows show that a room is sending. */
const SENT = DATASETS.filter(
  ({ timeColumn, columns, read }) =>
    read === 'incremental' && timeColumn !== undefined && columns.some(({ name }) => name === 'room_id'),
);

/** The names of those data types. */
export const SENT_DATA: ReadonlySet<string> = new Set(SENT.map(({ name }) => name));

/** The rooms of an experiment that are not over, with the time of each one's last row (milliseconds since 1970 UTC). */
export function runningRooms(
  db: Db,
  experimentId: string,
): { room: string; startedAt: number; lastRowAt: number | undefined }[] {
  const sql = `SELECT id, status, coalesce(started_at, created_at, first_seen_at) AS began FROM rooms
    WHERE experiment_id = ? AND id IS NOT NULL AND ended_at IS NULL ORDER BY synced_at DESC LIMIT 50`;
  const Room = z.object({ id: z.string(), status: z.string().nullable(), began: z.string() });
  return queryRows(db, sql, Room)
    .all(experimentId)
    .filter(({ status }) => status !== null && !isOver(status))
    .map(({ id, began }) => {
      const times = SENT.map(({ table, timeColumn = '' }) =>
        queryValues(
          db,
          `SELECT max(${quote(timeColumn)}) FROM ${quote(table)} WHERE room_id = ?`,
          z.string().nullable(),
        ).get(id),
      ).filter((time) => typeof time === 'string');
      const last = times.sort().at(-1);
      return { room: id, startedAt: Date.parse(began), lastRowAt: last === undefined ? undefined : Date.parse(last) };
    });
}

/** When a room ended, in milliseconds since 1970 UTC; undefined while it runs or if the API does not say. */
export function roomEndedAt(db: Db, experimentId: string, room: string): number | undefined {
  const sql = 'SELECT status, ended_at, synced_at FROM rooms WHERE experiment_id = ? AND id = ?';
  const Room = z.object({ status: z.string().nullable(), ended_at: z.string().nullable(), synced_at: z.string() });
  const found = queryRows(db, sql, Room).get(experimentId, room);
  if (found === undefined) return undefined;
  if (found.ended_at !== null) return Date.parse(found.ended_at);
  return found.status !== null && isOver(found.status) ? Date.parse(found.synced_at) : undefined;
}
