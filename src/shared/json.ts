import { buildJson, writeJson } from './json-deep.ts';
import { parseExactly, type Json, type JsonObject } from './json-values.ts';

export { isObject, isRawNumber, type Json, type JsonObject } from './json-values.ts';

/** Only a number with 16 digits or more, a three-digit exponent, or a negative zero can lose something in a double. */
const MAY_LOSE = /\d[\d.]{15}|\d[eE][+-]?\d{3}|[:[,]\s*-0(?:\.0*)?(?:[eE][+-]?\d+)?\s*[,\]}]|^\s*-0/;

/**
 * Parses JSON without losing a digit: numbers that a double cannot hold come back as `RawNumber`.
 * @throws SyntaxError when the text is not JSON.
 */
export function parseJson(text: string): Json {
  if (!MAY_LOSE.test(text)) return JSON.parse(text) as Json;
  return unlessTooDeep(
    () => parseExactly(text),
    () => buildJson(text),
  );
}

/** JSON as `JSON.stringify` writes it, however deep the value is nested. */
export function textOfJson(value: Json): string {
  return unlessTooDeep(
    () => JSON.stringify(value),
    () => writeJson(value, Object.entries<Json>),
  );
}

/** JSON with the keys of every object in code-unit order: equal values give equal text. */
export function canonicalJson(value: Json): string {
  return writeJson(value, sortedEntries);
}

function sortedEntries(value: JsonObject): [string, Json][] {
  return Object.entries<Json>(value).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The result of JavaScript's own function or, where the value is nested too deeply for the call stack, of a loop. */
function unlessTooDeep<T>(native: () => T, loop: () => T): T {
  try {
    return native();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return loop();
  }
}
