import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { Socket } from 'node:net';
import type { ErrorCode } from '../../src/shared/errors.ts';
import { DEMO_KEY } from '../../src/simulator/server.ts';
import type { SimReply } from '../../src/simulator/reply.ts';
import { httpHead, httpReply } from '../support/raw.ts';
import { LARGEST_BODY, type Strike } from './bench.ts';

/**
 * harmless: the answer is as good as any · passing: it is asked again · waiting: after the time that the API asks for ·
 * lasting: asking again cannot help · refused: the whole key is refused · parameters: the endpoint does not take what it
 * was sent · doubtful: the answer may lack rows.
 */
export type Class = 'harmless' | 'passing' | 'waiting' | 'lasting' | 'refused' | 'parameters' | 'doubtful';

export interface Fault {
  readonly name: string;
  readonly is: Class;
  readonly strike: Strike;
  /** The error when it strikes every time, and what its message says. */
  readonly code?: ErrorCode;
  readonly says?: RegExp;
  /** How long a try may take, in milliseconds, where the fault is that it takes longer. */
  readonly timeoutMs?: number;
}

/** The shortest try that a good answer always fits. */
const SHORT = 50;

const bytes =
  (make: (good: SimReply, strike: number) => string | Buffer): Strike =>
  (socket, good, strike) =>
    void socket.write(make(good, strike));
/** The same, and then the end of the connection. */
const last =
  (make: (good: SimReply) => string | Buffer): Strike =>
  (socket, good) =>
    void socket.end(make(good));
const reset = (socket: Socket) => void socket.resetAndDestroy();
const json = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  bytes(() => httpReply(status, JSON.stringify(body), headers));
const refusal = (status: number, code: string, headers: Record<string, string> = {}, details: unknown = null) =>
  json(status, { status: 'error', error: { code, message: `not with ${DEMO_KEY}`, details } }, headers);
const html = (status: number, headers: Record<string, string> = {}) =>
  bytes(() => httpReply(status, '<html><body>proxy</body></html>', headers));
const half = ({ body }: SimReply) => Buffer.from(body).subarray(0, Math.floor(Buffer.byteLength(body) / 2));
const whole = ({ status, body, headers }: SimReply, more: Record<string, string> = {}) =>
  httpReply(status, body, { ...headers, ...more });
const changed = (change: (body: Record<string, unknown>) => unknown) =>
  bytes(({ status, body, headers }) =>
    httpReply(status, JSON.stringify(change(JSON.parse(body) as Record<string, unknown>)), headers),
  );
const chunked = (...chunks: (string | Buffer)[]) =>
  Buffer.concat([
    httpHead(200, { 'transfer-encoding': 'chunked' }),
    ...chunks.map((chunk) =>
      Buffer.concat([
        Buffer.from(`${Buffer.byteLength(chunk).toString(16)}\r\n`),
        Buffer.from(chunk),
        Buffer.from('\r\n'),
      ]),
    ),
  ]);
const packed = (encoding: string, pack: (bytes: Buffer) => Buffer) =>
  bytes(({ status, body }) => httpReply(status, pack(Buffer.from(body)), { 'content-encoding': encoding }));

const wire = (name: string, says: RegExp, strike: Strike, timeoutMs?: number): Fault => ({
  name,
  is: 'passing',
  code: 'SERVER_UNREACHABLE',
  says,
  strike,
  ...(timeoutMs === undefined ? {} : { timeoutMs }),
});
const unread = (name: string, says: RegExp, strike: Strike): Fault => ({
  name,
  is: 'passing',
  code: 'ANSWER_UNREADABLE',
  says,
  strike,
});
const failed = (name: string, status: number, strike: Strike): Fault => ({
  name,
  is: 'passing',
  code: 'SERVER_FAILED',
  says: new RegExp(`HTTP ${status}`),
  strike,
});
const limited = (name: string, strike: Strike): Fault => ({
  name,
  is: 'waiting',
  code: 'RATE_LIMITED',
  says: /limits were reached/,
  strike,
});
const lasting = (name: string, code: ErrorCode, says: RegExp, strike: Strike): Fault => ({
  name,
  is: 'lasting',
  code,
  says,
  strike,
});
const harmless = (name: string, strike: Strike): Fault => ({ name, is: 'harmless', strike });

const BROKE = /the connection broke off/;
const LATE = /it did not answer in time/;
const NO_HTTP = /does not speak HTTP/;
const NO_JSON = /it is not JSON/;
const OURS = /it is not from the HyperStudy API/;
const ELSEWHERE = /redirects to another address/;

const ON_THE_WIRE: readonly Fault[] = [
  wire('a reset before the answer', BROKE, reset),
  wire('an end before the answer', BROKE, (socket) => void socket.end()),
  wire('half a status line, then a reset', /broke off|does not speak HTTP/, (socket) => {
    socket.write('HTTP/1.', () => reset(socket));
  }),
  wire(
    'headers that end early',
    /broke off|does not speak HTTP/,
    last(() => 'HTTP/1.1 200 OK\r\ncontent-le'),
  ),
  wire('a reset after the headers', BROKE, (socket) => {
    socket.write(httpHead(200, { 'content-length': '999' }), () => reset(socket));
  }),
  wire('a reset in the body', BROKE, (socket, good) => {
    const head = httpHead(200, { 'content-length': String(Buffer.byteLength(good.body)) });
    socket.write(Buffer.concat([head, half(good)]), () => reset(socket));
  }),
  wire(
    'a body that ends early',
    BROKE,
    last((good) => Buffer.concat([httpHead(200, { 'content-length': '99999' }), Buffer.from(good.body)])),
  ),
  wire(
    'chunks without an end',
    BROKE,
    last((good) => chunked(good.body)),
  ),
  wire(
    'a chunk that ends early',
    BROKE,
    last((good) => Buffer.concat([chunked(), Buffer.from('ffff\r\n'), half(good)])),
  ),
  wire(
    'a chunk of no length',
    NO_HTTP,
    bytes((good) => Buffer.concat([chunked(), Buffer.from('zz\r\n'), half(good)])),
  ),
  wire('silence before the headers', LATE, () => undefined, SHORT),
  wire(
    'silence in the headers',
    LATE,
    bytes(() => 'HTTP/1.1 200 OK\r\n'),
    SHORT,
  ),
  wire(
    'silence after the headers',
    LATE,
    bytes(() => httpHead(200, { 'content-length': '999' })),
    SHORT,
  ),
  wire(
    'silence in the body',
    LATE,
    bytes((good) => Buffer.concat([httpHead(200, { 'content-length': '99999' }), half(good)])),
    SHORT,
  ),
  wire(
    'a drip past the deadline',
    LATE,
    (socket) => {
      socket.write(httpHead(200, {}));
      const drip = setInterval(() => socket.write(' '), 10);
      socket.on('close', () => clearInterval(drip));
    },
    SHORT,
  ),
  wire(
    'a status line that is none',
    NO_HTTP,
    bytes(() => 'HELO api.hyperstudy.io\r\n\r\n'),
  ),
  wire(
    'a status that is not a number',
    NO_HTTP,
    bytes(() => 'HTTP/1.1 OK 200\r\n\r\n'),
  ),
  wire(
    'NUL bytes',
    NO_HTTP,
    bytes(() => Buffer.alloc(64)),
  ),
  wire(
    'a TLS alert',
    NO_HTTP,
    last(() => Buffer.from([0x15, 3, 3, 0, 2, 2, 70])),
  ),
  wire(
    'a header line without a name',
    NO_HTTP,
    bytes(() => 'HTTP/1.1 200 OK\r\n: x\r\n\r\n'),
  ),
  wire(
    'a header with a NUL',
    NO_HTTP,
    bytes(() => 'HTTP/1.1 200 OK\r\nx-a: b\0c\r\n\r\n'),
  ),
  wire(
    'headers beyond every measure',
    /headers are too large/,
    bytes((good) => whole(good, { 'x-long': 'x'.repeat(100_000) })),
  ),
  wire(
    'two lengths that differ',
    /broke off|does not speak HTTP/,
    bytes(() => 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}'),
  ),
  wire(
    'a length that is not a number',
    NO_HTTP,
    bytes(() => 'HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n{}'),
  ),
  wire(
    'a length and chunks',
    /broke off|does not speak HTTP/,
    bytes(() => 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'),
  ),
  wire(
    'another protocol (101)',
    BROKE,
    bytes(() => 'HTTP/1.1 101 Switching\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n'),
  ),
  wire(
    'a second go-ahead (100)',
    BROKE,
    bytes(() => 'HTTP/1.1 100 Continue\r\n\r\n'),
  ),
];

const UNREADABLE: readonly Fault[] = [
  unread(
    'an empty body',
    /it is empty/,
    bytes(() => httpReply(200, '')),
  ),
  unread(
    'no content (204)',
    /it is empty/,
    bytes(() => 'HTTP/1.1 204 No\r\n\r\n'),
  ),
  unread(
    'a reset of content (205)',
    /it is empty/,
    bytes(() => httpReply(205, '')),
  ),
  unread(
    'not modified (304)',
    /it is empty/,
    bytes(() => 'HTTP/1.1 304 Not\r\netag: "x"\r\n\r\n'),
  ),
  unread('accepted (202)', /it is not the whole answer/, json(202, { status: 'success', data: [], metadata: {} })),
  unread(
    'a part (206)',
    /it is not the whole answer/,
    bytes((good) => httpReply(206, good.body)),
  ),
  unread('several choices (300)', /it is not JSON/, html(300)),
  unread('a login page', NO_JSON, html(200, { 'content-type': 'text/html' })),
  unread(
    'JSON cut off',
    NO_JSON,
    bytes((good) => httpReply(200, half(good))),
  ),
  unread(
    'HTTP/1.0 cut off',
    NO_JSON,
    last((good) => Buffer.concat([httpHead(200, {}, '1.0'), half(good)])),
  ),
  unread(
    'a length that is too short',
    NO_JSON,
    bytes((good) => httpReply(200, good.body, { 'content-length': '50' })),
  ),
  unread(
    'JSON and something behind it',
    NO_JSON,
    bytes((good) => httpReply(200, `${good.body}{}`)),
  ),
  unread(
    'a NUL in the JSON',
    NO_JSON,
    bytes((good) => httpReply(200, good.body.replace(':"', ':"\0'))),
  ),
  unread(
    'two answers in one',
    NO_JSON,
    bytes((good) => httpReply(200, good.body + good.body)),
  ),
  unread(
    'bytes that are not UTF-8',
    /not valid UTF-8/,
    bytes((good) =>
      httpReply(200, Buffer.concat([Buffer.from(good.body.slice(0, -1)), Buffer.from(',"x":"\xe4"}', 'latin1')])),
    ),
  ),
  unread(
    'UTF-16',
    /not valid UTF-8|it is not JSON/,
    bytes((good) => httpReply(200, Buffer.from(`\ufeff${good.body}`, 'utf16le'))),
  ),
  unread('JSON that is not an object', /not a JSON object/, json(200, [1, 2])),
  unread('no data', /it has no data/, json(200, { status: 'success', metadata: {} })),
  unread('data that is null', /it has no data/, json(200, { status: 'success', data: null })),
  unread('data that is text', /it has no data/, json(200, { status: 'success', data: 'none' })),
  unread(
    'data that is a list in a list',
    /it has lists instead of records/,
    json(200, { status: 'success', data: [[{ id: 'a' }]] }),
  ),
  unread('a health check in its place', /it has no data/, json(200, { status: 'healthy' })),
  unread(
    'gzip cut off',
    /end too early/,
    bytes((good) => httpReply(200, gzipSync(good.body).subarray(0, 40), { 'content-encoding': 'gzip' })),
  ),
  unread(
    'gzip that is none',
    /not compressed as/,
    bytes((good) => whole(good, { 'content-encoding': 'gzip' })),
  ),
  unread(
    'an unknown encoding',
    /not requested/,
    bytes((good) => whole(good, { 'content-encoding': 'sdch' })),
  ),
];

const FAILING: readonly Fault[] = [
  failed('an internal error', 500, refusal(500, 'INTERNAL_SERVER_ERROR')),
  failed('an internal error inside a 200', 500, refusal(200, 'INTERNAL_SERVER_ERROR')),
  failed('an unknown error inside a 200', 500, refusal(200, 'WHATEVER')),
  failed('an error without a reason inside a 200', 500, json(200, { status: 'error' })),
  failed(
    'an error nested deeply',
    500,
    bytes(() =>
      httpReply(500, `{"status":"error","error":{"code":"X","details":${'['.repeat(20_000)}${']'.repeat(20_000)}}}`),
    ),
  ),
  failed('500 as HTML', 500, html(500)),
  failed('502 as HTML', 502, html(502)),
  failed('503 with Retry-After', 503, html(503, { 'retry-after': '20' })),
  failed(
    '503 with a page that never fits',
    503,
    bytes(() => Buffer.concat([httpHead(503, { connection: 'close' }), Buffer.alloc(LARGEST_BODY + 1000, 120)])),
  ),
  failed(
    '504 without a body',
    504,
    bytes(() => httpReply(504, '')),
  ),
  failed('520 of a proxy', 520, html(520, { 'cf-ray': 'abc-FRA' })),
  failed('a request that took too long (408)', 408, html(408)),
];

const LIMITED: readonly Fault[] = [
  limited('429 with seconds', refusal(429, 'RATE_LIMIT_EXCEEDED', { 'retry-after': '7' })),
  limited(
    '429 with a date',
    refusal(429, 'RATE_LIMIT_EXCEEDED', {
      date: 'Mon, 12 Jan 2026 09:00:00 GMT',
      'retry-after': 'Mon, 12 Jan 2026 09:59:00 GMT',
    }),
  ),
  limited('429 without a time', refusal(429, 'RATE_LIMIT_EXCEEDED')),
  limited('429 with nonsense', refusal(429, 'RATE_LIMIT_EXCEEDED', { 'retry-after': 'soon' })),
  limited('429 with centuries', refusal(429, 'RATE_LIMIT_EXCEEDED', { 'retry-after': '999999999' })),
  limited(
    '429 with two times',
    bytes(() => 'HTTP/1.1 429 X\r\nretry-after: 3\r\nretry-after: 9\r\ncontent-length: 0\r\n\r\n'),
  ),
  limited('429 as HTML', html(429, { 'retry-after': '1' })),
  limited('429 inside a 200', refusal(200, 'RATE_LIMIT_EXCEEDED')),
];

const LASTING: readonly Fault[] = [
  { name: '401', is: 'refused', code: 'KEY_REFUSED', says: /refuses the key/, strike: refusal(401, 'UNAUTHORIZED') },
  {
    name: '401 inside a 200',
    is: 'refused',
    code: 'KEY_REFUSED',
    says: /refuses the key/,
    strike: refusal(200, 'AUTHENTICATION_ERROR'),
  },
  { name: '401 as HTML', is: 'refused', code: 'KEY_REFUSED', says: /refuses the key/, strike: html(401) },
  {
    name: '400',
    is: 'parameters',
    code: 'PARAMETER_REFUSED',
    says: /does not accept/,
    strike: refusal(400, 'INVALID_PARAMETER'),
  },
  lasting(
    '403',
    'SCOPE_MISSING',
    /lacks the scope read:x/,
    refusal(403, 'FORBIDDEN', {}, { required: ['read:x', DEMO_KEY] }),
  ),
  lasting('403 inside a 200', 'SCOPE_MISSING', /may not read/, refusal(200, 'FORBIDDEN')),
  lasting('404', 'NOT_FOUND', /does not know/, refusal(404, 'NOT_FOUND')),
  lasting('404 inside a 200', 'NOT_FOUND', /does not know/, refusal(200, 'NOT_FOUND')),
  lasting('400 as HTML', 'ANSWER_UNREADABLE', OURS, html(400)),
  lasting('403 as HTML', 'ANSWER_UNREADABLE', OURS, html(403)),
  lasting('404 as HTML', 'ANSWER_UNREADABLE', OURS, html(404)),
  lasting('407', 'SERVER_UNREACHABLE', /the proxy requires/, html(407)),
  lasting('418', 'SERVER_FAILED', /HTTP 418/, html(418)),
  lasting('301', 'ANSWER_UNREADABLE', ELSEWHERE, html(301, { location: 'http://127.0.0.1:1/steal' })),
  lasting('302 to itself', 'ANSWER_UNREADABLE', ELSEWHERE, html(302, { location: '/' })),
  lasting(
    '308 with a good body',
    'ANSWER_UNREADABLE',
    ELSEWHERE,
    bytes((good) => httpReply(308, good.body, { location: '/' })),
  ),
  lasting(
    'a length beyond every measure',
    'ANSWER_UNREADABLE',
    /larger than 200000 bytes/,
    bytes((good) => Buffer.concat([httpHead(200, { 'content-length': '9999999999' }), half(good)])),
  ),
  lasting(
    'a body beyond every measure',
    'ANSWER_UNREADABLE',
    /larger than 200000 bytes/,
    bytes(() => Buffer.concat([httpHead(200, {}), Buffer.alloc(LARGEST_BODY + 1000, 32)])),
  ),
  lasting(
    'a gzip bomb',
    'ANSWER_UNREADABLE',
    /larger than 200000 bytes/,
    bytes(() => httpReply(200, BOMB, { 'content-encoding': 'gzip' })),
  ),
];
const BOMB = gzipSync(Buffer.alloc(5_000_000, 32));

const HARMLESS: readonly Fault[] = [
  harmless(
    'a byte order mark',
    bytes((good) => httpReply(200, `\ufeff${good.body}`)),
  ),
  harmless(
    'white space around',
    bytes((good) => httpReply(200, `\r\n \t${good.body}\n\n`)),
  ),
  harmless('gzip', packed('gzip', gzipSync)),
  harmless('deflate', packed('deflate', deflateSync)),
  harmless('brotli', packed('br', brotliCompressSync)),
  harmless(
    'early hints (103)',
    bytes((good) => Buffer.concat([Buffer.from('HTTP/1.1 103 Early\r\nlink: </x>\r\n\r\n'), whole(good)])),
  ),
  harmless(
    'HTTP/1.0 and an end',
    last((good) => Buffer.concat([httpHead(200, {}, '1.0'), Buffer.from(good.body)])),
  ),
  harmless(
    'many chunks',
    bytes((good) => Buffer.concat([chunked(...(good.body.match(/.{1,97}/gsu) ?? [])), Buffer.from('0\r\n\r\n')])),
  ),
  harmless(
    'chunks with trailers',
    bytes((good) => Buffer.concat([chunked(good.body), Buffer.from('0\r\nx-request-id: late\r\n\r\n')])),
  ),
  harmless('bytes that come one after the other', (socket, good) => {
    const reply = whole(good);
    const cut = Math.floor(reply.length / 2);
    socket.setNoDelay(true);
    socket.write(reply.subarray(0, 3));
    setTimeout(() => socket.write(reply.subarray(3, cut)), 3);
    setTimeout(() => socket.write(reply.subarray(cut)), 6);
  }),
  harmless(
    'connection: close',
    last((good) => whole(good, { connection: 'close' })),
  ),
  harmless(
    'garbage behind the answer',
    bytes((good) => Buffer.concat([whole(good), Buffer.from('garbage')])),
  ),
  harmless(
    'a second, empty answer behind it',
    bytes((good) =>
      Buffer.concat([
        whole(good),
        httpReply(200, '{"status":"success","data":[],"metadata":{"pagination":{"total":0,"hasMore":false}}}'),
      ]),
    ),
  ),
  harmless(
    'no Date',
    bytes((good) => httpReply(200, good.body)),
  ),
  harmless(
    'a Date that is none',
    bytes((good) => httpReply(200, good.body, { date: 'yesterday' })),
  ),
  harmless(
    'a Date of 1970',
    bytes((good) => httpReply(200, good.body, { date: 'Thu, 01 Jan 1970 00:00:00 GMT' })),
  ),
  harmless(
    'headers twice',
    bytes(
      (good) =>
        `HTTP/1.1 200 OK\r\ndate: a\r\ndate: b\r\ncontent-type: text/html\r\ncontent-type: x\r\ncontent-length: ${Buffer.byteLength(good.body)}\r\n\r\n${good.body}`,
    ),
  ),
  harmless(
    'another media type',
    bytes((good) => httpReply(200, good.body, { 'content-type': 'text/html; charset=latin1' })),
  ),
  harmless(
    'from a proxy that changed something (203)',
    bytes((good) => httpReply(203, good.body)),
  ),
  harmless(
    'metadata nested deeply',
    bytes((good) =>
      httpReply(
        200,
        good.body.replace(/}$/, `,"x":${'{"a":'.repeat(20_000)}12345678901234567890${'}'.repeat(20_000)}}`),
      ),
    ),
  ),
  harmless(
    'unknown members',
    changed((body) => ({ ...body, __proto__x: 1, errors: [], total: 1e300 })),
  ),
];

const DOUBTFUL: readonly Fault[] = [
  {
    name: 'a warning',
    is: 'doubtful',
    says: /the API warned: MISSING_INDEX/,
    strike: changed((body) => ({
      ...body,
      ...(Array.isArray(body['data']) ? { data: body['data'].slice(0, -1) } : {}),
      metadata: { ...(body['metadata'] as object), _warnings: [`MISSING_INDEX: ${DEMO_KEY}`] },
    })),
  },
  {
    name: 'an error beside a success',
    is: 'doubtful',
    says: /the API warned: the answer names an error: .*UNAUTHORIZED/,
    strike: changed((body) => ({ ...body, error: { code: 'UNAUTHORIZED' } })),
  },
  {
    name: 'a warning nested deeply',
    is: 'doubtful',
    says: /the API warned: \[\[\[/,
    strike: bytes(({ body }) =>
      httpReply(
        200,
        body.replace('"metadata":{', `"metadata":{"_warnings":${'['.repeat(20_000)}${']'.repeat(20_000)},`),
      ),
    ),
  },
];

export const FAULTS: readonly Fault[] = [
  ...ON_THE_WIRE,
  ...UNREADABLE,
  ...FAILING,
  ...LIMITED,
  ...LASTING,
  ...HARMLESS,
  ...DOUBTFUL,
];
