/** A JSON value as `parseJson` gives it. `RawNumber` is a number that a double cannot hold; it keeps its own text. */
export type Json = string | number | boolean | null | RawNumber | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

declare const raw: unique symbol;
/** Made by `JSON.rawJSON`: `JSON.stringify` writes it digit for digit as the server sent it. */
export interface RawNumber {
  readonly [raw]: true;
  readonly rawJSON: string;
}

/** The parts of the JSON source text proposal that Node 22 has and TypeScript's library does not name yet. */
interface JsonWithSource {
  parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
  rawJSON(text: string): RawNumber;
  isRawJSON(value: unknown): value is RawNumber;
}
const json = JSON as unknown as JsonWithSource;

export function isRawNumber(value: unknown): value is RawNumber {
  return json.isRawJSON(value);
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value);
}

/** Parses a JSON text with JavaScript's own parser, which gives the text of each number. */
export function parseExactly(text: string): Json {
  return json.parse(text, (_key, value, { source }) =>
    typeof value === 'number' ? exact(value, source) : value,
  ) as Json;
}

/** The number, or its own text where the double differs from it. */
export function exact(value: number, source: string | undefined): number | RawNumber {
  return source === undefined || holds(value, source) ? value : json.rawJSON(source);
}

/** A longer one keeps its own text: comparing it would take a time that grows faster than its length. */
const LONGEST_NUMBER = 400;

/** Whether the double is the same decimal number as its source. */
export function holds(value: number, source: string): boolean {
  return (
    source.length < LONGEST_NUMBER &&
    Number.isFinite(value) &&
    !Object.is(value, -0) &&
    (String(value) === source || decimal(String(value)) === decimal(source))
  );
}

/** A decimal number as sign, digits without outer zeros, and exponent: equal numbers give equal text. */
function decimal(text: string): string {
  const parts = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (parts === null) return text;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = parts;
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  return `${sign}${significant}e${Number(exponent) - fraction.length + (digits.length - significant.length)}`;
}

/** The place of the quote that ends the string which begins there; the end of the text where none does. */
export function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let before = end;
    while (text.charCodeAt(before - 1) === 0x5c /* a backslash */) before--;
    if ((end - before) % 2 === 0) return end;
  }
  return text.length;
}
