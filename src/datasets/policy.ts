import { canonicalJson, isObject, isRawNumber, type Json, type JsonObject } from '../shared/json.ts';
import { isPseudonym, pseudonymBy } from '../shared/pseudonym.ts';
import { withoutSignature } from './addresses.ts';
import { copiesIn, mapList, replaceCopies, replaceInText, type Copies } from './copies.ts';
import type { Dataset, FieldSpec } from './define.ts';
import { DEEPEST, isDeeperThan } from './normalise.ts';
import { policyField, type PolicyField } from './policy-fields.ts';

/** Which fields are not stored, and of which only pseudonyms are; their names are valid. */
export interface PolicySettings {
  readonly drop: readonly string[];
  readonly pseudonymise: readonly string[];
  /** Makes the pseudonyms; needed where there are any. */
  readonly key?: string | undefined;
}

/** What may be stored of what the API sends. */
export interface Policy {
  /** A record, or what came in its place. The same value where nothing is left out. */
  record(dataset: Dataset, value: Json): Json;
  /** Whether a record of the data type may hold what is left out: any, or only one with a member of these names. */
  concerns(dataset: Dataset): 'all' | readonly string[];
  /** What answers say besides their records. */
  metadata(dataset: Dataset, metadata: Readonly<Record<string, Json>>): Readonly<Record<string, Json>>;
}

/** What becomes of a value; undefined: it is left out. */
type Change = (value: Json) => Json | undefined;

interface Rule extends PolicyField {
  readonly change: Change;
}

/**
 * The policy that settings make; undefined where they leave everything as it comes.
 * @param isAgain for values that were stored before: a pseudonym among them stays as it is.
 */
export function policyOf({ drop, pseudonymise, key }: PolicySettings, isAgain = false): Policy | undefined {
  if (drop.length + pseudonymise.length === 0) return undefined;
  if (pseudonymise.length > 0 && key === undefined) throw new Error('pseudonyms need a key');
  const pseudonym = pseudonymBy(key ?? '');
  const rules = [
    ...drop.flatMap((name) => ruleOf(name, () => undefined)),
    ...pseudonymise.flatMap((name) => ruleOf(name, (value) => pseudonymOf(value, pseudonym, isAgain))),
  ];
  const anywhere = new Map(
    rules.flatMap(({ path: [field], spec, change }) => (spec?.sameAnywhere === true ? [[field, change] as const] : [])),
  );
  const own = Map.groupBy(rules, ({ dataset }) => dataset.name);
  return {
    concerns: ({ name }) => (own.has(name) ? 'all' : [...anywhere.keys()]),
    record: (dataset, value) => storable(dataset, value, own.get(dataset.name) ?? [], anywhere),
    metadata: (dataset, metadata) => storableMetadata(metadata, own.has(dataset.name), anywhere),
  };
}

function ruleOf(name: string, change: Change): Rule[] {
  const field = policyField(name);
  if (field === undefined) return [];
  // A signature is another one in each answer, and so would its pseudonym be.
  const unsigned: Change = (value) => change(typeof value === 'string' ? withoutSignature(value) : value);
  return [{ ...field, change: field.spec?.volatile === true ? unsigned : change }];
}

/** No value has no pseudonym: that it is missing stays to be seen. */
function pseudonymOf(value: Json, pseudonym: (text: string) => string, isAgain: boolean): Json {
  if (value === null || value === '') return value;
  if (Array.isArray(value)) return mapList(value, (one) => pseudonymOf(one, pseudonym, isAgain));
  if (typeof value !== 'string') return pseudonym(canonicalJson(value));
  return isAgain && isPseudonym(value) ? value : pseudonym(value);
}

function storable(dataset: Dataset, value: Json, rules: readonly Rule[], anywhere: ReadonlyMap<string, Change>): Json {
  if (rules.length + anywhere.size === 0) return value;
  // Nothing shows what is in it.
  if (isDeeperThan(value, DEEPEST)) return `${LEFT_OUT}: nested more than ${DEEPEST} levels deep]`;
  if (Array.isArray(value)) return mapList(value, (one) => storable(dataset, one, rules, anywhere));
  if (!isObject(value) || isRawNumber(value))
    return value === null || rules.length === 0 ? value : `${LEFT_OUT}: no record]`;
  const copies: Copies = new Map();
  const changed = rules.reduce<JsonObject>((record, { path, spec, change }) => {
    const isTelling = spec === undefined || spec.privacy === 'direct' || spec.privacy === 'free text';
    return changeAt(record, path, noting(change, isTelling ? copies : undefined));
  }, value);
  const members = Object.entries<Json>(changed).flatMap(([name, one]): [string, Json][] => {
    const spec = Object.hasOwn(dataset.fields, name) ? dataset.fields[name] : undefined;
    if (spec !== undefined && !mayHoldCopies(spec)) return [[name, one]];
    const change = spec === undefined ? anywhere.get(name) : undefined;
    const kept = change === undefined ? one : noting(change, copies)(one);
    return kept === undefined ? [] : [[name, inside(kept, anywhere, copies)]];
  });
  const result =
    copies.size === 0
      ? members
      : members.map(([name, one]): [string, Json] => withoutCopies(dataset, name, one, copies));
  const isSame =
    changed === value &&
    result.every(([name, one]) => one === value[name]) &&
    result.length === Object.keys(value).length;
  return isSame ? value : Object.fromEntries(result);
}

const LEFT_OUT = '[left out by the privacy policy';

function withoutCopies({ fields }: Dataset, name: string, value: Json, copies: Copies): [string, Json] {
  const spec = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (spec !== undefined) return [name, mayHoldCopies(spec) ? replaceCopies(value, copies) : value];
  return [replaceInText(name, copies), replaceCopies(value, copies)];
}

/** Ids, times, codes and numbers are no copies of a name or an address, even where they are the same. */
function mayHoldCopies({ kind, privacy, isPerson }: FieldSpec): boolean {
  if (isPerson === true) return false;
  return kind === 'json' || kind === 'any' || (kind === 'text' && (privacy === 'direct' || privacy === 'free text'));
}

/** The change, which also notes what was changed to what. */
function noting(change: Change, copies: Copies | undefined): Change {
  return (value) => {
    const changed = change(value);
    if (copies !== undefined && changed !== value) for (const text of copiesIn(value)) copies.set(text, change(text));
    return changed;
  };
}

/** The record with another value at the end of a path; lists on the way are looked through. */
function changeAt(record: JsonObject, [name, ...rest]: readonly string[], change: Change): JsonObject {
  const value = name === undefined || !Object.hasOwn(record, name) ? undefined : record[name];
  if (name === undefined || value === undefined) return record;
  const changed = rest.length === 0 ? change(value) : changeInside(value, rest, change);
  if (changed === value) return record;
  if (changed !== undefined) return { ...record, [name]: changed };
  return Object.fromEntries(Object.entries<Json>(record).filter(([other]) => other !== name));
}

function changeInside(value: Json, path: readonly string[], change: Change): Json {
  if (Array.isArray(value)) return mapList(value, (one) => changeInside(one, path, change));
  return isObject(value) && !isRawNumber(value) ? changeAt(value, path, change) : value;
}

/** A value in which members that are called as a field of the policy are changed, at any depth. */
function inside(value: Json, anywhere: ReadonlyMap<string, Change>, copies: Copies): Json {
  if (anywhere.size === 0 || typeof value !== 'object' || value === null || isRawNumber(value)) return value;
  if (Array.isArray(value)) return mapList(value, (one) => inside(one, anywhere, copies));
  const members = Object.entries<Json>(value);
  const changed = members.flatMap(([name, one]): [string, Json][] => {
    const change = anywhere.get(name);
    const kept = change === undefined ? inside(one, anywhere, copies) : noting(change, copies)(one);
    return kept === undefined ? [] : [[name, kept]];
  });
  const isSame = changed.length === members.length && changed.every(([, one], i) => one === members[i]?.[1]);
  return isSame ? value : Object.fromEntries(changed);
}

/** Of a data type with a field in the policy, lists of objects are left out: they may repeat its values by any name. */
function storableMetadata(
  metadata: Readonly<Record<string, Json>>,
  isConcerned: boolean,
  anywhere: ReadonlyMap<string, Change>,
): Readonly<Record<string, Json>> {
  const isPlain = (value: Json) => (Array.isArray(value) ? value : [value]).every((one) => typeof one !== 'object');
  return Object.fromEntries(
    Object.entries(metadata).flatMap(([name, value]): [string, Json][] =>
      isConcerned && !isPlain(value) ? [] : [[name, inside(value, anywhere, new Map())]],
    ),
  );
}
