import { z } from 'zod';
import { scopeText, type Stream } from '../datasets/stream.ts';
import { command, queryRows, queryValues, quote } from '../shared/sqlite.ts';
import { formatTime, parseTime } from '../shared/time.ts';
import type { Db } from './open.ts';

const OF_STREAM = 'experiment_id = ? AND data = ? AND scope = ?';

/**
 * Records that a clean reading at `now` (local, milliseconds since 1970 UTC) no longer found these rows; gives how many of
 * them were not missing before.
 */
export function markMissing(db: Db, stream: Stream, keys: readonly string[], now: number): number {
  const mark = command(
    db,
    `INSERT INTO _missing_rows (experiment_id, data, scope, key, missed_at, last_missed_at) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (experiment_id, data, scope, key) DO NOTHING`,
  );
  const markAgain = command(db, `UPDATE _missing_rows SET last_missed_at = ? WHERE ${OF_STREAM} AND key = ?`);
  const at = formatTime(now);
  let fresh = 0;
  for (const key of keys) {
    const isFresh = mark(...named(stream), key, at, at) === 1;
    if (isFresh) fresh++;
    else markAgain(at, ...named(stream), key);
  }
  return fresh;
}

/**
 * Rows that came again, or that were deleted, are no longer missing, in no stream: streams share their table's rows if one
 * is a part of another, or was configured before it.
 */
export function clearMissing(db: Db, { experimentId, dataset: { name } }: Stream, keys: readonly string[]): void {
  if (keys.length === 0) return;
  const marked = 'SELECT scope FROM _streams WHERE experiment_id = ? AND data = ? AND missing_rows > 0';
  const clear = command(db, `DELETE FROM _missing_rows WHERE ${OF_STREAM} AND key = ?`);
  for (const scope of queryValues(db, marked, z.string()).all(experimentId, name))
    for (const key of keys) clear(experimentId, name, scope, key);
}

/** Forgets the marks of rows that are not held any more, as an earlier version left them. */
export function clearUnheld(db: Db, stream: Stream): void {
  const held = `SELECT 1 FROM ${quote(stream.dataset.table)} t WHERE t.experiment_id = m.experiment_id AND t.key = m.key`;
  const sql = `DELETE FROM _missing_rows AS m WHERE ${OF_STREAM} AND NOT EXISTS (${held})`;
  command(db, sql)(...named(stream));
}

export function countMissing(db: Db, stream: Stream): number {
  const sql = `SELECT count(*) FROM _missing_rows WHERE ${OF_STREAM}`;
  return queryValues(db, sql, z.number()).get(...named(stream)) ?? 0;
}

/** When each missing row was first missed, by the local clock in milliseconds since 1970 UTC. */
export function missingSince(db: Db, stream: Stream): ReadonlyMap<string, number> {
  const sql = `SELECT key, missed_at FROM _missing_rows WHERE ${OF_STREAM}`;
  const rows = queryRows(db, sql, z.object({ key: z.string(), missed_at: z.string() })).all(...named(stream));
  return new Map(rows.map(({ key, missed_at }) => [key, parseTime(missed_at) ?? 0]));
}

function named(stream: Stream): [experimentId: string, data: string, scope: string] {
  return [stream.experimentId, stream.dataset.name, scopeText(stream)];
}
