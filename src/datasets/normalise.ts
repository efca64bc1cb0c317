import { isObject, isRawNumber, parseJson, textOfJson, type Json, type JsonObject } from '../shared/json.ts';
import { withoutSignature } from './addresses.ts';
import type { Column, Dataset } from './define.ts';
import { keyOf, type Key, type KeyOrigin } from './keys.ts';
import { decodeParts, encodePart, isHeldByParts, PARTS } from './mixed.ts';
import { decode, encode, timeOf, UNFIT, type PlainKind, type SqlValue } from './values.ts';

/** A record in the shape of its table. */
export interface Row extends Key {
  readonly dataset: Dataset;
  /** Unique within the data type and experiment, once records that share one have their ordinals. */
  readonly key: string;
  /** Milliseconds since 1970 UTC of the data type's time field; undefined when absent or unreadable. */
  readonly time: number | undefined;
  /** Values of `dataset.columns`, in order. */
  readonly values: readonly SqlValue[];
  /** JSON text of everything that has no column or does not fit it; null when nothing is left over. */
  readonly extra: string | null;
  /**
   * Those of room and participant that the record does not name, so that only a request can; undefined if it names
   * both.
   */
  readonly unnamed?: readonly string[];
}

/** The fields that are also known from a request for a part of an experiment. */
const SCOPE_FIELDS = ['roomId', 'participantId'];

/** An item of an answer's list that is not a record or cannot be stored; kept as text with the reason. */
export interface BadRecord {
  readonly reason: string;
  readonly text: string;
  /** It is not known which values are meant: not even its id is certain. */
  readonly isUnclear?: true;
  /** As in a row. */
  readonly time?: number | undefined;
}

/** What is known from the request: it fills columns whose field the record omits. */
export interface Origin extends KeyOrigin {
  readonly experimentId: string;
}

/** Far more than any record has; programs that read the tables fail on less than SQLite's own 1000. */
export const DEEPEST = 100;

/**
 * Lists, in `extra`, fields that the record did not have although their column is filled. A record's own key of that
 * name is escaped with an extra `$`.
 */
const ABSENT = '$absent';
const ABSENT_LIKE = /^\$+absent$/;

/** The field that a member of `extra` holds; undefined for the list of absent ones. */
export function fieldInExtra(member: string): string | undefined {
  if (member === ABSENT) return undefined;
  return ABSENT_LIKE.test(member) ? member.slice(1) : member;
}

/** Turns one record of an answer into a row without loss: `denormalise` restores the record. */
export function normalise(dataset: Dataset, value: Json, origin: Origin): Row | BadRecord {
  if (!isObject(value)) return { reason: 'not an object', text: textOfJson(value) };
  if (isDeeperThan(value, DEEPEST))
    return { reason: `nested more than ${DEEPEST} levels deep`, text: textOfJson(value), time: timeIn(dataset, value) };
  const record = unsigned(dataset, value);
  const extra = new Map<string, Json>();
  const absent: string[] = [];

  const values = dataset.columns.map((column) => {
    const sent = record[column.field];
    const { kind } = column.spec;
    if (kind === 'any') {
      if (sent === undefined || column.part === undefined) return null;
      if (!isHeldByParts(sent)) extra.set(column.field, sent);
      return encodePart(column.part, sent);
    }
    if (sent === undefined) {
      const filled = fallback({ ...column, kind }, record, origin);
      if (filled !== null) absent.push(column.field);
      return filled;
    }
    const encoded = encode(kind, sent);
    if (encoded !== sent && (encoded === UNFIT || kind === 'time')) extra.set(column.field, sent);
    return encoded === UNFIT ? null : encoded;
  });
  if ('experimentId' in dataset.fields && record['experimentId'] === undefined) absent.push('experimentId');
  for (const [name, value] of unknownIn(dataset, record, origin)) extra.set(name, value);
  if (absent.length > 0) extra.set(ABSENT, absent);

  const unnamed = unnamedScopes(dataset, record);
  return {
    dataset,
    ...keyOf(dataset, record, origin),
    time: timeIn(dataset, record),
    values,
    extra: extra.size === 0 ? null : JSON.stringify(Object.fromEntries(extra)),
    ...(unnamed.length === 0 ? {} : { unnamed }),
  };
}

function unnamedScopes({ fields }: Dataset, record: JsonObject): string[] {
  return SCOPE_FIELDS.filter((field) => {
    const aliases = fields[field]?.aliases ?? [];
    const isSaid = record[field] !== undefined || aliases.some((name) => typeof record[name] === 'string');
    return fields[field] !== undefined && !isSaid;
  });
}

function timeIn({ timeField }: Dataset, record: JsonObject): number | undefined {
  return timeField === undefined ? undefined : timeOf(record[timeField]);
}

/** The record as the API sent it (its address fields without their signatures), from its column values and `extra`. */
export function denormalise(
  dataset: Dataset,
  row: { readonly experimentId: string; readonly values: readonly SqlValue[]; readonly extra: string | null },
): JsonObject {
  const extra = row.extra === null ? {} : (parseJson(row.extra) as JsonObject);
  const absent = new Set(Array.isArray(extra[ABSENT]) ? extra[ABSENT] : []);
  const members: [string, Json][] = [];
  if ('experimentId' in dataset.fields && !absent.has('experimentId')) members.push(['experimentId', row.experimentId]);
  dataset.columns.forEach(({ field, spec, part }, i) => {
    const value = row.values[i] ?? null;
    if (value === null || absent.has(field)) return;
    if (spec.kind !== 'any') members.push([field, decode(spec.kind, value)]);
    else if (part === 'type') members.push([field, decodeParts(row.values.slice(i, i + PARTS.length)) ?? null]);
  });
  for (const [key, value] of Object.entries<Json>(extra)) {
    const field = fieldInExtra(key);
    if (field !== undefined) members.push([field, value]);
  }
  return Object.fromEntries(members);
}

/** The value for a column whose field the record does not have: from an alias of the field, or from the request. */
function fallback(
  { field, spec, kind }: Pick<Column, 'field' | 'spec'> & { readonly kind: PlainKind },
  record: JsonObject,
  origin: Origin,
): SqlValue {
  const alias = spec.aliases?.find((name) => typeof record[name] === 'string');
  const found = alias === undefined ? origin.fill?.[field] : record[alias];
  const encoded = found === undefined ? null : encode(kind, found);
  return encoded === UNFIT ? null : encoded;
}

/** The members of a record that have no column, by their names in `extra`. */
function unknownIn(dataset: Dataset, record: JsonObject, origin: Origin): (readonly [string, Json])[] {
  const unknown: (readonly [string, Json])[] = [];
  for (const key of Object.keys(record)) {
    const value = record[key];
    const known = Object.hasOwn(dataset.fields, key);
    if (value === undefined || (known && (key !== 'experimentId' || value === origin.experimentId))) continue;
    unknown.push([ABSENT_LIKE.test(key) ? `$${key}` : key, value]);
  }
  return unknown;
}

/** The record with its address fields without signatures, so that they are the same in every answer. */
function unsigned({ columns }: Dataset, record: JsonObject): JsonObject {
  let plain = record;
  for (const { field, spec } of columns) {
    const sent = spec.volatile === true ? record[field] : undefined;
    if (typeof sent === 'string') plain = { ...plain, [field]: withoutSignature(sent) };
  }
  return plain;
}

export function isDeeperThan(value: Json, levels: number): boolean {
  if (typeof value !== 'object' || value === null || isRawNumber(value)) return false;
  return levels === 0 || Object.values<Json>(value).some((member) => isDeeperThan(member, levels - 1));
}
