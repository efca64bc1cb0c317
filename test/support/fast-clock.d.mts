import type { Clock } from '../../src/shared/clock.ts';

/** Milliseconds since 1970 UTC on a clock that showed `start` at the real time `from` and runs so many times as fast. */
export interface Pace {
  readonly start: number;
  readonly from: number;
  readonly speed: number;
}

/** Names the environment variable in which a daemon finds its pace, as JSON. */
export const ENVIRONMENT: string;
export function timeAt(pace: Pace): number;
export function fastClock(pace: Pace, real: Pick<Clock, 'sleep'>): Clock;
