import { allowed } from '../budget/limits.ts';
import type { Usage } from '../budget/ledger.ts';
import type { Budget } from '../budget/queue.ts';
import type { Config } from '../config/schema.ts';
import { endpointOf, streamText, type Stream } from '../datasets/stream.ts';
import { forecast } from '../schedule/cost.ts';
import { SECOND_MS } from '../shared/time.ts';
import type { SyncOptions } from './run.ts';

/** How far a sync is. */
export interface Tally {
  /** Streams that were read, of those that are known so far: rooms that are found add streams. */
  readonly done: number;
  readonly of: number;
  /** The requests of the last hour. */
  readonly hour: { readonly used: number; readonly allowed: number };
  /** When it will be done under the limits, in milliseconds since 1970 UTC; an estimate. */
  readonly doneAt: number;
}

/** While a long stream is read, as often as this is enough. */
const NOTIFY_MS = SECOND_MS;
/** A forecast over thousands of requests takes a while itself. */
const FORECAST_MS = 5 * SECOND_MS;

/** The same options, with the streams counted while they are read, and `notify` called with how far the sync is. */
export function tallied(
  options: SyncOptions & { readonly budget: Pick<Budget, 'usage'> },
  notify: (tally: Tally) => void,
): SyncOptions {
  const { budget, config, clock } = options;
  const left = new Map<string, Stream>();
  const done = new Set<string>();
  const spent = new Map<string, Spent>();
  let [notifiedAt, forecastAt, doneAt] = [-Infinity, -Infinity, 0];
  const notifyNow = () => {
    const now = clock.uptime();
    const { hour, ages } = budget.usage();
    if (now - forecastAt >= FORECAST_MS) {
      doneAt = clock.now() + timeFor([...left.values()], spent, { config, ages });
      forecastAt = now;
    }
    notifiedAt = now;
    const { used, allowed: most } = hour;
    notify({ done: done.size, of: done.size + left.size, hour: { used, allowed: most }, doneAt });
  };
  return {
    ...options,
    onPlan(streams) {
      left.clear();
      for (const stream of streams) if (!done.has(streamText(stream))) left.set(streamText(stream), stream);
      forecastAt = -Infinity;
      notifyNow();
    },
    onPage(stream, at) {
      options.onPage?.(stream, at);
      if (clock.uptime() - notifiedAt >= NOTIFY_MS) notifyNow();
    },
    onStream(event) {
      options.onStream?.(event);
      const { stream, result } = event;
      if (result === undefined) return;
      left.delete(streamText(stream));
      done.add(streamText(stream));
      const { requests, streams } = spent.get(result.data) ?? { requests: 0, streams: 0 };
      spent.set(result.data, { requests: requests + result.requests, streams: streams + 1 });
      notifyNow();
    },
  };
}

/** What the streams of a data type took. */
interface Spent {
  readonly requests: number;
  readonly streams: number;
}

/** How long the rest takes under the limits, if its streams take as many requests as those of their type so far. */
function timeFor(
  left: readonly Stream[],
  spent: ReadonlyMap<string, Spent>,
  { config, ages }: { config: Config } & Pick<Usage, 'ages'>,
): number {
  const { concurrency, limits } = config.api;
  const { perHour, perEndpointPerMinute, reserve } = limits;
  const jobs = left.map((stream) => {
    const { requests, streams } = spent.get(stream.dataset.name) ?? { requests: 1, streams: 1 };
    return { endpoint: endpointOf(stream), requests: Math.max(1, Math.ceil(requests / streams)) };
  });
  const most = {
    perHour: allowed(perHour, reserve),
    perEndpointPerMinute: allowed(perEndpointPerMinute, reserve),
    concurrency,
    ages,
  };
  return forecast(jobs, most).reduce((last, at) => Math.max(last, at), 0);
}
