import type { Readings } from './readings.ts';
import { MINUTE_MS, HOUR_MS } from '../shared/time.ts';

/** An API key as the server knows it. */
export interface SimKey {
  readonly key: string;
  /** Scopes such as `read:events`; `*` means all. */
  readonly scopes: readonly string[];
  /** In ms since 1970 UTC. */
  readonly expiresAt?: number;
  readonly revoked?: boolean;
}

export interface Limits {
  readonly perHour: number;
  readonly perEndpointPerMinute: number;
}

/** Counts every request of a key, including those that it refuses. */
export function createMeter(limits: Limits, { endpoint: reading, window }: Pick<Readings, 'endpoint' | 'window'>) {
  const spent = new Map<string, { at: number; endpoint: string }[]>();
  return {
    /** Counts a request; returns the milliseconds until one like it would be allowed, or 0 if this one is. */
    take(key: string, dataType: string, path: string, now: number): number {
      const endpoint = reading === 'dataType' ? dataType : path;
      const recent = (spent.get(key) ?? []).filter(({ at }) => now - at < HOUR_MS);
      recent.push({ at: now, endpoint });
      spent.set(key, recent);
      const times = recent.map(({ at }) => at);
      const here = recent.filter((request) => request.endpoint === endpoint).map(({ at }) => at);
      return Math.max(
        waitFor(times, limits.perHour, HOUR_MS, window, now),
        waitFor(here, limits.perEndpointPerMinute, MINUTE_MS, window, now),
      );
    },
  };
}

/** How long until a limit allows another request; 0 if the last of `times`, the request at `now`, is within it. */
function waitFor(
  times: readonly number[],
  limit: number,
  lengthMs: number,
  window: Readings['window'],
  now: number,
): number {
  const opened = now - (now % lengthMs);
  const counted = times.filter((at) => (window === 'rolling' ? now - at < lengthMs : at >= opened));
  if (counted.length <= limit) return 0;
  return window === 'rolling' ? (counted.at(-limit) ?? now) + lengthMs - now : opened + lengthMs - now;
}

/** Whether a key has one of the scopes, any of which is enough. */
export function mayRead({ scopes }: SimKey, needed: readonly string[]): boolean {
  const isWild = (scope: string) => scopes.includes('*') || scopes.includes(`${scope.split(':')[0] ?? ''}:*`);
  return needed.length === 0 || needed.some((scope) => scopes.includes(scope) || isWild(scope));
}
