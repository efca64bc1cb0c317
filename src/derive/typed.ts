import { isObject, isRawNumber, textOfJson, type Json } from '../shared/json.ts';

/** A value of any kind, with a column for each. */
export interface TypedValue {
  readonly value_type: 'text' | 'integer' | 'number' | 'boolean' | 'list' | 'object' | null;
  readonly value_number: number | null;
  readonly value_text: string | null;
  readonly value_json: string | null;
}

/** A JSON value by its type, so that numbers and texts never share a column. */
export function typed(value: Json | undefined): TypedValue {
  const of = (value_type: TypedValue['value_type'], rest: Partial<TypedValue>): TypedValue => ({
    value_type,
    value_number: null,
    value_text: null,
    value_json: null,
    ...rest,
  });
  if (value === undefined || value === null) return of(null, {});
  if (typeof value === 'boolean') return of('boolean', { value_number: Number(value) });
  if (typeof value === 'number') return of(Number.isInteger(value) ? 'integer' : 'number', { value_number: value });
  // More digits than a double holds: the number is rounded, its text is not.
  if (isRawNumber(value)) return of('number', { value_number: rounded(value.rawJSON), value_json: value.rawJSON });
  if (typeof value === 'string') return of('text', plainText(value));
  return of(isObject(value) ? 'object' : 'list', { value_json: textOfJson(value) });
}

/** The nearest double; null where a number is larger than any. */
function rounded(source: string): number | null {
  const value = Number(source);
  return Number.isFinite(value) ? value : null;
}

/** A text that SQLite's readers cannot hold (a NUL, half a character) is kept as JSON. */
function plainText(text: string): Partial<TypedValue> {
  return text.isWellFormed() && !text.includes('\0') ? { value_text: text } : { value_json: JSON.stringify(text) };
}
