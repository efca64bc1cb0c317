import { z } from 'zod';
import { contentOf } from '../datasets/content.ts';
import { withOrdinal, withoutOrdinal } from '../datasets/keys.ts';
import type { Row } from '../datasets/normalise.ts';
import type { Stream } from '../datasets/stream.ts';
import { queryLists, queryValues, type SqlValue, quote } from '../shared/sqlite.ts';
import { formatTime } from '../shared/time.ts';
import type { Db } from './open.ts';
import { heldColumns, heldIn } from './held.ts';
import { keysWithOrdinals } from './records.ts';

/** A record that is stored under a key or one of its ordinals. */
export interface Twin {
  readonly key: string;
  readonly content: string;
  readonly time: SqlValue;
}

/** What is known about the answer whose records are matched. */
export interface Matching {
  /**
   * Whether the reading has met a key before: then that record is another one, unless the row has the same content or
   * the same time. This finds the second record of an id that is on another page than the first.
   */
  readonly isMet?: ((key: string) => boolean) | undefined;
  /**
   * Whether the answer says that it lacks records. Then a record that says something else than each stored one may be
   * an edit of any of them or a new one, and is left out until an answer has all of them.
   */
  readonly isPartial?: boolean | undefined;
}

interface MetTwin extends Twin {
  readonly isMet: boolean;
}

/**
 * Gives records of an id that several stored records share the keys under which they are stored: an answer that shows
 * only one of them does not say which it is, and writing it over the other would lose a record and add history at each
 * reading. A record is the one with the same content, or else with the same time; one that is neither may be new,
 * unless the answer shows as many as are stored. Costs a look-up for each row, so it is only for streams that are known
 * to have shared ids.
 * @param rows of one answer, with the ordinals that `numbered` gave them.
 */
export function matchDoubles(
  db: Db,
  stream: Stream,
  rows: readonly Row[],
  { isMet = () => false, isPartial = false }: Matching = {},
): readonly Row[] {
  const hasDouble = doubleIn(db, stream);
  const find = twinsOf(db, stream);
  const keys = new Map<Row, string | undefined>();
  for (const [base, group] of Map.groupBy(rows, (row) => withoutOrdinal(row.key))) {
    if (group.some(({ needsOrdinal }) => needsOrdinal)) continue;
    if (!isMet(base) && !hasDouble(base)) continue;
    const held = find(base).map((twin) => ({ ...twin, isMet: isMet(twin.key) }));
    if (held.length === 0) continue;
    for (const [row, key] of assign(base, group, held, isPartial)) keys.set(row, key);
  }
  return rows.flatMap((row) => {
    const key = keys.has(row) ? keys.get(row) : row.key;
    return key === row.key ? [row] : key === undefined ? [] : [{ ...row, key }];
  });
}

/** The key of each record; undefined for one of which a partial answer does not show which record it is. */
function assign(
  base: string,
  group: readonly Row[],
  held: readonly MetTwin[],
  isPartial: boolean,
): Map<Row, string | undefined> {
  const keys = new Map<Row, string | undefined>();
  const free = new Map(held.map((twin) => [twin.key, twin]));
  const take = (matches: (row: Row, twin: MetTwin) => boolean) => {
    for (const row of group) {
      const twin = keys.has(row) ? undefined : [...free.values()].find((candidate) => matches(row, candidate));
      if (twin === undefined) continue;
      keys.set(row, twin.key);
      free.delete(twin.key);
    }
  };
  take((row, { content }) => contentOf(row) === content);
  if (!isPartial) take(({ time }, twin) => twin.time === (time === undefined ? null : formatTime(time)));
  const others = held.filter((twin) => !twin.isMet);
  if (!isPartial && group.length >= others.length) take((_, twin) => !twin.isMet);
  const isUnclear = isPartial && [...free.values()].some((twin) => !twin.isMet);
  const taken = new Set(held.map(({ key }) => key));
  for (const row of group) {
    if (keys.has(row)) continue;
    if (isUnclear) {
      keys.set(row, undefined);
      continue;
    }
    let n = 1;
    while (taken.has(withOrdinal(base, n))) n++;
    keys.set(row, withOrdinal(base, n));
    taken.add(withOrdinal(base, n));
  }
  return keys;
}

/**
 * The keys of rows that say exactly what another record of their id or name says, and did not when they were last read:
 * records of their own, or one that an answer repeats in the place of another.
 */
export function newRepeats(db: Db, stream: Stream, rows: readonly Row[]): string[] {
  const bases = new Set(rows.filter(({ key }) => key.includes('#')).map(({ key }) => withoutOrdinal(key)));
  if (bases.size === 0) return [];
  const find = twinsOf(db, stream);
  const groups = Map.groupBy(rows, ({ key }) => withoutOrdinal(key));
  return [...bases].flatMap((base) => {
    const held = find(base);
    const came = (groups.get(base) ?? []).map((row) => ({ key: row.key, content: contentOf(row) }));
    const now = [...new Map([...held, ...came].map((one) => [one.key, one])).values()];
    return [...Map.groupBy(came, ({ content }) => content)].flatMap(([content, group]) => {
      const timesIn = (all: readonly { content: string }[]) => all.filter((one) => one.content === content).length;
      const more = timesIn(now) - Math.max(timesIn(held), 1);
      return group.slice(group.length - Math.max(more, 0)).map(({ key }) => key);
    });
  });
}

/** The keys of the rows that say exactly what another one of their id or name says, but for the first of them. */
export function heldRepeats(db: Db, stream: Stream): string[] {
  const find = twinsOf(db, stream);
  const bases = new Set([...keysWithOrdinals(db, stream)].map(withoutOrdinal));
  return [...bases].flatMap((base) =>
    [...Map.groupBy(find(base), ({ content }) => content)].flatMap(([, [, ...others]]) => others.map(({ key }) => key)),
  );
}

/** `#` occurs nowhere else in a key, and `$` follows it. */
const IS_ORDINAL = "key >= @base || '#' AND key < @base || '$'";

function doubleIn(db: Db, { experimentId, dataset: { table } }: Stream): (base: string) => boolean {
  const sql = `SELECT 1 FROM ${quote(table)} WHERE experiment_id = @experimentId AND ${IS_ORDINAL} LIMIT 1`;
  const find = queryValues(db, sql, z.number());
  return (base) => find.get({ experimentId, base }) !== undefined;
}

/** Finds the records that are stored under a key and its ordinals, in their order. */
export function twinsOf(db: Db, { experimentId, dataset }: Stream): (base: string) => Twin[] {
  const { table, timeColumn } = dataset;
  const find = queryLists(
    db,
    `SELECT key, ${timeColumn === undefined ? 'NULL' : quote(timeColumn)}, ${heldColumns(dataset)} FROM ${quote(table)}
       WHERE experiment_id = @experimentId AND (key = @base OR ${IS_ORDINAL}) ORDER BY length(key), key`,
  );
  return (base) =>
    find.all({ experimentId, base }).map(([key = '', time = null, ...stored]) => {
      return { key: String(key), time, content: contentOf({ dataset, ...heldIn(stored) }) };
    });
}
