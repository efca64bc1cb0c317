import { join } from 'node:path';
import { datasetNamed } from '../../src/datasets/registry.ts';
import { normalise } from '../../src/datasets/normalise.ts';
import { compareDerived } from '../../src/derive/rebuild.ts';
import { systemClock } from '../../src/shared/clock.ts';
import type { Json } from '../../src/shared/json.ts';
import { openWarehouse, type Warehouse, type WarehouseOptions } from '../../src/warehouse/warehouse.ts';
import { temporaryFolder } from './lab.ts';

const SCOPE = { kind: 'experiment' as const };

/** A warehouse into which a test writes records, and from which it reads derived tables. */
export interface Bench {
  readonly warehouse: Warehouse;
  /** Writes records of a data type, as a sync does that ends a first read or comes after it. */
  write(data: string, ...records: readonly Json[]): void;
  /** Writes a page in the middle of a first read. */
  readPage(data: string, ...records: readonly Json[]): void;
  /** Deletes rows by the ids of their records. */
  remove(data: string, ...records: readonly Json[]): void;
  /** Rows of a table, or some of their columns, in the order of their onset or number. */
  rows(table: string, ...columns: readonly string[]): Record<string, unknown>[];
  /** The rows that do not follow from the mirrored tables, by table. */
  wrong(): { table: string; rows: number }[];
}

/** @param at the path of its file, or the warehouse that is to hold the records of another experiment as well. */
export function openBench(
  at: string | Warehouse = join(temporaryFolder(), 'w.db'),
  experimentId = 'e',
  options: Partial<WarehouseOptions> = {},
): Bench {
  const warehouse = typeof at === 'string' ? openWarehouse(at, { clock: systemClock, history: true, ...options }) : at;
  const { db } = warehouse;
  const rowOf = (data: string, record: Json) => {
    const row = normalise(datasetNamed(data), record, { experimentId });
    if ('reason' in row) throw new Error(row.reason);
    return row;
  };
  const stream = (data: string) => ({ experimentId, dataset: datasetNamed(data), scope: SCOPE });
  return {
    warehouse,
    write: (data, ...records) => {
      const rows = records.map((record) => rowOf(data, record));
      warehouse.commit(stream(data), { rows, position: { backfilled: true } });
    },
    readPage: (data, ...records) => {
      warehouse.commit(stream(data), { rows: records.map((record) => rowOf(data, record)) });
    },
    remove: (data, ...records) => {
      warehouse.commit(stream(data), { rows: [], deleted: records.map((record) => rowOf(data, record).key) });
    },
    rows: (table, ...columns) =>
      db
        .prepare<[], Record<string, unknown>>(`SELECT ${columns.length === 0 ? '*' : columns.join(', ')} FROM ${table}`)
        .all(),
    wrong: () => compareDerived(db).filter(({ rows }) => rows > 0),
  };
}

/** A time of the experiment whose onset 0 is nine o'clock. */
export function at(onset: number): { timestamp: string; onset: number } {
  return { timestamp: new Date(Date.UTC(2026, 0, 12, 9) + onset).toISOString(), onset };
}
