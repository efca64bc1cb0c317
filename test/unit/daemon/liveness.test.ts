import { describe, expect, it } from 'vitest';
import { createLiveness } from '../../../src/daemon/liveness.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import { MINUTE_MS } from '../../../src/shared/time.ts';

const PATIENCE_MS = 15 * MINUTE_MS;

/** A daemon that is an hour old, on a machine whose clock may be set. */
function daemon() {
  const time = { up: 60 * MINUTE_MS, setBackMs: 0 };
  const clock = { ...systemClock, uptime: () => time.up, now: () => 1e12 + time.up - time.setBackMs };
  const liveness = createLiveness(clock);
  const isAlive = (isReading: boolean, tickedAt = time.up) => liveness.isAlive({ tickedAt, isReading }, PATIENCE_MS);
  return { time, clock, liveness, isAlive };
}

describe('a daemon', () => {
  it('is alive while it ticks and has nothing to read', () => {
    const { time, isAlive } = daemon();
    time.up += 60 * MINUTE_MS;
    expect(isAlive(false)).toBe(true);
    expect(isAlive(false, time.up - PATIENCE_MS)).toBe(false);
  });

  it('hangs when it reads and nothing has come for as long as it may take, whatever the clock was set to', () => {
    const { time, liveness, isAlive } = daemon();
    time.up += PATIENCE_MS - 1;
    expect(isAlive(true)).toBe(true);
    time.up += 1;
    expect(isAlive(true)).toBe(false);
    time.setBackMs = 60 * MINUTE_MS;
    expect(isAlive(true)).toBe(false);
    liveness.progressed();
    expect(isAlive(true)).toBe(true);
  });

  it('is alive while a request waits for a limit, which a new connection does not', () => {
    const { time, clock, liveness, isAlive } = daemon();
    expect(liveness.limitedUntil()).toBeUndefined();
    liveness.waits(60 * MINUTE_MS);
    liveness.waits(MINUTE_MS);
    time.up += 30 * MINUTE_MS;
    expect(isAlive(true)).toBe(true);
    expect(liveness.limitedUntil()).toBe(clock.now() + 30 * MINUTE_MS);
    liveness.reconnected();
    expect(isAlive(true)).toBe(false);
    expect(liveness.limitedUntil()).toBeUndefined();
  });
});
