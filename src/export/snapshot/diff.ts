import { z } from 'zod';
import { queryLists, queryRows, queryValues, quote } from '../../shared/sqlite.ts';
import type { Db } from '../../warehouse/open.ts';

/** How a table of one file differs from that of another. */
export interface TableDifference {
  readonly table: string;
  readonly added: number;
  readonly removed: number;
  /** Rows of the same key with other values; always 0 where a table has no key. */
  readonly changed: number;
  /** In how many of these rows each column differs. */
  readonly columns: Readonly<Record<string, number>>;
  readonly columnsAdded: readonly string[];
  readonly columnsRemoved: readonly string[];
}

/** How two files differ. */
export interface Difference {
  readonly tablesAdded: readonly string[];
  readonly tablesRemoved: readonly string[];
  /** How many tables were compared, and those of them that differ. */
  readonly compared: number;
  readonly tables: readonly TableDifference[];
}

/** Columns that say when a row was read, which is not what it holds. */
const OF_READING = ['first_seen_at', 'synced_at', 'synced_run'];

/**
 * Compares the tables for readers of two files, the second of which is attached as `other`: what was added, changed and
 * removed on the way from the first to the second.
 * @param experiments those to compare; all of them where none is named.
 */
export function compareFiles(db: Db, experiments: readonly string[]): Difference {
  const [before, after] = [tablesIn(db, 'main'), tablesIn(db, 'other')];
  const both = before.filter((name) => after.includes(name));
  const all = both.map((table) => compareTable(db, table, experiments));
  return {
    tablesAdded: after.filter((name) => !before.includes(name)),
    tablesRemoved: before.filter((name) => !after.includes(name)),
    compared: both.length,
    tables: all.filter(
      ({ added, removed, changed, columnsAdded, columnsRemoved }) =>
        added + removed + changed + columnsAdded.length + columnsRemoved.length > 0,
    ),
  };
}

/** The experiments of either file, with the names that they have there. */
export function experimentsOf(db: Db): { readonly id: string; readonly name?: string | undefined }[] {
  const Name = z.object({ id: z.string(), name: z.string() });
  const namesIn = (schema: string) =>
    columnsIn(db, schema, 'experiments').includes('name')
      ? queryRows(db, `SELECT experiment_id AS id, name FROM ${schema}.experiments WHERE name IS NOT NULL`, Name).all()
      : [];
  const idsIn = (schema: string) =>
    queryValues(db, `SELECT DISTINCT experiment_id FROM ${schema}._freshness`, z.string()).all();
  const inBoth = <T>(of: (schema: string) => T[]) => [...of('main'), ...of('other')];
  const named = new Map(inBoth(namesIn).map((one) => [`${one.id} ${one.name}`, one]));
  const isNamed = new Set([...named.values()].map(({ id }) => id));
  const nameless = [...new Set(inBoth(idsIn))].filter((id) => !isNamed.has(id));
  return [...named.values(), ...nameless.map((id) => ({ id }))];
}

function tablesIn(db: Db, schema: string): string[] {
  const sql = `SELECT name FROM ${schema}._tables WHERE kind IN ('derived', 'mirrored')
    AND name IN (SELECT name FROM ${schema}.sqlite_schema) ORDER BY name`;
  return queryValues(db, sql, z.string()).all();
}

function compareTable(db: Db, table: string, experiments: readonly string[]): TableDifference {
  const [before, after] = [columnsIn(db, 'main', table), columnsIn(db, 'other', table)];
  const both = before.filter((name) => after.includes(name) && !OF_READING.includes(name));
  const of: Compared = { table, columns: both, selection: JSON.stringify(experiments) };
  return {
    table,
    ...(['experiment_id', 'key'].every((name) => both.includes(name)) && isMirrored(db, table)
      ? byKey(db, of)
      : byRow(db, of)),
    columnsAdded: after.filter((name) => !before.includes(name)),
    columnsRemoved: before.filter((name) => !after.includes(name)),
  };
}

function columnsIn(db: Db, schema: string, table: string): string[] {
  return queryValues(db, 'SELECT name FROM pragma_table_info(?, ?) ORDER BY cid', z.string()).all(table, schema);
}

/** `key` identifies the rows of these only; elsewhere it names a row of another table. */
function isMirrored(db: Db, table: string): boolean {
  return queryValues(db, 'SELECT kind FROM main._tables WHERE name = ?', z.string()).get(table) === 'mirrored';
}

interface Compared {
  readonly table: string;
  readonly columns: readonly string[];
  /** The experiments as JSON. */
  readonly selection: string;
}

/** The condition that a row belongs to the experiments that are compared. */
const selected = (alias: string) =>
  `(json_array_length(@selection) = 0 OR ${alias}experiment_id IN (SELECT value FROM json_each(@selection)))`;

type Counts = Pick<TableDifference, 'added' | 'removed' | 'changed' | 'columns'>;

function byKey(db: Db, { table, columns, selection }: Compared): Counts {
  const name = quote(table);
  const onlyIn = (one: string, other: string) => {
    const sql = `SELECT count(*) FROM ${one}.${name} a WHERE ${selected('a.')} AND NOT EXISTS
      (SELECT 1 FROM ${other}.${name} b WHERE b.experiment_id = a.experiment_id AND b.key = a.key)`;
    return queryValues(db, sql, z.number()).get({ selection }) ?? 0;
  };
  const differs = columns.map((column) => `a.${quote(column)} IS NOT b.${quote(column)}`);
  const sums = differs.map((condition) => `coalesce(sum(${condition}), 0)`);
  const sql = `SELECT count(*), ${sums.join(', ')} FROM main.${name} a
    JOIN other.${name} b ON b.experiment_id = a.experiment_id AND b.key = a.key
    WHERE ${selected('a.')} AND (${differs.join(' OR ')})`;
  const [changed, ...counts] = queryLists(db, sql).get({ selection }) ?? [];
  const named = columns.map((column, i) => [column, Number(counts[i])] as const).filter(([, count]) => count > 0);
  return {
    added: onlyIn('other', 'main'),
    removed: onlyIn('main', 'other'),
    changed: Number(changed),
    columns: Object.fromEntries(named),
  };
}

const Totals = z.object({ added: z.number(), removed: z.number() });

/** Rows without a key are the same if all of their values are; the same row may be there more than once. */
function byRow(db: Db, { table, columns, selection }: Compared): Counts {
  const names = columns.map(quote).join(', ');
  const rows = (schema: string, sign: string) =>
    `SELECT ${names}, ${sign}1 AS "#n" FROM ${schema}.${quote(table)} WHERE ${columns.includes('experiment_id') ? selected('') : '@selection IS NOT NULL'}`;
  const sql = `SELECT coalesce(sum(max(n, 0)), 0) AS added, coalesce(sum(max(-n, 0)), 0) AS removed FROM
    (SELECT sum("#n") AS n FROM (${rows('other', '')} UNION ALL ${rows('main', '-')}) GROUP BY ${names})`;
  const { added, removed } = queryRows(db, sql, Totals).get({ selection }) ?? { added: 0, removed: 0 };
  return { added, removed, changed: 0, columns: {} };
}
