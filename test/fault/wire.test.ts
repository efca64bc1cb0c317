import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import pino from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createClient, type Client } from '../../src/api/client.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { WarehouseError } from '../../src/shared/errors.ts';

const KEY = `hst_test_${'s3cretKEY'.repeat(7)}x`;
const GOOD = JSON.stringify({ status: 'success', data: [{ id: 'a' }], metadata: {} });

type Answer = (message: IncomingMessage, response: ServerResponse) => void;

/** A server that answers each request in turn as told, and well after that. */
async function server(...answers: Answer[]) {
  const seen: { key: string | undefined; organization: unknown; path: string | undefined }[] = [];
  const http = createServer((message, response) => {
    const key = message.headers['x-api-key'];
    seen.push({
      key: typeof key === 'string' ? key : undefined,
      organization: message.headers['x-organization-id'],
      path: message.url,
    });
    const answer = answers.shift() ?? ((_, good) => good.end(GOOD));
    answer(message, response);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    http.closeAllConnections();
    http.close();
  });
  const address = http.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}/api/v3`, seen };
}

function client(
  baseUrl: string,
  lines: string[] = [],
  organization?: string,
): { client: Client; waits: number[]; pauses: number[] } {
  const waits: number[] = [];
  const pauses: number[] = [];
  const made = createClient({
    baseUrl,
    key: KEY,
    organization,
    budget: { spend: (_, send) => send(), pause: (_, ms) => void pauses.push(ms) },
    clock: {
      ...systemClock,
      sleep: (ms) => {
        waits.push(ms);
        return Promise.resolve();
      },
    },
    random: () => 0.5,
    log: pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) }),
    timeoutMs: 300,
    userAgent: 'test',
  });
  onTestFinished(() => made.close());
  return { client: made, waits, pauses };
}

const get = (made: Client) => made.get({ path: '/data/events/experiment/e', endpoint: 'events', what: 'events of e' });
const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    void response.writeHead(status, headers).end(JSON.stringify(body));
const error = (status: number, code: string, headers?: Record<string, string>, details: unknown = null): Answer =>
  json(status, { status: 'error', error: { code, message: `no ${KEY}`, details } }, headers);

const PASSING: Record<string, Answer> = {
  'a reset before the answer': (message) => void message.socket.resetAndDestroy(),
  'a reset after the headers': (message, response) => {
    response.writeHead(200, { 'content-length': '500' });
    response.flushHeaders();
    setTimeout(() => message.socket.resetAndDestroy(), 5);
  },
  'a body that ends early': (message, response) => {
    response.writeHead(200, { 'content-length': '500' });
    response.write(GOOD.slice(0, 20), () => message.socket.end());
  },
  'JSON cut off in the middle': (_, response) => void response.end(GOOD.slice(0, 30)),
  'an empty body': (_, response) => void response.end(),
  'a page of HTML with 200': (_, response) => void response.end('<html>Please log in</html>'),
  'a page of HTML with 502': (_, response) => void response.writeHead(502).end('<html>Bad gateway</html>'),
  'invalid UTF-8': (_, response) => void response.end(Buffer.from([0xff, 0xfe, 0x00])),
  'a compressed body that breaks off': (_, response) =>
    void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(GOOD).subarray(0, 30)),
  'silence before the headers': () => undefined,
  'silence after the headers': (_, response) => {
    response.writeHead(200);
    response.flushHeaders();
  },
  'a drip that goes on past the deadline': (_, response) => {
    response.writeHead(200);
    const drip = setInterval(() => void response.write(' '), 20);
    response.on('close', () => clearInterval(drip));
  },
  'an internal error': error(500, 'INTERNAL_SERVER_ERROR'),
  'an internal error inside a 200': error(200, 'INTERNAL_SERVER_ERROR'),
};

describe('the client', () => {
  it.each(Object.entries(PASSING))('tries again after %s', async (_name, fault) => {
    const { url, seen } = await server(fault);
    const { client: made } = client(url);
    const answer = await get(made);
    expect(answer).toMatchObject({ data: [{ id: 'a' }], tries: 2 });
    expect(seen.length).toBe(2);
    expect((await get(made)).tries).toBe(1);
  });

  it('gives up after five failures and says what they were', async () => {
    const { url, seen } = await server(...Array.from({ length: 9 }, () => error(503, 'INTERNAL_SERVER_ERROR')));
    const { client: made, waits } = client(url);
    await expect(get(made)).rejects.toMatchObject({ code: 'SERVER_FAILED', exitStatus: 1 });
    expect(seen.length).toBe(5);
    expect(waits).toEqual([500, 1000, 2000, 4000]);
  });

  it.each([
    [400, 'INVALID_PARAMETER', 'PARAMETER_REFUSED'],
    [401, 'UNAUTHORIZED', 'KEY_REFUSED'],
    [200, 'AUTHENTICATION_ERROR', 'KEY_REFUSED'],
    [403, 'FORBIDDEN', 'SCOPE_MISSING'],
    [404, 'NOT_FOUND', 'NOT_FOUND'],
    [200, 'NOT_FOUND', 'NOT_FOUND'],
  ])('does not repeat a %i %s, and never shows the key', async (status, code, expected) => {
    const lines: string[] = [];
    const { url, seen } = await server(error(status, code, {}, { required: ['read:events'] }));
    const thrown = await get(client(url, lines).client).catch((caught: unknown) => caught);
    expect(thrown).toBeInstanceOf(WarehouseError);
    expect(thrown).toMatchObject({ code: expected });
    expect(`${String(thrown)}${(thrown as WarehouseError).hint ?? ''}${lines.join('')}`).not.toContain(KEY);
    if (expected === 'SCOPE_MISSING') expect(String(thrown)).toContain('read:events');
    expect(seen.length).toBe(1);
  });

  it.each([400, 403, 404])('does not take a page of HTML with %i for an answer of the API', async (status) => {
    const { url } = await server((_, response) => void response.writeHead(status).end('<html>proxy</html>'));
    await expect(get(client(url).client)).rejects.toMatchObject({ code: 'ANSWER_UNREADABLE' });
  });

  it('shows no scope name that is none, because it might be the key', async () => {
    const { url } = await server(error(403, 'FORBIDDEN', {}, { required: [KEY, 'read:chat'] }));
    const thrown = String(await get(client(url).client).catch((caught: unknown) => caught));
    expect(thrown).toContain('read:chat');
    expect(thrown).not.toContain(KEY);
  });

  it('sends nothing more after the key was refused, until it is allowed to try again', async () => {
    const { url, seen } = await server(error(401, 'UNAUTHORIZED'));
    const { client: made } = client(url);
    await expect(get(made)).rejects.toMatchObject({ code: 'KEY_REFUSED', exitStatus: 3 });
    await expect(get(made)).rejects.toMatchObject({ code: 'KEY_REFUSED' });
    expect(seen.length).toBe(1);
    made.tryKeyAgain();
    expect(await get(made)).toMatchObject({ data: [{ id: 'a' }] });
    expect(seen.length).toBe(2);
  });

  it.each([
    ['7', 7000],
    [new Date(Date.now() + 60_000).toUTCString(), undefined],
  ])('waits after a 429 with Retry-After %s and continues', async (header, expected) => {
    const { url } = await server(error(429, 'RATE_LIMIT_EXCEEDED', { 'retry-after': header }));
    const { client: made, pauses } = client(url);
    expect((await get(made)).tries).toBe(2);
    expect(pauses.length).toBe(1);
    if (expected !== undefined) expect(pauses).toEqual([expected]);
    else expect(pauses[0]).toBeGreaterThanOrEqual(59_000);
  });

  it('follows no redirect, so that the key stays with the configured server', async () => {
    const elsewhere = await server();
    const { url } = await server(
      (_, response) => void response.writeHead(302, { location: `${elsewhere.url}/x` }).end(),
    );
    await expect(get(client(url).client)).rejects.toMatchObject({ code: 'ANSWER_UNREADABLE' });
    expect(elsewhere.seen).toEqual([]);
  });

  it('names the organization in every request, to the configured server only', async () => {
    const elsewhere = await server();
    const redirect: Answer = (_, response) => void response.writeHead(302, { location: `${elsewhere.url}/x` }).end();
    const { url, seen } = await server(json(503, {}), json(200, JSON.parse(GOOD)), json(200, {}), redirect);
    const { client: made } = client(url, [], 'org_1');
    await get(made);
    await made.health();
    await expect(get(made)).rejects.toMatchObject({ code: 'ANSWER_UNREADABLE' });
    expect(seen.map(({ organization }) => organization)).toEqual(['org_1', 'org_1', 'org_1', 'org_1']);
    expect(elsewhere.seen).toEqual([]);
    const without = await server();
    await get(client(without.url).client);
    expect(without.seen).toMatchObject([{ organization: undefined }]);
  });

  it('names the organization as a possible reason for a refusal', async () => {
    const refusal = { status: 'error', error: { code: 'FORBIDDEN', message: 'no' } };
    const { url } = await server(json(403, refusal), json(403, refusal));
    const hint = (error: unknown) => (error instanceof WarehouseError ? error.hint : undefined);
    expect(await get(client(url, [], 'org_1').client).catch(hint)).toContain('asked for the organization org_1');
    expect(await get(client(url).client).catch(hint)).not.toContain('organization');
  });

  it('says in plain words that nothing answers', async () => {
    const { client: made } = client('http://127.0.0.1:9/api/v3');
    await expect(get(made)).rejects.toThrow('nothing listens at that address');
  });

  it('stops at once when interrupted', async () => {
    const { url } = await server(() => undefined);
    const abort = new AbortController();
    const waiting = client(url).client.get({ path: '/x', endpoint: 'x', what: 'x', signal: abort.signal });
    setTimeout(() => abort.abort(), 30);
    await expect(waiting).rejects.toMatchObject({ code: 'INTERRUPTED', exitStatus: 130 });
  });
});
