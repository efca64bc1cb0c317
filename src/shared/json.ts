import { buildJson, writeJson } from './json-deep.ts';
import { endOfString, holds, parseExactly, type Json, type JsonObject } from './json-values.ts';

export { isObject, isRawNumber, type Json, type JsonObject } from './json-values.ts';

/**
 * Where a number may lose something in a double: 16 digits or more, an exponent of three digits, or a negative zero.
 * It also finds such texts inside strings, where they do no harm but cost time. Each alternative begins where a JSON
 * number can, and has no more than one way to match, so that the search is linear in the length of the text. No part
 * repeats without a bound, as that would need a stack as deep as the text is long; what comes to the bound may lose.
 */
const MAY_LOSE =
  /(?<![^\s:[,])-?(?:\d[\d.]{15,400}(?:[eE][+-]?\d{1,400})?|\d[\d.]{0,14}[eE][+-]?\d{3,400}|(?<=-)0(?:\.0{400}|(?:\.0{0,400})?(?:[eE][+-]?\d{1,400})?(?=[\s,\]}]|$)))/g;
/** A number in a text of this length came to the bound. */
const BOUND = 400;

/** Why a text is not parsed, although it may be JSON: it would take minutes and gigabytes. */
export class JsonTooMuch extends Error {}

/** A text of a double's exact numbers takes a hundred times its own size; one nested so deeply takes as much. */
const LARGEST_EXACT = 16 * 1024 ** 2;
const DEEPEST = 100_000;
/** A shorter text is parsed fast enough, whatever it holds. */
const SHORT = 1024 ** 2;

/**
 * Parses JSON without losing a digit: numbers that a double cannot hold come back as `RawNumber`.
 * @throws SyntaxError when the text is not JSON; JsonTooMuch when it holds more than can be handled.
 */
export function parseJson(text: string): Json {
  if (text.length > SHORT && isDeeper(text, DEEPEST))
    throw new JsonTooMuch(`it is nested more than ${DEEPEST} levels deep`);
  if (!losesDigits(text)) return JSON.parse(text) as Json;
  if (text.length > LARGEST_EXACT) throw new JsonTooMuch('it is larger than 16 MB and has numbers of many digits');
  return unlessTooDeep(
    () => parseExactly(text),
    () => buildJson(text),
  );
}

/** Whether the text has a number that a double does not hold. Most long numbers are doubles that were written out. */
function losesDigits(text: string): boolean {
  for (const [source] of text.matchAll(MAY_LOSE))
    if (source.length >= BOUND || !holds(Number(source), source)) return true;
  return false;
}

const [QUOTE, LIST, LIST_END, OBJECT, OBJECT_END] = ['"', '[', ']', '{', '}'].map((one) => one.charCodeAt(0));

/** Whether lists and objects are nested more deeply than that. */
function isDeeper(text: string, levels: number): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) i = endOfString(text, i);
    else if (code === LIST || code === OBJECT) {
      if (++depth > levels) return true;
    } else if (code === LIST_END || code === OBJECT_END) depth--;
  }
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
