import { contentOf, isDigest, withOrdinal } from '../datasets/keys.ts';
import type { Row } from '../datasets/normalise.ts';

export interface Numbered {
  /** The rows in the order in which they came, no two of them with one key. */
  readonly rows: readonly Row[];
  /** How many ids have more than one record. */
  readonly doubled: number;
}

/** Where the rows of the page's last timestamp begin; a row without a time stands alone. */
export function tailStart(rows: readonly Row[]): number {
  const time = rows.at(-1)?.time;
  if (time === undefined) return Math.max(rows.length - 1, 0);
  return rows.findLastIndex((row) => row.time !== time) + 1;
}

/**
 * Gives the second and later records of one key keys of their own, in the order of their time and content: the server
 * may send them in another order each time.
 * @param repeats counts across the calls of one listing. What names a record may occur at several times and is counted
 * there; so is an id that was met twice, as are ids that the caller put there. The same content has the same time, and a
 * timestamp is always read whole, so that it is counted anew with each call, unless it has no time.
 */
export function numbered(rows: readonly Row[], repeats = new Map<string, number>()): Numbered {
  const groups = Map.groupBy(rows, ({ key }) => key);
  const ordinals = new Map<Row, number>();
  let doubled = 0;
  for (const [key, group] of groups) {
    const [{ needsOrdinal, time } = { needsOrdinal: false, time: undefined }] = group;
    const isLocal = needsOrdinal && isDigest(key) && time !== undefined;
    const before = isLocal ? 0 : (repeats.get(key) ?? 0);
    const count = before + group.length;
    inOrder(group).forEach((row, i) => ordinals.set(row, before + i + 1));
    if (!needsOrdinal && count > 1) doubled++;
    if (!isLocal && (needsOrdinal || count > 1)) repeats.set(key, count);
  }
  const keyed = (row: Row): Row => {
    const ordinal = ordinals.get(row) ?? 1;
    return ordinal === 1 ? row : { ...row, key: withOrdinal(row.key, ordinal) };
  };
  return { rows: rows.map(keyed), doubled };
}

/** What tells a record that has no ordinal yet from the others of an answer. */
export function markOf(row: Row): string {
  return row.needsOrdinal ? `${row.key} ${contentOf(row)}` : row.key;
}

function inOrder(group: readonly Row[]): readonly Row[] {
  if (group.length === 1) return group;
  return group
    .map((row) => ({ row, time: row.time ?? Number.MIN_SAFE_INTEGER, content: contentOf(row) }))
    .sort((a, b) => a.time - b.time || (a.content < b.content ? -1 : Number(a.content > b.content)))
    .map(({ row }) => row);
}
