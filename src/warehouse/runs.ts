import { scopeText, type Stream } from '../datasets/stream.ts';
import { command, queryValues } from '../shared/sqlite.ts';
import { DAY_MS, formatTime } from '../shared/time.ts';
import { z } from 'zod';
import { withPlainErrors, type Db } from './open.ts';

/** What reads, and may write. A comparison that writes nothing is no run. */
export type RunKind = 'sync now' | 'daemon' | 'verify --repair' | 'nightly reconcile';

/** How a run ended: every stream that it read is complete · some are not · an error ended it · a user or a kill did. */
export type RunOutcome = 'complete' | 'incomplete' | 'failed' | 'interrupted';

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

interface ColumnMeaning {
  readonly table: string;
  readonly column: string;
  readonly type: 'TEXT' | 'INTEGER';
  readonly unit?: string;
  readonly meaning: string;
}

const TIME = 'ISO 8601, UTC';

const of = (table: string, columns: Readonly<Record<string, readonly [ColumnMeaning['type'], string, string?]>>) =>
  Object.entries(columns).map(([column, [type, meaning, unit]]): ColumnMeaning => {
    return { table, column, type, meaning, ...(unit === undefined ? {} : { unit }) };
  });

/** The columns that tell of runs, for `_data_dictionary`. */
export const RUN_COLUMNS: readonly ColumnMeaning[] = [
  ...of('_runs', {
    id: ['INTEGER', 'The run, as in `synced_run` of the rows that it wrote. A later run has a larger one.', 'id'],
    kind: [
      'TEXT',
      '`sync now`, `daemon` (all that it read by schedule in one day, UTC, of one process), `nightly reconcile` or `verify --repair`.',
    ],
    version: ['TEXT', 'The version of HyperStudy Warehouse that ran.'],
    options: ['TEXT', 'JSON of what it was asked for: experiments, data, from, to, full …; NULL: everything as usual.'],
    started_at: ['TEXT', 'When it began, by the local clock.', TIME],
    ended_at: ['TEXT', 'When it ended, by the local clock; NULL while it runs, and where it was killed.', TIME],
    outcome: [
      'TEXT',
      '`complete`: every stream that it read is complete; `incomplete`: some are not; `failed`: an error ended it; `interrupted`: a user ended it or, where `ended_at` is NULL, a kill. NULL while it runs.',
    ],
    error: ['TEXT', 'What ended it, where it failed or was interrupted.'],
    readings: ['INTEGER', 'How often it read a stream; a stream that was read twice counts twice.', 'count'],
    incomplete_streams: ['INTEGER', 'Streams that its last reading of them left incomplete.', 'count'],
    requests: ['INTEGER', 'Requests that it sent, retries included.', 'count'],
    inserted: ['INTEGER', 'Rows that it wrote for the first time.', 'count'],
    updated: ['INTEGER', 'How often it changed a row; a row that changed twice counts twice.', 'count'],
    deleted: ['INTEGER', 'Rows that it moved to `_history`.', 'count'],
    marked_missing: ['INTEGER', 'Rows that it marked as missing upstream, and that were not before.', 'count'],
  }),
  ...of('_run_streams', {
    run_id: ['INTEGER', 'The run: `_runs.id`. A stream in which it changed nothing has no row.', 'id'],
    experiment_id: ['TEXT', 'The experiment of the stream.'],
    data: ['TEXT', 'Its data type.'],
    scope: ['TEXT', 'Its scope, as in `_freshness`.'],
    inserted: ['INTEGER', 'Rows that the run wrote for the first time.', 'count'],
    updated: ['INTEGER', 'How often it changed a row.', 'count'],
    deleted: ['INTEGER', 'Rows that it moved to `_history`.', 'count'],
    marked_missing: ['INTEGER', 'Rows that it marked as missing upstream.', 'count'],
  }),
];
