import { isObject, textOfJson, type Json, type JsonObject } from '../shared/json.ts';

/*
 * What in a success says that records may be missing. It is documented in `metadata._warnings` and `metadata.truncated`;
 * a server or a gateway in front of it may say the same in other places and words.
 */

/** Why records may be missing, in the answer's words. */
export function warningsIn(body: JsonObject, metadata: JsonObject): string[] {
  return [
    ...doubtedStatus(body, metadata),
    ...placesIn(body, metadata).flatMap((place) =>
      Object.entries(place).flatMap(([name, value]) => sayingOf(name, value)),
    ),
    ...unreadableIn(body, metadata),
    ...recordsElsewhere(body),
  ];
}

/** What one member says, if it warns: `is_partial`, `isPartial` and `partialResults` are one word. */
function sayingOf(name: string, value: Json): string[] {
  const word = name.toLowerCase().replace(/[^a-z]/g, '');
  if (WARNING.test(word)) return listIn(value);
  if (ERROR.test(word)) return listIn(value).map((text) => `the answer names an error: ${text}`);
  const isSaidSo = (PARTIAL.test(word) && listIn(value).length > 0) || (WHOLE.test(word) && isDenied(value));
  return isSaidSo ? [`the answer says ${name}: ${textOfJson(value)}`] : [];
}

/** Whether the answer says that it was cut at a cap. */
export function isCutIn(body: JsonObject, metadata: JsonObject): boolean {
  return placesIn(body, metadata).some((place) =>
    Object.entries(place).some(([name, value]) => CUT.test(name) && isSaid(value)),
  );
}

const CUT = /^(is)?_?truncated$/i;
const WARNING = /^(data)?warnings?(messages?)?$/;
const ERROR = /^(has)?errors?$/;
const PARTIAL = /^(is|has)?(partial|incomplete|degraded|stale|timedout)(data|results?|failures?)?$/;
/** Words that deny it where they are false. */
const WHOLE = /^(success|ok|(is)?complete)$/;

function placesIn(body: JsonObject, metadata: JsonObject): JsonObject[] {
  const { pagination = null, processing = null } = metadata;
  return [body, metadata, ...[pagination, processing].filter(isObject)];
}

/** Records in another member beside an empty list: that list may not be what was requested. */
function recordsElsewhere({ data = null, ...others }: JsonObject): string[] {
  if (!Array.isArray(data) || data.length > 0) return [];
  const place = Object.entries(others).find(([, value]) => Array.isArray(value) && value.some(isObject));
  return place === undefined ? [] : [`the answer has no records in data, but some in ${place[0]}`];
}

/** Words for the documented `success`, so that another one of them does not make every stream doubted. */
const SUCCESS = /^(success(ful)?|succeeded|ok(ay)?)$/i;

/** Of a status that says neither success nor error, such as `partial`, it is not known what the answer lacks. */
function doubtedStatus({ status, success, ok, data }: JsonObject, metadata: JsonObject): string[] {
  const { status: told } = metadata;
  if (typeof told === 'string' && PARTIAL.test(told.toLowerCase()))
    return [`the status of its metadata is ${textOfJson(told)}`];
  const isSuccess = typeof status === 'string' && SUCCESS.test(status.trim());
  if (status !== undefined && !isSuccess) return [`the status of the answer is ${textOfJson(status)}`];
  // A gateway's message may have an empty list as well.
  const isBare = status === undefined && success !== true && ok !== true && Object.keys(metadata).length === 0;
  const isEmpty = Array.isArray(data) && data.length === 0;
  return isBare && isEmpty ? ['the answer has no records, and does not say that it is a success'] : [];
}

/** What cannot be read where counts or warnings are documented may be either. */
function unreadableIn(body: JsonObject, metadata: JsonObject): string[] {
  const isUnreadable = (value: Json | undefined) => value !== undefined && value !== null && !isObject(value);
  const pagination = metadata['pagination'];
  const isOnly = Array.isArray(pagination) && pagination.length === 1;
  return [
    ...(isUnreadable(body['metadata']) ? ['the metadata of the answer cannot be read'] : []),
    ...(isUnreadable(pagination) && !isOnly ? ['what the answer says about its pages cannot be read'] : []),
  ];
}

function isDenied(value: Json | undefined): boolean {
  return value === false || value === 'false' || value === 0 || value === null;
}

/** Whether something is there that says more than no. */
function isSaid(value: Json): boolean {
  return value !== null && value !== false;
}

/** Documented as a list of strings; anything else that is not empty counts as well. */
function listIn(value: Json): string[] {
  if (!isSaid(value) || value === '' || value === 0) return [];
  if (isObject(value) && Object.keys(value).length === 0) return [];
  return (Array.isArray(value) ? value : [value]).map((one) => (typeof one === 'string' ? one : textOfJson(one)));
}
