import type { Dataset } from '../datasets/define.ts';
import { openMembers } from './members.ts';
import type { Db } from './open.ts';
import { prepareUpsert, type Upsert } from './upsert.ts';
import { refreshViews } from './views.ts';

/** What writes the rows of one table. */
export interface TableWriter {
  readonly upsert: Upsert;
  /** Call this at the end of a transaction: the view gets the columns that the rows have added. */
  readonly settle: () => void;
}

/** The writers of the tables. */
export interface TableWriters {
  of(dataset: Dataset): TableWriter;
  /** Call this after a rollback: the columns that the transaction added are gone. */
  forget(): void;
}

/** Opens each writer when it is first needed, and again where the schema is another than it left. */
export function openTableWriters(db: Db): TableWriters {
  const writers = new Map<string, TableWriter>();
  const version = () => Number(db.pragma('schema_version', { simple: true }));
  let left: number | undefined;
  return {
    of(dataset: Dataset): TableWriter {
      if (left !== undefined && version() !== left) writers.clear();
      const { upsert, settle } = writers.get(dataset.name) ?? openTableWriter(db, dataset);
      const writer = {
        upsert,
        settle() {
          settle();
          left = version();
        },
      };
      writers.set(dataset.name, { upsert, settle });
      return writer;
    },
    forget: () => writers.clear(),
  };
}

function openTableWriter(db: Db, dataset: Dataset): TableWriter {
  const members = openMembers(db, dataset);
  let shown = members.names.length;
  return {
    upsert: prepareUpsert(db, dataset, members),
    settle() {
      if (members.names.length === shown) return;
      refreshViews(db, [dataset]);
      shown = members.names.length;
    },
  };
}
