import { rmSync } from 'node:fs';
import { z } from 'zod';
import { datasetNamed } from '../datasets/registry.ts';
import { command, queryRows } from '../shared/sqlite.ts';
import { PART, placeOf } from './media.ts';
import type { Db } from './open.ts';
import { mentions, textsOf, wordsOf, type Person } from './person.ts';

/** A query of those whose files an erasure takes: they recorded the person, or their record names them anywhere. */
export function filesOf(): string {
  const columns = textsOf(datasetNamed('recordings'));
  return `SELECT experiment_id, key FROM media_files
  WHERE status <> 'erased' AND participant_id = @id AND (@room IS NULL OR room_id = @room)
  UNION SELECT experiment_id, key FROM recordings WHERE ${mentions(columns)}
  UNION SELECT experiment_id, key FROM _history WHERE table_name = 'recordings' AND ${mentions(['record', 'key'])}`;
}

/**
 * Marks the files of a person as erased, as part of the erasure's transaction and before its rows go: they are removed
 * from the disk afterwards, and never downloaded again.
 * @returns how many files that is.
 */
export function eraseMedia(db: Db, person: Person): number {
  db.exec('CREATE TEMP TABLE erased_media (experiment_id TEXT, key TEXT)');
  try {
    command(db, `INSERT INTO erased_media ${filesOf()}`)(wordsOf(person));
    const among = '(experiment_id, key) IN (SELECT experiment_id, key FROM erased_media)';
    const files = command(
      db,
      `UPDATE media_files SET ${EMPTIED.map((name) => `${name} = NULL`).join(', ')}, status = 'erased'
       WHERE status <> 'erased' AND ${among}`,
    )();
    command(
      db,
      `INSERT INTO media_files (experiment_id, key, status)
       SELECT experiment_id, key, 'erased' FROM recordings WHERE ${among} ON CONFLICT DO NOTHING`,
    )();
    return files;
  } finally {
    db.exec('DROP TABLE erased_media');
  }
}

/** All but what finds the file. */
const EMPTIED = [
  'recording_id',
  'room_id',
  'participant_id',
  'type',
  'bytes',
  'sha256',
  'said_bytes',
  'video_offset',
  'room_zero',
  'fetched_at',
  'retry_at',
  'problem',
  'etag',
  'total_bytes',
];

/**
 * Removes the files that an erasure marked. A kill meanwhile changes nothing: it goes on at the next start. A mark stays
 * where the recording does, as that of another person that names the erased one: or it would be downloaded again.
 * @returns those that could not be removed.
 */
export function removeErasedFiles(db: Db): string[] {
  const Marked = z.object({ id: z.number(), path: z.string() });
  const marked = queryRows(
    db,
    "SELECT rowid AS id, path FROM media_files WHERE status = 'erased' AND path IS NOT NULL",
    Marked,
  ).all();
  const done = command(db, 'UPDATE media_files SET path = NULL WHERE rowid = ?');
  const left: string[] = [];
  for (const { id, path } of marked) {
    const file = placeOf(db, path);
    try {
      for (const one of [file, file + PART]) rmSync(one, { force: true });
      done(id);
    } catch {
      left.push(file);
    }
  }
  command(
    db,
    `DELETE FROM media_files WHERE status = 'erased' AND path IS NULL
       AND NOT EXISTS (SELECT 1 FROM recordings r WHERE r.experiment_id = media_files.experiment_id AND r.key = media_files.key)`,
  )();
  return left;
}
