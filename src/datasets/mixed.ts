import { isRawNumber, parseJson, type Json } from '../shared/json.ts';
import type { SqlValue } from '../shared/sqlite.ts';
import { isStorableNumber, isStorableText } from './values.ts';

/**
 * The columns of a value that may be a number or a text or anything else: numbers and texts in one column would be read
 * as zeros by R, and refused by DuckDB.
 */
export const PARTS = ['type', 'number', 'text', 'json'] as const;
export type Part = (typeof PARTS)[number];

export const PART_TYPE = { type: 'TEXT', number: 'REAL', text: 'TEXT', json: 'TEXT' } as const;

/** What `_type` says. A whole number beyond 2^53 is an integer as well, although `_number` has the nearest to it. */
export const MIXED_TYPES = ['text', 'integer', 'number', 'boolean', 'list', 'object'] as const;
export type MixedType = (typeof MIXED_TYPES)[number];

/** The meaning of each part, after that of the value. */
export const PART_ABOUT: Readonly<Record<Part, string>> = {
  type: 'What it is: text, integer, number, boolean, list or object.',
  number: 'As a number; of a boolean, 0 or 1.',
  text: 'As a text.',
  json: 'As JSON, of a list or an object.',
};

/** What it means that a part is missing. */
export const PART_MISSING: Readonly<Record<Part, string>> = {
  type: 'There is no value.',
  number: 'There is no value, or it is neither a number nor a boolean.',
  text: 'There is no value, or it is not text.',
  json: 'There is no value, or it is neither a list nor an object.',
};

/** What the column of a part holds of a value. */
export function encodePart(part: Part, value: Json): SqlValue {
  switch (part) {
    case 'type':
      return mixedTypeOf(value) ?? null;
    case 'number':
      return numberOf(value);
    case 'text':
      return typeof value === 'string' && isStorableText(value) ? value : null;
    case 'json':
      return isNested(value) ? JSON.stringify(value) : null;
  }
}

/** Whether the columns restore the value exactly. */
export function isHeldByParts(value: Json): boolean {
  if (typeof value === 'string') return isStorableText(value);
  return typeof value === 'boolean' || isStorableNumber(value) || isNested(value);
}

/** The value in these columns, which are in the order of `PARTS`; undefined if they hold none. */
export function decodeParts([type, number, text, json]: readonly SqlValue[]): Json | undefined {
  switch (type) {
    case 'boolean':
      return number === 1;
    case 'integer':
    case 'number':
      return number ?? undefined;
    case 'text':
      return text ?? undefined;
    default:
      return typeof json === 'string' ? parseJson(json) : undefined;
  }
}

/** Undefined for null. */
export function mixedTypeOf(value: Json): MixedType | undefined {
  if (value === null) return undefined;
  if (typeof value === 'string') return 'text';
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'number') return Number.isSafeInteger(value) ? 'integer' : 'number';
  if (isRawNumber(value)) return /^-?\d+$/.test(value.rawJSON) ? 'integer' : 'number';
  return Array.isArray(value) ? 'list' : 'object';
}

/** The nearest number that a column can hold; 0 and 1 for booleans. */
export function numberOf(value: Json): number | null {
  if (typeof value === 'boolean') return Number(value);
  const number = typeof value === 'number' ? value : isRawNumber(value) ? Number(value.rawJSON) : NaN;
  return Number.isFinite(number) ? number + 0 : null;
}

function isNested(value: Json): boolean {
  return typeof value === 'object' && value !== null && !isRawNumber(value);
}
