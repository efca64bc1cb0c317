import type { Clock } from '../shared/clock.ts';
import { HOUR_MS } from '../shared/time.ts';

/** Waits until so many more bytes are within the bandwidth. */
export type Pace = (bytes: number, signal: AbortSignal) => Promise<void>;

/**
 * Spreads bytes evenly: nothing is saved up, so that no hour brings more than it may, across restarts too, but for the
 * piece that is under way.
 */
export function createPace(maxBytesPerHour: number, clock: Clock): Pace {
  let freeAt = 0;
  return async (bytes, signal) => {
    const now = clock.uptime();
    freeAt = Math.max(freeAt, now) + (bytes / maxBytesPerHour) * HOUR_MS;
    const waitMs = freeAt - now;
    // Shorter waits cost more than they keep; they add up.
    if (waitMs >= SHORTEST_WAIT_MS) await clock.sleep(waitMs, signal);
  };
}

const SHORTEST_WAIT_MS = 20;
