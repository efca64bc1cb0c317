import type { Clock } from '../../src/shared/clock.ts';

/** The simulated time, in milliseconds since 1970 UTC. */
export function scaledNow(): number;
/** A clock that runs faster than the one given. */
export function scaledClock(real: Pick<Clock, 'sleep'>): Clock;
