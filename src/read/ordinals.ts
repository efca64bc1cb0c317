import { contentOf, isDigest, withOrdinal } from '../datasets/keys.ts';
import type { Row } from '../datasets/normalise.ts';

export interface Numbered {
  /** The rows in the order in which they came, no two of them with one key. */
  readonly rows: readonly Row[];
  /** How many ids of these rows have more than one record. */
  readonly doubled: number;
}

/** Where the rows of the page's last timestamp begin; a row without a time stands alone. */
export function tailStart(rows: readonly Row[]): number {
  const time = rows.at(-1)?.time;
  if (time === undefined) return Math.max(rows.length - 1, 0);
  return rows.findLastIndex((row) => row.time !== time) + 1;
}

/**
 * The records of a key that a listing has met, in the order of their ordinals, by time and content; '' for one without a
 * time. Ids that were met once are not in it, nor digests, so that it stays small.
 */
export type Repeats = Map<string, string[]>;

/**
 * Gives the second and later records of one key keys of their own, in the order of their time and content: the server
 * may send them in another order each time.
 * @param repeats goes through all calls of one listing, as what names a record may occur again at another time. The same
 * content at the same time is the same record met again, since a timestamp is always read whole; only without a time is
 * it another one.
 */
export function numbered(rows: readonly Row[], repeats: Repeats = new Map()): Numbered {
  const ordinals = new Map<Row, number>();
  let doubled = 0;
  for (const [key, group] of Map.groupBy(rows, (row) => row.key)) {
    const [{ needsOrdinal, time } = { needsOrdinal: false, time: undefined }] = group;
    // Whatever shares a digest has its time as well, so that no other call has more of it.
    const isWhole = isDigest(key) && time !== undefined;
    const before = isWhole ? undefined : repeats.get(key);
    if (group.length === 1 && before === undefined && (isWhole || !needsOrdinal)) continue;
    const met = before ?? [];
    count(group, met, ordinals);
    if (!isWhole) repeats.set(key, met);
    if (!needsOrdinal) doubled++;
  }
  const keyed = (row: Row): Row => {
    const ordinal = ordinals.get(row) ?? 1;
    return ordinal === 1 ? row : { ...row, key: withOrdinal(row.key, ordinal) };
  };
  return { rows: rows.map(keyed), doubled };
}

/** Counts the records of one key on from those that were met, and adds them. */
function count(group: readonly Row[], met: string[], ordinals: Map<Row, number>): void {
  const known = Map.groupBy(met.keys(), (i) => met[i] ?? '');
  const marked = group.map((row) => ({ row, time: row.time ?? Number.MIN_SAFE_INTEGER, content: contentOf(row) }));
  marked.sort((a, b) => a.time - b.time || (a.content < b.content ? -1 : Number(a.content > b.content)));
  for (const { row, content } of marked) {
    const mark = row.time === undefined ? '' : `${row.time} ${content}`;
    const again = mark === '' ? undefined : known.get(mark)?.shift();
    ordinals.set(row, again === undefined ? met.push(mark) : again + 1);
  }
}

/** What tells a record that has no ordinal yet from the others of an answer. */
export function markOf(row: Row): string {
  return row.needsOrdinal && !isDigest(row.key) ? `${row.key} ${contentOf(row)}` : row.key;
}

/**
 * The rows of an answer that lacks records whose keys are certain all the same: where what names a record occurs several
 * times, those that came cannot be told apart without the others. Of a digest each is as good as the other.
 */
export function withCertainKeys(rows: readonly Row[]): readonly Row[] {
  return rows.filter(({ needsOrdinal, key }) => !needsOrdinal || isDigest(key));
}
