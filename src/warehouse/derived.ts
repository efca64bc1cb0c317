import { settlePostponed } from '../derive/derivation.ts';
import { rebuild } from '../derive/rebuild.ts';
import { derivedWith } from '../derive/registry.ts';
import { createTables } from '../derive/tables.ts';
import { createViews } from '../derive/views.ts';
import { DATASETS } from '../datasets/registry.ts';
import { explain } from './explain.ts';
import { queryValues } from '../shared/sqlite.ts';
import { z } from 'zod';
import type { Db } from './open.ts';
import { recall, remember } from './state.ts';

const NAME = 'derived';
/** What the steps that carry an earlier version's rows over note when they are done. */
const CARRIED = ['rows', 'keys', 'cut-texts'];

/**
 * Brings the derived tables up to date in a file that this version opens for the first time, or in which it has just
 * carried rows over: in one transaction with the note of it, so that a kill before its end is made up for.
 * @param grid between two instants of `ratings_grid`, in ms; undefined: there is to be no such table.
 */
export function prepareDerived(db: Db, now: number, grid: number | undefined): void {
  const basis = JSON.stringify([migrations(db), ...CARRIED.map((name) => recall(db, name) ?? null)]);
  db.transaction(() => {
    if (!createTables(db, derivedWith(grid)) && recall(db, NAME) === basis) return;
    rebuild(db);
    remember(db, NAME, basis, now);
  }).immediate();
  tendDerived(db);
}

/** Computes what first reads have put off, and lists the tables that have come since. */
export function tendDerived(db: Db): void {
  db.transaction(() => {
    settlePostponed(db);
    createViews(db);
    explain(db, DATASETS, String(migrations(db)));
  }).immediate();
}

function migrations(db: Db): number {
  return queryValues(db, 'SELECT count(*) FROM __drizzle_migrations', z.number()).get() ?? 0;
}
