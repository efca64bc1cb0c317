import { scopeText, type Stream } from '../datasets/stream.ts';
import { command, queryValues } from '../shared/sqlite.ts';
import { DAY_MS, formatTime } from '../shared/time.ts';
import { z } from 'zod';
import { code, count, integer, json, text, time, type Columns, type Explained } from '../derive/columns.ts';
import { withPlainErrors, type Db } from './open.ts';

/** What reads, and may write. A comparison that writes nothing is no run. */
const RUN_KINDS = ['sync now', 'daemon', 'verify --repair', 'nightly reconcile'] as const;
export type RunKind = (typeof RUN_KINDS)[number];

/** How a run ended. */
const RUN_OUTCOMES = {
  complete: 'every stream that it read is complete',
  incomplete: 'some are not',
  failed: 'an error ended it',
  interrupted: 'a user ended it, or a kill',
} as const;
export type RunOutcome = keyof typeof RUN_OUTCOMES;

/** A run under way, with what it came to so far. */
export interface Run {
  readonly id: number;
  /** Requests sent, retries included. */
  readonly requests: number;
  /** How often a stream was read. */
  readonly readings: number;
  /** Streams whose last reading left them incomplete. */
  readonly incompleteStreams: number;
}

/** What one transaction changed. */
export interface Changes {
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
  readonly marked: number;
}

/** Runs that changed nothing are kept this long: no row names them. */
const IDLE_KEPT_MS = 30 * DAY_MS;

const CHANGED_NOTHING = 'inserted + updated + deleted + marked_missing = 0';

/**
 * Records that a run begins, and forgets those of long ago that changed nothing; gives its id. Ids are never given twice,
 * as the newest run is never forgotten.
 * @param options what it was asked for beyond the default; times in milliseconds since 1970 UTC.
 */
export function beginRun(
  db: Db,
  { kind, version, options, now }: { kind: RunKind; version: string; options: object; now: number },
): number {
  const insert = queryValues(
    db,
    'INSERT INTO _runs (kind, version, options, started_at) VALUES (?, ?, ?, ?) RETURNING id',
    z.number(),
  );
  const forget = command(db, `DELETE FROM _runs WHERE ${CHANGED_NOTHING} AND started_at < ? AND id <> ?`);
  const asked = JSON.stringify(options);
  const begin = db.transaction(() => {
    const id = insert.get(kind, version, asked === '{}' ? null : asked, formatTime(now)) ?? 0;
    forget(formatTime(now - IDLE_KEPT_MS), id);
    return id;
  });
  return withPlainErrors(db.name, () => begin.immediate());
}

/** Counts what a transaction changed, inside of it, so that after a kill the counts are those of the rows. */
export function countInRun(db: Db, run: Run, stream: Stream, changes: Changes): void {
  const { id, requests, readings, incompleteStreams } = run;
  const counts = [changes.inserted, changes.updated, changes.deleted, changes.marked];
  command(
    db,
    `UPDATE _runs SET inserted = inserted + ?, updated = updated + ?, deleted = deleted + ?,
       marked_missing = marked_missing + ?, requests = ?, readings = ?, incomplete_streams = ? WHERE id = ?`,
  )(...counts, requests, readings, incompleteStreams, id);
  if (counts.every((count) => count === 0)) return;
  command(
    db,
    `INSERT INTO _run_streams (run_id, experiment_id, data, scope, inserted, updated, deleted, marked_missing)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET inserted = inserted + excluded.inserted, updated = updated + excluded.updated,
       deleted = deleted + excluded.deleted, marked_missing = marked_missing + excluded.marked_missing`,
  )(id, stream.experimentId, stream.dataset.name, scopeText(stream), ...counts);
}

/** Records how a run ended. @param error what ended it, where something did. */
export function endRun(
  db: Db,
  { id, requests, readings, incompleteStreams }: Run,
  { outcome, error, now }: { outcome: RunOutcome; error?: string | undefined; now: number },
): void {
  const end = command(
    db,
    `UPDATE _runs SET outcome = ?, error = ?, ended_at = ?, requests = ?, readings = ?, incomplete_streams = ? WHERE id = ?`,
  );
  withPlainErrors(db.name, () =>
    end(outcome, error ?? null, formatTime(now), requests, readings, incompleteStreams, id),
  );
}

/** Says of runs without an end that a kill or a power cut interrupted them. Call it as the only writer. */
export function endInterrupted(db: Db): void {
  command(
    db,
    `UPDATE _runs SET outcome = 'interrupted', error = 'It was killed, or the power failed; what it had stored is counted.'
     WHERE outcome IS NULL`,
  )();
}

const CHANGED = {
  inserted: count('Rows that it wrote for the first time.'),
  updated: count('How often it changed a row; a row that changed twice counts twice.'),
  deleted: count('Rows that it moved to `_history`.'),
  marked_missing: count('Rows that it marked as missing upstream, and that were not before.'),
} as const satisfies Columns;

/** The tables of runs, for readers. */
export const RUN_TABLES: readonly Explained[] = [
  {
    name: '_runs',
    about: 'What each sync, nightly reconcile, repair and day of the daemon read and changed, and how it ended.',
    row: 'a run',
    columns: {
      id: integer('The run, as in `synced_run` of the rows that it wrote. A later run has a larger one.', {
        privacy: 'none',
        unit: 'id',
      }),
      kind: code('What ran. A run of the daemon is all that one process read by schedule in one day, UTC.', {
        allowed: RUN_KINDS,
      }),
      version: code('The version of HyperStudy Warehouse that ran.'),
      options: json('JSON of what it was asked for: experiments, data, from, to, full …', {
        privacy: 'indirect',
        missing: 'Everything as usual.',
      }),
      started_at: time('When it began, by the local clock.', { privacy: 'none' }),
      ended_at: time('When it ended, by the local clock.', {
        privacy: 'none',
        missing: 'It is running, or it was killed.',
      }),
      outcome: code('How it ended.', { missing: 'It is running.', values: RUN_OUTCOMES }),
      error: text('What ended it.', { privacy: 'direct', missing: 'Nothing went wrong.' }),
      readings: count('How often it read a stream; a stream that was read twice counts twice.'),
      incomplete_streams: count('Streams that its last reading of them left incomplete.'),
      requests: count('Requests that it sent, retries included.'),
      ...CHANGED,
    },
  },
  {
    name: '_run_streams',
    about: 'What each run changed in each stream.',
    row: 'a stream in which a run changed something',
    columns: {
      run_id: integer('The run: `_runs.id`.', { privacy: 'none', unit: 'id' }),
      experiment_id: text('The experiment of the stream.', { privacy: 'none' }),
      data: code('Its data type.'),
      scope: text('Its scope, as in `_freshness`.', { privacy: 'direct' }),
      ...CHANGED,
    },
  },
];
