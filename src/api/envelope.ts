import { isObject, JsonTooMuch, parseJson, textOfJson, type Json, type JsonObject } from '../shared/json.ts';
import { parseEpoch, parseTime } from '../shared/time.ts';

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
  const metadata = body['metadata'] !== undefined && isObject(body['metadata']) ? body['metadata'] : {};
  return {
    kind: 'success',
    data: Array.isArray(data) ? data : [data],
    isSingle: !Array.isArray(data),
    metadata,
    warnings: [...doubtedStatus(status), ...errorBeside(error), ...warningsIn(metadata)],
    truncated: (metadata['truncated'] ?? false) !== false,
    // One endpoint was seen to put these directly into the metadata (Python SDK 0.4.1, its test of recordings).
    pagination:
      readPagination(metadata['pagination']) ??
      (typeof metadata['total'] === 'number' ? readPagination(metadata) : undefined),
    echo: objectIn(metadata, 'query'),
    basis: basisIn(metadata),
    sentAt: sentAtIn(metadata),
  };
}

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

/** Words for the documented `success`, so that another one of them does not make every stream doubted. */
const SUCCESS = /^(success(ful)?|succeeded|ok(ay)?)$/i;

/** Of a status that says neither success nor error, such as `partial`, it is not known what the answer lacks. */
function doubtedStatus(status: Json | undefined): string[] {
  const isSuccess = status === undefined || (typeof status === 'string' && SUCCESS.test(status.trim()));
  return isSuccess ? [] : [`the status of the answer is ${textOfJson(status)}`];
}

/** Beside data that call themselves a success, an error means that some of them may be lacking. */
function errorBeside(error: Json | undefined): string[] {
  if (error === undefined || error === null || error === false) return [];
  return [`the answer names an error: ${textOfJson(error)}`];
}

/** Documented as a list of strings; anything else counts as a warning too. */
function warningsIn(metadata: JsonObject): string[] {
  const warnings = metadata['_warnings'] ?? [];
  return (Array.isArray(warnings) ? warnings : [warnings]).map((warning) =>
    typeof warning === 'string' ? warning : textOfJson(warning),
  );
}

function readPagination(pagination: Json | undefined): Pagination | undefined {
  if (pagination === undefined || !isObject(pagination)) return undefined;
  const count = (name: string) => {
    const value = pagination[name];
    return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? { [name]: value } : {};
  };
  const { hasMore } = pagination;
  return {
    ...count('total'),
    ...count('returned'),
    ...count('nextOffset'),
    ...count('limit'),
    ...(typeof hasMore === 'boolean' ? { hasMore } : {}),
  };
}
