import { z } from 'zod';
import type { Stream } from '../datasets/stream.ts';
import { command, queryRows, queryValues } from '../shared/sqlite.ts';
import { doubtsFromText, doubtsToText, isComplete, reasonOf, type Doubt } from './doubts.ts';
import type { Db } from './open.ts';
import { NEVER_READ, writePosition } from './positions.ts';

/** A stream as it is named in `_streams`. */
export interface StreamKey {
  readonly experimentId: string;
  readonly data: string;
  readonly scope: string;
}

/** What planning needs to know about a stream that the warehouse knows. */
export interface Enrolled extends StreamKey {
  readonly dataAsOf: string | null;
  /** No read of it has ended, successfully or not, and nothing was stored. */
  readonly isUntouched: boolean;
  /** It may hold a doubt of a kind that `enrol` writes. */
  readonly isMarked: boolean;
  readonly doubts: () => readonly Doubt[];
}

/** The doubts to set for a stream; one that is to be read again is no longer finished. */
export interface Mark extends StreamKey {
  readonly doubts: readonly Doubt[];
  readonly isToBeRead: boolean;
}

/** Changes of `_streams` that do not come from a read. */
export interface Enrolment {
  /** Streams that are configured and that the warehouse does not know yet. */
  readonly fresh: readonly Stream[];
  readonly marks: readonly Mark[];
  /** Streams about which nothing is known and that are no longer configured. */
  readonly forgotten: readonly StreamKey[];
}

const Stored = z.object({
  experimentId: z.string(),
  data: z.string(),
  scope: z.string(),
  dataAsOf: z.string().nullable(),
  untouched: z.number(),
  marked: z.number().nullable(),
  doubts: z.string().nullable(),
});

const READ = `SELECT experiment_id AS experimentId, data, scope, data_as_of AS dataAsOf, doubts,
    rows = 0 AND watermark IS NULL AND data_as_of IS NULL AND last_sync_at IS NULL AS untouched,
    instr(doubts, '"unconfigured"') > 0 OR instr(doubts, '"gone"') > 0 AS marked
  FROM _streams`;

/** Every stream that the warehouse knows. */
export function enrolledStreams(db: Db): Enrolled[] {
  return queryRows(db, READ, Stored)
    .all()
    .map(({ untouched, marked, doubts, ...stream }) => ({
      ...stream,
      isUntouched: untouched === 1,
      isMarked: marked === 1,
      doubts: () => (doubts === null ? NEVER_READ.doubts : doubtsFromText(doubts)),
    }));
}

/** Writes an enrolment, all of it or nothing; without one it starts no transaction. */
export function writeEnrolment(db: Db, { fresh, marks, forgotten }: Enrolment): void {
  if (fresh.length + marks.length + forgotten.length === 0) return;
  const mark = command(
    db,
    `UPDATE _streams SET doubts = ?, complete = ?, reason = ?, finished = finished * ?
      WHERE experiment_id = ? AND data = ? AND scope = ?`,
  );
  const forget = command(db, 'DELETE FROM _streams WHERE experiment_id = ? AND data = ? AND scope = ?');
  db.transaction(() => {
    for (const stream of fresh) writePosition(db, stream, NEVER_READ);
    for (const { experimentId, data, scope, doubts, isToBeRead } of marks) {
      const said = [doubtsToText(doubts), Number(isComplete(doubts)), reasonOf(doubts) ?? null];
      mark(...said, Number(!isToBeRead), experimentId, data, scope);
    }
    for (const { experimentId, data, scope } of forgotten) forget(experimentId, data, scope);
  }).immediate();
}

/** The experiments of which no stream is available to the key any more. */
export function goneExperiments(db: Db): string[] {
  const isGone = "EXISTS (SELECT 1 FROM json_each(doubts) WHERE value ->> 'kind' = 'gone')";
  const sql = `SELECT experiment_id FROM _streams GROUP BY 1 HAVING min(coalesce(${isGone}, 0)) = 1 ORDER BY 1`;
  return queryValues(db, sql, z.string()).all();
}
