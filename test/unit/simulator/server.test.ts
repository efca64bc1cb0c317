import { describe, expect, it, onTestFinished } from 'vitest';
import { startSimulator, type SimulatorOptions } from '../../../src/simulator/server.ts';
import { HOUR, LATER, SMALL, START } from './box.ts';

async function started(options: SimulatorOptions = {}) {
  const simulator = await startSimulator({ world: SMALL, now: () => LATER, ...options });
  onTestFinished(() => simulator.close());
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`${simulator.url}${path}`, { headers: { 'x-api-key': simulator.key }, ...init });
  return { simulator, ask };
}

describe('the simulator over HTTP', () => {
  it('answers below its base URL only, on loopback, and shows a key of the documented form', async () => {
    const { simulator, ask } = await started();
    expect(simulator.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/api\/v3$/);
    expect(simulator.key).toMatch(/^hst_test_[A-Za-z0-9]{64}$/);
    expect((await ask('/experiments')).status).toBe(200);
    const elsewhere = await fetch(new URL('/experiments', simulator.url), { headers: { 'x-api-key': simulator.key } });
    expect(elsewhere.status).toBe(404);
  });

  it('survives a path that is not encoded as it should be', async () => {
    const { ask } = await started();
    expect((await ask('/data/events/experiment/%E0%A4%A')).status).toBe(400);
    expect((await ask('/experiments')).status).toBe(200);
  });

  it('records each request with its time, method, path, query, key and status', async () => {
    const { simulator, ask } = await started();
    await ask('/experiments?limit=1');
    await ask('/experiments', { method: 'DELETE', headers: {} });
    const { key } = simulator;
    expect(simulator.requests).toEqual([
      { at: LATER, method: 'GET', path: '/experiments', query: '?limit=1', key, status: 200 },
      { at: LATER, method: 'DELETE', path: '/experiments', query: '', key: undefined, status: 405 },
    ]);
  });

  it('grows when its clock is driven', async () => {
    let now = START;
    const { simulator, ask } = await started({ now: () => now });
    const rooms = async () => {
      const answer = await ask(`/data/rooms/experiment/${simulator.world.experimentIds[0] ?? ''}`);
      return ((await answer.json()) as { data: unknown[] }).data.length;
    };
    expect(await rooms()).toBe(1);
    now += HOUR;
    expect(await rooms()).toBe(2);
  });

  it('counts a request against the limits whatever becomes of its answer', async () => {
    const { ask } = await started({
      limits: { perEndpointPerMinute: 2 },
      fault: (_, n) =>
        n === 0
          ? { kind: 'reset' }
          : n === 1
            ? { kind: 'reply', reply: { status: 500, headers: {}, body: '<html>' } }
            : undefined,
    });
    await expect(ask('/experiments')).rejects.toThrow();
    expect((await ask('/experiments')).status).toBe(500);
    expect((await ask('/experiments')).status).toBe(429);
  });

  it('breaks off, hangs, changes or drips its answers when told to', async () => {
    const { ask } = await started({
      fault: ({ query }) => {
        if (query.get('search') === 'cut') return { kind: 'reset', afterBytes: 20 };
        if (query.get('search') === 'hang') return { kind: 'hang' };
        if (query.get('search') === 'drip') return { kind: 'drip', bytes: 200, everyMs: 5 };
        return query.get('search') === 'html'
          ? { kind: 'change', change: (reply) => ({ ...reply, headers: { 'content-type': 'text/html' }, body: '<p>' }) }
          : undefined;
      },
    });
    const whole = await (await ask('/experiments')).text();
    const cut = await ask('/experiments?search=cut');
    expect(cut.status).toBe(200);
    await expect(cut.text()).rejects.toThrow();
    await expect(ask('/experiments?search=hang', { signal: AbortSignal.timeout(100) })).rejects.toThrow(/timeout/);
    const html = await ask('/experiments?search=html');
    expect([html.headers.get('content-type'), await html.text()]).toEqual(['text/html', '<p>']);
    const began = performance.now();
    const dripped = await (await ask('/experiments?search=drip')).text();
    expect(JSON.parse(dripped)).toMatchObject({ status: 'success', data: [] });
    expect(performance.now() - began).toBeGreaterThan(5);
    expect(whole.length).toBeGreaterThan(dripped.length);
  });

  it('says when its port is taken', async () => {
    const { simulator } = await started();
    await expect(startSimulator({ port: Number(new URL(simulator.url).port) })).rejects.toThrow(/EADDRINUSE/);
  });
});
