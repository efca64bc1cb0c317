import { Agent, EnvHttpProxyAgent, request, type Dispatcher } from 'undici';
import type { Clock } from '../shared/clock.ts';
import { WarehouseError } from '../shared/errors.ts';
import type { Json, JsonObject } from '../shared/json.ts';
import type { Log } from '../shared/log.ts';
import { readEnvelope, type Pagination } from './envelope.ts';
import { effectiveStatus, refused, unreachable, unreadable } from './failure.ts';
import { backoff, MOST_TRIES, MOST_WAITS, retryAfter } from './retry.ts';

/** What the client asks before it spends a request; `src/budget` implements it. */
export interface RequestBudget {
  spend<T>(
    spending: { endpoint: string; priority: number; signal?: AbortSignal | undefined },
    send: () => Promise<T>,
  ): Promise<T>;
  pause(endpoint: string, waitMs: number): void;
}

export interface ApiRequest {
  /** Path below the base URL, with its ids encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  /** What the per-minute limit counts: the data type. */
  readonly endpoint: string;
  /** 0 goes first, 9 last. */
  readonly priority?: number;
  readonly signal?: AbortSignal;
  /** What it is for, as messages name it: `events of exp_1`. */
  readonly what: string;
}

/** A successful answer. */
export interface Answer {
  readonly data: Json[];
  readonly metadata: JsonObject;
  /** `metadata._warnings`: the answer may lack rows. */
  readonly warnings: readonly string[];
  readonly truncated: boolean;
  readonly pagination: Pagination | undefined;
  /** The server's clock when it answered, in milliseconds since 1970 UTC. */
  readonly serverTime: number | undefined;
  /** Requests that it took, retries included. */
  readonly tries: number;
}

export interface Client {
  /**
   * One answer, whatever passing failures it takes.
   * @throws WarehouseError as the API's error table says; after a KEY_REFUSED no request is sent any more.
   */
  get(request: ApiRequest): Promise<Answer>;
  /** The answer of `GET /health`, which has no envelope; needs no key. */
  health(signal?: AbortSignal): Promise<{ text: string; serverTime: number | undefined }>;
  /** Requests sent so far, retries included. */
  readonly tries: number;
  close(): Promise<void>;
}

export interface ClientOptions {
  /** Without a slash at its end. */
  readonly baseUrl: string;
  readonly key: string;
  readonly budget: RequestBudget;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Longest time for one try, from the first byte sent to the last received, in milliseconds. */
  readonly timeoutMs: number;
  readonly userAgent: string;
  /** Where requests go instead of the network (tests). */
  readonly dispatcher?: Dispatcher;
}

/** No page comes near it; a server gone wrong must not fill the memory. */
const LARGEST_BODY = 512 * 1024 * 1024;

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

interface Reply {
  readonly status: number;
  readonly text: string;
  readonly retryAfter: string | undefined;
  readonly date: string | undefined;
}

/** A client for one key at one origin. */
export function createClient(options: ClientOptions): Client {
  const { baseUrl, key, budget, clock, random, log } = options;
  const { origin, hostname } = new URL(baseUrl);
  // What runs on this computer is never asked for through a proxy, which would see the key.
  const dispatcher = options.dispatcher ?? (LOOPBACK.test(hostname) ? new Agent() : new EnvHttpProxyAgent());
  let tries = 0;
  let keyRefused: WarehouseError | undefined;

  const send = async (path: string, query: string, withKey: boolean, signal?: AbortSignal): Promise<Reply> => {
    tries++;
    // undici's own timeouts count idle time only: this one ends the try whatever trickles in.
    const deadline = AbortSignal.timeout(options.timeoutMs);
    const { statusCode, headers, body } = await request(`${baseUrl}${path}${query}`, {
      dispatcher,
      signal: signal === undefined ? deadline : AbortSignal.any([deadline, signal]),
      headers: {
        accept: 'application/json',
        'user-agent': options.userAgent,
        ...(withKey ? { 'x-api-key': key } : {}),
      },
    });
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > LARGEST_BODY) throw new Error('the answer is larger than 512 MB');
      chunks.push(chunk);
    }
    return {
      status: statusCode,
      text: Buffer.concat(chunks).toString('utf8'),
      retryAfter: header(headers, 'retry-after'),
      date: header(headers, 'date'),
    };
  };

  /** One try within the budget; a failure on the wire comes back as an error to retry. */
  const attempt = async ({
    path,
    query = {},
    endpoint,
    priority = 5,
    signal,
    what,
  }: ApiRequest): Promise<Reply | WarehouseError> => {
    const onWire = async () => {
      if (keyRefused !== undefined) throw keyRefused;
      return send(path, search(query), true, signal).catch((error: unknown) => unreachable(origin, what, error));
    };
    const reply = await budget.spend({ endpoint, priority, signal }, onWire).catch((error: unknown) => {
      throw signal?.aborted === true ? interrupted(error) : error;
    });
    if (signal?.aborted === true) throw interrupted(reply);
    return reply;
  };

  return {
    get tries() {
      return tries;
    },
    async get(asked) {
      const { what, endpoint, signal } = asked;
      for (let failures = 0, waits = 0, spent = 1; ; spent++) {
        if (keyRefused !== undefined) throw keyRefused;
        const outcome = judge(await attempt(asked), what, key);
        if (outcome.kind === 'answer') return { ...outcome.answer, tries: spent };
        const { error } = outcome;
        if (error.code === 'KEY_REFUSED') keyRefused = error;
        if (outcome.kind === 'final') throw error;
        if (outcome.kind === 'wait') {
          if (++waits >= MOST_WAITS) throw error;
          const waitMs = retryAfter(outcome.reply, clock.now());
          log.warn(
            { endpoint, waitMs },
            `the API's limit is reached (somebody else may use the key); waiting as it asks`,
          );
          budget.pause(endpoint, waitMs);
          continue;
        }
        if (++failures >= MOST_TRIES) throw error;
        const waitMs = backoff(failures, random);
        log.debug({ endpoint, waitMs, code: error.code }, `trying again: ${error.message}`);
        await clock.sleep(waitMs, signal).catch((reason: unknown) => {
          throw interrupted(reason);
        });
      }
    },
    async health(signal) {
      const reply = await send('/health', '', false, signal).catch((error: unknown) => {
        throw unreachable(origin, 'the health check', error);
      });
      return { text: reply.text, serverTime: time(reply.date) };
    },
    close: () => dispatcher.close(),
  };
}

type Outcome =
  | { kind: 'answer'; answer: Omit<Answer, 'tries'> }
  | { kind: 'final' | 'retry'; error: WarehouseError }
  | { kind: 'wait'; error: WarehouseError; reply: Reply };

/** What a try came to: an answer, a refusal that stands, a failure that passes, or a wait. */
function judge(reply: Reply | WarehouseError, what: string, key: string): Outcome {
  if (reply instanceof WarehouseError) return { kind: 'retry', error: reply };
  if (reply.status >= 300 && reply.status < 400) {
    return {
      kind: 'final',
      error: unreadable(
        what,
        reply.status,
        'the server sends requests elsewhere, and the key goes to the configured address only',
      ),
    };
  }
  const envelope = readEnvelope(reply.text);
  if (envelope.kind === 'success' && reply.status < 300) {
    return { kind: 'answer', answer: { ...envelope, serverTime: time(reply.date) } };
  }
  const isError = envelope.kind === 'error';
  if (!isError && reply.status < 400) {
    return {
      kind: 'retry',
      error: unreadable(what, reply.status, envelope.kind === 'unreadable' ? envelope.why : 'it is no success'),
    };
  }
  // A page of some proxy says nothing about scopes, ids or parameters.
  if (!isError && [400, 403, 404].includes(reply.status)) {
    return { kind: 'final', error: unreadable(what, reply.status, 'it is not from the HyperStudy API') };
  }
  const status = effectiveStatus(reply.status, isError ? envelope.code : '');
  const message = isError ? envelope.message : 'no reason given';
  const error = refused(
    { status, code: isError ? envelope.code : '', message, details: isError ? envelope.details : null },
    what,
    [key],
  );
  if (status === 429) return { kind: 'wait', error, reply };
  return { kind: status >= 500 || status === 408 ? 'retry' : 'final', error };
}

function interrupted(cause: unknown): WarehouseError {
  return new WarehouseError(
    'INTERRUPTED',
    'Interrupted. Everything read so far is stored; the next sync goes on from there.',
    { cause },
  );
}

function search(query: NonNullable<ApiRequest['query']>): string {
  const params = new URLSearchParams(
    Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
  );
  return params.size === 0 ? '' : `?${params.toString()}`;
}

function header(headers: Record<string, string | string[] | undefined>, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function time(date: string | undefined): number | undefined {
  const ms = Date.parse(date ?? '');
  return Number.isNaN(ms) ? undefined : ms;
}
