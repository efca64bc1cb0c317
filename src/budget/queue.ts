import Bottleneck from 'bottleneck';
import type { Clock } from '../shared/clock.ts';
import type { Ledger, Usage } from './ledger.ts';

/** A request in line. */
export interface Spending {
  readonly endpoint: string;
  /** 0 goes first, 9 last. */
  readonly priority: number;
  readonly signal?: AbortSignal | undefined;
}

/** Decides when requests start. */
export interface Budget {
  /** Runs `send` when limits, priority and concurrency allow; rejects with the signal's reason when aborted while waiting. */
  spend<T>(spending: Spending, send: () => Promise<T>): Promise<T>;
  /** The API answered 429: nothing starts at that endpoint before `waitMs` have passed. */
  pause(endpoint: string, waitMs: number): void;
  usage(): Usage;
}

export interface BudgetOptions {
  readonly ledger: Ledger;
  readonly clock: Clock;
  /** How many requests may be under way at once. */
  readonly concurrency: number;
  /** Told when a request has to wait for a limit. */
  readonly onWait?:
    ((wait: { endpoint: string; waitMs: number; limit: 'hour' | 'minute' | 'paused' }) => void) | undefined;
}

/**
 * Bottleneck lines requests up by priority and limits how many run at once; the ledger decides whether one may start.
 * A request that gets no token leaves the line, waits, and lines up again by its priority, so that it neither holds a
 * place nor goes before one that matters more. Bottleneck's own reservoir is not used: it let 181 requests into one
 * rolling window of 100, forgets everything with the process and does not count retries.
 */
export function createBudget({ ledger, clock, concurrency, onWait }: BudgetOptions): Budget {
  const line = new Bottleneck({ maxConcurrent: concurrency });
  return {
    async spend(spending, send) {
      const { endpoint, priority, signal } = spending;
      for (;;) {
        signal?.throwIfAborted();
        const turn = await line.schedule({ priority }, async () => {
          if (signal?.aborted === true) return undefined;
          const grant = ledger.tryStart(endpoint);
          if (!('token' in grant)) return { grant };
          try {
            return { value: await send() };
          } finally {
            ledger.finish(grant.token);
          }
        });
        if (turn === undefined) continue;
        if ('value' in turn) return turn.value;
        onWait?.({ endpoint, ...turn.grant });
        await clock.sleep(turn.grant.waitMs, signal);
      }
    },
    pause: (endpoint, waitMs) => ledger.pause(endpoint, waitMs),
    usage: () => ledger.usage(),
  };
}
