import { isHeldByParts, mixedTypeOf, numberOf, type MixedType } from '../datasets/mixed.ts';
import { isStorableText } from '../datasets/values.ts';
import { textOfJson, type Json } from '../shared/json.ts';

/** A value of any kind, with a column for each. */
export interface TypedValue {
  readonly value_type: MixedType | null;
  readonly value_number: number | null;
  readonly value_text: string | null;
  readonly value_json: string | null;
}

/**
 * A JSON value by its type, so that numbers and texts never share a column. What a number or a text column does not hold
 * exactly (more digits than a double has, a NUL, half a character) is kept as JSON.
 */
export function typed(value: Json = null): TypedValue {
  const isNested = typeof value === 'object' && value !== null;
  return {
    value_type: mixedTypeOf(value) ?? null,
    value_number: numberOf(value),
    value_text: typeof value === 'string' && isStorableText(value) ? value : null,
    value_json: value !== null && (isNested || !isHeldByParts(value)) ? textOfJson(value) : null,
  };
}
