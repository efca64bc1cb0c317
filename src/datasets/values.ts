import { isObject, isRawNumber, parseJson, type Json } from '../shared/json.ts';
import type { SqlValue } from '../shared/sqlite.ts';
import { formatTime, parseEpoch, parseTime } from '../shared/time.ts';

export type { SqlValue } from '../shared/sqlite.ts';

/** Marks a value that does not fit its column without loss and belongs in `extra`. */
export const UNFIT = Symbol('unfit');

/**
 * How a field's value is stored: `json` is an object or list as text; `any` may be of any type, and has a column for each
 * (`mixed.ts`).
 */
export type FieldKind = 'text' | 'integer' | 'real' | 'boolean' | 'time' | 'json' | 'any';

/** What one column can hold. */
export type PlainKind = Exclude<FieldKind, 'any'>;

/** The SQL value of a field's value, or UNFIT when the column could not restore it exactly. */
export function encode(kind: PlainKind, value: Json): SqlValue | typeof UNFIT {
  switch (kind) {
    case 'text':
      return typeof value === 'string' && isStorableText(value) ? value : UNFIT;
    case 'real':
      return isStorableNumber(value) ? value : UNFIT;
    case 'integer':
      return isStorableNumber(value) && Number.isSafeInteger(value) ? value : UNFIT;
    case 'boolean':
      return typeof value === 'boolean' ? Number(value) : UNFIT;
    case 'json':
      return typeof value === 'object' && value !== null ? JSON.stringify(value) : UNFIT;
    case 'time': {
      const ms = timeOf(value);
      return ms === undefined ? UNFIT : formatTime(ms);
    }
  }
}

/** The JSON value that `encode` turned into this column value. */
export function decode(kind: PlainKind, value: string | number): Json {
  if (kind === 'boolean') return value === 1;
  if (kind === 'json') return parseJson(String(value));
  return value;
}

/**
 * Milliseconds since 1970 UTC of a time in any form that the API or its database may send: ISO 8601 text, epoch
 * milliseconds or seconds, or a `{seconds, nanoseconds}` object; undefined for anything else.
 */
export function timeOf(value: Json | undefined): number | undefined {
  if (typeof value === 'string') return parseTime(value);
  if (typeof value === 'number') return parseEpoch(value);
  if (isRawNumber(value)) return parseEpoch(Number(value.rawJSON));
  if (value === undefined || !isObject(value)) return undefined;
  const seconds = value['_seconds'] ?? value['seconds'];
  const nanoseconds = value['_nanoseconds'] ?? value['nanoseconds'] ?? 0;
  if (typeof seconds !== 'number' || typeof nanoseconds !== 'number') return undefined;
  const second = parseEpoch(seconds);
  return second === undefined ? undefined : second + Math.floor(nanoseconds / 1e6);
}

/**
 * An unpaired surrogate has no UTF-8 encoding, and a NUL ends the text for many readers: JSON in `extra` escapes both.
 */
export function isStorableText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/** SQLite does not store a negative zero. */
export function isStorableNumber(value: Json): value is number {
  return typeof value === 'number' && Number.isFinite(value) && !Object.is(value, -0);
}
