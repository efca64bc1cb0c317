import { isObject, type Json } from '../shared/json.ts';
import { endOfString } from '../shared/json-values.ts';

/** Where objects of a body name a member twice. A parser keeps one of the values, and the other one is lost. */
export interface RepeatedNames {
  /** Records of `data` with such an object, as texts, by their places. */
  readonly records: ReadonlyMap<number, string>;
  /** A name that comes twice anywhere else. */
  readonly elsewhere: string | undefined;
}

const NONE: RepeatedNames = { records: new Map(), elsewhere: undefined };

/** Finds them in a text that is known to be JSON. @param value what a parser made of it. */
export function repeatedNames(text: string, value: Json): RepeatedNames {
  // Counting is several times as fast as comparing names, and almost no text has any.
  return countColons(text) === countMembers(value) ? NONE : find(text);
}

const [QUOTE, COLON, LIST, LIST_END, OBJECT, OBJECT_END, COMMA] = ['"', ':', '[', ']', '{', '}', ','].map((one) =>
  one.charCodeAt(0),
);

function countColons(text: string): number {
  let colons = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) i = endOfString(text, i);
    else if (code === COLON) colons++;
  }
  return colons;
}

/** How many members all objects in a value have; without recursion, as it may be nested deeply. */
function countMembers(root: Json): number {
  let members = 0;
  const ahead: Json[] = [root];
  for (let next = ahead.pop(); next !== undefined; next = ahead.pop()) {
    const values = Array.isArray(next) ? next : isObject(next) ? Object.values<Json>(next) : [];
    if (!Array.isArray(next)) members += values.length;
    for (const value of values) if (typeof value === 'object') ahead.push(value);
  }
  return members;
}

/** An object or a list that is not closed yet. */
interface Open {
  readonly start: number;
  /** The names so far; undefined for a list. */
  readonly names: Set<string> | undefined;
  /** The name of the member that is being read. */
  name: string;
  /** How many members or items came before. */
  place: number;
}

function find(text: string): RepeatedNames {
  const records = new Map<number, string>();
  let elsewhere: string | undefined;
  const open: Open[] = [];
  const marked = new Set<Open>();
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const inner = open.at(-1);
    if (code === QUOTE) {
      const start = i;
      i = endOfString(text, i);
      if (inner?.names === undefined || !isName(text, i)) continue;
      inner.name = JSON.parse(text.slice(start, i + 1)) as string;
      if (inner.names.has(inner.name)) {
        const record = recordOf(open);
        if (record === undefined) elsewhere ??= inner.name;
        else marked.add(record);
      }
      inner.names.add(inner.name);
    } else if (code === OBJECT || code === LIST) {
      open.push({ start: i, names: code === OBJECT ? new Set() : undefined, name: '', place: 0 });
    } else if (code === OBJECT_END || code === LIST_END) {
      const closed = open.pop();
      if (closed !== undefined && marked.has(closed)) records.set(open[1]?.place ?? 0, text.slice(closed.start, i + 1));
    } else if (code === COMMA && inner !== undefined) inner.place++;
  }
  return { records, elsewhere };
}

/** Whether the string that ends there is the name of a member. */
function isName(text: string, end: number): boolean {
  let next = end + 1;
  while (text.charCodeAt(next) <= 0x20) next++;
  return text.charCodeAt(next) === COLON;
}

/** The record of `data` that is being read. */
function recordOf([body, list, record]: readonly Open[]): Open | undefined {
  return body?.name === 'data' && list?.names === undefined ? record : undefined;
}
