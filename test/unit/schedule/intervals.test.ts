import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BOUNDS,
  dueAt,
  pollIntervals,
  type Candidate,
  type PollIntervals,
  type PollLimits,
} from '../../../src/schedule/intervals.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../src/shared/time.ts';
import { cpuMs } from '../../support/cpu.ts';

const LIMITS: PollLimits = { perHour: 700, perEndpointPerMinute: 90 };

const streams = fc
  .array(
    fc.record({
      endpoint: fc.constantFrom('events', 'chat', 'ratings', 'sync'),
      live: fc.boolean(),
      rowsPerHour: fc.oneof(fc.constant(0), fc.nat(1000), fc.nat(1e6)),
      cost: fc.integer({ min: 4, max: 200 }).map((quarters) => quarters / 4),
    }),
    { minLength: 1, maxLength: 40 },
  )
  .map((list): Candidate[] => list.map((one, i) => ({ ...one, key: String(i) })));
/** From ample to so tight that not even a poll a day fits. */
const limits = fc.record({
  perHour: fc.integer({ min: 1, max: 10_000 }).map((halves) => halves / 2),
  perEndpointPerMinute: fc.oneof(
    fc.constant(90),
    fc.integer({ min: 1, max: 200 }).map((hundredths) => hundredths / 100),
  ),
});

const of = (intervals: PollIntervals, { key }: Candidate) => intervals.of.get(key) ?? NaN;
const requests = (candidates: readonly Candidate[], intervals: PollIntervals) =>
  candidates.reduce((sum, one) => sum + (one.cost * HOUR_MS) / of(intervals, one), 0);

describe('the intervals between polls', () => {
  it('stay within the hour and within the minute of each endpoint', () => {
    fc.assert(
      fc.property(streams, limits, (candidates, limit) => {
        const intervals = pollIntervals(candidates, limit);
        expect(requests(candidates, intervals)).toBeLessThanOrEqual(limit.perHour * (1 + 1e-9));
        for (const group of Map.groupBy(candidates, ({ endpoint }) => endpoint).values()) {
          expect(requests(group, intervals)).toBeLessThanOrEqual(limit.perEndpointPerMinute * 60 * (1 + 1e-9));
        }
        // Whole milliseconds make a difference of a 20,000th at most.
        expect(requests(candidates, intervals) / intervals.requestsPerHour).toBeCloseTo(1, 3);
      }),
    );
  });

  it('are never longer than a day where that fits, and say by how much where it does not', () => {
    fc.assert(
      fc.property(streams, limits, (candidates, limit) => {
        const intervals = pollIntervals(candidates, limit);
        const daily = (list: readonly Candidate[]) => list.reduce((sum, { cost }) => sum + cost / 24, 0);
        const fits =
          daily(candidates) <= limit.perHour &&
          [...Map.groupBy(candidates, ({ endpoint }) => endpoint).values()].every(
            (group) => daily(group) <= limit.perEndpointPerMinute * 60,
          );
        const slowest = Math.max(...intervals.of.values());
        expect(intervals.slowedBy === 1).toBe(fits);
        expect(slowest).toBeLessThanOrEqual(Math.ceil(DAY_MS * intervals.slowedBy));
      }),
    );
  });

  it('are never shorter than a live stream, and an idle one, may have', () => {
    fc.assert(
      fc.property(streams, limits, (candidates, limit) => {
        const intervals = pollIntervals(candidates, limit);
        for (const one of candidates) {
          expect(of(intervals, one)).toBeGreaterThanOrEqual(one.live ? BOUNDS.fastestMs : BOUNDS.idleMs);
        }
      }),
    );
  });

  it('poll a stream not less often when it brings more rows', () => {
    fc.assert(
      fc.property(streams, limits, fc.nat(), fc.integer({ min: 1, max: 1e5 }), (list, limit, pick, more) => {
        const chosen = list[pick % list.length];
        if (chosen === undefined) return;
        const richer = list.map((one) => (one === chosen ? { ...one, rowsPerHour: one.rowsPerHour + more } : one));
        const [before, after] = [of(pollIntervals(list, limit), chosen), of(pollIntervals(richer, limit), chosen)];
        // The level is found to a millionth, and intervals are whole milliseconds.
        expect(after).toBeLessThanOrEqual(before * (1 + 1e-5) + 1);
      }),
    );
  });

  it('poll of two streams that differ in rows alone the richer one not less often', () => {
    fc.assert(
      fc.property(streams, limits, (candidates, limit) => {
        const intervals = pollIntervals(candidates, limit);
        for (const a of candidates)
          for (const b of candidates)
            if (a.endpoint === b.endpoint && a.live === b.live && a.cost === b.cost && a.rowsPerHour > b.rowsPerHour)
              expect(of(intervals, a)).toBeLessThanOrEqual(of(intervals, b));
      }),
    );
  });

  it('are the same for the same streams in any order', () => {
    fc.assert(
      fc.property(streams, limits, (candidates, limit) => {
        const once = pollIntervals(candidates, limit);
        const reversed = pollIntervals(candidates.toReversed(), limit);
        expect(pollIntervals(candidates, limit)).toEqual(once);
        for (const one of candidates) expect(of(reversed, one) / of(once, one)).toBeCloseTo(1, 4);
      }),
    );
  });

  it('use the budget up where live streams could use more', () => {
    const candidates = Array.from({ length: 24 }, (_, i): Candidate => live(`s${i}`, { rowsPerHour: 10 ** (i % 5) }));
    const { requestsPerHour } = pollIntervals(candidates, LIMITS);
    expect(requestsPerHour).toBeGreaterThan(0.999 * LIMITS.perHour);
  });

  it('follow the square root of rows by cost between the bounds', () => {
    const [few, many, dear] = [
      live('few', { rowsPerHour: 4_000, endpoint: 'a' }),
      live('many', { rowsPerHour: 16_000, endpoint: 'b' }),
      live('dear', { rowsPerHour: 16_000, endpoint: 'c', cost: 4 }),
    ];
    const bounds = { ...BOUNDS, expectedRows: { live: 1e-9, idle: 1e-9 } };
    const intervals = pollIntervals([few, many, dear], { ...LIMITS, perHour: 200 }, bounds);
    expect(of(intervals, few) / of(intervals, many)).toBeCloseTo(2, 3);
    expect(of(intervals, dear) / of(intervals, many)).toBeCloseTo(2, 3);
  });

  it('leave what one endpoint cannot use to the others', () => {
    const held = Array.from({ length: 10 }, (_, i) => live(`h${i}`, { rowsPerHour: 1e6, endpoint: 'held' }));
    const other = live('other', { rowsPerHour: 10, endpoint: 'other' });
    const intervals = pollIntervals([...held, other], { perHour: 300, perEndpointPerMinute: 2 });
    expect(requests(held, intervals)).toBeCloseTo(120, 0);
    // Held by its own endpoint's two a minute only.
    expect(of(intervals, other) / 30_000).toBeCloseTo(1, 3);
  });

  it('poll a live stream without rows every few minutes beside dense ones', () => {
    const dense = Array.from({ length: 20 }, (_, i) => live(`d${i}`, { rowsPerHour: 200_000, endpoint: `d${i}` }));
    const intervals = pollIntervals([...dense, live('quiet', {})], LIMITS);
    expect(intervals.of.get('quiet')).toBeLessThanOrEqual(BOUNDS.discoveryMs);
  });

  it('take work in proportion to the streams', () => {
    const candidates = (count: number) =>
      Array.from({ length: count }, (_, i): Candidate => ({
        key: String(i),
        endpoint: `type${i % 12}`,
        live: i < count / 50,
        rowsPerHour: i < count / 50 ? 7 ** (i % 6) : 0,
        cost: 1,
      }));
    const [few, many] = [candidates(3000), candidates(12_000)];
    // Four times as many; of all their pairs there are sixteen times as many.
    expect(cpuMs(() => pollIntervals(many, LIMITS))).toBeLessThan(10 * cpuMs(() => pollIntervals(few, LIMITS)));
  });
});

describe('when a stream is due', () => {
  it('is around its interval, the same each time, and never later than a day asks', () => {
    const key = fc.string({ maxLength: 30 });
    fc.assert(
      fc.property(key, fc.nat(2e9), fc.integer({ min: 1000, max: 3 * DAY_MS }), (name, at, interval) => {
        const due = dueAt(name, at, interval);
        expect(due).toBe(dueAt(name, at, interval));
        const wide = interval < BOUNDS.idleMs ? 0.1 : 0.5;
        expect(due - at).toBeGreaterThanOrEqual((1 - wide) * interval);
        expect(due - at).toBeLessThanOrEqual(Math.min((1 + wide) * interval, Math.max(interval, DAY_MS)));
      }),
    );
  });

  it('spreads streams polled together, and is their interval on average', () => {
    const waits = Array.from({ length: 2000 }, (_, i) => dueAt(`stream ${i}`, 5 * MINUTE_MS, HOUR_MS) - 5 * MINUTE_MS);
    const mean = waits.reduce((sum, wait) => sum + wait, 0) / waits.length;
    expect(mean / HOUR_MS).toBeCloseTo(1, 1);
    const fifths = Map.groupBy(waits, (wait) => Math.floor((wait / HOUR_MS - 0.5) * 5));
    for (const fifth of fifths.values()) expect(fifth.length).toBeGreaterThan(300);
    expect(fifths.size).toBe(5);
  });
});

function live(key: string, { rowsPerHour = 0, endpoint = key, cost = 1 }: Partial<Candidate>): Candidate {
  return { key, endpoint, live: true, rowsPerHour, cost };
}
