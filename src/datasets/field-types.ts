import { isObject, type Json, type JsonObject } from '../shared/json.ts';
import type { Dataset, FieldKind } from './define.ts';
import { fieldInExtra, type Row } from './normalise.ts';

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
  any: ['text', 'number'],
};

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
  const wide = columns.flatMap(({ field, spec: { kind } }, i) => (isWide(kind) ? [{ field, kind, i }] : []));
  return ({ values, extra }, report) => {
    for (const { field, kind, i } of wide) {
      const value = values[i];
      if (typeof value === 'number') report(field, 'number');
      else if (typeof value === 'string')
        report(field, kind === 'any' ? 'text' : value.startsWith('{') ? 'object' : 'list');
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
