import { Agent, EnvHttpProxyAgent, request, type Dispatcher } from 'undici';
import type { Clock } from '../shared/clock.ts';
import { interrupted, WarehouseError } from '../shared/errors.ts';
import { isLoopback } from '../shared/loopback.ts';
import type { Log } from '../shared/log.ts';
import type { Priority } from '../shared/priority.ts';
import { ACCEPTED_ENCODING, readBody, type Body } from './body.ts';
import { failure, STAYS, unaddressable, unsendableKey } from './failure.ts';
import { header, httpTime, requestId as idOf, type Headers } from './headers.ts';
import { judge, judgeHealth, type Answer, type Failed, type Outcome, type Reply } from './judge.ts';
import { wireFailure } from './network.ts';
import { backoff, LONGEST_RETRY_AFTER_MS, MOST_TRIES, MOST_WAITS, retryAfter } from './retry.ts';

export type { Answer } from './judge.ts';

/** Decides when a request may be spent; `src/budget` implements it. */
export interface RequestBudget {
  spend<T>(
    spending: { endpoint: string; priority?: Priority | undefined; signal?: AbortSignal | undefined },
    send: () => Promise<T>,
  ): Promise<T>;
  pause(endpoint: string, waitMs: number): void;
}

export interface ApiRequest {
  /** Path below the base URL, with its ids encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  /** What the per-minute limit counts by: the data type. */
  readonly endpoint: string;
  readonly priority?: Priority;
  readonly signal?: AbortSignal;
  /** What the request is for, as messages say it: `events of exp_1`. */
  readonly what: string;
  /** Called for each request that is sent for it, retries included, whatever their result. */
  readonly onTry?: () => void;
}

export interface Client {
  /**
   * One answer; passing failures are retried.
   * @throws WarehouseError according to the API's error table; after KEY_REFUSED no request is sent until
   * `tryKeyAgain`.
   */
  get(request: ApiRequest): Promise<Answer>;
  /**
   * The answer of `GET /health`, which has no envelope, needs no key and is not retried.
   * @throws WarehouseError when the server is not healthy, or is not the API.
   */
  health(signal?: AbortSignal): Promise<{ text: string; serverTime: number | undefined }>;
  /**
   * The API's description of itself (`GET /openapi.yaml`), whatever it is: it is public, goes without the key and is not
   * retried.
   * @throws WarehouseError when the server cannot be reached.
   */
  description(signal?: AbortSignal): Promise<{ readonly status: number; readonly body: Body }>;
  /** Allows requests again after the API refused the key: a new key may take a while to be known. */
  tryKeyAgain(): void;
  /** Requests sent so far, retries included. */
  readonly tries: number;
  /** The organization for which it asks. */
  readonly organization?: string | undefined;
  close(): Promise<void>;
}

export interface ClientOptions {
  /** Without a trailing slash. */
  readonly baseUrl: string;
  readonly key: string;
  /** The organization for which every request is made. */
  readonly organization?: string | undefined;
  readonly budget: RequestBudget;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** The longest time for one try, from the first byte sent to the last received, in milliseconds. */
  readonly timeoutMs: number;
  readonly userAgent: string;
  /** How many 429 answers one request waits out before it is reported; by default as many as a sync needs. */
  readonly mostWaits?: number;
  /** The largest answer that is read, in bytes, packed or unpacked; by default 64 MB. */
  readonly largestBody?: number;
  /** Where requests go instead of the network (tests). */
  readonly dispatcher?: Dispatcher;
}

/** No page comes near it; a faulty server must not fill the memory. */
const LARGEST_BODY = 64 * 1024 * 1024;

/** What an HTTP header carries and a key may consist of: visible ASCII. */
const SENDABLE_KEY = /^[\x21-\x7e]+$/;

/** A client for one key at one origin. */
export function createClient(options: ClientOptions): Client {
  const { baseUrl, key, organization, budget, clock, random, log, mostWaits = MOST_WAITS } = options;
  const { hostname } = new URL(baseUrl);
  // A server on this computer is never reached through a proxy, which would see the key.
  const dispatcher = options.dispatcher ?? (isLoopback(hostname) ? new Agent() : new EnvHttpProxyAgent());
  const send = sender(options, dispatcher);
  let tries = 0;
  const unsendable = SENDABLE_KEY.test(key) ? undefined : unsendableKey();
  let keyRefused = unsendable;

  /** One try within the budget. */
  const attempt = async (asked: ApiRequest): Promise<Reply | Failed> => {
    const { path, query = {}, endpoint, priority, signal, what, onTry } = asked;
    const onWire = () => {
      if (keyRefused !== undefined) return Promise.reject(keyRefused);
      tries++;
      onTry?.();
      return send(path + search(query), { what, withKey: true, signal });
    };
    const reply = await budget.spend({ endpoint, priority, signal }, onWire).catch((error: unknown) => {
      throw signal?.aborted === true ? interrupted(error) : error;
    });
    if (signal?.aborted === true) throw interrupted('error' in reply ? reply.error : undefined);
    return reply;
  };

  return {
    organization,
    get tries() {
      return tries;
    },
    async get(asked) {
      const { what, endpoint, signal } = asked;
      if (!isAddress(asked.path)) throw unaddressable(what);
      let waitedMs = 0;
      for (let failures = 0, waits = 0, spent = 1; ; spent++) {
        if (keyRefused !== undefined) throw keyRefused;
        const reply = await attempt(asked);
        const outcome = outcomeOf(reply, what, key);
        if (outcome.kind === 'answer') return { ...outcome.answer, tries: spent };
        const { error } = outcome;
        if (error.code === 'KEY_REFUSED') keyRefused = error;
        if (outcome.kind === 'final') throw organization === undefined ? error : askedFor(organization, error);
        const { requestId } = error;
        if (outcome.kind === 'wait') {
          const waitMs = retryAfter(outcome.reply, clock.now());
          budget.pause(endpoint, waitMs);
          waitedMs += waitMs;
          if (++waits >= mostWaits || waitedMs > LONGEST_RETRY_AFTER_MS) throw error;
          log.warn(
            { endpoint, waitMs, requestId },
            `the API's limit is reached (another program may use the key); waiting as long as it asks`,
          );
          continue;
        }
        if (++failures >= MOST_TRIES) throw error;
        const waitMs = backoff(failures, random, 'status' in reply ? reply : undefined, clock.now());
        log.debug({ endpoint, waitMs, code: error.code, requestId }, `trying again: ${error.message}`);
        await clock.sleep(waitMs, signal).catch((reason: unknown) => {
          throw interrupted(reason);
        });
      }
    },
    async health(signal) {
      const what = 'the health check';
      tries++;
      const reply = await send('/health', { what, withKey: false, signal });
      if (signal?.aborted === true) throw interrupted('error' in reply ? reply.error : undefined);
      const judged = 'error' in reply ? reply : judgeHealth(reply, what, key);
      if ('error' in judged) throw judged.error;
      return { text: judged.text, serverTime: 'error' in reply ? undefined : httpTime(reply.date) };
    },
    async description(signal) {
      const what = 'the description of the API';
      tries++;
      const reply = await send('/openapi.yaml', { what, withKey: false, accept: '*/*', signal });
      if (signal?.aborted === true) throw interrupted('error' in reply ? reply.error : undefined);
      if ('error' in reply) throw reply.error;
      return { status: reply.status, body: reply.body };
    },
    tryKeyAgain() {
      keyRefused = unsendable;
    },
    close: () => dispatcher.close(),
  };
}

function outcomeOf(reply: Reply | Failed, what: string, key: string): Outcome {
  if ('status' in reply) return judge(reply, what, key);
  return { kind: reply.error.passes ? 'retry' : 'final', error: reply.error };
}

/** A refusal that may be the organization's says so. */
function askedFor(organization: string, error: WarehouseError): WarehouseError {
  const { code, message, hint, requestId, passes } = error;
  if (code !== 'SCOPE_MISSING' && code !== 'NOT_FOUND' && code !== 'PARAMETER_REFUSED') return error;
  const also = `It was asked for the organization ${organization} (api.organization); \`hsw doctor\` checks that.`;
  return new WarehouseError(code, message, {
    hint: `${hint ?? ''} ${also}`.trim(),
    requestId,
    passes,
    cause: error.cause,
  });
}

interface Sending {
  readonly what: string;
  readonly withKey: boolean;
  /** The types of answer that it takes; by default JSON. */
  readonly accept?: string;
  readonly signal: AbortSignal | undefined;
}

/** Sends one request and reads the whole reply; a network failure is returned as an error, and nothing is thrown. */
function sender(
  { baseUrl, key, organization, timeoutMs, userAgent, largestBody = LARGEST_BODY }: ClientOptions,
  dispatcher: Dispatcher,
): (address: string, sending: Sending) => Promise<Reply | Failed> {
  const { origin } = new URL(baseUrl);
  return async (address, { what, withKey, accept = 'application/json', signal }) => {
    const deadline = startDeadline(timeoutMs, signal);
    let came: Headers = {};
    try {
      const { statusCode, headers, body } = await request(`${baseUrl}${address}`, {
        dispatcher,
        signal: deadline.signal,
        // undici's own timeouts count only idle time, and would cut off requests that may take longer.
        headersTimeout: 0,
        bodyTimeout: 0,
        headers: {
          accept,
          'accept-encoding': ACCEPTED_ENCODING,
          // An old answer from a cache would look like the present one.
          'cache-control': 'no-cache',
          'user-agent': userAgent,
          ...(withKey ? { 'x-api-key': key } : {}),
          ...(organization === undefined ? {} : { 'x-organization-id': organization }),
        },
      });
      came = headers;
      const about = { encoding: header(headers, 'content-encoding'), length: header(headers, 'content-length') };
      return {
        status: statusCode,
        body: await readBody(body as AsyncIterable<Buffer>, about, largestBody),
        retryAfter: header(headers, 'retry-after'),
        date: header(headers, 'date'),
        age: header(headers, 'age'),
        isPart: header(headers, 'content-range') !== undefined,
        requestId: idOf(headers, [key]),
      };
    } catch (error) {
      const { reason, hint, passes } = wireFailure(error);
      const message = `${origin} cannot be reached for ${what}: ${reason}. ${STAYS}`;
      return { error: failure('SERVER_UNREACHABLE', message, hint, idOf(came, [key]), { cause: error, passes }) };
    } finally {
      deadline.end();
    }
  };
}

/** Aborts after so many milliseconds or with the given signal; leaves nothing behind once it ends. */
function startDeadline(ms: number, signal: AbortSignal | undefined): { signal: AbortSignal; end: () => void } {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new DOMException('no answer in time', 'TimeoutError')), ms);
  const leave = () => controller.abort(signal?.reason);
  if (signal?.aborted === true) leave();
  else signal?.addEventListener('abort', leave, { once: true });
  return {
    signal: controller.signal,
    end() {
      clearTimeout(timer);
      signal?.removeEventListener('abort', leave);
    },
  };
}

/**
 * Whether a path leads where it is meant to: `.` and `..` in the place of an id would lead elsewhere, an empty one to a
 * list, and no server takes one of thousands of characters.
 */
function isAddress(path: string): boolean {
  const parts = path.split('/').slice(1);
  return path.length <= LONGEST_ADDRESS && !parts.some((part) => part === '' || part === '.' || part === '..');
}

const LONGEST_ADDRESS = 2000;

function search(query: NonNullable<ApiRequest['query']>): string {
  const params = new URLSearchParams(
    Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
  );
  return params.size === 0 ? '' : `?${params.toString()}`;
}
