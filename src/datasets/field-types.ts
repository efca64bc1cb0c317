import { isObject, type Json, type JsonObject } from '../shared/json.ts';
import type { Dataset } from './define.ts';
import type { MixedType } from './mixed.ts';
import { fieldInExtra, type Row } from './normalise.ts';
import type { FieldKind } from './values.ts';

/** The JSON type of a value, in words for people. */
export type ValueType = 'text' | 'number' | 'boolean' | 'object' | 'list' | 'null';

/** The types that a column of each kind expects. */
const EXPECTED: Readonly<Record<FieldKind, readonly ValueType[]>> = {
  text: ['text'],
  integer: ['number'],
  real: ['number'],
  boolean: ['boolean'],
  time: ['text'],
  json: ['object', 'list'],
  any: ['text', 'number', 'boolean', 'object', 'list'],
};

/** By what the column of a value's type says. */
const SAID = new Map<string, ValueType>(
  Object.entries({
    text: 'text',
    integer: 'number',
    number: 'number',
    boolean: 'boolean',
    list: 'list',
    object: 'object',
  } satisfies Record<MixedType, ValueType>),
);

/** A field's declared types. `isWide`: its column takes more types than the records may use. */
export interface DeclaredField {
  readonly types: readonly ValueType[];
  readonly isWide: boolean;
}

/** Every declared field, under each of its names. */
export function declaredFields({ fields, identity }: Dataset): ReadonlyMap<string, DeclaredField> {
  const ids = identity.map((name): [string, DeclaredField] => [name, { types: ['text', 'number'], isWide: true }]);
  const named = Object.entries(fields).flatMap(([field, { kind, aliases = [] }]) =>
    [field, ...aliases].map((name): [string, DeclaredField] => [name, { types: EXPECTED[kind], isWide: isWide(kind) }]),
  );
  return new Map([...ids, ['experimentId', { types: ['text'], isWide: false }], ...named]);
}

function isWide(kind: FieldKind): boolean {
  return EXPECTED[kind].length > 1;
}

/** Calls `report` with the type of every value of a row that does not follow from the declaration. */
export type TypesOf = (row: Row, report: (field: string, type: ValueType) => void) => void;

/** Most rows fit their declared columns, so only columns of several types and `extra` are checked. */
export function typesIn({ columns }: Dataset): TypesOf {
  const wide = columns.flatMap(({ field, spec: { kind }, part }, i) =>
    isWide(kind) && (part ?? 'type') === 'type' ? [{ field, kind, i }] : [],
  );
  return ({ values, extra }, report) => {
    for (const { field, kind, i } of wide) {
      const value = values[i];
      if (typeof value !== 'string') continue;
      const type = kind === 'any' ? SAID.get(value) : value.startsWith('{') ? 'object' : 'list';
      if (type !== undefined) report(field, type);
    }
    if (extra === null) return;
    for (const [member, value] of Object.entries<Json>(JSON.parse(extra) as JsonObject)) {
      const field = fieldInExtra(member);
      if (field !== undefined) report(field, typeOf(value));
    }
  };
}

function typeOf(value: Json): ValueType {
  if (value === null) return 'null';
  if (typeof value === 'string') return 'text';
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'number') return 'number';
  return isObject(value) ? 'object' : 'list';
}
