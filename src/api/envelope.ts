import { isObject, JsonTooMuch, parseJson, textOfJson, type Json, type JsonObject } from '../shared/json.ts';
import { parseEpoch, parseTime } from '../shared/time.ts';
import { repeatedNames } from './repeated-names.ts';
import { isCutIn, warningsIn } from './warnings.ts';

/** What a successful answer says about its place in a listing; members that are not counts are left out. */
export interface Pagination {
  readonly total?: number;
  readonly returned?: number;
  readonly hasMore?: boolean;
  readonly nextOffset?: number;
  /** The limit that was applied. */
  readonly limit?: number;
}

/** The parsed body of an answer. */
export type Envelope =
  | {
      readonly kind: 'success';
      readonly data: Json[];
      /** Records with an object that names a member twice, as texts, by their places in `data`. */
      readonly unclear: ReadonlyMap<number, string>;
      /** `data` was an object, not a list. */
      readonly isSingle: boolean;
      readonly metadata: JsonObject;
      readonly warnings: readonly string[];
      readonly truncated: boolean;
      readonly pagination: Pagination | undefined;
      readonly echo: JsonObject | undefined;
      readonly basis: string | undefined;
      /** `metadata.timestamp`, in milliseconds since 1970 UTC. */
      readonly sentAt: number | undefined;
    }
  | { readonly kind: 'error'; readonly code: string; readonly message: string; readonly details: Json }
  | { readonly kind: 'unreadable'; readonly why: string; readonly isTooLarge?: true };

/**
 * Reads a body in the API's envelope (HyperStudy API overview and Python SDK 0.4.1); never throws.
 * A single object becomes a list of one.
 */
export function readEnvelope(text: string): Envelope {
  let body: Json;
  try {
    body = parseJson(text);
  } catch (error) {
    if (error instanceof JsonTooMuch) return { kind: 'unreadable', why: error.message, isTooLarge: true };
    return { kind: 'unreadable', why: text.trim() === '' ? 'it is empty' : 'it is not JSON' };
  }
  if (!isObject(body)) return { kind: 'unreadable', why: 'it is not a JSON object' };
  const { status, error, data } = body;
  const isError = error !== undefined && isObject(error);
  // An answer that calls itself a success is none that refuses a key, whatever it names beside its data.
  if (status === 'error' || (isError && status !== 'success')) return readError(error);
  if (!Array.isArray(data) && (data === undefined || !isObject(data))) {
    return { kind: 'unreadable', why: 'it has no data' };
  }
  // Taken for malformed records, these would be requested one by one.
  if (Array.isArray(data) && data.length > 0 && data.every((one) => Array.isArray(one) && one.some(isObject)))
    return { kind: 'unreadable', why: 'it has lists instead of records' };
  const repeated = repeatedNames(text, body);
  if (repeated.elsewhere !== undefined)
    return { kind: 'unreadable', why: `it names ${textOfJson(repeated.elsewhere.slice(0, LONGEST_NAME))} twice` };
  const metadata = objectIn(body, 'metadata') ?? objectIn(body, 'meta') ?? {};
  return {
    kind: 'success',
    data: Array.isArray(data) ? data : [data],
    unclear: repeated.records,
    isSingle: !Array.isArray(data),
    metadata,
    warnings: warningsIn(body, metadata),
    truncated: isCutIn(body, metadata),
    pagination: withCount(paginationIn(metadata) ?? paginationIn(body), body, metadata),
    echo: objectIn(metadata, 'query'),
    basis: basisIn(metadata),
    sentAt: sentAtIn(metadata),
  };
}

/** The longest name that is repeated in words. */
const LONGEST_NAME = 40;

function sentAtIn({ timestamp }: JsonObject): number | undefined {
  if (typeof timestamp === 'number') return parseEpoch(timestamp);
  return typeof timestamp === 'string' ? parseTime(timestamp) : undefined;
}

function objectIn(metadata: JsonObject, name: string): JsonObject | undefined {
  const value = metadata[name];
  return value !== undefined && isObject(value) ? value : undefined;
}

function basisIn(metadata: JsonObject): string | undefined {
  const processing = objectIn(metadata, 'processing');
  if (processing === undefined) return undefined;
  const { version = null, experimentStartedAt = null } = processing;
  return version === null && experimentStartedAt === null ? undefined : textOfJson([version, experimentStartedAt]);
}

/** Whether the text is a JSON object of any kind. */
export function isJsonObject(text: string): boolean {
  try {
    return isObject(parseJson(text));
  } catch {
    return false;
  }
}

function readError(error: Json | undefined): Envelope {
  const { code, message, details = null } = error !== undefined && isObject(error) ? error : ({} as JsonObject);
  return {
    kind: 'error',
    code: typeof code === 'string' ? code : 'UNKNOWN',
    message: typeof message === 'string' ? message : 'the API gave no reason',
    details,
  };
}

/** One endpoint was seen to put these directly into the metadata (Python SDK 0.4.1, its test of recordings). */
function paginationIn(place: JsonObject): Pagination | undefined {
  const { pagination, total } = place;
  const only = Array.isArray(pagination) && pagination.length === 1 ? pagination[0] : pagination;
  return readPagination(only) ?? (countOf(total) === undefined ? undefined : readPagination(place));
}

/**
 * A `count` where nothing says `total`: undocumented, it may be that of the answer's records or of all. Where it is not the
 * former it is taken for the latter, so that one which fits neither contradicts its answer.
 */
function withCount(said: Pagination | undefined, body: JsonObject, metadata: JsonObject): Pagination | undefined {
  if (said?.total !== undefined) return said;
  const pages = objectIn(metadata, 'pagination');
  const count = [pages?.['count'], metadata['count'], body['count']].map(countOf).find((one) => one !== undefined);
  const sent = Array.isArray(body['data']) ? body['data'].length : 1;
  return count === undefined || count === sent ? said : { ...said, total: count };
}

function readPagination(pagination: Json | undefined): Pagination | undefined {
  if (pagination === undefined || !isObject(pagination)) return undefined;
  const count = (name: string) => {
    const value = countOf(pagination[name]);
    return value === undefined ? {} : { [name]: value };
  };
  const hasMore = flagOf(pagination['hasMore']);
  return {
    ...count('total'),
    ...count('returned'),
    ...count('nextOffset'),
    ...count('limit'),
    ...(hasMore === undefined ? {} : { hasMore }),
  };
}

/** A count, be it a text; undefined if it is none. */
function countOf(value: Json | undefined): number | undefined {
  const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

/** A truth value, be it a text or a number; undefined if it is none. */
function flagOf(value: Json | undefined): boolean | undefined {
  if (value === true || value === 'true' || value === 1) return true;
  return value === false || value === 'false' || value === 0 ? false : undefined;
}
