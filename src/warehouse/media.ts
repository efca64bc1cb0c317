import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { z } from 'zod';
import { queryRows } from '../shared/sqlite.ts';
import { formatTime } from '../shared/time.ts';
import type { Db } from './open.ts';

/*
 * The files of recordings. Every file that a download may have left on the disk has a row that names it, so that an
 * erasure finds it: the row is written before the first byte.
 */

/** The ending of what is not yet a whole file. */
export const PART = '.part';

const Recording = z.object({
  experimentId: z.string(),
  key: z.string(),
  recordingId: z.string().nullable(),
  egressId: z.string().nullable(),
  roomId: z.string().nullable(),
  participantId: z.string().nullable(),
  participantName: z.string().nullable(),
  downloadPath: z.string().nullable(),
  fileSize: z.number().nullable(),
  format: z.string().nullable(),
  type: z.string().nullable(),
  status: z.string().nullable(),
  path: z.string().nullable(),
  sha256: z.string().nullable(),
  fetchedAt: z.string().nullable(),
  tries: z.number(),
  etag: z.string().nullable(),
  totalBytes: z.number().nullable(),
});
/** A recording whose file is wanted, and what is known of the file. */
export type WantedFile = z.output<typeof Recording>;

const TYPE = "CASE WHEN json_valid(r.metadata) THEN json_extract(r.metadata, '$.type') END";

/** A recording that is over. */
const IS_OVER = `(r.end_time IS NOT NULL OR r.file_size IS NOT NULL OR r.status IN ('complete', 'completed'))`;

export interface Wanted {
  readonly types: readonly string[];
  /** Only these experiments. */
  readonly experiments?: readonly string[] | undefined;
}

/** The condition and its parameters: what is wanted of recordings `r`; a type that is not known is wanted too. */
function wanted({ types, experiments }: Wanted): { sql: string; params: Record<string, string> } {
  const among = 'SELECT value FROM json_each(@experiments)';
  return {
    sql: `${IS_OVER} AND (${TYPE} IS NULL OR ${TYPE} NOT IN ('audio', 'video') OR ${TYPE} IN (SELECT value FROM json_each(@types)))
      ${experiments === undefined ? '' : `AND r.experiment_id IN (${among})`}`,
    params: {
      types: JSON.stringify(types),
      ...(experiments === undefined ? {} : { experiments: JSON.stringify(experiments) }),
    },
  };
}

const JOINED = 'recordings r LEFT JOIN media_files m ON m.experiment_id = r.experiment_id AND m.key = r.key';

/** The recordings whose files are to be downloaded now, those first that were tried least, then the newest. */
export function dueFiles(db: Db, what: Wanted & { readonly now: number; readonly most: number }): WantedFile[] {
  const { sql, params } = wanted(what);
  return queryRows(
    db,
    `SELECT r.experiment_id AS experimentId, r.key, r.recording_id AS recordingId, r.egress_id AS egressId,
      r.room_id AS roomId, r.participant_id AS participantId, r.participant_name AS participantName,
      r.download_path AS downloadPath, r.file_size AS fileSize, r.format, CAST(${TYPE} AS TEXT) AS type,
      m.status, m.path, m.sha256, m.fetched_at AS fetchedAt, coalesce(m.tries, 0) AS tries, m.etag, m.total_bytes AS totalBytes
     FROM ${JOINED}
     WHERE ${sql} AND (m.status IS NULL OR (m.status = 'missing' OR m.status = 'held' AND r.file_size <> m.said_bytes)
       AND (m.retry_at IS NULL OR m.retry_at <= @now))
     ORDER BY tries, r.start_time DESC, r.key LIMIT @most`,
    Recording,
  ).all({ ...params, now: formatTime(what.now), most: what.most });
}

/** How many files are wanted and held, and why others are not. */
export interface MediaCounts {
  readonly wanted: number;
  readonly held: number;
  readonly bytes: number;
  /** Files that could not be downloaded, by the reason. */
  readonly problems: readonly { readonly problem: string; readonly files: number }[];
  /** Files that are held although HyperStudy says another size in two readings, or that replaced another. */
  readonly odd: number;
}

export function countMedia(db: Db, what: Wanted): MediaCounts {
  const { sql, params } = wanted(what);
  const from = `FROM ${JOINED} WHERE ${sql} AND coalesce(m.status, '') <> 'erased'`;
  const Counts = z.object({ wanted: z.number(), held: z.number(), bytes: z.number(), odd: z.number() });
  const counts = queryRows(
    db,
    `SELECT count(*) AS wanted, count(*) FILTER (WHERE m.status = 'held') AS held,
      coalesce(sum(m.bytes) FILTER (WHERE m.status = 'held'), 0) AS bytes,
      count(*) FILTER (WHERE m.status = 'held' AND m.problem IS NOT NULL) AS odd ${from}`,
    Counts,
  ).get(params) ?? { wanted: 0, held: 0, bytes: 0, odd: 0 };
  const Problem = z.object({ problem: z.string(), files: z.number() });
  const problems = queryRows(
    db,
    `SELECT m.problem, count(*) AS files ${from} AND m.status = 'missing' AND m.problem IS NOT NULL
     GROUP BY 1 ORDER BY 2 DESC, 1`,
    Problem,
  ).all(params);
  return { ...counts, problems };
}

/** A file that is held, or that was. */
export interface HeldFile {
  readonly experimentId: string;
  readonly key: string;
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

export function heldFiles(db: Db): HeldFile[] {
  const Held = z.object({
    experimentId: z.string(),
    key: z.string(),
    path: z.string(),
    bytes: z.number(),
    sha256: z.string(),
  });
  const sql = `SELECT experiment_id AS experimentId, key, path, bytes, sha256 FROM media_files
    WHERE status = 'held' ORDER BY experiment_id, key`;
  return queryRows(db, sql, Held).all();
}

/** Where a file is. Its path is stored from the warehouse's folder, where it is below it, so that both can be moved. */
export function placeOf(db: Db, path: string): string {
  return resolve(dirname(db.name), path);
}

export function storedPath(db: Db, file: string): string {
  const path = relative(dirname(resolve(db.name)), file);
  return path.startsWith('..') || isAbsolute(path) ? file : path.split(sep).join('/');
}

/** Brings what stands beside the files up to what is known now: the room's clock zero, which HyperStudy may correct. */
export function refreshZeros(db: Db): void {
  const zero = `coalesce(
    (SELECT max(s.started_at) FROM _experiment_starts s WHERE s.experiment_id = m.experiment_id AND s.room_id = m.room_id),
    (SELECT max(o.started_at) FROM rooms o WHERE o.experiment_id = m.experiment_id AND o.id = m.room_id))`;
  const offset = '(SELECT r.video_offset FROM recordings r WHERE r.experiment_id = m.experiment_id AND r.key = m.key)';
  db.exec(`UPDATE media_files AS m SET room_zero = ${zero}, video_offset = ${offset}
    WHERE status <> 'erased' AND EXISTS (SELECT 1 FROM recordings r WHERE r.experiment_id = m.experiment_id AND r.key = m.key)
      AND (room_zero IS NOT ${zero} OR video_offset IS NOT ${offset})`);
}
