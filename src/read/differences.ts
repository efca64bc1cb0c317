import type { Row } from '../datasets/normalise.ts';
import type { Difference } from '../warehouse/records.ts';

/** What differs from the API, by key. */
export interface Differences {
  readonly missing: ReadonlySet<string>;
  readonly changed: ReadonlySet<string>;
  readonly extra: ReadonlySet<string>;
  /** The times of the missing rows. */
  readonly times: ReadonlyMap<string, number>;
}

export const NO_DIFFERENCES: Differences = {
  missing: new Set(),
  changed: new Set(),
  extra: new Set(),
  times: new Map(),
};

/** Collects how the rows of a reading differ from the table. A row that came twice counts once. */
export function openDifferences() {
  const missing = new Set<string>();
  const changed = new Set<string>();
  const extra = new Set<string>();
  const times = new Map<string, number>();
  return {
    note(rows: readonly Row[], difference: Difference): void {
      for (const key of difference.missing) missing.add(key);
      for (const { key } of difference.changed) if (!missing.has(key)) changed.add(key);
      for (const { key, time } of rows) if (time !== undefined && missing.has(key)) times.set(key, time);
    },
    noteExtra(keys: readonly string[]): void {
      for (const key of keys) extra.add(key);
    },
    /** How many rows are missing from the table. */
    countMissing: () => missing.size,
    /** The differences found so far. */
    found: (): Differences => ({
      missing: new Set(missing),
      changed: new Set(changed),
      extra: new Set(extra),
      times: new Map(times),
    }),
  };
}
