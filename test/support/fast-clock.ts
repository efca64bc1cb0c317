import { systemClock, type Clock } from '../../src/shared/clock.ts';

/** Milliseconds since 1970 UTC on a clock that showed `start` at the real time `from` and runs so many times as fast. */
export interface Pace {
  readonly start: number;
  readonly from: number;
  readonly speed: number;
}

export function timeAt({ start, from, speed }: Pace): number {
  return start + (Date.now() - from) * speed;
}

export function fastClock(pace: Pace): Clock {
  return {
    now: () => timeAt(pace),
    uptime: () => 1e6 + (Date.now() - pace.from) * pace.speed,
    bootId: 'fast',
    sleep: (ms, signal) => systemClock.sleep(ms / pace.speed, signal),
  };
}
