import { createHash } from 'node:crypto';
import { canonicalJson, isObject, isRawNumber, type Json, type JsonObject } from '../shared/json.ts';
import type { Dataset } from './define.ts';
import { exactTime } from './exact-time.ts';
import { isStorableText, timeOf } from './values.ts';

/*
 * A key is made of parts, separated by `/`: the room and the id, or the values that identify a record without an id.
 * A string stands for itself, with `%`, `/`, `#` and `:` percent-encoded, so that these are unambiguous:
 *
 *   msg_1                      an id                      number:1, room_1/number:1   a number is not the string "1"
 *   room_1/msg_1               an id within its room      room_1//cmp/number:0        an absent value is empty
 *   sha256:…                   the content's digest       room_1/msg_1#2              the second record of that key
 */

/** What is known about records from their request. */
export interface KeyOrigin {
  /** Field name → value known from the scope, such as `roomId` in a room's answer. */
  readonly fill?: Readonly<Record<string, string | boolean>>;
  /** The key of the only record, for endpoints that give a single object. */
  readonly key?: string;
}

export interface Key {
  readonly key: string;
  /** Whether other records may have the same key, so that they must be numbered. */
  readonly needsOrdinal: boolean;
}

const DIGEST = 'sha256:';

/** The key of a record: the same in every answer, whatever part of the experiment was requested. */
export function keyOf(dataset: Dataset, record: JsonObject, origin: KeyOrigin): Key {
  if (origin.key !== undefined) return { key: part(origin.key), needsOrdinal: false };
  const room = roomOf(dataset, record, origin);
  const id = dataset.identity.map((field) => record[field]).find(isId);
  if (id !== undefined) {
    return { key: dataset.idScope === 'experiment' ? part(id) : within(room, part(id)), needsOrdinal: false };
  }
  return { key: nameOf(dataset, record, room) ?? digestOf(dataset, record, room), needsOrdinal: true };
}

/**
 * The key of a record that could not be stored, from its id or name alone; undefined if it has none. Its content may be
 * nested without end.
 */
export function keyOfMalformed(dataset: Dataset, record: Json, origin: KeyOrigin): string | undefined {
  if (!isObject(record)) return undefined;
  const { identity, naming = [] } = dataset;
  const told = ['roomId', 'sessionId', ...identity, ...naming].flatMap((field): [string, Json][] => {
    const value = record[field];
    return value === undefined || (typeof value === 'object' && value !== null && !isRawNumber(value))
      ? []
      : [[field, value]];
  });
  const { key } = keyOf(dataset, Object.fromEntries(told), origin);
  return isDigest(key) ? undefined : withoutOrdinal(key);
}

/** The key of the nth record that shares a key. */
export function withOrdinal(key: string, n: number): string {
  return n === 1 ? key : `${key}#${n}`;
}

/** The key without an ordinal, which several records may share. */
export function withoutOrdinal(key: string): string {
  const end = key.indexOf('#');
  return end === -1 ? key : key.slice(0, end);
}

/** Whether a key is a digest of the content, so that records with the same key have the same content. */
export function isDigest(key: string): boolean {
  return key.startsWith(DIGEST, key.indexOf('/') + 1);
}

/**
 * The id in a key, without room and ordinal; undefined if the record has no id. Two keys of one data type with the same
 * id are one record that moved to another room or, if ids are unique only within a room, two records.
 */
export function idInKey({ identity }: Dataset, key: string): string | undefined {
  if (identity.length === 0 || isDigest(key)) return undefined;
  const own = withoutOrdinal(key);
  return own.slice(own.indexOf('/') + 1);
}

function isId(value: Json | undefined): boolean {
  return typeof value === 'number' || isRawNumber(value) || (typeof value === 'string' && value !== '');
}

/**
 * The room of a record. The room of the request counts only if every request names one: otherwise the same record would
 * have different keys in the experiment's answer and in the room's.
 */
function roomOf(dataset: Dataset, record: JsonObject, origin: KeyOrigin): Json | undefined {
  if (!Object.hasOwn(dataset.fields, 'roomId')) return undefined;
  return [record['roomId'], record['sessionId'], isInRoomAlways(dataset) ? origin.fill?.['roomId'] : undefined].find(
    isId,
  );
}

function isInRoomAlways({ scopes }: Dataset): boolean {
  return scopes.every((scope) => scope === 'room');
}

function within(room: Json | undefined, rest: string): string {
  return room === undefined ? rest : `${part(room)}/${rest}`;
}

/** The values that identify a record; undefined if it has none of them except the room. */
function nameOf({ naming = [], fields }: Dataset, record: JsonObject, room: Json | undefined): string | undefined {
  const values = naming.map((field) => (field === 'roomId' ? room : record[field]));
  const isNamed = naming.some((field, i) => field !== 'roomId' && values[i] !== undefined && values[i] !== null);
  if (!isNamed) return undefined;
  return naming
    .map((field, i) => {
      const ms = fields[field]?.kind === 'time' ? timeOf(values[i]) : undefined;
      return ms === undefined ? part(values[i]) : `time:${ms}`;
    })
    .join('/');
}

function digestOf(dataset: Dataset, record: JsonObject, room: Json | undefined): string {
  const content = canonicalJson(withExactTimes(dataset, record));
  const digest = DIGEST + createHash('sha256').update(content).digest('base64url');
  return isInRoomAlways(dataset) ? within(room, digest) : digest;
}

/** The record with its times in one form, so that it has the same digest in whatever form they come. */
function withExactTimes({ fields }: Dataset, record: JsonObject): JsonObject {
  const times = Object.entries<Json>(record).flatMap(([field, sent]): [string, Json][] => {
    const exact = Object.hasOwn(fields, field) && fields[field]?.kind === 'time' ? exactTime(sent) : undefined;
    return exact === undefined ? [] : [[field, exact]];
  });
  return { ...record, ...Object.fromEntries(times) };
}

/** A value as part of a key: different values give different parts; null counts as absent. */
function part(value: Json | undefined): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string' && value !== '' && isStorableText(value)) return escaped(value);
  if (typeof value === 'number' || isRawNumber(value)) return `number:${JSON.stringify(value)}`;
  return `json:${escaped(canonicalJson(value))}`;
}

function escaped(text: string): string {
  return text.replace(/[%/#:]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
}
