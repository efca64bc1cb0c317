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
  return unlessTooDeep(
    () =>
      json.parse(text, (_key, value, { source }) => (typeof value === 'number' ? exact(value, source) : value)) as Json,
    () => buildJson(text),
  );
}

export function isRawNumber(value: unknown): value is RawNumber {
  return json.isRawJSON(value);
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value);
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
  return unlessTooDeep(
    () => canonical(value),
    () => writeJson(value, sortedEntries),
  );
}

function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = sortedEntries(value).map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`);
  return `{${members.join(',')}}`;
}

function sortedEntries(value: JsonObject): [string, Json][] {
  return Object.entries<Json>(value).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The number, or its own text where the double says another one. */
function exact(value: number, source: string | undefined): number | RawNumber {
  return source === undefined || holds(value, source) ? value : json.rawJSON(source);
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

/** What recursion makes of a value or, where the call stack is too small for its depth, what a loop does. */
function unlessTooDeep<T>(recursive: () => T, loop: () => T): T {
  try {
    return recursive();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return loop();
  }
}

/** A value as JSON text, written without recursion. */
function writeJson(root: Json, entriesOf: (value: JsonObject) => [string, Json][]): string {
  const text: string[] = [];
  const ahead: ({ text: string } | { value: Json })[] = [{ value: root }];
  for (let next = ahead.pop(); next !== undefined; next = ahead.pop()) {
    if ('text' in next) {
      text.push(next.text);
      continue;
    }
    const { value } = next;
    const isList = Array.isArray(value);
    if (!isList && !isObject(value)) {
      text.push(JSON.stringify(value));
      continue;
    }
    const members = isList
      ? value.map((member): [string, Json] => ['', member])
      : entriesOf(value).map(([key, member]): [string, Json] => [`${JSON.stringify(key)}:`, member]);
    text.push(isList ? '[' : '{');
    ahead.push({ text: isList ? ']' : '}' });
    for (let i = members.length - 1; i >= 0; i--) {
      const [label, member] = members[i] ?? ['', null];
      ahead.push({ value: member }, { text: (i === 0 ? '' : ',') + label });
    }
  }
  return text.join('');
}

/** The tokens of JSON: a mark, a string, or a number or word. */
const TOKEN = /[{}[\],:]|"(?:[^"\\]+|\\.)*"|[^\s{}[\],:"]+/g;

/** The value of a text that is known to be JSON, built without recursion and without losing a digit. */
function buildJson(text: string): Json {
  const root: Json[] = [];
  const open: (Json[] | JsonObject)[] = [root];
  let into: Json[] | JsonObject = root;
  let key: string | undefined;
  const put = (value: Json) => {
    if (Array.isArray(into)) into.push(value);
    else if (key === undefined) key = typeof value === 'string' ? value : '';
    else {
      // Assigning to `__proto__` would set the prototype instead.
      Object.defineProperty(into, key, { value, enumerable: true, writable: true, configurable: true });
      key = undefined;
    }
  };
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === ',' || token === ':') continue;
    if (token === ']' || token === '}') {
      open.pop();
      into = open.at(-1) ?? root;
    } else if (token === '[' || token === '{') {
      const made = token === '[' ? [] : {};
      put(made);
      open.push(made);
      into = made;
    } else {
      const value = JSON.parse(token) as Json;
      put(typeof value === 'number' ? exact(value, token) : value);
    }
  }
  return root[0] ?? null;
}
