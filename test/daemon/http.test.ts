import { Agent, request as nodeRequest } from 'node:http';
import { connect } from 'node:net';
import pino from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startHttp, type HttpOptions } from '../../src/web/server.ts';
import { standingOf } from '../../src/warehouse/standing.ts';
import type { StreamView } from '../../src/status/snapshot.ts';
import type { DaemonView } from '../../src/status/view.ts';
import { NEVER_READ } from '../../src/warehouse/positions.ts';
import { silentLog } from '../../src/shared/log.ts';
import { dashboard } from '../../src/web/dashboard/page.ts';
import { cpuMs } from '../support/cpu.ts';
import { sampleRows } from './sample-rows.ts';
import { sampleView } from './sample-view.ts';
import { MINUTE_MS as MINUTE, HOUR_MS as HOUR } from '../../src/shared/time.ts';

const NOW = Date.parse('2026-03-11T14:02:05.000Z');
const TOKEN = 'open-sesame-0123456789';

async function serve(change: Partial<HttpOptions> = {}) {
  const server = await startHttp({
    host: '127.0.0.1',
    port: 0,
    token: TOKEN,
    view: () => sampleView(NOW),
    rowsOf: () => sampleRows(NOW),
    log: silentLog,
    wrongTokenMs: 0,
    ...change,
  });
  onTestFinished(() => server.close());
  return server;
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
}

/** A request with the token, which nothing but the health can be asked for without. */
function ask(url: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return bare(url, { authorization: `Bearer ${TOKEN}`, ...headers }, method);
}

/** One request as it is: `fetch` would set the host, follow redirects and refuse some methods. */
function bare(url: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = nodeRequest(url, { headers, method, agent: false }, (message) => {
      const parts: Buffer[] = [];
      message.on('data', (part: Buffer) => parts.push(part));
      message.on('end', () =>
        resolve({ status: message.statusCode ?? 0, headers: message.headers, text: Buffer.concat(parts).toString() }),
      );
    });
    request.on('error', reject);
    request.end();
  });
}

function stream(change: Partial<StreamView> = {}): StreamView {
  const made = { ...NEVER_READ, doubts: [], experimentId: 'exp_1', isNamed: false, ...READ, ...change };
  return { standing: standingOf(made), ...made };
}

const READ = {
  data: 'chat',
  scope: 'experiment',
  rows: 5,
  complete: true,
  reason: undefined,
  dataAsOf: NOW - MINUTE,
  verifiedAt: undefined,
  lastStatus: 'ok',
  nextAt: NOW + MINUTE,
};

const AWAY = { since: NOW - 2 * HOUR, code: 'SERVER_UNREACHABLE', text: 'Nothing answers.', hint: undefined } as const;

const withStreams = (streams: readonly StreamView[], change: Partial<DaemonView> = {}) =>
  sampleView(NOW, {
    experiments: [{ id: 'exp_1', name: 'One', live: false, isGone: false, streams }],
    work: [],
    ...change,
  });

describe('/healthz', () => {
  const WORK = { stream: 'chat of exp_1', since: NOW - HOUR, fetched: 10, total: undefined };
  const health = async (view: DaemonView) => ask(`${(await serve({ view: () => view })).url}/healthz`);

  it('is well while there is progress', async () => {
    const { status, text } = await health(withStreams([stream()], { work: [WORK], lastProgressAt: NOW - MINUTE }));
    expect([status, text]).toEqual([200, '{"status":"ok"}']);
  });

  it('says so when a stream is being read without progress', async () => {
    const { status, text } = await health(withStreams([stream()], { work: [WORK], lastProgressAt: NOW - 30 * MINUTE }));
    expect(status).toBe(503);
    expect(text).toBe('{"status":"not ok"}');
  });

  it('counts from the start where there never was progress', async () => {
    const view = withStreams([stream()], { work: [WORK], lastProgressAt: undefined, startedAt: NOW - 11 * MINUTE });
    expect((await health(view)).status).toBe(503);
    expect((await health(sampleView(NOW, { ...view, startedAt: NOW - 9 * MINUTE }))).status).toBe(200);
  });

  it('is well with nothing to do, however long ago the last progress was', async () => {
    expect((await health(withStreams([stream()], { lastProgressAt: NOW - 20 * HOUR }))).status).toBe(200);
  });

  it('counts from when the next read was due', async () => {
    const due = (ms: number) => withStreams([stream({ nextAt: NOW - ms })], { lastProgressAt: NOW - 20 * HOUR });
    expect((await health(due(9 * MINUTE))).status).toBe(200);
    const late = await health(due(11 * MINUTE));
    expect(late.status).toBe(503);
  });

  it('is well while it rightly waits: the hour is used up, the API said 429, or the key is refused', async () => {
    const stuck = withStreams([stream()], { work: [WORK], lastProgressAt: NOW - 30 * MINUTE });
    const { budget } = stuck;
    const waits: Partial<DaemonView>[] = [
      { budget: { ...budget, hour: { used: 900, allowed: 900 } } },
      { refusal: { at: NOW - 20 * MINUTE, endpoint: 'chat', waitMs: 1000 } },
      { keyRefused: 'It has expired.' },
      { waitsUntil: NOW + 30 * MINUTE },
      { waitsUntil: NOW - 9 * MINUTE },
    ];
    const changed = (wait: Partial<DaemonView>) => health(sampleView(NOW, { ...stuck, ...wait }));
    for (const wait of waits) expect((await changed(wait)).status).toBe(200);
    expect((await changed({ refusal: { at: NOW - 2 * HOUR, endpoint: 'chat', waitMs: 1000 } })).status).toBe(503);
    expect((await changed({ waitsUntil: NOW - 11 * MINUTE })).status).toBe(503);
  });

  it('needs no token and names no experiment', async () => {
    const view = withStreams([stream()], { work: [WORK], lastProgressAt: NOW - 30 * MINUTE });
    const { url } = await serve({ token: TOKEN, view: () => view });
    const { status, text } = await bare(`${url}/healthz`);
    expect([status, text]).toEqual([503, '{"status":"not ok"}']);
  });
});

describe('/readyz', () => {
  const readiness = async (view: DaemonView) => {
    const { status, text } = await ask(`${(await serve({ view: () => view })).url}/readyz`);
    return [status, JSON.parse(text) as unknown];
  };
  const unread = stream({ data: 'events', complete: false, dataAsOf: undefined, lastStatus: undefined });

  it('is ready when each stream that is not skipped was read', async () => {
    const doubtful = stream({ data: 'rooms', complete: false, dataAsOf: undefined, lastStatus: 'incomplete' });
    const skipped = stream({ ...unread, standing: 'skipped', lastStatus: 'skipped' });
    expect(await readiness(withStreams([stream(), doubtful, skipped]))).toEqual([200, { status: 'ready' }]);
  });

  it('names the streams that were not read yet', async () => {
    expect(await readiness(withStreams([stream(), unread]))).toEqual([
      503,
      { status: 'not ready', reasons: ['1 of 2 streams have not been read yet: events of exp_1.'] },
    ]);
  });

  it('is not ready after nothing but failures, without the key, or before an experiment is known', async () => {
    const failed = stream({ ...unread, standing: 'failed', lastStatus: 'failed' });
    expect((await readiness(withStreams([failed])))[0]).toBe(503);
    expect(await readiness(withStreams([stream()], { keyRefused: 'It has expired.' }))).toEqual([
      503,
      { status: 'not ready', reasons: ['It has expired.'] },
    ]);
    expect(await readiness(sampleView(NOW, { experiments: [] }))).toEqual([
      503,
      { status: 'not ready', reasons: ['No experiment is known yet.'] },
    ]);
  });

  it('stays short with very many streams', async () => {
    const many = Array.from({ length: 5000 }, (_, i) => ({ ...unread, scope: `room:room_${i}` }));
    const { text } = await ask(`${(await serve({ view: () => withStreams(many) })).url}/readyz`);
    expect(text).toContain('room_2) and 4997 more.');
    expect(text.length).toBeLessThan(1000);
  });
});

describe('/metrics', () => {
  it('has the figures of the view, with units in their names, and those of the process', async () => {
    const view = withStreams(
      [
        stream({ scope: 'room:a', rows: 5, dataAsOf: NOW - 90_000 }),
        stream({ scope: 'room:b', rows: 7, complete: false, lastStatus: 'incomplete' }),
        stream({ data: 'events', complete: false, lastStatus: 'skipped', dataAsOf: undefined, rows: 0 }),
      ],
      { lastProgressAt: NOW - 4000, outage: AWAY },
    );
    const { url } = await serve({ view: () => view });
    const { headers, text } = await ask(`${url}/metrics`);
    expect(headers['content-type']).toContain('text/plain; version=0.0.4');
    for (const line of [
      'hyperstudy_warehouse_rows{experiment="exp_1",data="chat"} 12',
      'hyperstudy_warehouse_data_age_seconds{experiment="exp_1",data="chat"} 90',
      'hyperstudy_warehouse_complete{experiment="exp_1",data="chat"} 0',
      'hyperstudy_warehouse_streams{state="skipped"} 1',
      'hyperstudy_warehouse_hour_used_requests 610',
      'hyperstudy_warehouse_hour_allowed_requests 900',
      'hyperstudy_warehouse_minute_used_requests{endpoint="eyetracking"} 22',
      `hyperstudy_warehouse_last_progress_timestamp_seconds ${NOW / 1000 - 4}`,
      `hyperstudy_warehouse_last_refusal_timestamp_seconds ${(NOW - 2 * HOUR) / 1000}`,
      'hyperstudy_warehouse_wal_bytes 4120000',
      'hyperstudy_warehouse_key_accepted 1',
      'hyperstudy_warehouse_api_reachable 0',
      'hyperstudy_warehouse_info{version="0.2.0"} 1',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    expect(text).toMatch(/^process_cpu_seconds_total /m);
    expect(text).not.toMatch(/complete\{experiment="exp_1",data="events"\}/);
  });

  it('forgets what is gone from the view', async () => {
    let view = withStreams([stream()]);
    const { url } = await serve({ view: () => view });
    expect((await ask(`${url}/metrics`)).text).toContain('rows{experiment="exp_1",data="chat"} 5');
    expect(view.refusal).toBeDefined();
    view = sampleView(NOW, { ...view, experiments: [], lastProgressAt: undefined, refusal: undefined });
    const { text } = await ask(`${url}/metrics`);
    expect(text).not.toContain('exp_1');
    expect(text).not.toMatch(/^hyperstudy_warehouse_last_/m);
  });

  it('keeps a hostile id inside its label', async () => {
    const view = sampleView(NOW, {
      experiments: [{ id: 'x"} 1\nfake_metric 1', name: undefined, live: false, isGone: false, streams: [stream()] }],
    });
    const { text } = await ask(`${(await serve({ view: () => view })).url}/metrics`);
    expect(text).not.toMatch(/^fake_metric/m);
  });
});

describe('/api/status', () => {
  it('is the view with ISO times, and null for what is not known', async () => {
    const { url } = await serve({ view: () => withStreams([stream()], { lastProgressAt: undefined }) });
    const { headers, text } = await ask(`${url}/api/status`);
    expect(headers['content-type']).toContain('application/json');
    expect(JSON.parse(text)).toMatchObject({
      now: '2026-03-11T14:02:05.000Z',
      lastProgressAt: null,
      keyRefused: null,
      warehouse: { walBytes: 4_120_000 },
      budget: { hour: { used: 610, allowed: 900 }, refusedAt: '2026-03-11T12:02:05.000Z' },
      experiments: [
        {
          id: 'exp_1',
          streams: [{ data: 'chat', rows: 5, dataAsOf: '2026-03-11T14:01:05.000Z', verifiedAt: null, reason: null }],
        },
      ],
      problems: expect.arrayContaining([expect.objectContaining({ at: '2026-03-11T13:56:05.000Z' })]) as unknown,
    });
  });
});

describe('the token', () => {
  const PAGES = ['/', '/readyz', '/metrics', '/api/status', '/icon.svg', '/no-such-page'];

  it('is required for everything but /healthz', async () => {
    const { url } = await serve({ token: TOKEN });
    for (const page of PAGES) {
      const { status, headers } = await bare(url + page);
      expect([page, status]).toEqual([page, 401]);
      expect(headers['www-authenticate']).toContain('Bearer');
    }
    expect((await bare(`${url}/healthz`)).status).toBe(200);
  });

  it('opens as a bearer token; a wrong or cut one does not', async () => {
    const { url } = await serve({ token: TOKEN });
    expect((await bare(`${url}/api/status`, { authorization: `Bearer ${TOKEN}` })).status).toBe(200);
    for (const wrong of ['nonsense', TOKEN.slice(0, -1), `${TOKEN}x`, '']) {
      expect((await bare(`${url}/api/status`, { authorization: `Bearer ${wrong}` })).status).toBe(401);
      expect((await bare(`${url}/api/status?token=${wrong}`)).status).toBe(401);
    }
  });

  it('in the address is exchanged once for a cookie that does not hold it', async () => {
    const { url } = await serve({ token: TOKEN });
    const { status, headers } = await bare(`${url}/api/status?token=${TOKEN}&a=1`);
    expect([status, headers['location']]).toEqual([303, '/api/status?a=1']);
    const cookie = String(headers['set-cookie']);
    expect(cookie).toMatch(/; HttpOnly/);
    expect(cookie).toMatch(/; SameSite=Strict/);
    expect(cookie).not.toContain(TOKEN);
    const [pair = ''] = cookie.split(';');
    expect((await bare(`${url}/api/status`, { cookie: pair })).status).toBe(200);
    expect((await bare(`${url}/api/status`, { cookie: pair.slice(0, -2) })).status).toBe(401);
  });

  it('never sends the reader to another host', async () => {
    const { url } = await serve({ token: TOKEN });
    for (const path of ['//evil.example/', '/\\evil.example/', '///evil.example']) {
      const { headers } = await bare(`${url}${path}?token=${TOKEN}`);
      expect(new URL(String(headers['location']), url).origin).toBe(url);
    }
  });

  it('is asked of a person with a form', async () => {
    const { url } = await serve({ token: TOKEN });
    const { status, text } = await bare(url, { accept: 'text/html' });
    expect(status).toBe(401);
    expect(text).toContain('<form');
    expect((await bare(`${url}/?token=wrong`, { accept: 'text/html' })).text).toContain('This token is wrong.');
  });

  it('never reaches the log, nor a page', async () => {
    const lines: string[] = [];
    const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
    const { url } = await serve({ token: TOKEN, log });
    const texts: string[] = [];
    for (const page of PAGES) {
      texts.push((await bare(`${url}${page}?token=${TOKEN}`)).text);
      texts.push((await bare(url + page, { authorization: `Bearer ${TOKEN}` })).text);
      texts.push((await bare(`${url}${page}?token=wrong`)).text);
    }
    // Once a minute, however many there are.
    expect(lines).toHaveLength(1);
    expect(`${lines.join('')}${texts.join('')}`).not.toContain(TOKEN);
  });

  it('is wanted before it listens, on this computer too', async () => {
    for (const host of ['127.0.0.1', '0.0.0.0', '::', '192.0.2.1', 'warehouse.example', '127.0.0.1.example.com']) {
      for (const token of [undefined, '']) {
        await expect(serve({ host, token })).rejects.toMatchObject({
          code: 'USAGE',
          hint: expect.any(String) as string,
        });
      }
    }
    const { url } = await serve({ host: '0.0.0.0', token: TOKEN });
    expect((await bare(url.replace('0.0.0.0', '127.0.0.1'))).status).toBe(401);
  });
});

describe('a link that works once', () => {
  it('is exchanged for the cookie, and opens nothing a second time', async () => {
    const server = await serve();
    const link = server.link();
    const { status, headers } = await bare(link, { accept: 'text/html' });
    expect([status, headers['location']]).toEqual([303, '/']);
    const cookie = String(headers['set-cookie']);
    expect(cookie).toMatch(/; HttpOnly; SameSite=Strict/);
    expect((await bare(server.url, { cookie: cookie.split(';')[0] ?? '' })).status).toBe(200);
    const again = await bare(link, { accept: 'text/html' });
    expect([again.status, again.headers['set-cookie']]).toEqual([401, undefined]);
    expect(again.text).toContain('This link was used before, or is too old.');
    expect((await bare(server.link())).status).toBe(303);
  });
});

describe('the connections', () => {
  const dial = (url: string) => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname).on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
    return socket;
  };

  it('are 64 at most, and one that asks for nothing is cut', async () => {
    const { url } = await serve();
    const began = Date.now();
    const silent = Array.from({ length: 64 }, () => dial(url));
    await Promise.all(silent.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
    await expect(bare(`${url}/healthz`)).rejects.toThrow(/socket hang up|ECONNRESET/);
    await Promise.all(silent.map((socket) => new Promise((resolve) => socket.resume().once('close', resolve))));
    expect(Date.now() - began).toBeLessThan(15_000);
    expect((await bare(`${url}/healthz`)).status).toBe(200);
  });

  it('get the answer to a wrong token late', async () => {
    const { url } = await serve({ wrongTokenMs: 300 });
    const began = performance.now();
    const wrong = () => bare(url, { authorization: 'Bearer wrong' });
    await Promise.all([wrong(), wrong(), wrong()]);
    expect(performance.now() - began).toBeGreaterThan(850);
  });
});

describe('a request', () => {
  it('for another host name is refused on a loopback address', async () => {
    const { url } = await serve();
    const { port } = new URL(url);
    for (const host of ['evil.example', `evil.example:${port}`, 'localhost.evil.example', '127.0.0.1.evil.example']) {
      for (const page of ['/', '/healthz', '/api/status']) {
        const { status, text } = await ask(url + page, { host });
        expect([host, Math.floor(status / 100)]).toEqual([host, 4]);
        expect(text).not.toContain('exp_');
      }
    }
    for (const host of [`127.0.0.1:${port}`, 'localhost', `localhost:${port}`, `[::1]:${port}`, 'LOCALHOST']) {
      expect([host, (await ask(url, { host })).status]).toEqual([host, 200]);
    }
  });

  it('without a host name is refused', async () => {
    const { hostname, port } = new URL((await serve()).url);
    for (const head of ['GET / HTTP/1.0', 'GET / HTTP/1.1', 'GET / HTTP/1.1\r\nHost:', 'GET / HTTP/1.0\r\nHost: [']) {
      const text = await new Promise<string>((resolve) => {
        let read = '';
        const socket = connect(Number(port), hostname, () => socket.end(`${head}\r\n\r\n`));
        socket.on('data', (part: Buffer) => (read += part.toString())).on('close', () => resolve(read));
      });
      expect(text).toMatch(/^HTTP\/1\.1 4\d\d /);
      expect(text).not.toContain('exp_');
    }
  });

  it('may name any host on another address, as the token protects it', async () => {
    const { url } = await serve({ host: '0.0.0.0', token: TOKEN });
    const headers = { host: 'warehouse.lab.example', authorization: `Bearer ${TOKEN}` };
    expect((await ask(url.replace('0.0.0.0', '127.0.0.1'), headers)).status).toBe(200);
  });

  it('can only read', async () => {
    const { url } = await serve();
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const { status, headers } = await ask(url, {}, method);
      expect([method, status, headers['allow']]).toEqual([method, 405, 'GET, HEAD']);
    }
    const head = await ask(url, {}, 'HEAD');
    expect([head.status, head.text]).toEqual([200, '']);
  });

  it('gets the headers that keep the page to itself, whatever the answer', async () => {
    const { url } = await serve({ token: TOKEN });
    const failing = await serve({
      view: () => {
        throw new Error('database is locked');
      },
    });
    const answers = [
      await ask(url, { authorization: `Bearer ${TOKEN}` }),
      await bare(url),
      await bare(`${url}/healthz`),
      await ask(url, {}, 'POST'),
      await ask(url, { host: 'evil.example' }),
      await bare(`${url}/?token=${TOKEN}`),
      await ask(`${url}/nowhere`, { authorization: `Bearer ${TOKEN}` }),
      await ask(failing.url),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 401, 200, 405, 403, 303, 404, 500]);
    for (const { headers } of answers) {
      const policy = String(headers['content-security-policy']);
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toMatch(/unsafe|https?:|\*/);
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
      });
    }
  });

  it('that fails says no more than that, and the log says why', async () => {
    const lines: string[] = [];
    const log = pino({}, { write: (line: string) => void lines.push(line) });
    const { url } = await serve({
      log,
      view: () => {
        throw new Error('database is locked');
      },
    });
    for (const page of ['/', '/healthz', '/readyz', '/metrics', '/api/status']) {
      const { status, text } = await ask(url + page);
      expect([page, status]).toEqual([page, 500]);
      expect(text).not.toContain('locked');
    }
    expect(lines).toHaveLength(5);
    expect(lines[0]).toContain('database is locked');
  });
});

describe('the page', () => {
  const HOSTILE = '<script>alert(1)</script>"\'><img src=x onerror=alert(2)>';

  it('shows names, reasons and problems as text, whatever they hold', async () => {
    const streams = [
      stream({ data: HOSTILE, scope: HOSTILE, complete: false, lastStatus: 'failed', reason: HOSTILE }),
      stream({ data: 'chat', complete: false, lastStatus: HOSTILE, reason: HOSTILE }),
    ];
    const view = sampleView(NOW, {
      version: HOSTILE,
      schedule: HOSTILE,
      keyRefused: HOSTILE,
      warehouse: { path: HOSTILE, walBytes: 1, freeBytes: 1, totalBytes: 500e9 },
      experiments: [
        { id: HOSTILE, name: HOSTILE, live: true, isGone: false, streams },
        { id: 'exp_2', name: undefined, live: false, isGone: false, streams: [] },
      ],
      work: [{ stream: HOSTILE, since: NOW, fetched: 1, total: 2 }],
      recent: [{ at: NOW, code: 'SERVER_FAILED', text: HOSTILE, hint: HOSTILE }],
      budget: { ...sampleView(NOW).budget, minute: [1, 2].map((used) => ({ endpoint: HOSTILE, used, allowed: 9 })) },
    });
    const { text } = await ask((await serve({ view: () => view })).url);
    expect(text.match(/<script/g)).toHaveLength(1);
    expect(text).not.toContain('<img');
    expect(text.match(/&lt;script&gt;alert\(1\)/g)?.length).toBeGreaterThan(15);
    // Only what stands in an attribute may hold no quote; one that got through would end it.
    expect(text).not.toContain('"\'>');
  });

  it.each<[string, Partial<DaemonView>, string | RegExp]>([
    [
      'all is well',
      { ...withStreams([stream(), stream({ data: 'rooms' })]) },
      'Complete: all 2 streams</span>; the oldest is 60 s old.',
    ],
    ['one is well', { ...withStreams([stream()]) }, 'Complete: the only stream</span>; the oldest is 60 s old.'],
    [
      'nothing is known',
      { experiments: [], work: [] },
      'No stream is known yet</span>; the first sync will list them.',
    ],
    [
      'the key is refused',
      { keyRefused: 'It expired on Monday.' },
      'The API refuses the key</span>. It expired on Monday.',
    ],
    [
      'the network is away',
      { outage: AWAY },
      'The API cannot be reached</span>; this began 2 h ago. Nothing answers. Nothing new is read until this is over.',
    ],
    [
      'the network was away for a moment',
      { ...withStreams([stream()]), outage: { ...AWAY, since: NOW - 20_000 } },
      'Complete: the only stream</span>; the oldest is 60 s old.',
    ],
    [
      'the disk is full',
      { outage: { ...AWAY, code: 'WAREHOUSE_FULL', text: 'The disk of w.db is full.' } },
      'The warehouse cannot be written</span>; this began 2 h ago. The disk of w.db is full. Nothing new',
    ],
    [
      'it is stuck',
      { lastProgressAt: NOW - HOUR, work: [{ stream: 'chat', since: NOW - HOUR, fetched: 0, total: undefined }] },
      'The daemon makes no progress</span>; this began 1 h ago. No progress for 1 h although a stream is being read.',
    ],
    [
      'the first read is under way',
      {
        ...withStreams([
          stream(),
          stream({ data: 'rooms', complete: false, dataAsOf: undefined, lastStatus: undefined }),
        ]),
      },
      'The first read is in progress: 1 of 2 streams is complete</span>.',
    ],
    [
      'a stream failed',
      { ...withStreams([stream(), stream({ data: 'rooms', complete: false, lastStatus: 'failed' })]) },
      '1 of 2 streams is not complete</span>; the oldest is 60 s old.',
    ],
    [
      'the key may read nothing',
      { ...withStreams([stream({ complete: false, lastStatus: 'skipped', dataAsOf: undefined })]) },
      'Every stream is skipped</span>: the key may not read any of them.',
    ],
    [
      'the key may not read one of them',
      {
        ...withStreams([
          stream(),
          stream({ data: 'rooms', complete: false, lastStatus: 'skipped', dataAsOf: undefined }),
        ]),
      },
      'Complete as far as the key may read: the only stream</span>; the oldest is 60 s old. The key may not read 1 other.',
    ],
    [
      'a room is over',
      { ...withStreams([stream(), stream({ scope: 'room:old', dataAsOf: NOW - 900 * HOUR, nextAt: undefined })]) },
      'the oldest is 60 s old.',
    ],
  ])('says in a sentence how things stand when %s', async (_, change, sentence) => {
    const { text } = await ask((await serve({ view: () => sampleView(NOW, change) })).url);
    expect(text.replaceAll(/\s+/g, ' ')).toContain(sentence);
  });

  it('says that what is being read waits for the limits, but not of a moment', async () => {
    const page = async (waitsUntil: number) => {
      const budget = { ...sampleView(NOW).budget, waitsUntil };
      return (await ask((await serve({ view: () => sampleView(NOW, { budget }) })).url)).text;
    };
    expect(await page(NOW + 31 * MINUTE)).toContain(
      'Waiting for the request limits; continues in 31 min at the latest.',
    );
    for (const at of [NOW + 3000, NOW - HOUR]) expect(await page(at)).not.toContain('Waits for');
  });

  it('tells for a day that another program uses the key', async () => {
    const page = async (at: number) => {
      const refusal = { at, endpoint: 'chat', waitMs: 1000 };
      return (await ask((await serve({ view: () => sampleView(NOW, { refusal }) })).url)).text;
    };
    expect(await page(NOW - 23 * HOUR)).toContain('Another program uses the same key');
    expect(await page(NOW - 25 * HOUR)).not.toContain('Another program uses the same key');
  });

  it('warns of little space on the disk', async () => {
    const warehouse = { path: 'w.db', walBytes: 1, freeBytes: 900_000_000, totalBytes: 500e9 };
    const { text } = await ask((await serve({ view: () => sampleView(NOW, { warehouse }) })).url);
    expect(text).toContain('nearly full');
  });

  it('says in words when it reads, and when the curve of rows begins', async () => {
    const page = async (change: Partial<DaemonView>) =>
      (await ask((await serve({ view: () => sampleView(NOW, change) })).url)).text;
    expect(await page({ schedule: 'adaptive' })).toContain('reads active experiments most often');
    expect(await page({ schedule: '*/5 * * * *' })).toContain('reads every 5 minutes');
    expect(await page({ growth: [{ at: NOW, rows: 5 }] })).toContain('the chart starts with the second count');
  });

  it('names nothing outside itself', async () => {
    const { text } = await ask((await serve({ view: () => withStreams([stream()], { recent: [] }) })).url);
    expect(text.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|\/\/[a-z]+\./);
  });

  it('of 20 experiments with thousands of streams stays small, and takes work in proportion to the streams', () => {
    const streams = sampleView(NOW).experiments[0]?.streams ?? [];
    const page = (rooms: number) => {
      const ofRooms = Array.from({ length: rooms }, (_, i) => stream({ data: 'variables', scope: `room:r${i}` }));
      const experiments = Array.from({ length: 20 }, (_, i) => ({
        id: `exp_${i}`,
        name: `Experiment ${i}`,
        live: false,
        isGone: false,
        streams: [...streams, ...ofRooms],
      }));
      const view = sampleView(NOW, { experiments });
      return () => {
        const made = dashboard(view);
        if (made instanceof Promise) throw new Error('the page waits for something');
        return made.length;
      };
    };
    expect(page(200)()).toBeLessThan(500_000);
    // Four times as many; of all their pairs there are sixteen times as many.
    expect(cpuMs(page(800))).toBeLessThan(10 * cpuMs(page(200)));
  });
});

describe('the server', () => {
  it('closes soon although connections are kept open, a silent one too', async () => {
    const server = await startHttp({
      host: '127.0.0.1',
      port: 0,
      token: TOKEN,
      view: () => sampleView(NOW),
      rowsOf: () => sampleRows(NOW),
      log: silentLog,
    });
    const { hostname, port } = new URL(server.url);
    const agent = new Agent({ keepAlive: true });
    onTestFinished(() => agent.destroy());
    await new Promise<void>((resolve) => {
      nodeRequest(server.url, { agent }, (message) => message.resume().on('end', resolve)).end();
    });
    const silent = connect(Number(port), hostname);
    let told = '';
    silent.on('error', () => undefined).on('data', (chunk: Buffer) => (told += chunk.toString()));
    await new Promise<void>((resolve) => silent.write('GET / HTTP/1.1\r\nHost: localhost\r\n', () => resolve()));
    await server.close();
    // Otherwise it would be told after some seconds that its request came too slowly.
    expect(told).toBe('');
    await expect(ask(server.url)).rejects.toThrow('ECONNREFUSED');
  });

  it('says why it cannot have a port', async () => {
    const { url } = await serve();
    const port = Number(new URL(url).port);
    await expect(serve({ port })).rejects.toMatchObject({
      code: 'USAGE',
      message: `Port ${port} of 127.0.0.1 cannot be used (another program is using it).`,
    });
  });

  it('listens on the loopback address of IPv6 too', async () => {
    const { url } = await serve({ host: '::1' });
    expect(url).toMatch(/^http:\/\/\[::1\]:\d+$/);
    expect((await ask(url)).status).toBe(200);
  });
});
