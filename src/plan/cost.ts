import type { Config } from '../config/schema.ts';
import type { Stream } from '../datasets/stream.ts';

/** The part of a stream's position that its cost depends on. */
export interface KnownPosition {
  readonly backfilled: boolean;
  readonly rows: number;
}

export interface StreamCost {
  readonly stream: Stream;
  readonly requests: number;
  readonly why: 'first read' | 'everything' | 'what is new';
}

export interface Cost {
  readonly streams: readonly StreamCost[];
  /** At least so many: a first read takes as many as there are pages. */
  readonly requests: number;
  readonly firstReads: number;
  /** How long the limits make them take, in milliseconds. */
  readonly waitMs: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** What a sync will cost under the limits. Pure; nothing is asked of the API. */
export function estimate(
  streams: readonly { stream: Stream; position: KnownPosition; full: boolean }[],
  { api }: Pick<Config, 'api'>,
  hour: { used: number; allowed: number },
): Cost {
  const costs = streams.map(({ stream, position, full }): StreamCost => {
    if (!position.backfilled) return { stream, requests: 1, why: 'first read' };
    if (full)
      return {
        stream,
        requests: Math.max(1, Math.ceil(position.rows / (api.pageSize === 'auto' ? 1000 : api.pageSize))),
        why: 'everything',
      };
    return { stream, requests: 1, why: 'what is new' };
  });
  const requests = costs.reduce((sum, cost) => sum + cost.requests, 0);
  const byEndpoint = new Map<string, number>();
  for (const { stream, requests: n } of costs)
    byEndpoint.set(stream.dataset.name, (byEndpoint.get(stream.dataset.name) ?? 0) + n);
  const perMinute = Math.max(1, Math.floor(api.limits.perEndpointPerMinute * (1 - api.limits.reserve)));
  const minutes = Math.max(0, ...[...byEndpoint.values()].map((n) => Math.floor((n - 1) / perMinute)));
  const hours = Math.max(0, Math.floor((hour.used + requests - 1) / hour.allowed));
  return {
    streams: costs,
    requests,
    firstReads: costs.filter(({ why }) => why === 'first read').length,
    waitMs: Math.max(minutes * MINUTE_MS, hours * HOUR_MS),
  };
}
