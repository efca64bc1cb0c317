import type { Dataset } from '../datasets/define.ts';
import type { Db } from '../warehouse/open.ts';
import { quarantinedRecords } from '../warehouse/quarantine.ts';
import { records } from '../warehouse/records.ts';

/** The records of a data type as the API sent them, one a line. */
export function* ndjsonLines(db: Db, dataset: Dataset, experimentIds: readonly string[]): Generator<string> {
  for (const { record } of records(db, dataset, experimentIds)) yield `${JSON.stringify(record)}\n`;
}

/** Its quarantined records, one a line, each with where it came from and why it is no row. */
export function* quarantinedLines(db: Db, { name }: Dataset, experimentIds: readonly string[]): Generator<string> {
  for (const { experimentId, scope, reason, firstSeenAt, record } of quarantinedRecords(db, name, experimentIds)) {
    const about = JSON.stringify({ experiment: experimentId, scope, reason, firstSeenAt });
    // The record is JSON text as the API sent it, whose numbers must stay as they are.
    yield `{"quarantined":${about},"record":${record}}\n`;
  }
}
