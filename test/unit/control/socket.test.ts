import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { askDaemon, serveControl, type ControlHandlers } from '../../../src/control/socket.ts';
import type { ControlEvent } from '../../../src/control/protocol.ts';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import type { Stream } from '../../../src/datasets/stream.ts';
import { WarehouseError } from '../../../src/shared/errors.ts';
import type { StreamResult } from '../../../src/sync/stream.ts';
import type { Verdict } from '../../../src/sync/verify.ts';
import { temporaryFolder } from '../../support/lab.ts';

const never = new AbortController().signal;
const ABOUT = { version: '9', startedAt: 1, http: null };
const VERIFY = { ask: 'verify', reads: 'r', selection: {}, deep: false, repair: false, acceptDeletes: false } as const;
const STREAM: Stream = {
  experimentId: 'e',
  dataset: datasetNamed('events'),
  scope: { kind: 'participant', id: 'p', room: 'r' },
  filter: { category: 'chat' },
};
const NAMED = { experiment: 'e', data: 'events', participant: 'p', room: 'r', filter: { category: 'chat' } };
const VERDICT: Verdict = {
  ...NAMED,
  status: 'different',
  proof: 'content',
  rows: 3,
  quarantined: 0,
  missing: ['a'],
  changed: ['b', 'c'],
  extra: [],
  newer: [],
  requests: 2,
};
const RESULT: StreamResult = {
  ...NAMED,
  status: 'failed',
  fetched: 1,
  inserted: 2,
  updated: 3,
  unchanged: 4,
  deleted: 5,
  marked: 0,
  requests: 6,
  oldestNew: null,
  watermark: '2026-01-12T09:00:00.000Z',
  complete: false,
  error: { code: 'SERVER_FAILED', message: 'no', hint: 'wait' },
};

async function serve(change: Partial<ControlHandlers> = {}) {
  const path = join(temporaryFolder(), 's');
  const refuse = () => Promise.reject(new Error('not asked for in this test'));
  const server = await serveControl(path, {
    sync: refuse,
    verify: refuse,
    erase: refuse,
    about: () => Promise.resolve(ABOUT),
    dashboard: () => Promise.resolve({ url: 'http://localhost/?ticket=x' }),
    ...change,
  });
  onTestFinished(() => server.close());
  return { path, ...server };
}

/** A server that answers every connection with a line. */
async function strange(line: string): Promise<string> {
  const path = join(temporaryFolder(), 's');
  const server = createServer((socket) => void socket.end(`${line}\n`));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(() => void server.close());
  return path;
}

/** What goes over a line of the socket as it is. */
function say(path: string, text: string): Promise<unknown> {
  // Whatever is written is taken for a request, as an older or newer command would write it.
  return askDaemon(path, JSON.parse(text) as typeof VERIFY, () => undefined, never);
}

describe('the control socket of a running daemon', () => {
  it('carries requests, what happens meanwhile and results over the socket as they are', async () => {
    const events: ControlEvent[] = [
      { wait: { endpoint: 'events', waitMs: 1200, limit: 'hour' } },
      { tally: { done: 3, of: 7, hour: { used: 5, allowed: 900 }, doneAt: 1_772_618_400_000 } },
      { stream: STREAM },
      { stream: STREAM, page: { fetched: 5, total: undefined } },
      { stream: STREAM, page: { fetched: 6, total: 9 } },
      { stream: STREAM, ended: RESULT },
      { stream: STREAM, verdict: VERDICT },
      { stream: STREAM, verdict: { ...VERDICT, status: 'unknown', reason: 'why', rows: null } },
    ];
    const result = {
      at: '2026-01-12T09:00:00.000Z',
      requests: 2,
      durationMs: 3,
      streams: [VERDICT],
      issues: [],
      derived: [{ table: 'answers', rows: 1 }],
    };
    const asked: unknown[] = [];
    const { path } = await serve({
      verify: (request, notify) => {
        asked.push(request);
        for (const event of events) notify(event);
        return Promise.resolve(result);
      },
    });
    const told: ControlEvent[] = [];
    const request = { ...VERIFY, selection: { experiments: ['e'], data: ['events'] }, deep: true };
    expect(await askDaemon(path, request, (event) => told.push(event), never)).toEqual(result);
    expect(asked).toEqual([request]);
    expect(told).toEqual(events);
    expect(await askDaemon(path, { ask: 'about' }, () => undefined, never)).toEqual(ABOUT);
    const link = await askDaemon(path, { ask: 'dashboard' }, () => undefined, never);
    expect(link).toEqual({ url: 'http://localhost/?ticket=x' });
  });

  it('throws what the daemon throws, and says of a mistake that it happened there', async () => {
    const refusal = new WarehouseError('KEY_REFUSED', 'The API refuses the key.', { hint: 'Make another.' });
    const first = await serve({ verify: () => Promise.reject(refusal) });
    await expect(askDaemon(first.path, VERIFY, () => undefined, never)).rejects.toMatchObject({
      code: 'KEY_REFUSED',
      message: refusal.message,
      hint: 'Make another.',
    });
    const second = await serve({ verify: () => Promise.reject(new TypeError('x is not a function')) });
    const mistake = await askDaemon(second.path, VERIFY, () => undefined, never).catch((error: unknown) => error);
    expect(mistake).not.toBeInstanceOf(WarehouseError);
    expect(mistake).toMatchObject({ message: 'in the daemon (see its log): x is not a function' });
  });

  it('says so where the daemon is of another version, on both sides', async () => {
    const { path } = await serve();
    for (const request of ['{"ask":"dance"}', '{"selection":{},"full":false,"acceptDeletes":false}', '[]'])
      await expect(say(path, request)).rejects.toMatchObject({
        code: 'USAGE',
        message: expect.stringContaining('does not understand this request') as string,
        hint: expect.stringContaining('Restart the daemon') as string,
      });
    for (const line of ['{"news":1}', '{"result":{"streams":"all"}}', 'hello', '{"error":"no"}'])
      await expect(askDaemon(await strange(line), VERIFY, () => undefined, never)).rejects.toMatchObject({
        code: 'USAGE',
        message: expect.stringContaining('cannot be understood') as string,
        hint: expect.stringContaining('Restart the daemon') as string,
      });
  });

  it('ends a request when its command line has gone, and says to the command line when the daemon has', async () => {
    const begun = Promise.withResolvers<AbortSignal>();
    const { path, close } = await serve({
      verify: (_, __, signal) => {
        begun.resolve(signal);
        return new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        });
      },
    });
    const leaving = new AbortController();
    const asking = askDaemon(path, VERIFY, () => undefined, leaving.signal);
    const signal = await begun.promise;
    const gone = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    leaving.abort();
    await expect(asking).rejects.toMatchObject({ code: 'INTERRUPTED' });
    await gone;
    const left = askDaemon(path, VERIFY, () => undefined, never);
    const ended = expect(left).rejects.toMatchObject({
      code: 'INTERRUPTED',
      message: 'The daemon stopped before the request was done. Everything read so far is stored.',
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    await close();
    await ended;
  });

  it('gives nothing where no daemon listens, a socket that was left behind included', async () => {
    const path = join(temporaryFolder(), 's');
    expect(await askDaemon(path, { ask: 'about' }, () => undefined, never)).toBeUndefined();
    const { path: left, close } = await serve();
    await close();
    expect(await askDaemon(left, { ask: 'about' }, () => undefined, never)).toBeUndefined();
  });

  it('reads no request of more than 64 kB, and says so', async () => {
    const asked: unknown[] = [];
    const { path } = await serve({ verify: (request) => Promise.reject(new Error(String(asked.push(request)))) });
    const long = { ...VERIFY, selection: { experiments: ['e'.repeat(65 * 1024)] } };
    await expect(askDaemon(path, long, () => undefined, never)).rejects.toMatchObject({
      code: 'USAGE',
      message: 'A line of more than 64 kB came over the control socket, and was not read.',
    });
    const endless = connect(path);
    const answered = new Promise<string>((resolve) => endless.once('data', (chunk: Buffer) => resolve(String(chunk))));
    endless.write('x'.repeat(70 * 1024));
    expect(await answered).toContain('more than 64 kB');
    endless.destroy();
    expect(asked).toEqual([]);
  });
});
