import { createServer, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { WarehouseError } from '../shared/errors.ts';
import { isLoopback } from '../shared/loopback.ts';
import type { Log } from '../shared/log.ts';
import { createTickets } from './tickets.ts';
import { createRefuseLate } from './wrong-tokens.ts';
import { createRoutes } from './routes.ts';
import type { DaemonView, ExperimentRows } from '../status/view.ts';

export interface HttpOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Required of every request except `/healthz`, on this computer too: others may use it. */
  readonly token: string | undefined;
  /** How late the answer to a wrong token comes, in milliseconds. */
  readonly wrongTokenMs?: number;
  /** Called for every response. */
  readonly view: () => DaemonView;
  /** What the tables hold of an experiment; called for its page. */
  readonly rowsOf: (experiment: string) => ExperimentRows;
  readonly log: Log;
}

export interface HttpServer {
  readonly url: string;
  /** A link that opens the dashboard once. */
  link(): string;
  /** Finishes responses in progress, for at most half a second, and stops. */
  close(): Promise<void>;
}

const CLOSE_MS = 500;
const MOST_CONNECTIONS = 64;
/** A connection that does not ask for anything is looked at every second, and cut after five. */
const LIMITS = { requestTimeout: 10_000, headersTimeout: 5000, connectionsCheckingInterval: 1000 } as const;

/**
 * Serves `/healthz`, `/readyz`, `/metrics`, `/api/status` and the dashboard.
 * @throws WarehouseError USAGE when the address cannot be used, or would be open to others without a token.
 */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const { port, token, view, rowsOf, log } = options;
  const host = options.host.replace(/^\[|\]$/g, '');
  const isLocal = isLoopback(host);
  if (token === undefined || token === '') {
    throw new WarehouseError('USAGE', `The dashboard would be open to everyone who can reach ${host}.`, {
      hint: 'Set http.token or http.tokenFile, or set http.host to 127.0.0.1.',
    });
  }
  const tickets = createTickets();
  let listening = port;
  const routes = createRoutes({
    token,
    tickets,
    refuseLate: createRefuseLate(log, options.wrongTokenMs),
    isLoopback: isLocal,
    port: () => listening,
    view,
    rowsOf,
    log,
  });
  const listener = getRequestListener(routes.fetch, { overrideGlobalObjects: false });
  const server = createServer(LIMITS, (incoming, outgoing) => {
    void listener(incoming, outgoing);
  });
  server.maxConnections = MOST_CONNECTIONS;
  await listen(server, port, host);
  server.on('error', (error) => log.error({ err: error }, 'the HTTP server failed'));
  const address = server.address();
  if (typeof address === 'object' && address !== null) listening = address.port;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${listening}`;
  return {
    url,
    link: () => `${url}/?ticket=${tickets.give()}`,
    close: () => close(server),
  };
}

/** @throws WarehouseError USAGE when the address cannot be used. */
function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      reject(
        new WarehouseError('USAGE', `Port ${port} of ${host} cannot be used (${reasonOf(cause)}).`, {
          hint: 'Choose another http.port or http.host for the dashboard.',
          cause,
        }),
      );
    });
    server.listen(port, host, resolve);
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
  });
}

/** Plain words for why the server cannot listen on a port. */
function reasonOf(error: Error): string {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  const known: Record<string, string> = {
    EADDRINUSE: 'another program is using it',
    EACCES: 'it needs more permissions',
    EADDRNOTAVAIL: 'this computer has no such address',
    ENOTFOUND: 'there is no such host name',
  };
  return known[code] ?? code;
}
