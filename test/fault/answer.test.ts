import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync, brotliCompressSync, deflateSync, zstdCompressSync } from 'node:zlib';
import pino from 'pino';
import { Agent } from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createClient, type Client, type ClientOptions } from '../../src/api/client.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { WarehouseError } from '../../src/shared/errors.ts';
import { AUTHORITY, EARLY, EXPIRED, GOOD, KEY, OTHER_NAME, SELF_SIGNED } from '../support/certificates.ts';
import { httpHead, httpReply, rawServer, type RawAnswer } from '../support/raw.ts';

const API_KEY = `hst_test_${'s3cretKEY'.repeat(7)}x`;
const OK = JSON.stringify({ status: 'success', data: [{ id: 'a' }], metadata: {} });

function client(change: Partial<ClientOptions> & { port?: number }, lines: string[] = []) {
  const waits: number[] = [];
  const pauses: number[] = [];
  const { port = 9, ...options } = change;
  const made = createClient({
    baseUrl: `http://127.0.0.1:${port}/api/v3`,
    key: API_KEY,
    budget: { spend: (_, send) => send(), pause: (_, ms) => void pauses.push(ms) },
    clock: { ...systemClock, sleep: (ms) => (waits.push(ms), Promise.resolve()) },
    random: () => 0.5,
    log: pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) }),
    timeoutMs: 2000,
    userAgent: 'test',
    ...options,
  });
  onTestFinished(() => made.close());
  return { made, waits, pauses };
}

const get = (made: Client, signal?: AbortSignal) =>
  made.get({ path: '/x', endpoint: 'events', what: 'events of e', ...(signal === undefined ? {} : { signal }) });

async function refusal(made: Client): Promise<WarehouseError> {
  const thrown = await get(made).catch((error: unknown) => error);
  if (!(thrown instanceof WarehouseError)) throw new Error(`nothing plain was thrown: ${JSON.stringify(thrown)}`);
  return thrown;
}

/** A server that gives the answers in turn, the last of them again and again. */
function serving(...answers: RawAnswer[]) {
  let n = 0;
  return rawServer((socket, request) => answers[Math.min(n++, answers.length - 1)]?.(socket, request));
}
const sending =
  (...bytes: (string | Buffer)[]): RawAnswer =>
  (socket) =>
    void socket.write(Buffer.concat(bytes.map((part) => Buffer.from(part))));

describe('the text of an answer', () => {
  it('is read again if it is not valid UTF-8, instead of being stored with replacements', async () => {
    const bad = Buffer.concat([
      Buffer.from('{"status":"success","data":[{"id":"'),
      Buffer.from([0xe4]),
      Buffer.from('"}]}'),
    ]);
    const passing = await serving(sending(httpReply(200, bad)), sending(httpReply(200, OK)));
    expect(await get(client(passing).made)).toMatchObject({ data: [{ id: 'a' }], tries: 2 });
    const lasting = await serving(sending(httpReply(200, bad)));
    const error = await refusal(client(lasting).made);
    expect(error).toMatchObject({ code: 'ANSWER_UNREADABLE' });
    expect(error.message).toContain('it is not valid UTF-8');
    expect(lasting.requests.length).toBe(5);
  });

  it('may begin with a byte order mark', async () => {
    const server = await serving(sending(httpReply(200, `\ufeff${OK}`)));
    expect(await get(client(server).made)).toMatchObject({ data: [{ id: 'a' }], tries: 1 });
  });

  it.each([
    ['_warnings', `{"status":"success","data":[],"metadata":{"_warnings":[DEEP]}}`],
    ['data', `{"status":"success","data":[DEEP],"metadata":{}}`],
    ['metadata', `{"status":"success","data":[],"metadata":{"x":DEEP}}`],
  ])('may nest its %s a hundred thousand levels deep', async (_name, body) => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    const server = await serving(sending(httpReply(200, body.replace('DEEP', deep))));
    const answer = await get(client(server).made);
    expect(answer.tries).toBe(1);
    expect(answer.warnings.every((warning) => warning.length <= 300)).toBe(true);
  });

  it('may be a refusal with deeply nested details', async () => {
    const details = '{"required":'.repeat(50_000) + '1' + '}'.repeat(50_000);
    const body = `{"status":"error","error":{"code":"FORBIDDEN","message":"no","details":${details}}}`;
    const server = await serving(sending(httpReply(403, body)));
    expect(await refusal(client(server).made)).toMatchObject({ code: 'SCOPE_MISSING' });
  });

  it('is not a refusal by an inherited name', async () => {
    const server = await serving(sending(httpReply(200, '{"status":"error","error":{"code":"constructor"}}')));
    const error = await refusal(client(server).made);
    expect(error).toMatchObject({ code: 'SERVER_FAILED' });
    expect(error.message).toContain('HTTP 500');
  });

  it.each([202, 206, 304])('is not complete with status %i', async (status) => {
    const server = await serving(sending(httpHead(status, { 'content-length': '0' })), sending(httpReply(200, OK)));
    expect((await get(client(server).made)).tries).toBe(2);
    const whole = await serving(sending(httpReply(status === 304 ? 206 : status, OK)));
    expect(await refusal(client(whole).made)).toMatchObject({ code: 'ANSWER_UNREADABLE' });
  });

  it('is not complete if it says that it is a part, whatever its status', async () => {
    const server = await serving(sending(httpReply(200, OK, { 'content-range': 'items 0-0/3' })));
    expect(await refusal(client(server).made)).toMatchObject({ code: 'ANSWER_UNREADABLE' });
  });
});

describe('an answer that is too large', () => {
  const body = `{"status":"success","data":[{"id":"${'x'.repeat(100_000)}"}],"metadata":{}}`;
  it.each<[string, Buffer]>([
    ['as its length says', httpReply(200, body)],
    ['although it does not say so', Buffer.concat([httpHead(200, { connection: 'close' }), Buffer.from(body)])],
    ['once unpacked', httpReply(200, gzipSync(body), { 'content-encoding': 'gzip' })],
  ])('%s is refused once, in plain words', async (_name, reply) => {
    const server = await serving(sending(reply));
    const error = await refusal(client({ ...server, largestBody: 50_000 }).made);
    expect(error).toMatchObject({ code: 'ANSWER_UNREADABLE' });
    expect(error.message).toContain('it is larger than 50000 bytes');
    expect(error.hint).toContain('pageSize');
    expect(server.requests.length).toBe(1);
  });

  it('is a server error like any other if its status says so', async () => {
    const server = await serving(sending(httpReply(503, body)), sending(httpReply(200, OK)));
    expect((await get(client({ ...server, largestBody: 50_000 }).made)).tries).toBe(2);
  });

  it('does not block the connection for the next request', async () => {
    let large = true;
    const server = await rawServer((socket) => void socket.write(httpReply(200, large ? body : OK)));
    const { made } = client({ ...server, largestBody: 50_000 });
    for (let i = 0; i < 20; i++) await expect(get(made)).rejects.toMatchObject({ code: 'ANSWER_UNREADABLE' });
    large = false;
    expect((await get(made)).tries).toBe(1);
    expect(server.open.size).toBeLessThanOrEqual(2);
  });
});

describe('a compressed answer', () => {
  it.each([
    ['gzip', gzipSync(OK)],
    ['x-gzip', gzipSync(OK)],
    ['deflate', deflateSync(OK)],
    ['br', brotliCompressSync(OK)],
    ['zstd', zstdCompressSync(OK)],
    ['identity', Buffer.from(OK)],
    [' GZip', gzipSync(OK)],
  ])('is unpacked (%s)', async (encoding, packed) => {
    const server = await serving(sending(httpReply(200, packed, { 'content-encoding': encoding })));
    expect(await get(client(server).made)).toMatchObject({ data: [{ id: 'a' }], tries: 1 });
    expect(server.requests[0]?.headers['accept-encoding']).toBe('gzip');
  });

  it.each([
    ['gzip', Buffer.from(OK), 'it is not compressed as its content-encoding says (gzip)'],
    ['gzip', gzipSync(OK).subarray(0, 30), 'its compressed data end too early'],
    ['gzip, br', gzipSync(OK), 'it is compressed in a way that was not requested'],
    ['constructor', gzipSync(OK), 'it is compressed in a way that was not requested'],
  ])('that is not valid %s is said to be so', async (encoding, packed, why) => {
    const server = await serving(sending(httpReply(200, packed, { 'content-encoding': encoding })));
    const error = await refusal(client(server).made);
    expect(error).toMatchObject({ code: 'ANSWER_UNREADABLE' });
    expect(error.message).toContain(why);
  });
});

describe('a key that no header can carry', () => {
  it.each([
    `${API_KEY}\n`,
    `hst_test_${'ä'.repeat(64)}`,
    `hst_test_\u0000${'a'.repeat(60)}`,
    `hst_test_${'b'.repeat(20)} ${'c'.repeat(20)}`,
    '',
  ])('is refused before a request is sent', async (key) => {
    const server = await serving(sending(httpReply(200, OK)));
    const { made } = client({ ...server, key });
    const error = await refusal(made);
    expect(error).toMatchObject({ code: 'KEY_REFUSED', exitStatus: 3 });
    expect(error.message).toContain('line break');
    if (key !== '') expect(`${error.message}${error.hint ?? ''}`).not.toContain(key.slice(9, 40).trim());
    expect(server.requests.length).toBe(0);
    expect(made.tries).toBe(0);
  });
});

describe('the server’s name for a request', () => {
  const HTML = '<html></html>';
  it.each([
    ['x-request-id', 'req-1', 503, HTML],
    ['x-correlation-id', 'c-2', 404, '{"status":"error","error":{"code":"NOT_FOUND","message":"gone"}}'],
    ['x-cloud-trace-context', '105445aa7843bc8bf206b12000100000/1;o=1', 500, HTML],
    ['cf-ray', '8c1f-FRA', 403, HTML],
    ['X-Request-ID', 'upper', 200, HTML],
  ])('stands at the end of the message (%s)', async (name, id, status, body) => {
    const lines: string[] = [];
    const server = await serving(sending(httpReply(status, body, { [name]: id })));
    expect((await refusal(client(server, lines).made)).message).toMatch(/\. \(request id [^)]+\)$/);
    expect((await refusal(client(server, lines).made)).message).toContain(`(request id ${id})`);
    if (status >= 500) expect(lines.join('')).toContain(`"requestId":"${id}"`);
  });

  it('is reported for an answer that breaks off as well', async () => {
    const server = await rawServer((socket) => {
      socket.end(httpHead(200, { 'content-length': '500', 'x-request-id': 'cut' }));
    });
    expect((await refusal(client(server).made)).message).toContain(
      'the connection broke off. The stream keeps its position. (request id cut)',
    );
  });

  it('is shortened, and contains neither the key nor unprintable characters', async () => {
    const id = `${API_KEY}/\t\x80${'z'.repeat(500)}`;
    const server = await serving(sending(httpReply(503, HTML, { 'x-request-id': id })));
    const { message } = await refusal(client(server).made);
    expect(message).not.toContain('s3cret');
    expect(/\(request id ([\x21-\x7e]+)\)$/.exec(message)?.[1]?.length).toBe(80);
  });
});

describe('time', () => {
  it('is limited by the configured timeout alone, not by those of undici', async () => {
    const server = await rawServer((socket) => {
      setTimeout(() => socket.write(httpHead(200, { 'content-length': String(OK.length) })), 700);
      setTimeout(() => socket.write(OK), 1400);
    });
    const dispatcher = new Agent({ headersTimeout: 100, bodyTimeout: 100 });
    const { made } = client({ ...server, timeoutMs: 10_000, dispatcher });
    expect((await get(made)).tries).toBe(1);
  });

  it('ends a request that is interrupted between its headers and its body', async () => {
    const server = await rawServer((socket) => void socket.write(httpHead(200, { 'content-length': '500' })));
    const abort = new AbortController();
    const waiting = get(client({ ...server, timeoutMs: 60_000 }).made, abort.signal);
    setTimeout(() => abort.abort(), 50);
    await expect(waiting).rejects.toMatchObject({ code: 'INTERRUPTED' });
    const [socket] = server.open;
    if (socket !== undefined) await once(socket, 'close');
    expect(server.open.size).toBe(0);
  });

  it('leaves no listener and no timer behind, however many requests share a signal', async () => {
    const warned: Error[] = [];
    const onWarning = (warning: Error) => void warned.push(warning);
    process.on('warning', onWarning);
    onTestFinished(() => void process.off('warning', onWarning));
    const server = await serving(sending(httpReply(200, OK)));
    const { made } = client({ ...server, timeoutMs: 60_000 });
    const abort = new AbortController();
    let listeners = 0;
    const { signal } = abort;
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--;
      remove(...args);
    };
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    for (let i = 0; i < 10; i++) await Promise.all(Array.from({ length: 20 }, () => get(made, signal)));
    expect(listeners).toBe(0);
    expect(timers()).toBeLessThanOrEqual(before + 2);
    expect(warned).toEqual([]);
  });

  it.each([
    ['999999999', 24 * 3_600_000],
    ['3600', 3_600_000],
    ['Fri, 31 Dec 9999 23:59:59 GMT', 24 * 3_600_000],
    ['9999999999', 60_000],
    ['0', 1000],
    ['', 60_000],
  ])('to wait after a 429 is what the server asks (%s), but a day at most', async (asked, waited) => {
    const server = await serving(sending(httpReply(429, '', { 'retry-after': asked })), sending(httpReply(200, OK)));
    const { made, pauses } = client(server);
    expect((await get(made)).tries).toBe(2);
    expect(pauses).toEqual([waited]);
  });

  it('to wait for one answer is a day at most, however often the server asks', async () => {
    const server = await serving(sending(httpReply(429, '', { 'retry-after': '40000' })));
    const { made, pauses } = client(server);
    expect(await refusal(made)).toMatchObject({ code: 'RATE_LIMITED' });
    expect(pauses).toEqual([40_000_000, 40_000_000, 40_000_000]);
  });

  it('to wait before the next try is no less than a failing server asks', async () => {
    const server = await serving(sending(httpReply(503, '', { 'retry-after': '20' })), sending(httpReply(200, OK)));
    const { made, waits } = client(server);
    await get(made);
    expect(waits).toEqual([20_000]);
  });
});

describe('an obstacle on the way to the server', () => {
  it.each([
    ['is signed by no known authority', GOOD, undefined, 'its certificate is not trusted by this computer'],
    ['is signed by itself', SELF_SIGNED, undefined, 'its certificate is not trusted by this computer'],
    ['has expired', EXPIRED, AUTHORITY, 'its certificate has expired'],
    ['is not valid yet', EARLY, AUTHORITY, 'its certificate is not valid yet'],
    ['is for another name', OTHER_NAME, AUTHORITY, 'its certificate is for another name'],
  ])('is reported once: a certificate that %s', async (_name, cert, ca, reason) => {
    const server = await rawServer(sending(httpReply(200, OK)), { key: KEY, cert });
    const { made, waits } = client({
      baseUrl: `https://localhost:${server.port}`,
      ...(ca === undefined ? {} : { dispatcher: new Agent({ connect: { ca } }) }),
    });
    const error = await refusal(made);
    expect(error).toMatchObject({ code: 'SERVER_UNREACHABLE' });
    expect(error.message).toContain(reason);
    expect(waits).toEqual([]);
  });

  it('is nothing where the certificate is trusted', async () => {
    const server = await rawServer(sending(httpReply(200, OK)), { key: KEY, cert: GOOD });
    const dispatcher = new Agent({ connect: { ca: AUTHORITY } });
    expect((await get(client({ baseUrl: `https://localhost:${server.port}`, dispatcher }).made)).tries).toBe(1);
  });

  it('is reported: https to a server that speaks plain HTTP, and the reverse', async () => {
    const plain = createServer();
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void plain.close());
    const { port } = plain.address() as AddressInfo;
    const { made, waits } = client({ baseUrl: `https://127.0.0.1:${port}/api/v3` });
    expect((await refusal(made)).message).toContain('it does not speak TLS there');
    expect(waits).toEqual([]);
    const tls = await rawServer(sending(httpReply(200, OK)), { key: KEY, cert: GOOD });
    expect((await refusal(client(tls).made)).message).toMatch(/the connection broke off|does not speak HTTP/);
  });

  it('is reported: a name that does not resolve', async () => {
    const { made } = client({ baseUrl: 'http://no-such-host.invalid/api/v3' });
    const error = await refusal(made);
    expect(error.message).toContain('its name cannot be found');
  });
});

describe('a proxy', () => {
  async function through(answer: RawAnswer) {
    const proxy = await rawServer(answer);
    const before = { ...process.env };
    for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy']) {
      process.env[name] = `http://127.0.0.1:${proxy.port}`;
    }
    process.env['NO_PROXY'] = process.env['no_proxy'] = '';
    onTestFinished(() => {
      for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy', 'NO_PROXY', 'no_proxy']) {
        if (before[name] === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = before[name];
      }
    });
    return proxy;
  }

  it.each(['http', 'https'])('that wants a password is named, and is asked once (%s)', async (scheme) => {
    const proxy = await through((socket) => void socket.end(httpReply(407, '', { 'proxy-authenticate': 'Basic' })));
    const error = await refusal(client({ baseUrl: `${scheme}://api.invalid/api/v3` }).made);
    expect(error).toMatchObject({ code: 'SERVER_UNREACHABLE' });
    expect(error.message).toContain('the proxy requires a user name and a password (HTTP 407)');
    expect(error.hint).toContain('HTTPS_PROXY');
    expect(proxy.requests.length).toBe(1);
  });

  it('that refuses is named', async () => {
    await through((socket) => void socket.end(httpReply(403, '')));
    const error = await refusal(client({ baseUrl: 'https://api.invalid/api/v3' }).made);
    expect(error.message).toContain('the proxy refuses the connection (HTTP 403)');
  });

  it('that breaks off is reported, and does not hang', async () => {
    await through((socket) => void socket.resetAndDestroy());
    const error = await refusal(client({ baseUrl: 'https://api.invalid/api/v3' }).made);
    expect(error.message).toMatch(/through the proxy|broke off/);
  });
});

describe('the health check', () => {
  const WELL = '{"status":"healthy","version":"3.0.0"}';
  it('returns the answer of a healthy API', async () => {
    const server = await serving(sending(httpReply(200, WELL, { date: 'Mon, 12 Jan 2026 09:00:00 GMT' })));
    expect(await client(server).made.health()).toEqual({ text: WELL, serverTime: Date.parse('2026-01-12T09:00:00Z') });
    expect(server.requests[0]?.headers['x-api-key']).toBeUndefined();
  });

  it.each([
    [502, '<html>', 'SERVER_FAILED'],
    [429, '{}', 'RATE_LIMITED'],
    [200, '{"status":"error","error":{"code":"INTERNAL_SERVER_ERROR"}}', 'SERVER_FAILED'],
  ])('does not accept %i %s as healthy', async (status, body, code) => {
    const server = await serving(sending(httpReply(status, body)));
    await expect(client(server).made.health()).rejects.toMatchObject({ code });
    expect(server.requests.length).toBe(1);
  });

  it.each([
    [
      'a wrong path of the API',
      404,
      '{"status":"error","error":{"code":"NOT_FOUND"}}',
      'no health check there (HTTP 404)',
    ],
    ['a wrong host', 404, '<html>', 'no health check there (HTTP 404)'],
    ['a login page', 200, '<html>Please log in</html>', 'something other than a health check (HTTP 200)'],
    [
      'another API that wants a key',
      401,
      '{"status":"error","error":{"code":"UNAUTHORIZED"}}',
      'no health check there (HTTP 401)',
    ],
    ['a port that wants https', 400, '<html>The plain HTTP request', 'no health check there (HTTP 400)'],
    ['a redirect to a login', 302, '', 'redirects to another address, such as a login page (HTTP 302)'],
  ])('says of %s that it is not the API, and names api.baseUrl', async (_what, status, body, why) => {
    const server = await serving(sending(httpReply(status, body)));
    const error = await client(server)
      .made.health()
      .then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
    expect(error).toMatchObject({ code: 'ANSWER_UNREADABLE' });
    const { message, hint } = error as WarehouseError;
    expect(message).toMatch(/^The address answers, but not as HyperStudy's API: it /);
    expect(message).toContain(why);
    expect(hint).toMatch(/^Check api\.baseUrl: /);
  });
});
