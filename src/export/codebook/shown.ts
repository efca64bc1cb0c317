import { z } from 'zod';
import { DATASETS } from '../../datasets/registry.ts';
import { derivedIn } from '../../derive/registry.ts';
import { queryRows } from '../../shared/sqlite.ts';
import { columnNames } from '../../warehouse/column-names.ts';
import type { Db } from '../../warehouse/open.ts';
import type { IsPersonal } from './impersonal.ts';

/**
 * What a codebook shows of a column's values: how often each occurs · the smallest and the largest · how many there are
 * and no value.
 */
export type Shown = 'levels' | 'range' | 'counts';

/** What a column is declared to be. */
interface Declared {
  readonly type: string;
  readonly isTime: boolean;
  readonly isBoolean: boolean;
  readonly isCode: boolean;
}

/**
 * Says what may be shown of the columns of a table. Only what is declared to be a code, a number or a time is shown, so
 * that a text of a participant, a name or an address never is; of fields that HyperStudy adds, values are not shown.
 */
export function shownIn(db: Db, table: string): (column: string) => Shown {
  const declared = declaredIn(db, table);
  return (column) => {
    const found = declared.get(column);
    if (found === undefined) return 'counts';
    if (found.isBoolean || found.isCode) return 'levels';
    return found.type !== 'TEXT' || found.isTime ? 'range' : 'counts';
  };
}

function declaredIn(db: Db, table: string): Map<string, Declared> {
  const derived = derivedIn(db).find(({ name }) => name === table);
  if (derived !== undefined) {
    const columns = Object.entries(derived.columns);
    return new Map(
      columns.map(([name, { type, unit, isBoolean = false, isCode = false }]) => [
        name,
        { type, isTime: unit === TIME, isBoolean, isCode },
      ]),
    );
  }
  const dataset = DATASETS.find((one) => one.table === table);
  if (dataset === undefined) return wideColumns(db, table);
  const plain = { isTime: false, isBoolean: false, isCode: false };
  return new Map<string, Declared>([
    ...dataset.columns.map(
      ({ name, type, spec, part }) =>
        [
          name,
          {
            type,
            isTime: spec.kind === 'time',
            isBoolean: spec.kind === 'boolean',
            isCode: spec.isCode === true || part === 'type',
          },
        ] as const,
    ),
    ...dataset.derived.map(({ name, type }) => [name, { ...plain, type }] as const),
    ...columnNames(db, table).flatMap(({ path, column, type }) =>
      column === null || dataset.members?.[path] === undefined
        ? []
        : [[column, { ...plain, type: type === 'number' ? 'REAL' : 'TEXT', isCode: type === 'type' }] as const],
    ),
  ]);
}

const TIME = 'ISO 8601, UTC';

/** Numbers and booleans of a table with one row a person; its texts are among the questions and the variables. */
function wideColumns(db: Db, table: string): Map<string, Declared> {
  const sql = 'SELECT column_name AS name, type, is_boolean AS isBoolean FROM _data_dictionary WHERE table_name = ?';
  const found = queryRows(db, sql, z.object({ name: z.string(), type: z.string(), isBoolean: z.number() })).all(table);
  return new Map(
    found.map(({ name, type, isBoolean }) => [
      name,
      { type, isTime: false, isBoolean: isBoolean === 1, isCode: false },
    ]),
  );
}

/** The longest text that is shown as a value. */
const LONGEST = 60;

/**
 * A value as it may be shown: without what an address has behind its path, where there may be a key. Undefined for what
 * is too long for a code, or looks like a person's address.
 */
export function presentable(value: string | number): string | undefined {
  if (typeof value === 'number') return numberText(value);
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value)
    ? value.replace(/[?#].*$/s, '').replace(/\/\/[^/]*@/, '//')
    : value;
  return text.length > LONGEST || /\S@\S|[\r\n\0]/.test(text) ? undefined : text;
}

/** Six significant digits, or three behind the point of a large number. */
export function numberText(value: number): string {
  const places = Math.abs(value) < 1000 ? value.toPrecision(6) : value.toFixed(3);
  return Number.isInteger(value) ? String(value) : String(Number(places));
}

/** A level, and how often it occurs. */
export interface Level {
  readonly value: string;
  readonly label: string | null;
  readonly n: number;
}

const Label = z.object({ value: z.union([z.string(), z.number()]), label: z.string() });

/** What values mean. @param where a condition that selects them in `_values`, with its parameters. */
export function labelsIn(db: Db, where: string, ...params: readonly string[]): Map<string, string> {
  const sql = `SELECT coalesce(value_text, value_number) AS value, label FROM _values
    WHERE ${where} AND label IS NOT NULL ORDER BY position`;
  const found = queryRows(db, sql, Label).all(...params);
  return new Map(found.map(({ value, label }) => [String(value), label]));
}

/** How many levels are listed where there are more. */
const MOST = 12;

/** The most frequent levels that may be shown, and how many values the others have in all. */
export function levelsOf(
  counted: readonly { readonly value: string | number; readonly n: number }[],
  isPersonal: IsPersonal,
  labels: ReadonlyMap<string, string> = new Map(),
): { levels: readonly Level[]; others: number } {
  const merged = new Map<string, number>();
  let others = 0;
  for (const { value, n } of counted) {
    const text = presentable(value);
    if (text === undefined || (typeof value === 'string' && isPersonal(value))) others += n;
    else merged.set(text, (merged.get(text) ?? 0) + n);
  }
  const all = [...merged].map(([value, n]) => ({ value, n, label: labels.get(value) ?? null }));
  const kept = all.length <= MOST ? all : all.toSorted((a, b) => b.n - a.n).slice(0, MOST);
  const left = all.filter((level) => !kept.includes(level));
  return { levels: kept, others: others + left.reduce((sum, { n }) => sum + n, 0) };
}

/**
 * The levels of texts that are declared nowhere, such as those of a variable. They are shown where they look like codes:
 * few of them, fewer than half as many as there are people or rooms, and each of two or more of these.
 */
export function codesAmong(
  counted: readonly { readonly value: string; readonly n: number }[],
  isPersonal: IsPersonal,
): { levels: readonly Level[]; others: number } {
  const total = counted.reduce((sum, { n }) => sum + n, 0);
  if (counted.length > MOST || counted.length * 2 > total) return { levels: [], others: total };
  const shared = counted.filter(({ n }) => n > 1);
  const { levels, others } = levelsOf(shared, isPersonal);
  return { levels, others: others + total - shared.reduce((sum, { n }) => sum + n, 0) };
}
