import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { compareMedia } from '../../../src/media/compare.ts';
import { migrate } from '../../../src/warehouse/migrate.ts';
import { temporaryFolder } from '../../support/lab.ts';

const CONTENT = 'what was recorded';

/** A warehouse that holds the file `media/x`, whose content is this now. */
function holding(now: string | undefined) {
  const folder = temporaryFolder();
  const db = new Database(join(folder, 'w.db'));
  migrate(db);
  db.prepare(
    `INSERT INTO media_files (experiment_id, key, recording_id, status, path, bytes, sha256) VALUES ('e', 'k', 'r', 'held', 'media/x', ?, ?)`,
  ).run(CONTENT.length, createHash('sha256').update(CONTENT).digest('hex'));
  mkdirSync(join(folder, 'media'));
  if (now !== undefined) writeFileSync(join(folder, 'media/x'), now);
  return db;
}

it.each([
  ['equal when it has the bytes that were noted', CONTENT, 'equal'],
  ['lost when it is not there', undefined, 'lost'],
  ['of another size when something was appended', `${CONTENT}.`, 'other size'],
  ['of other content when a byte of it is another', CONTENT.replace('w', 'W'), 'other content'],
])('a file that is held is %s', async (_what, now, status) => {
  const verdicts = await Array.fromAsync(compareMedia(holding(now), new AbortController().signal));
  expect(verdicts.map((verdict) => verdict.status)).toEqual([status]);
});

it('the comparison of the files ends when it is interrupted', async () => {
  await expect(Array.fromAsync(compareMedia(holding(CONTENT), AbortSignal.abort()))).rejects.toThrow('aborted');
});
