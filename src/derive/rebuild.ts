import type { Database } from 'better-sqlite3';
import { settlePostponed } from './derivation.ts';
import { countAgain } from './counts.ts';
import type { DerivedTable, Part } from './define.ts';
import { everyPart } from './parts.ts';
import { recompute, type Recomputed } from './recompute.ts';
import { derivedIn } from './registry.ts';
import { rebuildWide } from './wide.ts';

/** A derived table, and how many of its rows were not what the mirrored tables say. */
export interface Rebuilt {
  readonly table: string;
  readonly rows: number;
}

/** Computes every derived table again from all that is mirrored, and writes what differs; to be called in a transaction. */
export function rebuild(db: Database, tables: readonly DerivedTable[] = derivedIn(db)): Rebuilt[] {
  const counts = { table: '_people_counts', rows: countAgain(db) };
  const work = tables.map((table) => ({ table, parts: everyPart(db, table) }));
  const written = Map.groupBy(recompute(db, work), ({ table }) => table);
  const rebuilt = work.map(({ table, parts }) => ({
    table: table.name,
    rows: rowsIn(written.get(table) ?? []) + number(db, table, parts),
  }));
  return [counts, ...rebuilt, { table: 'wide tables', rows: rebuildWide(db) }];
}

/** What `rebuild` would write, without writing it; the connection must be one that may write. */
export function compareDerived(db: Database): Rebuilt[] {
  db.exec('SAVEPOINT compare_derived');
  try {
    // What a first read has put off is not wrong.
    settlePostponed(db);
    return rebuild(db);
  } finally {
    db.exec('ROLLBACK TO compare_derived; RELEASE compare_derived');
  }
}

function rowsIn(written: readonly Recomputed[]): number {
  return written.reduce((sum, { added, changed, removed }) => sum + added + changed + removed, 0);
}

function number(db: Database, { numbered }: DerivedTable, parts: readonly Part[]): number {
  const experiments = new Set(parts.map(({ experiment }) => experiment));
  return [...experiments].reduce((sum, experiment) => sum + (numbered?.number(db, experiment) ?? 0), 0);
}
