import type { ErrorCode, WarehouseError } from '../shared/errors.ts';
import type { Json, JsonObject } from '../shared/json.ts';
import type { Body } from './body.ts';
import { SECOND_MS } from '../shared/time.ts';
import { isJsonObject, readEnvelope, type Envelope, type Pagination } from './envelope.ts';
import { effectiveStatus, notTheApi, quoted, refused, tooLarge, unreadable } from './failure.ts';
import { httpTime } from './headers.ts';

/** A successful answer. */
export interface Answer {
  readonly data: Json[];
  /** Records with an object that names a member twice, by their places in `data`; as texts if these may be stored. */
  readonly unclear?: ReadonlyMap<number, string | undefined>;
  /** The answer gave one object instead of a list. */
  readonly isSingle?: boolean;
  readonly metadata: JsonObject;
  /** `metadata._warnings`: rows may be missing from the answer. */
  readonly warnings: readonly string[];
  readonly truncated: boolean;
  readonly pagination: Pagination | undefined;
  /** `metadata.query`: the parameters that the endpoint parsed. */
  readonly echo: JsonObject | undefined;
  /** The version of the server's processing and the start of the experiment, from which it derives onsets. */
  readonly basis: string | undefined;
  /** The server's clock when it answered, in milliseconds since 1970 UTC. */
  readonly serverTime: number | undefined;
  /** How long a cache on the way kept it, in milliseconds. */
  readonly ageMs?: number | undefined;
  /** The requests that it took, retries included. */
  readonly tries: number;
}

/** Whatever a server sent. */
export interface Reply {
  readonly status: number;
  readonly body: Body;
  readonly retryAfter: string | undefined;
  readonly date: string | undefined;
  /** Seconds for which a cache on the way kept it. */
  readonly age?: string | undefined;
  /** It says that it is a part of an answer. */
  readonly isPart?: boolean;
  /** The server's id of the request. */
  readonly requestId: string | undefined;
}

/** A try without a reply. */
export interface Failed {
  readonly error: WarehouseError;
}

/** The result of a try: an answer, a lasting refusal, a passing failure, or a wait. */
export type Outcome =
  | { readonly kind: 'answer'; readonly answer: Omit<Answer, 'tries'> }
  | { readonly kind: 'final' | 'retry'; readonly error: WarehouseError }
  | { readonly kind: 'wait'; readonly error: WarehouseError; readonly reply: Reply };

/** The result of a reply. */
export function judge(reply: Reply, what: string, key: string): Outcome {
  const { status, body } = reply;
  const failed = failedUnread(reply, what);
  if (failed !== undefined) return failed;
  const envelope: Envelope = 'text' in body ? readEnvelope(body.text) : { kind: 'unreadable', why: body.why };
  if (envelope.kind === 'success' && isWhole(reply)) {
    const warnings = readableWarnings(envelope.warnings, key);
    return {
      kind: 'answer',
      answer: {
        ...envelope,
        warnings,
        serverTime: serverTime(httpTime(reply.date), envelope.sentAt),
        ...ageOf(reply),
      },
    };
  }
  if (envelope.kind === 'error') return refusal(reply, envelope, what, key);
  if (status >= 400) return noEnvelope(reply, what, key);
  if (envelope.kind === 'unreadable' && envelope.isTooLarge === true)
    return { kind: 'final', error: tooLarge(what, reply.requestId, envelope.why) };
  const why = envelope.kind === 'unreadable' ? envelope.why : 'it is not the whole answer';
  return { kind: 'retry', error: unreadable(what, reply, why) };
}

/** The text of a healthy `GET /health`, which has no envelope, or the error for any other reply. */
export function judgeHealth(reply: Reply, what: string, key: string): { text: string } | { error: WarehouseError } {
  const { status, body } = reply;
  if (isWhole(reply) && 'text' in body && isJsonObject(body.text) && readEnvelope(body.text).kind !== 'error') {
    return body;
  }
  const outcome = judge(reply, what, key);
  // The health check has no id, no parameter and no scope, and takes no key.
  if ('error' in outcome && !OF_ANOTHER.has(outcome.error.code)) return outcome;
  const why = REDIRECTS.has(status)
    ? 'it redirects to another address, such as a login page'
    : status < 400
      ? 'it sends something other than a health check'
      : 'it has no health check there';
  return { error: notTheApi(reply, why) };
}

/** What a health check fails with where something other than the API answers. */
const OF_ANOTHER: ReadonlySet<ErrorCode> = new Set([
  'ANSWER_UNREADABLE',
  'NOT_FOUND',
  'PARAMETER_REFUSED',
  'SCOPE_MISSING',
  'KEY_REFUSED',
]);

/** Redirects are not followed, whatever their body; a body that is too large was not read. */
function failedUnread(reply: Reply, what: string): Outcome | undefined {
  const { status, body, requestId } = reply;
  if (REDIRECTS.has(status)) {
    const why = 'the server redirects to another address, and the key is sent to the configured one only';
    return { kind: 'final', error: unreadable(what, reply, why) };
  }
  if (status >= 400 || !('why' in body) || body.isTooLarge !== true) return undefined;
  return { kind: 'final', error: tooLarge(what, requestId, body.why) };
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** 200, or 203 from a proxy that changed something; a part (206) or a promise (202) is not an answer. */
function isWhole({ status, isPart }: Reply): boolean {
  return (status === 200 || status === 203) && isPart !== true;
}

function refusal(reply: Reply, envelope: Extract<Envelope, { kind: 'error' }>, what: string, key: string): Outcome {
  const status = effectiveStatus(reply.status, envelope.code);
  const error = refused({ ...envelope, status, requestId: reply.requestId }, what, [key]);
  return ended(reply, status, error);
}

/** The earlier of the times in the answer's header and metadata, as a proxy may have cached one of them. */
function serverTime(header: number | undefined, metadata: number | undefined): number | undefined {
  return header === undefined || metadata === undefined ? (header ?? metadata) : Math.min(header, metadata);
}

function ageOf({ age }: Reply): Pick<Answer, 'ageMs'> {
  return age !== undefined && /^\d{1,9}$/.test(age.trim()) ? { ageMs: Number(age) * SECOND_MS } : {};
}

/** An error page of a proxy says nothing about scopes, ids or parameters. */
function noEnvelope(reply: Reply, what: string, key: string): Outcome {
  const { status, requestId } = reply;
  if ([400, 403, 404].includes(status)) {
    return { kind: 'final', error: unreadable(what, reply, 'it is not from the HyperStudy API') };
  }
  const said = { status, code: '', message: 'no reason given', details: null, requestId };
  return ended(reply, status, refused(said, what, [key]));
}

function ended(reply: Reply, status: number, error: WarehouseError): Outcome {
  if (status === 429) return { kind: 'wait', error, reply };
  return { kind: status >= 500 || status === 408 ? 'retry' : 'final', error };
}

const MOST_WARNINGS = 5;

/** Warnings are stored beside the data in the warehouse: each in one short line, and not too many. */
function readableWarnings(warnings: readonly string[], key: string): string[] {
  const readable = warnings.slice(0, MOST_WARNINGS).map((warning) => quoted(warning, [key]));
  const more = warnings.length - readable.length;
  return more > 0 ? [...readable, `and ${more} more warnings`] : readable;
}
