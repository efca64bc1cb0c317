import { WarehouseError, type ErrorCode } from '../shared/errors.ts';
import { isObject, type Json } from '../shared/json.ts';
import { scrub } from '../shared/log.ts';
import { PROXY_LOGIN } from '../shared/network.ts';
import { PROXY_HINT } from './network.ts';

/** An unsuccessful answer: its status, and what its envelope says. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly details: Json;
  /** The server's id of the request. */
  readonly requestId: string | undefined;
}

/** The HTTP status that an error code sent with 200 stands for (codes: HyperStudy API overview, Python SDK 0.4.1). */
const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  INVALID_PARAMETER: 400,
  UNAUTHORIZED: 401,
  AUTHENTICATION_ERROR: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  RATE_LIMIT_EXCEEDED: 429,
  INTERNAL_SERVER_ERROR: 500,
};

/** The status that decides how a refusal is treated: that of its error code where the HTTP status is 200. */
export function effectiveStatus(status: number, code: string): number {
  if (status >= 400) return status;
  return (Object.hasOwn(STATUS_OF_CODE, code) ? STATUS_OF_CODE[code] : undefined) ?? 500;
}

/** The error to show: what the API refused, for which experiment and data type, and what that means. */
export function refused(refusal: Refusal, what: string, secrets: readonly string[]): WarehouseError {
  const said = sentence(refusal.message, secrets);
  const failed = (code: ErrorCode, message: string, hint: string) => failure(code, message, hint, refusal.requestId);
  switch (refusal.status) {
    case 400:
      return failed(
        'PARAMETER_REFUSED',
        `The API does not accept the request for ${what}: ${said}`,
        'Check the options of this data type in the config. If they are right, please report this: it is a bug in hyperstudy-warehouse.',
      );
    case 401:
      return failed(
        'KEY_REFUSED',
        `The API refuses the key: ${said} Nothing was synced with it; the warehouse keeps what it has.`,
        'Check the key: in HYPERSTUDY_API_KEY, in the config, or in the file that holds it. It may have expired or been revoked; a new one takes about ten seconds to work.',
      );
    case 403:
      return failed(
        'SCOPE_MISSING',
        `The key may not read ${what}${missingScopes(refusal.details)}: it was skipped.`,
        'Create a key with that scope in HyperStudy, or remove the data type from the config.',
      );
    case 404:
      return failed(
        'NOT_FOUND',
        `The API does not know ${what}: it was deleted or its id is mistyped. Rows already in the warehouse were kept.`,
        'Check the id in the config; `hsw init` lists the experiments that the key can see.',
      );
    case 407:
      return failed(
        'SERVER_UNREACHABLE',
        `The API cannot be reached for ${what}: ${PROXY_LOGIN.reason}. ${STAYS}`,
        PROXY_HINT,
      );
    case 429:
      return failed(
        'RATE_LIMITED',
        `The API kept refusing ${what} because its limits were reached. ${STAYS}`,
        'Other programs use the same key: raise limits.reserve in the config or wait an hour.',
      );
    default:
      return failed(
        'SERVER_FAILED',
        `The API failed on ${what} (HTTP ${refusal.status}): ${said} ${STAYS}`,
        'This usually passes soon: the next sync continues from there.',
      );
  }
}

/** The error for a key that cannot be sent in a header: no request was sent. */
export function unsendableKey(): WarehouseError {
  return failure(
    'KEY_REFUSED',
    'The API key contains a line break, a space or another character that no key has: no request was sent.',
    'Copy the whole key from your HyperStudy account again; it begins with hst_live_ or hst_test_.',
  );
}

/** The error for an id that cannot be part of an address: no request was sent. */
export function unaddressable(what: string): WarehouseError {
  const named = what.length > LONGEST_QUOTE ? `${what.slice(0, LONGEST_QUOTE)}…` : what;
  return failure(
    'PARAMETER_REFUSED',
    `The API cannot be asked for ${named}: an id that is empty, "." or "..", has half a character, or is thousands of characters long, has no address of its own. No request was sent.`,
    'Check the id in the config. If HyperStudy lists it, please report that to HyperStudy.',
  );
}

export function unreadable(
  what: string,
  { status, requestId }: { status: number; requestId: string | undefined },
  why: string,
): WarehouseError {
  return failure(
    'ANSWER_UNREADABLE',
    `The answer for ${what} (HTTP ${status}) cannot be read: ${why}. ${STAYS}`,
    'Check that api.baseUrl names the HyperStudy API; a proxy or login page may answer in its place.',
    requestId,
  );
}

/** The error for an address at which something else answers. @param why what it does instead, as a clause. */
export function notTheApi(
  { status, requestId }: { status: number | undefined; requestId: string | undefined },
  why: string,
): WarehouseError {
  const http = status === undefined ? '' : ` (HTTP ${status})`;
  return failure(
    'ANSWER_UNREADABLE',
    `The address answers, but not as HyperStudy's API: ${why}${http}.`,
    'Check api.baseUrl: its host, its path and https://. A proxy or a login page may also answer in its place.',
    requestId,
  );
}

export function tooLarge(what: string, requestId: string | undefined, why: string): WarehouseError {
  return failure(
    'ANSWER_UNREADABLE',
    `The answer for ${what} was not read: ${why}. ${STAYS}`,
    'Set a smaller api.pageSize in the config.',
    requestId,
  );
}

export const STAYS = 'The stream keeps its position.';

/** An error whose message ends with the server's id of the request, if there is one. */
export function failure(
  code: ErrorCode,
  message: string,
  hint: string,
  requestId?: string,
  more: { readonly cause?: unknown; readonly passes?: boolean } = {},
): WarehouseError {
  const named = requestId === undefined ? message : `${message} (request id ${requestId})`;
  return new WarehouseError(code, named, { hint, requestId, ...more });
}

/** A scope such as `read:events`; anything else in its place is free text of the server and is not repeated. */
const SCOPE = /^[a-z]{1,20}:[a-z_-]{1,30}$/i;

function missingScopes(details: Json): string {
  const required = isObject(details) ? details['required'] : undefined;
  const scopes = (Array.isArray(required) ? required : [required]).filter(
    (scope): scope is string => typeof scope === 'string' && SCOPE.test(scope),
  );
  return scopes.length === 0 ? '' : `: it lacks the scope ${scopes.join(', ')}`;
}

/** What the server said, as a sentence. */
function sentence(message: string, secrets: readonly string[]): string {
  const text = quoted(message, secrets);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** What the server said: one line, clipped and without secrets. */
export function quoted(message: string, secrets: readonly string[]): string {
  return withoutAddresses(scrub(message.slice(0, LONGEST_READ), secrets).replace(/[\s\p{Cc}]+/gu, ' '))
    .trim()
    .slice(0, LONGEST_QUOTE);
}

/** Servers name other servers, their ports and their users in their errors; none of them is for a page or an alert. */
function withoutAddresses(text: string): string {
  return text
    .replace(/\b[a-z][a-z\d+.-]{1,20}:\/\/[^\s"'<>]{1,2000}/gi, HIDDEN)
    .replace(/[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}/g, HIDDEN)
    .replace(/\b(?:\d{1,3}\.){3}\d{1,3}\b(?::\d{1,5}\b)?/g, HIDDEN)
    .replace(
      /(?<![\w:.])\[?(?:(?:[\da-f]{1,4}:){4,7}[\da-f]{1,4}|(?:[\da-f]{1,4}:){0,6}(?::[\da-f]{1,4}){1,6})(?:\]:\d{1,5})?/gi,
      HIDDEN,
    );
}

const HIDDEN = '[address]';
const LONGEST_READ = 4000;

const LONGEST_QUOTE = 300;
