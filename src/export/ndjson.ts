import type { Dataset } from '../datasets/define.ts';
import type { SqlValue } from '../shared/sqlite.ts';
import type { Db } from '../warehouse/open.ts';
import { quarantinedRecords } from '../warehouse/quarantine.ts';
import { records, tableRows } from '../warehouse/records.ts';

/** The records of a data type as the API sent them, one a line. */
export function* ndjsonLines(db: Db, dataset: Dataset, experimentIds: readonly string[]): Generator<string> {
  for (const { record } of records(db, dataset, experimentIds)) yield `${JSON.stringify(record)}\n`;
}

/** The rows of a derived table or a view for readers, one a line. */
export function* ndjsonTableLines(db: Db, table: string, experimentIds: readonly string[]): Generator<string> {
  let columns: readonly SqlValue[] | undefined;
  for (const row of tableRows(db, table, experimentIds)) {
    if (columns === undefined) columns = row;
    else yield `${JSON.stringify(Object.fromEntries(columns.map((name, i) => [name, row[i]])))}\n`;
  }
}

/** Its quarantined records, one a line, each with where it came from and why it is no row. */
export function* quarantinedLines(db: Db, { name }: Dataset, experimentIds: readonly string[]): Generator<string> {
  for (const { experimentId, scope, reason, firstSeenAt, record } of quarantinedRecords(db, name, experimentIds)) {
    const about = JSON.stringify({ experiment: experimentId, scope, reason, firstSeenAt });
    // The record is JSON text as the API sent it, whose numbers must stay as they are.
    yield `{"quarantined":${about},"record":${record}}\n`;
  }
}
