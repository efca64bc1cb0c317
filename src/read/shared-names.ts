import { contentOf } from '../datasets/content.ts';
import { isDigest, withOrdinal, withoutOrdinal } from '../datasets/keys.ts';
import type { Row } from '../datasets/normalise.ts';
import type { Stream } from '../datasets/stream.ts';
import { formatTime } from '../shared/time.ts';
import { twinsOf, type Twin } from '../warehouse/doubles.ts';
import type { Db } from '../warehouse/open.ts';

/** More rows than this do not wait in memory. */
const MOST_WAITING = 5000;

/** Gives the records without an id of one listing the keys under which they are stored. */
export interface SharedNames {
  /** The rows of a page with their keys, without those that wait for the end of the listing. */
  place(rows: readonly Row[]): readonly Row[];
  /**
   * The rows that waited. `isClean`: a stored row that did not come was edited or is gone. Otherwise it may be what an
   * answer lacks, so that no other record takes its place.
   */
  rest(isClean: boolean): readonly Row[];
}

/** What is known about a name that several records share. */
interface Name {
  /** Records that were stored when the name first came in the listing, without those that came since. */
  readonly due: Map<string, Twin>;
  /** The keys of those that came, by the key that `numbered` gave them. */
  readonly given: Map<string, string>;
  /** Keys that no other record can have. */
  readonly taken: Set<string>;
}

/**
 * Ordinals are counted through a listing, so that an earlier record that comes or goes would change the ordinals of all
 * others with its name. Therefore a record keeps the key of the stored record with the same content or, if it was
 * edited, with the same time, because a timestamp is always read whole. Whether any other record is new or was edited
 * is known once all stored records of its name have come, at the end of the listing at the latest.
 * @param rows of `place` have the ordinals that `numbered` gave them.
 * @param isMet whether a key has come in the listing.
 */
export function openSharedNames(db: Db, stream: Stream, isMet: (key: string) => boolean): SharedNames {
  const find = twinsOf(db, stream);
  const names = new Map<string, Name>();
  const waiting = new Map<string, Row>();

  /** Undefined for a record that is the only one with its name, as far as is known. */
  const nameOf = (base: string, group: readonly Row[]): Name | undefined => {
    const known = names.get(base);
    if (known !== undefined) return known;
    const twins = find(base);
    if (isAlone(base, group, twins)) return undefined;
    const due = twins.filter(({ key }) => !isMet(key)).map((twin) => [twin.key, twin] as const);
    const met = isMet(base) ? [base] : [];
    const name: Name = {
      due: new Map(due),
      given: new Map(met.map((key) => [key, key])),
      taken: new Set([...twins.map(({ key }) => key), ...met]),
    };
    names.set(base, name);
    return name;
  };

  const give = (name: Name, row: Row, key: string): Row => {
    name.given.set(row.key, key);
    name.taken.add(key);
    name.due.delete(key);
    return key === row.key ? row : { ...row, key };
  };
  const asNew = (name: Name, row: Row): Row => {
    let key = row.key;
    for (let n = 1; name.taken.has(key); n++) key = withOrdinal(withoutOrdinal(row.key), n);
    return give(name, row, key);
  };
  const placeGroup = (name: Name, group: readonly Row[]): Row[] => {
    const contents = Map.groupBy(name.due.values(), ({ content }) => content);
    const settled = new Map<Row, Row>();
    for (const row of group) {
      const key = name.given.get(row.key) ?? contents.get(contentOf(row))?.shift()?.key;
      if (key !== undefined) settled.set(row, give(name, row, key));
    }
    const times = Map.groupBy(name.due.values(), ({ time }) => time);
    for (const row of group) {
      if (settled.has(row)) continue;
      const twin = row.time === undefined ? undefined : times.get(formatTime(row.time))?.shift();
      if (twin !== undefined) settled.set(row, give(name, row, twin.key));
      else if (name.due.size === 0) settled.set(row, asNew(name, row));
      else waiting.set(row.key, row);
    }
    return [...settled.values()];
  };
  const rest = (isClean: boolean): readonly Row[] => {
    const groups = Map.groupBy(waiting.values(), ({ key }) => withoutOrdinal(key));
    waiting.clear();
    return [...groups].flatMap(([base, rows]) => {
      const name = names.get(base);
      if (name === undefined) return rows;
      const due = isClean ? [...name.due.keys()] : [];
      return rows.map((row, i) => {
        const key = due[i];
        return key === undefined ? asNew(name, row) : give(name, row, key);
      });
    });
  };
  return {
    place(rows) {
      const placed = [...Map.groupBy(rows, ({ key }) => withoutOrdinal(key))].flatMap(([base, group]) => {
        const name = group.every(isNamed) ? nameOf(base, group) : undefined;
        return name === undefined ? group : placeGroup(name, group);
      });
      return waiting.size > MOST_WAITING ? [...placed, ...rest(false)] : placed;
    },
    rest,
  };
}

/** Records that share a digest are interchangeable, so they need no name. */
function isNamed({ needsOrdinal, key }: Row): boolean {
  return needsOrdinal && !isDigest(key);
}

/** Whether an answer and the warehouse have one record with a name, and it is the same. */
function isAlone(base: string, [row, ...others]: readonly Row[], [twin, ...twins]: readonly Twin[]): boolean {
  if (row?.key !== base || others.length > 0 || twins.length > 0) return false;
  if (twin === undefined) return true;
  const isSameTime = row.time !== undefined && formatTime(row.time) === twin.time;
  return twin.key === base && (isSameTime || contentOf(row) === twin.content);
}
