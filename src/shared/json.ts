/** A JSON value as `parseJson` gives it. `RawNumber` is a number that no double holds; it keeps its own text. */
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

/** Only a number with 16 digits or more, a three-digit exponent, or a negative zero can lose something in a double. */
const MAY_LOSE = /\d[\d.]{15}|\d[eE][+-]?\d{3}|[:[,]\s*-0(?:\.0*)?(?:[eE][+-]?\d+)?\s*[,\]}]|^\s*-0/;

/**
 * Parses JSON without losing a digit: numbers that a double cannot hold come back as `RawNumber`.
 * @throws SyntaxError when the text is not JSON.
 */
export function parseJson(text: string): Json {
  if (!MAY_LOSE.test(text)) return JSON.parse(text) as Json;
  return json.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && !holds(value, source) ? json.rawJSON(source) : value,
  ) as Json;
}

export function isRawNumber(value: unknown): value is RawNumber {
  return json.isRawJSON(value);
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value);
}

/** JSON with the keys of every object in code-unit order: equal values give equal text. */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.entries<Json>(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}

/** Whether the double says the same decimal number as its source. */
function holds(value: number, source: string): boolean {
  return Number.isFinite(value) && !Object.is(value, -0) && decimal(String(value)) === decimal(source);
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
