import type { Db } from './open.ts';
import { prepared } from './prepared.ts';

/** A part of an answer that could not be stored as a row. */
export interface Quarantined {
  readonly experimentId: string;
  readonly scope: string;
  readonly reason: string;
  /** ISO 8601 UTC. */
  readonly firstSeenAt: string;
  /** JSON text, as the API sent it. */
  readonly record: string;
}

/** The quarantined records of a data type, of some experiments or of all, in the order in which they came. */
export function quarantinedRecords(db: Db, data: string, experimentIds: readonly string[] = []): Quarantined[] {
  const sql = `SELECT experiment_id AS experimentId, scope, reason, first_seen_at AS firstSeenAt, record FROM _quarantine
    WHERE data = @data AND (json_array_length(@ids) = 0 OR experiment_id IN (SELECT value FROM json_each(@ids)))
    ORDER BY experiment_id, first_seen_at, key`;
  return prepared<Quarantined>(db, 'rows', sql).all({ data, ids: JSON.stringify(experimentIds) });
}
