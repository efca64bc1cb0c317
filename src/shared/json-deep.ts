import { endOfString, exact, isObject, type Json, type JsonObject } from './json-values.ts';

// JSON that is nested deeper than the call stack allows: JavaScript's own functions and recursion fail on it with a
// RangeError.

/** A value as JSON text, written without recursion. */
export function writeJson(root: Json, entriesOf: (value: JsonObject) => [string, Json][]): string {
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

/** The tokens of JSON: a punctuation mark, the beginning of a string, or a number or literal. */
const TOKEN = /[{}[\],:"]|[^\s{}[\],:"]+/g;

function* tokensOf(text: string): Generator<string> {
  const token = new RegExp(TOKEN);
  for (let found = token.exec(text); found !== null; found = token.exec(text)) {
    if (found[0] === '"') token.lastIndex = endOfString(text, found.index) + 1;
    yield text.slice(found.index, token.lastIndex);
  }
}

/** The value of a text that is known to be JSON, built without recursion and without losing a digit. */
export function buildJson(text: string): Json {
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
  for (const token of tokensOf(text)) {
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
