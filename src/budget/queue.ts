import Bottleneck from 'bottleneck';
import type { Clock } from '../shared/clock.ts';
import type { Priority } from '../shared/priority.ts';
import type { Ledger, Limit, Usage } from './ledger.ts';
import { rankNow } from './priorities.ts';
import { MINUTE_MS } from '../shared/time.ts';

/** A queued request. */
export interface Spending {
  readonly endpoint: string;
  readonly priority?: Priority | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Decides when requests start. */
export interface Budget {
  /**
   * Runs `send` when limits, priority and concurrency allow; rejects with the signal's reason when aborted while
   * waiting.
   */
  spend<T>(spending: Spending, send: () => Promise<T>): Promise<T>;
  /** Records that the API answered 429 and asked to wait. */
  pause(endpoint: string, waitMs: number): void;
  usage(): Usage;
}

export interface BudgetOptions {
  readonly ledger: Ledger;
  readonly clock: Clock;
  /** How many requests may run at once. */
  readonly concurrency: number;
  /** Called when a request has to wait for a limit. */
  readonly onWait?: ((wait: Wait) => void) | undefined;
  /** Called when the API answered 429 although we were within the limits. */
  readonly onRefused?: ((refusal: { endpoint: string; waitMs: number }) => void) | undefined;
}

/** A request of that priority is waiting for a limit. */
export interface Wait {
  readonly endpoint: string;
  readonly priority: number;
  readonly waitMs: number;
  readonly limit: Limit;
}

/** A request that is waiting for a limit. */
interface Waiter extends Spending {
  readonly limit: Limit;
  /** When it is queued again, in time since boot. */
  readonly until: number;
}

/**
 * Bottleneck queues requests by priority and limits how many run at once; the ledger decides whether one may start. A
 * request that gets no token leaves the queue, waits, and is queued again by its priority, so that it neither holds a
 * place nor goes before a more important one. Bottleneck's own reservoir is not used: it let 181 requests into one
 * rolling window of 100, forgets everything with the process and does not count retries.
 */
export function createBudget({ ledger, clock, concurrency, onWait, onRefused }: BudgetOptions): Budget {
  // Bottleneck starts nothing before the wall time of the last start plus `minTime`: a clock set back would stall it
  // for as long. This `minTime` puts that time in the past; Bottleneck is created late, as the first start waits for
  // its time of creation.
  let made: Bottleneck | undefined;
  const line = () => (made ??= new Bottleneck({ maxConcurrent: concurrency, minTime: Number.NEGATIVE_INFINITY }));
  const waiting = new Set<Waiter>();

  /** A more important request that is waiting for the same limit: it gets what becomes free. */
  const ahead = ({ endpoint, priority }: Spending) =>
    [...waiting].find(
      (other) =>
        rankNow(other.priority) < rankNow(priority) &&
        // A request that is waiting for its own share leaves the rest to others.
        other.limit !== 'share' &&
        (other.limit === 'hour' || other.endpoint === endpoint),
    );

  /** A token for the next request, or its place among those that are waiting. */
  const start = (spending: Spending): { token: number } | Waiter => {
    const first = ahead(spending);
    const { endpoint } = spending;
    const priority = rankNow(spending.priority);
    const now = clock.uptime();
    const grant =
      first === undefined
        ? ledger.tryStart(endpoint, priority)
        : { limit: first.limit, waitMs: Math.max(Math.ceil(first.until - now), 1) };
    if ('token' in grant) return grant;
    if (first === undefined) onWait?.({ endpoint, priority, ...grant });
    const waiter = { ...spending, limit: grant.limit, until: now + grant.waitMs };
    waiting.add(waiter);
    return waiter;
  };

  return {
    async spend(spending, send) {
      const { priority, signal } = spending;
      let waiter: Waiter | undefined;
      try {
        for (;;) {
          signal?.throwIfAborted();
          const turn = await untilAborted(signal, (begin) =>
            line().schedule({ priority: rankNow(priority) }, async () => {
              begin();
              if (waiter !== undefined) waiting.delete(waiter);
              if (signal?.aborted === true) return undefined;
              const started = start(spending);
              if (!('token' in started)) return { waiter: started };
              try {
                return { value: await send() };
              } finally {
                ledger.finish(started.token);
              }
            }),
          );
          if (turn === undefined) continue;
          if ('value' in turn) return turn.value;
          waiter = turn.waiter;
          await sleepUntil(clock, waiter.until, signal);
        }
      } finally {
        if (waiter !== undefined) waiting.delete(waiter);
      }
    },
    pause(endpoint, waitMs) {
      ledger.pause(endpoint, waitMs);
      onRefused?.({ endpoint, waitMs });
    },
    usage: () => ledger.usage(),
  };
}

/**
 * Timers stand still while the machine is suspended, the time since boot does not: it is checked again once a minute.
 */
async function sleepUntil(clock: Clock, until: number, signal: AbortSignal | undefined): Promise<void> {
  do await clock.sleep(Math.min(until - clock.uptime(), LONGEST_SLEEP_MS), signal);
  while (clock.uptime() < until - EARLY_MS);
}

const LONGEST_SLEEP_MS = MINUTE_MS;
/** A timer may fire a little early; then the ledger says how long is left. */
const EARLY_MS = 1000;

/** The result of `run`, or the signal's reason as soon as it is aborted before `begin` is called. */
function untilAborted<T>(signal: AbortSignal | undefined, run: (begin: () => void) => Promise<T>): Promise<T> {
  if (signal === undefined) return run(() => undefined);
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason as Error);
    signal.addEventListener('abort', leave, { once: true });
    run(() => signal.removeEventListener('abort', leave)).then(resolve, reject);
  });
}
