import { z } from 'zod';
import { datasetNamed, DATA_TYPES } from '../datasets/registry.ts';
import { streamText, type Stream } from '../datasets/stream.ts';
import { isErrorCode, type ErrorCode } from '../shared/errors.ts';
import type { SyncResult } from '../sync/run.ts';
import type { StreamResult } from '../sync/stream.ts';
import type { Tally } from '../sync/tally.ts';
import type { Verdict, VerifyResult } from '../sync/verify.ts';

const Selection = z.strictObject({
  experiments: z.array(z.string()).readonly().exactOptional(),
  data: z.array(z.string()).readonly().exactOptional(),
});

/** A range of time that is to be read again, in milliseconds since 1970 UTC. */
const RereadMessage = z.strictObject({
  from: z.number().exactOptional(),
  to: z.number().exactOptional(),
  dryRun: z.boolean(),
});

/** A request of the command line: one line of JSON. `reads` says what the command's configuration reads (`readsOf`). */
export const RequestMessage = z.discriminatedUnion('ask', [
  z.strictObject({
    ask: z.literal('sync'),
    reads: z.string(),
    selection: Selection,
    full: z.boolean(),
    acceptDeletes: z.boolean(),
    acceptSchema: z.boolean(),
    reread: RereadMessage.exactOptional(),
  }),
  z.strictObject({
    ask: z.literal('verify'),
    reads: z.string(),
    selection: Selection,
    deep: z.boolean(),
    repair: z.boolean(),
    acceptDeletes: z.boolean(),
  }),
  z.strictObject({
    ask: z.literal('erase'),
    participant: z.string(),
    room: z.string().exactOptional(),
    isTrial: z.boolean(),
  }),
  z.strictObject({ ask: z.literal('about') }),
  z.strictObject({ ask: z.literal('dashboard') }),
]);

export type ControlRequest = z.infer<typeof RequestMessage>;
export type Ask = ControlRequest['ask'];
/** The request of that kind. */
export type RequestOf<A extends Ask> = Extract<ControlRequest, { ask: A }>;

/** What a daemon says about itself. */
export interface About {
  readonly version: string;
  /** Milliseconds since 1970 UTC. */
  readonly startedAt: number;
  /** The URL of its dashboard; null without one. */
  readonly http: string | null;
  /** What the API said when it refused the key; absent while it accepts it. */
  readonly keyRefused?: string | undefined;
  /** What keeps it from reading anything; absent without an outage. */
  readonly outage?:
    | { readonly since: number; readonly code: ErrorCode; readonly text: string; readonly hint?: string | undefined }
    | undefined;
}

/** What an erasure did. */
const ErasureMessage = z.object({
  at: z.string(),
  version: z.string(),
  tables: z.array(z.object({ table: z.string(), erased: z.number(), replaced: z.number() })).readonly(),
  unreached: z.array(z.string()).readonly(),
  isOverwritten: z.boolean(),
});

/** The result of each request. */
export interface Results {
  readonly sync: SyncResult;
  readonly verify: VerifyResult;
  readonly erase: z.infer<typeof ErasureMessage>;
  readonly about: About;
  /** A link that opens the dashboard once; null without a dashboard. */
  readonly dashboard: { readonly url: string | null };
}

/** A request waits for a limit, for this many milliseconds. */
const LimitWaitMessage = z.object({
  endpoint: z.string(),
  waitMs: z.number(),
  limit: z.enum(['hour', 'minute', 'paused', 'share']),
});

export type LimitWait = z.infer<typeof LimitWaitMessage>;

/** Progress while a request runs. */
export type ControlEvent =
  | { readonly wait: LimitWait }
  | { readonly tally: Tally }
  | { readonly stream: Stream; readonly page: { readonly fetched: number; readonly total: number | undefined } }
  | { readonly stream: Stream; readonly verdict: Verdict }
  /** The sync of a stream starts or, with its result, has ended. */
  | { readonly stream: Stream; readonly ended?: StreamResult };

export type Notify = (event: ControlEvent) => void;

const Filter = z.record(z.string(), z.union([z.string(), z.boolean()]));

const StreamMessage = z.object({
  experimentId: z.string(),
  data: z.enum(DATA_TYPES),
  scope: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('experiment') }),
    z.object({ kind: z.literal('room'), id: z.string() }),
    z.object({ kind: z.literal('deployment'), id: z.string() }),
    z.object({ kind: z.literal('participant'), id: z.string(), room: z.string() }),
  ]),
  filter: Filter.optional(),
});

const count = z.number();
const TallyMessage = z.object({
  done: count,
  of: count,
  hour: z.object({ used: count, allowed: count }),
  doneAt: count,
});

const keys = z.array(z.string());
const named = {
  experiment: z.string(),
  data: z.string(),
  room: z.string().exactOptional(),
  participant: z.string().exactOptional(),
  deployment: z.string().exactOptional(),
  filter: Filter.exactOptional(),
};

const ErrorCodeMessage = z.custom<ErrorCode>((code) => typeof code === 'string' && isErrorCode(code));

const StreamResultMessage = z.object({
  ...named,
  status: z.enum(['ok', 'incomplete', 'skipped', 'failed']),
  fetched: count,
  inserted: count,
  updated: count,
  unchanged: count,
  deleted: count,
  marked: count,
  requests: count,
  oldestNew: z.string().nullable(),
  watermark: z.string().nullable(),
  complete: z.boolean(),
  listed: z.literal(true).exactOptional(),
  reason: z.string().exactOptional(),
  error: z.object({ code: ErrorCodeMessage, message: z.string(), hint: z.string().exactOptional() }).exactOptional(),
});

const IssueMessage = z.object({
  code: z.enum(['EXPERIMENT_GONE', 'NO_EXPERIMENTS', 'LIST_INCOMPLETE']),
  experiment: z.string().exactOptional(),
  message: z.string(),
  hint: z.string(),
});

const VerdictMessage = z.object({
  ...named,
  status: z.enum(['equal', 'different', 'repaired', 'unknown']),
  proof: z.enum(['content', 'counts']),
  rows: count.nullable(),
  quarantined: count,
  missing: keys,
  changed: keys,
  extra: keys,
  newer: keys,
  requests: count,
  reason: z.string().exactOptional(),
});

/** The schema of each request's result. */
export const RESULT_MESSAGES: { readonly [A in Ask]: z.ZodType<Results[A]> } = {
  sync: z.object({
    status: z.enum(['ok', 'partial']),
    requests: count,
    durationMs: count,
    streams: z.array(StreamResultMessage),
    issues: z.array(IssueMessage),
  }),
  verify: z.object({
    at: z.string(),
    requests: count,
    durationMs: count,
    streams: z.array(VerdictMessage),
    issues: z.array(IssueMessage),
    derived: z.array(z.object({ table: z.string(), rows: count })),
  }),
  erase: ErasureMessage,
  dashboard: z.object({ url: z.string().nullable() }),
  about: z.object({
    version: z.string(),
    startedAt: count,
    http: z.string().nullable(),
    keyRefused: z.string().optional(),
    outage: z
      .object({ since: count, code: ErrorCodeMessage, text: z.string(), hint: z.string().optional() })
      .optional(),
  }),
};

/** The daemon's answer: lines of JSON, the last of them a result or an error. */
export const AnswerMessage = z.union([
  z.strictObject({ result: z.unknown() }),
  z.strictObject({ error: z.object({ code: z.string(), message: z.string(), hint: z.string().optional() }) }),
  z.strictObject({
    wait: LimitWaitMessage,
  }),
  z.strictObject({ tally: TallyMessage }),
  z.strictObject({ stream: StreamMessage, page: z.object({ fetched: count, total: count.optional() }) }),
  z.strictObject({ stream: StreamMessage, verdict: VerdictMessage }),
  z.strictObject({ stream: StreamMessage, ended: StreamResultMessage.exactOptional() }),
]);

/** An event as it goes over the socket. */
export function toMessage(event: ControlEvent): unknown {
  if ('wait' in event || 'tally' in event) return event;
  const { experimentId, dataset, scope, filter } = event.stream;
  return { ...event, stream: { experimentId, data: dataset.name, scope, filter } };
}

/** The event of a message. */
export function toEvent(
  message: Exclude<z.infer<typeof AnswerMessage>, { result: unknown } | { error: object }>,
): ControlEvent {
  if ('wait' in message || 'tally' in message) return message;
  const stream = streamOf(message.stream);
  if ('page' in message) return { stream, page: { ...message.page, total: message.page.total } };
  return { ...message, stream };
}

const streams = new Map<string, Stream>();

/** The stream of a message; the same object for the same stream, as the progress display compares objects. */
function streamOf({ experimentId, data, scope, filter }: z.infer<typeof StreamMessage>): Stream {
  const made: Stream = {
    experimentId,
    dataset: datasetNamed(data),
    scope,
    ...(filter === undefined ? {} : { filter }),
  };
  const known = streams.get(streamText(made)) ?? made;
  streams.set(streamText(made), known);
  return known;
}
