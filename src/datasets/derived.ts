import type { DeclaredPrivacy } from './privacy.ts';
import type { SqlValue } from '../shared/sqlite.ts';

/** What a field's column has to say for this. */
interface Source {
  readonly field: string;
  readonly name: string;
  readonly spec: { readonly kind: string; readonly privacy: DeclaredPrivacy; readonly alsoAs?: string };
}

/**
 * A column for readers that follows from another one: nothing is read back from it, and whether a row has changed is
 * decided without it.
 */
export interface DerivedColumn {
  readonly name: string;
  readonly type: 'REAL' | 'TEXT';
  readonly about: string;
  /** What it reveals about a person: what the other column does. */
  readonly privacy: DeclaredPrivacy;
  /** What it means that there is no value. */
  readonly missing: string;
  readonly unit?: string;
  /** The place of the other column in `dataset.columns`. */
  readonly from: number;
  readonly derive: (value: SqlValue) => SqlValue;
}

/**
 * Numbers beside times, as every language reads a number in the same way and few read a time in a text; seconds beside
 * the onset; and the same things under the same names in all tables, so that these can be joined.
 */
export function derivedColumns(columns: readonly Source[]): DerivedColumn[] {
  return columns.flatMap(({ field, name, spec: { kind, privacy, alsoAs } }, from): DerivedColumn[] => [
    ...(kind === 'time' ? [{ ...unixTime(name), privacy, from }] : []),
    ...(field === 'onset' ? [{ ...seconds(name), privacy, from }] : []),
    ...(alsoAs === undefined ? [] : [{ ...same(name, alsoAs), privacy, from }]),
  ]);
}

/** The values of the derived columns for the values of a row. */
export function derivedValues(derived: readonly DerivedColumn[], values: readonly SqlValue[]): SqlValue[] {
  return derived.map(({ from, derive }) => derive(values[from] ?? null));
}

/** What follows from a column, but for which column that is. */
type Following = Omit<DerivedColumn, 'privacy' | 'from'>;

function unixTime(name: string): Following {
  return {
    name: `${name}_unix`,
    type: 'REAL',
    unit: 's',
    about: `${name} as a number: seconds since 1970-01-01 00:00 UTC.`,
    missing: `There is no ${name}.`,
    derive: (value) => (typeof value === 'string' ? Date.parse(value) / 1000 : null),
  };
}

function seconds(name: string): Following {
  return {
    name: `${name}_s`,
    type: 'REAL',
    unit: 's',
    about: `${name} in seconds.`,
    missing: `There is no ${name}.`,
    derive: (value) => (typeof value === 'number' ? value / 1000 : null),
  };
}

function same(name: string, alsoAs: string): Following {
  return {
    name: alsoAs,
    type: 'TEXT',
    about: `The same as ${name}, under the name that it has in other tables.`,
    missing: `There is no ${name}.`,
    derive: (value) => value,
  };
}
