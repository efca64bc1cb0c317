import { WarehouseError, type ErrorCode } from '../shared/errors.ts';
import { isObject, type Json } from '../shared/json.ts';
import { scrub } from '../shared/log.ts';

/** An answer that is no success: its status, and what its envelope says. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly details: Json;
}

/** The HTTP status that stands behind an error code sent with 200 (codes: HyperStudy API overview, Python SDK 0.4.1). */
const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  INVALID_PARAMETER: 400,
  UNAUTHORIZED: 401,
  AUTHENTICATION_ERROR: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  RATE_LIMIT_EXCEEDED: 429,
  INTERNAL_SERVER_ERROR: 500,
};

/** The status by which a refusal is treated: that of its code where HTTP itself says all is well. */
export function effectiveStatus(status: number, code: string): number {
  return status >= 400 ? status : (STATUS_OF_CODE[code] ?? 500);
}

/** The error for a person: what the API refused for which experiment and data type, and what that means. */
export function refused(refusal: Refusal, what: string, secrets: readonly string[]): WarehouseError {
  const said = quoted(refusal.message, secrets);
  switch (refusal.status) {
    case 400:
      return failure(
        'PARAMETER_REFUSED',
        `The API does not accept the request for ${what}: ${said}`,
        'Check the options of this data type in the config. If they are right, please report this: it is a mistake in hyperstudy-warehouse.',
      );
    case 401:
      return failure(
        'KEY_REFUSED',
        `The API refuses the key: ${said} Nothing was synced with it; the warehouse keeps what it has.`,
        'Check HYPERSTUDY_API_KEY or the key in the config. A key may have expired or been revoked; a new one needs about ten seconds until it works.',
      );
    case 403:
      return failure(
        'SCOPE_MISSING',
        `The key may not read ${what}${missingScopes(refusal.details)}: it was skipped.`,
        'Make a key with that scope in HyperStudy, or leave the data type out of the config.',
      );
    case 404:
      return failure(
        'NOT_FOUND',
        `The API does not know ${what}: it is gone or its id is mistyped. Rows already in the warehouse were kept.`,
        'Check the id in the config; `hsw init` lists the experiments that the key sees.',
      );
    case 429:
      return failure(
        'RATE_LIMITED',
        `The API kept refusing ${what} because its limits were reached. The stream stays where it was.`,
        'Other programs use the same key: raise limits.reserve in the config or wait an hour.',
      );
    default:
      return failure(
        'SERVER_FAILED',
        `The API failed on ${what} (HTTP ${refusal.status}): ${said} The stream stays where it was.`,
        'This is usually over soon: the next sync goes on from there.',
      );
  }
}

/** Plain words for what goes wrong on the way to a server, by the code of Node's or undici's error. */
const NETWORK: readonly (readonly [RegExp, string])[] = [
  [/ECONNREFUSED/, 'nothing answers at that address'],
  [/ENOTFOUND|EAI_AGAIN/, 'its name cannot be found; is this computer online?'],
  [/ECONNRESET|UND_ERR_SOCKET|EPIPE|UND_ERR_RES_CONTENT_LENGTH/, 'the connection broke off'],
  [/TIMEOUT|TimeoutError|ETIMEDOUT/i, 'it did not answer in time'],
  [/CERT|TLS|SSL|SELF_SIGNED|ALTNAME/, 'its certificate is not trusted'],
  [/EHOSTUNREACH|ENETUNREACH/, 'there is no route to it'],
];

/** The error for a failure on the wire. */
export function unreachable(origin: string, what: string, error: unknown): WarehouseError {
  const codes = namesOf(error).join(' ');
  const reason =
    NETWORK.find(([pattern]) => pattern.test(codes))?.[1] ??
    (codes === '' ? 'the connection failed' : `the connection failed (${codes})`);
  return failure(
    'SERVER_UNREACHABLE',
    `${origin} cannot be reached for ${what}: ${reason}. The stream stays where it was.`,
    'Check the network and api.baseUrl; the next sync goes on from there.',
    error,
  );
}

export function unreadable(what: string, status: number, why: string): WarehouseError {
  return failure(
    'ANSWER_UNREADABLE',
    `The answer for ${what} (HTTP ${status}) cannot be read: ${why}. The stream stays where it was.`,
    'Check that api.baseUrl names the HyperStudy API; a proxy or login page may answer in its place.',
  );
}

function failure(code: ErrorCode, message: string, hint: string, cause?: unknown): WarehouseError {
  return new WarehouseError(code, message, { hint, cause });
}

/** Names and codes of an error and its causes. */
function namesOf(error: unknown): string[] {
  const names: string[] = [];
  for (let at = error; at instanceof Error && names.length < 10; at = at.cause) {
    names.push('code' in at && typeof at.code === 'string' ? at.code : at.name);
  }
  return names.filter((name) => name !== 'Error');
}

/** A scope such as `read:events`; anything else in its place is the server's own text and is not repeated. */
const SCOPE = /^[a-z]{1,20}:[a-z_-]{1,30}$/i;

function missingScopes(details: Json): string {
  const required = isObject(details) ? details['required'] : undefined;
  const scopes = (Array.isArray(required) ? required : [required]).filter(
    (scope): scope is string => typeof scope === 'string' && SCOPE.test(scope),
  );
  return scopes.length === 0 ? '' : `: it lacks the scope ${scopes.join(', ')}`;
}

/** What the server said, scrubbed and clipped, as a sentence. */
function quoted(message: string, secrets: readonly string[]): string {
  const text = scrub(message, secrets)
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, 300);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
