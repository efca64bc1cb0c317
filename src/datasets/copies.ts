import { isObject, isRawNumber, type Json } from '../shared/json.ts';

/*
 * A record may repeat a name or an address in other places than its field: as another member, inside a text, or inside
 * an address. Only the record itself shows that, so only there is it looked for.
 */

/** Texts that may not be stored, and what stands in their place; undefined: that something was left out. */
export type Copies = Map<string, Json | undefined>;

/** Shorter ones may be anything. */
const SHORTEST = 3;
/** From this length on they are also looked for inside of other texts; longer texts are no names. */
const SHORTEST_INSIDE = 8;
const LONGEST_INSIDE = 1000;

const GONE = '[left out]';

/** The texts in a value, at any depth. */
export function copiesIn(value: Json): string[] {
  if (typeof value === 'string') return value.trim().length >= SHORTEST ? [value] : [];
  if (Array.isArray(value)) return value.flatMap(copiesIn);
  return isObject(value) && !isRawNumber(value) ? Object.values<Json>(value).flatMap(copiesIn) : [];
}

/** A value without copies; the same value if it has none. */
export function replaceCopies(value: Json, copies: Copies): Json {
  if (typeof value === 'string') return replaceInText(value, copies);
  if (typeof value !== 'object' || value === null || isRawNumber(value)) return value;
  if (Array.isArray(value)) return mapList(value, (one) => replaceCopies(one, copies));
  const members = Object.entries<Json>(value);
  const replaced = members.map(([name, one]): [string, Json] => [
    replaceInText(name, copies),
    replaceCopies(one, copies),
  ]);
  const isSame = replaced.every(([name, one], i) => name === members[i]?.[0] && one === members[i][1]);
  return isSame ? value : Object.fromEntries(replaced);
}

/** The same of a text, or of the name of a member. */
export function replaceInText(text: string, copies: Copies): string {
  let replaced = text;
  for (const [copy, by] of copies) {
    const instead = typeof by === 'string' ? by : GONE;
    if (replaced === instead) continue;
    if (plain(replaced) === plain(copy)) replaced = instead;
    else if (copy.length >= SHORTEST_INSIDE && copy.length <= LONGEST_INSIDE)
      for (const form of new Set([copy, encodeURIComponent(copy.toWellFormed())]))
        replaced = replaced.replace(new RegExp(escaped(form), 'giu'), instead);
  }
  return replaced;
}

function plain(text: string): string {
  return text.normalize('NFC').trim().toLowerCase();
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

/** A list of other values; the same list where none is another. */
export function mapList(list: Json[], change: (value: Json) => Json): Json {
  const changed = list.map(change);
  return changed.every((one, i) => one === list[i]) ? list : changed;
}
