import type { Database } from 'better-sqlite3';
import { DATASETS } from '../datasets/registry.ts';
import { derivedIn } from './registry.ts';
import { VIEWS } from './views.ts';
import { wideTables } from './wide-names.ts';
import { WIDE_FROM } from './wide.ts';

/**
 * The data types that a table or view for researchers follows from, so that it is as complete as they are; undefined for
 * what is no such table of this warehouse.
 */
export function sourcesOf(db: Database, name: string): string[] | undefined {
  const derived = derivedIn(db).find((table) => table.name === name);
  if (derived !== undefined) return inOrder([...derived.sources, ...(derived.commonSources ?? [])]);
  const view = VIEWS.find((one) => one.name === name);
  const from = view?.from ?? (wideTables(db).some(({ table }) => table === name) ? WIDE_FROM : undefined);
  return from && inOrder(from.flatMap((table) => sourcesOf(db, table) ?? dataOf(table)));
}

/** The tables and views for readers that are computed. */
export function tablesOf(db: Database): string[] {
  const derived = derivedIn(db).filter(({ name }) => !name.startsWith('_'));
  return [...derived, ...VIEWS].map(({ name }) => name).concat(wideTables(db).map(({ table }) => table));
}

function dataOf(table: string): string[] {
  return DATASETS.filter((dataset) => dataset.table === table).map(({ name }) => name);
}

function inOrder(names: readonly string[]): string[] {
  return DATASETS.map(({ name }) => name).filter((name) => names.includes(name));
}
