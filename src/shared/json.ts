import { buildJson, writeJson } from './json-deep.ts';
import { holds, parseExactly, type Json, type JsonObject } from './json-values.ts';

export { isObject, isRawNumber, type Json, type JsonObject } from './json-values.ts';

/**
 * Where a number may lose something in a double: 16 digits or more, an exponent of three digits, or a negative zero.
 * It also finds such texts inside strings, where they do no harm but cost time. Each alternative begins where a JSON
 * number can, and has no more than one way to match, so that the search is linear in the length of the text.
 */
const MAY_LOSE =
  /(?<![^\s:[,])-?(?:\d[\d.]{15,}(?:[eE][+-]?\d+)?|\d[\d.]{0,14}[eE][+-]?\d{3,}|(?<=-)0(?:\.0*)?(?:[eE][+-]?\d+)?(?=[\s,\]}]|$))/g;

/**
 * Parses JSON without losing a digit: numbers that a double cannot hold come back as `RawNumber`.
 * @throws SyntaxError when the text is not JSON.
 */
export function parseJson(text: string): Json {
  if (!losesDigits(text)) return JSON.parse(text) as Json;
  return unlessTooDeep(
    () => parseExactly(text),
    () => buildJson(text),
  );
}

/** Whether the text has a number that a double does not hold. Most long numbers are doubles that were written out. */
function losesDigits(text: string): boolean {
  for (const [source] of text.matchAll(MAY_LOSE)) if (!holds(Number(source), source)) return true;
  return false;
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
