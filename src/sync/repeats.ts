import type { Row } from '../datasets/normalise.ts';

/** Where the rows of the page's last timestamp begin; a row without a time stands alone. */
export function tailStart(rows: readonly Row[]): number {
  const time = rows.at(-1)?.time;
  if (time === undefined) return Math.max(rows.length - 1, 0);
  return rows.findLastIndex((row) => row.time !== time) + 1;
}

/**
 * Gives exact repeats of a record without an id keys of their own, by counting them. Repeats share their timestamp,
 * and a timestamp is always read whole, so that the count begins anew with each stretch; only records without a
 * time are counted through `repeats` across a listing.
 */
export function numbered(rows: readonly Row[], repeats = new Map<string, number>()): readonly Row[] {
  if (!rows.some(({ byContent }) => byContent)) return rows;
  const here = new Map<string, number>();
  return rows.map((row) => {
    if (!row.byContent) return row;
    const counts = row.time === undefined ? repeats : here;
    const ordinal = (counts.get(row.key) ?? 0) + 1;
    counts.set(row.key, ordinal);
    return ordinal === 1 ? row : { ...row, key: `${row.key}#${ordinal}` };
  });
}
