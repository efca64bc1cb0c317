import type { Dataset } from '../datasets/define.ts';
import { isObject, parseJson, textOfJson, type Json } from '../shared/json.ts';
import { quote, type SqlValue } from '../shared/sqlite.ts';

/** What a table stores of a record. */
export interface Held {
  readonly values: readonly SqlValue[];
  /** As in a row: the fields that came as null among them, which have a column of their own in the table. */
  readonly extra: string | null;
}

/** The names of the columns that hold a record. */
export function heldNames({ columns }: Pick<Dataset, 'columns'>): string[] {
  return [...columns.map(({ name }) => name), 'extra', 'null_fields'];
}

/** The columns that hold a record, of which `heldIn` makes one. */
export function heldColumns(dataset: Dataset): string {
  return heldNames(dataset).map(quote).join(', ');
}

export function heldIn(stored: readonly SqlValue[]): Held {
  const [extra = null, nulls = null] = stored.slice(-2);
  return { values: stored.slice(0, -2), extra: joined(extra, nulls) };
}

/**
 * The values of the columns that hold a record. Declared fields that were sent as null are only named, apart from
 * `extra`, so that a row with `extra` has something that the other columns do not show.
 */
export function storedValues(dataset: Pick<Dataset, 'fields'>, { values, extra }: Held): SqlValue[] {
  if (extra === null || !extra.includes(':null')) return [...values, extra, null];
  const members = Object.entries<Json>(objectOf(extra));
  const isNull = ([name, value]: [string, Json]) => value === null && Object.hasOwn(dataset.fields, name);
  const [rest, nulls] = [members.filter((one) => !isNull(one)), members.filter(isNull)];
  const text = (list: readonly unknown[], make: () => string) => (list.length === 0 ? null : make());
  return [
    ...values,
    text(rest, () => textOfJson(Object.fromEntries(rest))),
    text(nulls, () => JSON.stringify(nulls.map(([name]) => name))),
  ];
}

function joined(extra: SqlValue, nulls: SqlValue): string | null {
  const rest = typeof extra === 'string' ? extra : null;
  if (typeof nulls !== 'string') return rest;
  const names = parseJson(nulls);
  const sent = Object.fromEntries(
    Array.isArray(names) ? names.filter((name) => typeof name === 'string').map((name) => [name, null]) : [],
  );
  return textOfJson({ ...(rest === null ? {} : objectOf(rest)), ...sent });
}

function objectOf(text: string) {
  const value = parseJson(text);
  return isObject(value) ? value : {};
}
