import type { Readings } from './readings.ts';

/** An API key as the server knows it. */
export interface SimKey {
  readonly key: string;
  /** Scopes such as `read:events`; `*` stands for all. */
  readonly scopes: readonly string[];
  /** In ms since 1970 UTC. */
  readonly expiresAt?: number;
  readonly revoked?: boolean;
}

export interface Limits {
  readonly perHour: number;
  readonly perEndpointPerMinute: number;
}

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** Counts every request of a key in strict rolling windows, refused ones as well. */
export function createMeter(limits: Limits, reading: Readings['endpoint']) {
  const spent = new Map<string, { at: number; endpoint: string }[]>();
  return {
    /** Milliseconds until the request would be allowed; 0 when it is, and then it is counted. */
    take(key: string, dataType: string, path: string, now: number): number {
      const endpoint = reading === 'dataType' ? dataType : path;
      const recent = (spent.get(key) ?? []).filter(({ at }) => now - at < HOUR_MS);
      const minute = recent.filter((request) => request.endpoint === endpoint && now - request.at < MINUTE_MS);
      const waits = [
        recent.length >= limits.perHour ? HOUR_MS - (now - (recent.at(-limits.perHour)?.at ?? now)) : 0,
        minute.length >= limits.perEndpointPerMinute
          ? MINUTE_MS - (now - (minute.at(-limits.perEndpointPerMinute)?.at ?? now))
          : 0,
      ];
      const wait = Math.max(...waits);
      if (wait === 0) recent.push({ at: now, endpoint });
      spent.set(key, recent);
      return wait;
    },
  };
}

export type Meter = ReturnType<typeof createMeter>;

/** The scope that a data type needs (API data types page; not documented for eyetracking). */
export const SCOPE_OF: Readonly<Record<string, string>> = {
  events: 'read:events',
  recordings: 'read:recordings',
  chat: 'read:chat',
  videochat: 'read:videochat',
  'ratings/continuous': 'read:ratings',
  'ratings/sparse': 'read:ratings',
  sync: 'read:sync',
  eyetracking: 'read:eyetracking',
  components: 'read:components',
  participants: 'read:events',
  rooms: 'read:events',
  variables: 'read:events',
  'agent-decisions': 'read:events',
  'agent-runs': 'read:events',
  counts: 'read:events',
};

export function mayRead({ scopes }: SimKey, dataType: string): boolean {
  const needed = SCOPE_OF[dataType];
  return needed === undefined || scopes.includes('*') || scopes.includes(needed);
}
