import type { Db } from '../../warehouse/open.ts';
import { beginDigest, type Digest } from '../certificate/digest.ts';
import { columnsMark, readMarks } from '../lake/marks.ts';
import { placeOf } from '../lake/partitions.ts';
import { isOfExperiments, recordReader } from '../lake/records.ts';
import { tablesIn, type Table } from '../snapshot/tables.ts';
import { hasColumns, type PartitionThere, type There } from './there.ts';

/** The rows of a table in one experiment, or all rows of a table about the others. */
export interface Part {
  readonly table: Table;
  readonly experiment: string;
  readonly rows: number;
  readonly mark: string;
}

/** A table, and what of it is to be sent. */
export interface Job {
  readonly table: Table;
  readonly parts: readonly Part[];
  readonly kept: readonly PartitionThere[];
}

/** Finds what is to be sent, without reading the rows of what did not change. */
export function plan(db: Db, experiments: readonly string[], there: There, isAll: boolean): Job[] {
  const former = new Map(isAll ? [] : there.partitions.map((one) => [placeOf(one), one]));
  const marks = readMarks(db);
  const ofEach = experiments.map((experiment) => ({
    experiment,
    tables: new Map(tablesIn(db, [experiment]).map((table) => [table.name, table])),
  }));
  return tablesIn(db, experiments).map((table) => {
    const parts: Part[] = [];
    const kept: PartitionThere[] = [];
    const found = isOfExperiments(table)
      ? ofEach.map(({ experiment, tables }) => ({ experiment, own: tables.get(table.name) }))
      : [{ experiment: '', own: table }];
    for (const { experiment, own } of found) {
      const rows = own?.count() ?? 0;
      if (own === undefined || rows === 0) continue;
      const mark = experiment === '' ? digestOf(own).sha256 : marks.of(table.name, experiment, rows);
      const before = former.get(placeOf({ table: table.name, experiment }));
      if (before?.mark === mark && isStillThere(before, table, there)) kept.push(before);
      else parts.push({ table: own, experiment, rows, mark });
    }
    return { table, parts, kept };
  });
}

function isStillThere({ width, columns, leftOut }: PartitionThere, table: Table, there: There): boolean {
  if (columnsMark(table.columns, width) !== columns) return false;
  return leftOut !== null || hasColumns(there.tables.get(table.name), table.columns.slice(0, width));
}

function digestOf(table: Table): Digest {
  const recordOf = recordReader(table);
  const digest = beginDigest();
  for (const row of table.rows()) digest.add(recordOf(row));
  return digest.end();
}
