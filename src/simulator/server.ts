import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Limits, SimKey } from './access.ts';
import { createApi } from './api.ts';
import type { Declaration } from './catalogue/declared.ts';
import type { ApiFault } from './faults.ts';
import { sendMedia, type LoggedDownload, type MediaFault } from './media.ts';
import type { Readings } from './readings.ts';
import { errorReply, type SimReply, type SimRequest } from './reply.ts';
import type { WorldOptions } from './life.ts';
import type { Sharing } from './sharing.ts';
import { createWorld, type World } from './world.ts';
import { HOUR_MS } from '../shared/time.ts';

/** A fault of one answer, on the wire or in its content. */
export type Fault =
  | { readonly kind: 'reply'; readonly reply: SimReply }
  | { readonly kind: 'change'; readonly change: (reply: SimReply) => SimReply }
  /** The connection breaks off: before the answer, or after this many bytes of its body. */
  | { readonly kind: 'reset'; readonly afterBytes?: number }
  | { readonly kind: 'hang' }
  /** The body arrives this many bytes at a time. */
  | { readonly kind: 'drip'; readonly bytes: number; readonly everyMs: number };

export interface LoggedRequest {
  readonly at: number;
  readonly method: string;
  /** The path below the base URL; the whole path if the request is not below it. */
  readonly path: string;
  readonly query: string;
  readonly key: string | undefined;
  /** The organization that it names. */
  readonly organization: string | undefined;
  readonly status: number | undefined;
}

export interface SimulatorOptions {
  readonly world?: Partial<WorldOptions> | World;
  /** Data types with made-up records, for those that the simulator does not know. */
  readonly declared?: readonly Declaration[];
  /** The clock that the API shows and limits by, in ms since 1970 UTC. */
  readonly now?: () => number;
  /** The clock that limits count by; by default `now`. */
  readonly meterNow?: () => number;
  readonly port?: number;
  readonly keys?: readonly SimKey[];
  readonly limits?: Partial<Limits>;
  readonly readings?: Partial<Readings>;
  readonly sharing?: Sharing;
  /** What the API does wrong; the list may change while the simulator runs. */
  readonly faults?: readonly ApiFault[];
  readonly latencyMs?: number;
  /** Called before each answer; `n` counts requests from 0. */
  readonly fault?: (request: SimRequest, n: number) => Fault | undefined;
  /** What goes wrong with a download; called before each. */
  readonly mediaFault?: (download: LoggedDownload, n: number) => MediaFault | undefined;
}

export interface Simulator {
  /** The base URL, ending in `/api/v3`. */
  readonly url: string;
  readonly key: string;
  readonly world: World;
  /** Every request so far. */
  readonly requests: readonly LoggedRequest[];
  /** Every download of a file so far; they are on another path than the API. */
  readonly downloads: readonly LoggedDownload[];
  readonly now: () => number;
  close(): Promise<void>;
}

/** A key with every scope, in the form of a development key. */
export const DEMO_KEY = `hst_test_${'simulator0'.repeat(6)}demo`;

const BASE = '/api/v3';

const SMALL_WORLD: WorldOptions = {
  seed: 1,
  start: Date.parse('2026-01-12T09:00:00.000Z'),
  experiments: 3,
  roomsPerExperiment: 3,
  participantsPerRoom: 2,
  videoSeconds: 60,
  roomEveryMs: HOUR_MS,
};

/** Starts the simulated HyperStudy API on the loopback address, over real HTTP. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const world =
    options.world !== undefined && 'lives' in options.world
      ? options.world
      : createWorld({ ...SMALL_WORLD, ...options.world }, options.declared);
  const now = options.now ?? Date.now;
  const keys = options.keys ?? [{ key: DEMO_KEY, scopes: ['*'] }];
  const handle = createApi({
    world,
    keys,
    limits: { perHour: 1000, perEndpointPerMinute: 100, ...options.limits },
    readings: options.readings ?? {},
    sharing: options.sharing ?? {},
    faults: options.faults ?? [],
  });
  const requests: LoggedRequest[] = [];
  const downloads: LoggedDownload[] = [];

  const answer = async (message: IncomingMessage, response: ServerResponse) => {
    const url = new URL(message.url ?? '/', 'http://simulator');
    if (url.pathname.startsWith('/media/'))
      return sendMedia(message, response, { url, world, now: now(), downloads, fault: options.mediaFault });
    const request = requestOf(message, url);
    const fault = options.fault?.(request, requests.length);
    const entry = entryOf(request, url, now());
    if (options.latencyMs !== undefined) await delay(options.latencyMs);
    // A request counts against the limits even if its answer fails.
    const made = url.pathname.startsWith(`${BASE}/`)
      ? handle(request, now(), (options.meterNow ?? now)())
      : errorReply(404, 'no such endpoint');
    if (fault?.kind === 'hang' || (fault?.kind === 'reset' && fault.afterBytes === undefined)) {
      requests.push({ ...entry, status: undefined });
      if (fault.kind === 'reset') message.socket.resetAndDestroy();
      return;
    }
    const reply = fault?.kind === 'reply' ? fault.reply : fault?.kind === 'change' ? fault.change(made) : made;
    requests.push({ ...entry, status: reply.status });
    await send(reply, response, fault);
  };
  const server = createServer((message, response) => void answer(message, response));
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  return {
    url: `http://127.0.0.1:${port}${BASE}`,
    key: keys[0]?.key ?? DEMO_KEY,
    world,
    requests,
    downloads,
    now,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function requestOf(message: IncomingMessage, url: URL): SimRequest {
  return {
    method: message.method ?? 'GET',
    path: url.pathname.startsWith(`${BASE}/`) ? url.pathname.slice(BASE.length) : url.pathname,
    query: url.searchParams,
    headers: Object.fromEntries(
      Object.entries(message.headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
    ),
  };
}

function entryOf({ method, path, headers }: SimRequest, url: URL, at: number): Omit<LoggedRequest, 'status'> {
  return {
    at,
    method,
    path,
    query: url.search,
    key: headers['x-api-key'],
    organization: headers['x-organization-id'],
  };
}

/** Sends a reply, as far and as fast as the fault lets it. */
async function send(reply: SimReply, response: ServerResponse, fault: Fault | undefined): Promise<void> {
  const body = Buffer.from(reply.body);
  response.writeHead(reply.status, { ...reply.headers, 'content-length': body.length });
  if (fault?.kind === 'reset')
    response.write(body.subarray(0, fault.afterBytes), () => response.req.socket.resetAndDestroy());
  else if (fault?.kind === 'drip') await drip(response, body, fault);
  else response.end(body);
}

async function drip(
  response: ServerResponse,
  body: Buffer,
  { bytes, everyMs }: Extract<Fault, { kind: 'drip' }>,
): Promise<void> {
  for (let sent = 0; sent < body.length && !response.destroyed; sent += bytes) {
    response.write(body.subarray(sent, sent + bytes));
    await delay(everyMs);
  }
  response.end();
}
