import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { BadRecord } from '../datasets/normalise.ts';
import { scopeText, type Stream } from '../datasets/stream.ts';
import { command, queryRows, queryValues } from '../shared/sqlite.ts';
import { formatTime, parseTime } from '../shared/time.ts';
import type { Db } from './open.ts';

/** A part of an answer that could not be stored as a row: `record` is JSON text, as the API sent it. */
const Quarantined = z.object({
  experimentId: z.string(),
  scope: z.string(),
  reason: z.string(),
  firstSeenAt: z.string(),
  record: z.string(),
});

/** The quarantined records of a data type, of some experiments or of all, in the order in which they came. */
export function quarantinedRecords(
  db: Db,
  data: string,
  experimentIds: readonly string[] = [],
): z.infer<typeof Quarantined>[] {
  const sql = `SELECT experiment_id AS experimentId, scope, reason, first_seen_at AS firstSeenAt, record FROM _quarantine
    WHERE data = @data AND (json_array_length(@ids) = 0 OR experiment_id IN (SELECT value FROM json_each(@ids)))
    ORDER BY experiment_id, first_seen_at, key`;
  return queryRows(db, sql, Quarantined).all({ data, ids: JSON.stringify(experimentIds) });
}

/** Stores malformed records; one that comes several times in an answer is stored as often. */
export function quarantine(db: Db, stream: Stream, bad: readonly BadRecord[], at: string): void {
  if (bad.length === 0) return;
  const keep = command(
    db,
    `INSERT INTO _quarantine (experiment_id, data, key, scope, reason, record, first_seen_at, last_seen_at, is_unclear)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (experiment_id, data, key) DO UPDATE SET last_seen_at = excluded.last_seen_at`,
  );
  const times = new Map<string, number>();
  const scope = scopeText(stream);
  for (const { reason, text, isUnclear = false } of bad) {
    const time = (times.get(text) ?? 0) + 1;
    times.set(text, time);
    // In the whole experiment's stream the digest is of the record alone, as in files of version 0.1.0.
    const named = scope === 'experiment' ? text : `${scope}\n${text}`;
    const digest = createHash('sha256').update(named).digest('base64url');
    const key = time === 1 ? digest : `${digest}#${time}`;
    keep(stream.experimentId, stream.dataset.name, key, scope, reason, text, at, at, Number(isUnclear));
  }
}

/** The whole stream was read from this local time on: malformed records that did not come again are removed. */
export function settleQuarantine(db: Db, { experimentId, dataset, ...part }: Stream, since: number): void {
  const settle = command(
    db,
    'DELETE FROM _quarantine WHERE experiment_id = ? AND data = ? AND scope = ? AND coalesce(last_seen_at, first_seen_at) < ?',
  );
  settle(experimentId, dataset.name, scopeText(part), formatTime(since));
}

/** A malformed record. */
interface Malformed {
  /** It is not known which values are meant. */
  readonly isUnclear: boolean;
  readonly record: string;
}

/** The malformed records of a stream that came first after this local time (milliseconds since 1970 UTC). */
export function quarantinedAfter(db: Db, { experimentId, dataset, ...part }: Stream, time: number): Malformed[] {
  const sql = `SELECT is_unclear AS isUnclear, record FROM _quarantine
    WHERE experiment_id = ? AND data = ? AND scope = ? AND first_seen_at > ?`;
  const Row = z.object({ isUnclear: z.number(), record: z.string() });
  const rows = queryRows(db, sql, Row).all(experimentId, dataset.name, scopeText(part), formatTime(time));
  return rows.map(({ isUnclear, record }) => ({ isUnclear: isUnclear === 1, record }));
}

/** When the newest malformed record of a stream came first (local time, milliseconds since 1970 UTC); 0 without any. */
export function newestQuarantined(db: Db, { experimentId, dataset, ...part }: Stream): number {
  const sql = 'SELECT max(first_seen_at) FROM _quarantine WHERE experiment_id = ? AND data = ? AND scope = ?';
  const newest = queryValues(db, sql, z.string().nullable()).get(experimentId, dataset.name, scopeText(part));
  return parseTime(newest ?? '') ?? 0;
}

/** How many malformed records of a stream are stored. */
export function countQuarantined(db: Db, { experimentId, dataset, ...part }: Stream): number {
  const sql = 'SELECT count(*) FROM _quarantine WHERE experiment_id = ? AND data = ? AND scope = ?';
  return queryValues(db, sql, z.number()).get(experimentId, dataset.name, scopeText(part)) ?? 0;
}
