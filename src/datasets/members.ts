import { isObject, parseJson, type Json } from '../shared/json.ts';
import type { SqlValue } from '../shared/sqlite.ts';
import type { Dataset } from './define.ts';
import { encodePart, mixedTypeOf, numberOf, type Part } from './mixed.ts';
import { fieldInExtra } from './normalise.ts';

/** What a member's column holds; a member whose values are of several types has a column for each. */
export type Form = 'text' | 'number' | 'boolean' | 'json';

export const FORM_TYPE = { text: 'TEXT', number: 'REAL', boolean: 'INTEGER', json: 'TEXT' } as const;

/** A member of a JSON column, or of `extra`. */
export interface Member {
  /** The column and the member, as in `response.value`. */
  readonly path: string;
  readonly value: Json;
  /** The column of a field whose value does not fit it. */
  readonly misfitOf?: string;
}

/** Member names that can be column names; others stay in the JSON only. */
const PLAIN_NAME = /^[\p{L}\p{N} _.:/@$'-]{1,100}$/u;

export function canBeColumn(path: string): boolean {
  return PLAIN_NAME.test(path.slice(path.indexOf('.') + 1));
}

/** The name that a member's column gets unless it is taken; SQLite ignores case in names. */
export function memberName(path: string): string {
  const wanted = path.startsWith('extra.') ? path.slice('extra.'.length) : path.replace('.', '_');
  return wanted
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[^\p{L}\p{N}_]+/gu, '_')
    .toLowerCase();
}

/** Undefined for null, which needs no column. */
export function formOf(value: Json): Form | undefined {
  switch (mixedTypeOf(value)) {
    case undefined:
      return undefined;
    case 'text':
      return 'text';
    case 'boolean':
      return 'boolean';
    case 'integer':
    case 'number':
      return 'number';
    default:
      return 'json';
  }
}

/** The value in a column of that form. */
export function encodeForm(form: Form, value: Json): SqlValue {
  if (form === 'number' || form === 'boolean') return numberOf(value);
  const part: Part = form;
  return encodePart(part, value);
}

/** Finds the members in what is stored of a record, in the order in which they stand; null ones are left out. */
export type MembersOf = (held: { readonly values: readonly SqlValue[]; readonly extra: string | null }) => Member[];

export function membersIn({ columns, fields }: Dataset): MembersOf {
  const places = columns.flatMap(({ name, spec }, i) => (spec.kind === 'json' ? [{ name, i }] : []));
  const own = new Map(columns.map(({ field, name, spec }, i) => [field, { name, i, isMixed: spec.kind === 'any' }]));
  const none: Member[] = [];
  return ({ values, extra }) => {
    let found: Member[] = none;
    const add = (member: Member) => {
      if (found === none) found = [];
      found.push(member);
    };
    for (const { name, i } of places) {
      const text = values[i];
      if (typeof text !== 'string' || !text.startsWith('{')) continue;
      for (const [key, value] of entriesOf(text)) if (value !== null) add({ path: `${name}.${key}`, value });
    }
    if (extra === null) return found;
    for (const [key, value] of entriesOf(extra)) {
      const field = fieldInExtra(key);
      if (value === null || field === undefined) continue;
      const column = Object.hasOwn(fields, field) ? own.get(field) : undefined;
      if (column === undefined) add({ path: `extra.${field}`, value });
      else if (!column.isMixed && values[column.i] === null)
        add({ path: `extra.${field}`, value, misfitOf: column.name });
    }
    return found;
  };
}

function entriesOf(text: string): [string, Json][] {
  const parsed = parseJson(text);
  return isObject(parsed) ? Object.entries<Json>(parsed) : [];
}
