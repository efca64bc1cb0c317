import type { Dataset } from '../datasets/define.ts';
import { quote, type SqlValue } from '../shared/sqlite.ts';

/** What a table stores of a record. */
export interface Held {
  readonly values: readonly SqlValue[];
  readonly extra: string | null;
}

/** The columns that hold a record, of which `heldIn` makes one. */
export function heldColumns({ columns }: Dataset): string {
  return [...columns.map(({ name }) => quote(name)), 'extra'].join(', ');
}

export function heldIn(stored: readonly SqlValue[]): Held {
  const extra = stored.at(-1);
  return { values: stored.slice(0, -1), extra: typeof extra === 'string' ? extra : null };
}
