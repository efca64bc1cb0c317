import { expect, it } from 'vitest';
import { createPace } from '../../../src/media/pace.ts';
import type { Clock } from '../../../src/shared/clock.ts';
import { HOUR_MS } from '../../../src/shared/time.ts';

/** A clock on which time passes only while something sleeps. */
function sleepingClock() {
  const time = { now: 0 };
  const sleeps: number[] = [];
  const sleep = (ms: number, signal?: AbortSignal) => {
    signal?.throwIfAborted();
    sleeps.push(ms);
    time.now += ms;
    return Promise.resolve();
  };
  const clock: Clock = { now: () => time.now, uptime: () => time.now, bootId: 'b', sleep };
  return { clock, time, sleeps };
}

const { signal } = new AbortController();

it('the pace of a download brings no more bytes an hour than it may', async () => {
  const { clock, time } = sleepingClock();
  const pace = createPace(1000, clock);
  for (let bytes = 0; bytes < 5000; bytes += 50) await pace(50, signal);
  expect(time.now / HOUR_MS).toBeCloseTo(5, 5);
});

it('the pace of a download saves nothing up while nothing is downloaded', async () => {
  const { clock, time, sleeps } = sleepingClock();
  const pace = createPace(1000, clock);
  await pace(10, signal);
  time.now += 10 * HOUR_MS;
  await pace(1000, signal);
  expect(sleeps.at(-1)).toBe(HOUR_MS);
});

it('the pace of a download does not wait for moments, which add up', async () => {
  const { clock, time, sleeps } = sleepingClock();
  const pace = createPace(HOUR_MS, clock);
  for (let bytes = 0; bytes < 1000; bytes++) await pace(1, signal);
  expect(sleeps.length).toBeLessThanOrEqual(50);
  expect(time.now).toBeGreaterThan(970);
  expect(time.now).toBeLessThanOrEqual(1000);
});

it('the pace of a download ends its wait when it is interrupted', async () => {
  const { clock } = sleepingClock();
  await expect(createPace(1, clock)(1000, AbortSignal.abort())).rejects.toThrow('aborted');
});
