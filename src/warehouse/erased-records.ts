import { z } from 'zod';
import { scopeText, type Stream } from '../datasets/stream.ts';
import { command, queryValues } from '../shared/sqlite.ts';
import { formatTime } from '../shared/time.ts';
import type { Db } from './open.ts';

/*
 * Records of erased people that the API still sends are counted, as every record has to be accounted for. They are
 * known by a keyed hash of their keys, and by what a count needs: their room and their time.
 */

/** A record of an erased person that came: what is needed to count it. */
export interface ErasedRecord {
  /** A keyed hash of its key. */
  readonly mark: string;
  readonly time: number | undefined;
  readonly room: string | undefined;
}

/** Counts records of erased people that came in an answer for a stream. */
export function noteErased(db: Db, stream: Stream, records: readonly ErasedRecord[], at: string): void {
  if (records.length === 0) return;
  const note = command(
    db,
    `INSERT INTO _erased_records (experiment_id, data, mark, scope, room_id, time, last_seen_at) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (experiment_id, data, mark) DO UPDATE SET last_seen_at = excluded.last_seen_at, time = excluded.time`,
  );
  const { experimentId, dataset } = stream;
  for (const { mark, time, room } of records)
    note(
      experimentId,
      dataset.name,
      mark,
      scopeText(stream),
      room ?? null,
      time === undefined ? null : formatTime(time),
      at,
    );
}

/** The whole stream was read from this local time on: what did not come again is not there any more. */
export function settleErased(db: Db, stream: Stream, since: number): void {
  const { sql, params } = ofStream(stream);
  command(db, `DELETE FROM _erased_records WHERE ${sql} AND last_seen_at < ?`)(...params, formatTime(since));
}

/** How many records of erased people the API has in a stream, or in a range of its time. */
export function countErased(
  db: Db,
  stream: Stream,
  { from, to }: { readonly from?: number | undefined; readonly to?: number | undefined } = {},
): number {
  const { sql, params } = ofStream(stream);
  const bounds = [from === undefined ? [] : [`time >= ?`], to === undefined ? [] : [`time <= ?`]].flat();
  const times = [from, to].flatMap((ms) => (ms === undefined ? [] : [formatTime(ms)]));
  const where = [sql, ...bounds].join(' AND ');
  return (
    queryValues(db, `SELECT count(*) FROM _erased_records WHERE ${where}`, z.number()).get(...params, ...times) ?? 0
  );
}

/** Those of these records that are not counted yet. */
export function newlyErased(db: Db, { experimentId, dataset }: Stream, records: readonly ErasedRecord[]): string[] {
  const find = queryValues(
    db,
    'SELECT 1 FROM _erased_records WHERE experiment_id = ? AND data = ? AND mark = ?',
    z.number(),
  );
  const marks = records.map(({ mark }) => mark);
  return marks.filter((mark) => find.get(experimentId, dataset.name, mark) === undefined);
}

/** A record shows its room, but not its deployment and not what a filter selects by: these are known by the request. */
function ofStream(stream: Stream): { sql: string; params: string[] } {
  const { experimentId, dataset, scope, filter } = stream;
  const params = [experimentId, dataset.name];
  if (filter === undefined && scope.kind === 'experiment') return { sql: 'experiment_id = ? AND data = ?', params };
  if (filter === undefined && scope.kind === 'room')
    return { sql: 'experiment_id = ? AND data = ? AND room_id = ?', params: [...params, scope.id] };
  return { sql: 'experiment_id = ? AND data = ? AND scope = ?', params: [...params, scopeText(stream)] };
}
