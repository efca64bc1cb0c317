import { contentOf } from '../datasets/content.ts';
import { isDigest, withOrdinal } from '../datasets/keys.ts';
import type { Row } from '../datasets/normalise.ts';

export interface Numbered {
  /** The rows in the order in which they came, each with a unique key. */
  readonly rows: readonly Row[];
  /** How many ids of these rows belong to more than one record. */
  readonly doubled: number;
}

/** The index of the first row with the page's last timestamp. A row without a time stands alone. */
export function tailStart(rows: readonly Row[]): number {
  const time = rows.at(-1)?.time;
  if (time === undefined) return Math.max(rows.length - 1, 0);
  return rows.findLastIndex((row) => row.time !== time) + 1;
}

/** Numbers the rows of one call after another, as the records of one listing. */
export type Numbering = (rows: readonly Row[]) => Numbered;

/** Numbers rows that came at once. */
export function numbered(rows: readonly Row[]): Numbered {
  return openNumbering()(rows);
}

/**
 * Gives the second and later records of a key keys of their own, in the order of their time and content, because the
 * server may send them in another order each time. The count continues through a listing, because the fields that name a
 * record may occur again at another time. The same content at the same time is the same record, since a timestamp is
 * always read whole; without a time it is another record.
 */
export function openNumbering(): Numbering {
  // The records of each key, in the order of their ordinals. It holds neither ids that came once nor digests, so that it
  // stays small.
  const met = new Map<string, readonly Mark[]>();
  return (rows) => {
    const ordinals = new Map<Row, number>();
    let doubled = 0;
    for (const [key, group] of Map.groupBy(rows, (row) => row.key)) {
      const [{ needsOrdinal, time } = { needsOrdinal: false, time: undefined }] = group;
      // Records that share a digest share their time as well, so that no other call has more of them.
      const isWhole = isDigest(key) && time !== undefined;
      const before = isWhole ? undefined : met.get(key);
      if (group.length === 1 && before === undefined && (isWhole || !needsOrdinal)) continue;
      const counted = count(group, before ?? []);
      for (const [row, ordinal] of counted.ordinals) ordinals.set(row, ordinal);
      if (!isWhole) met.set(key, counted.marks);
      if (!needsOrdinal) doubled++;
    }
    const keyed = (row: Row): Row => {
      const ordinal = ordinals.get(row) ?? 1;
      return ordinal === 1 ? row : { ...row, key: withOrdinal(row.key, ordinal) };
    };
    return { rows: rows.map(keyed), doubled };
  };
}

/** The time and content of a record; '' for one without a time. */
type Mark = string;

/** Continues the count of a key's records after those that came before. */
function count(group: readonly Row[], before: readonly Mark[]) {
  const known = Map.groupBy(before.keys(), (i) => before[i] ?? '');
  const marks = [...before];
  const rows = group.map((row) => ({ row, time: row.time ?? Number.MIN_SAFE_INTEGER, content: contentOf(row) }));
  rows.sort((a, b) => a.time - b.time || (a.content < b.content ? -1 : Number(a.content > b.content)));
  const ordinals = rows.map(({ row, content }): readonly [Row, number] => {
    const mark = row.time === undefined ? '' : `${row.time} ${content}`;
    const again = mark === '' ? undefined : known.get(mark)?.shift();
    return [row, again === undefined ? marks.push(mark) : again + 1];
  });
  return { ordinals, marks };
}

/** Distinguishes a record that has no ordinal yet from the others of an answer. */
export function markOf(row: Row): string {
  return row.needsOrdinal && !isDigest(row.key) ? `${row.key} ${contentOf(row)}` : row.key;
}

/**
 * The rows of an incomplete answer whose keys are certain all the same. If several records share a name, those that
 * came cannot be told apart without the others. Records that share a digest are interchangeable.
 */
export function withCertainKeys(rows: readonly Row[]): readonly Row[] {
  return rows.filter(({ needsOrdinal, key }) => !needsOrdinal || isDigest(key));
}
