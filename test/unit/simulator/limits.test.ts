import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMeter } from '../../../src/simulator/access.ts';
import { box, KEY, LATER } from './box.ts';
import { MINUTE_MS as MINUTE } from '../../../src/shared/time.ts';

const rolling = { endpoint: 'dataType', window: 'rolling' } as const;
const keys = [
  { key: KEY, scopes: ['*'] },
  { key: 'hst_test_other', scopes: ['*'] },
];

describe('limits', () => {
  it('never allow more in any rolling minute or hour than they say', () => {
    const limits = { perHour: 20, perEndpointPerMinute: 5 };
    const requests = fc.array(fc.tuple(fc.integer({ min: 0, max: 120_000 }), fc.constantFrom('events', 'chat')), {
      minLength: 100,
      maxLength: 300,
      size: 'max',
    });
    fc.assert(
      fc.property(requests, (steps) => {
        const meter = createMeter(limits, rolling);
        const allowed: { at: number; endpoint: string }[] = [];
        let now = LATER;
        for (const [gap, endpoint] of steps) {
          now += gap;
          if (meter.take('key', endpoint, endpoint, now) === 0) allowed.push({ at: now, endpoint });
        }
        for (const { at, endpoint } of allowed) {
          const within = (length: number) => allowed.filter((other) => other.at <= at && at - other.at < length);
          expect(within(60 * MINUTE).length).toBeLessThanOrEqual(limits.perHour);
          const same = within(MINUTE).filter((other) => other.endpoint === endpoint);
          expect(same.length).toBeLessThanOrEqual(limits.perEndpointPerMinute);
        }
      }),
    );
  });

  it('count refused requests too, and allow one exactly when they said they would', () => {
    const meter = createMeter({ perHour: 1000, perEndpointPerMinute: 2 }, rolling);
    const take = (now: number) => meter.take('key', 'events', '/a', now);
    expect([take(0), take(1000), take(30_000)]).toEqual([0, 0, 31_000]);
    // Those of 1 s and 30 s still count at 60 s.
    expect(take(MINUTE)).toBe(30_000);
    expect(take(MINUTE + 30_000 - 1)).toBe(30_001);
    expect(take(2 * MINUTE + 30_000)).toBe(0);
  });

  it('open again with the clock where the window is fixed', () => {
    const meter = createMeter({ perHour: 1000, perEndpointPerMinute: 1 }, { ...rolling, window: 'fixed' });
    const take = (now: number) => meter.take('key', 'events', '/a', now);
    expect([take(59_000), take(59_500), take(60_000)]).toEqual([0, 500, 0]);
  });

  it('count a data type together, or each path by itself', () => {
    for (const [endpoint, status] of [
      ['dataType', 429],
      ['path', 200],
    ] as const) {
      const { get, first, second } = box({
        limits: { perHour: 1000, perEndpointPerMinute: 1 },
        readings: { endpoint },
      });
      expect(get(`/data/ratings/sparse/experiment/${first}`).status).toBe(200);
      expect(get(`/data/ratings/sparse/experiment/${second}`).status).toBe(status);
      expect(get(`/data/ratings/continuous/experiment/${first}`).status).toBe(200);
    }
  });

  it('count each key by itself', () => {
    const { get, first } = box({ keys, limits: { perHour: 1, perEndpointPerMinute: 100 } });
    const path = `/data/chat/experiment/${first}`;
    expect(get(path).status).toBe(200);
    expect(get(path).status).toBe(429);
    expect(get(path, LATER, 'hst_test_other').status).toBe(200);
  });

  it('say when to come back, in seconds or as a date', () => {
    for (const retryAfter of ['seconds', 'date'] as const) {
      const { get } = box({ limits: { perHour: 1000, perEndpointPerMinute: 1 }, readings: { retryAfter } });
      get('/experiments', LATER);
      const { reply, error } = get('/experiments', LATER + 30_500);
      expect(error.code).toBe('RATE_LIMIT_EXCEEDED');
      const told = reply.headers['retry-after'] ?? '';
      if (retryAfter === 'seconds') expect(told).toBe('60');
      else expect(Date.parse(told)).toBeGreaterThanOrEqual(LATER + 90_000);
    }
  });
});
