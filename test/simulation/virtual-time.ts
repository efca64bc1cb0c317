import type { Clock } from '../../src/shared/clock.ts';

/** A clock that jumps to the next sleeper's time as soon as everything else waits. */
export interface VirtualTime {
  readonly clock: Clock;
  /** Time that a request takes, for what simulates one. */
  pass(ms: number): void;
  /** Runs until the promise settles. */
  until<T>(promise: Promise<T>): Promise<T>;
}

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

export function virtualTime(start: number): VirtualTime {
  let now = start;
  const sleepers = new Set<Sleeper>();
  const clock: Clock = {
    now: () => now,
    uptime: () => now - start + 1e6,
    bootId: 'virtual',
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted === true) {
          reject(signal.reason as Error);
          return;
        }
        const leave = () => {
          sleepers.delete(sleeper);
          reject(signal?.reason as Error);
        };
        const sleeper: Sleeper = {
          // The machine's clock knows whole milliseconds only.
          at: Math.ceil(now + Math.max(ms, 0)),
          wake() {
            signal?.removeEventListener('abort', leave);
            resolve();
          },
        };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', leave, { once: true });
      }),
  };
  return {
    clock,
    pass: (ms) => (now += ms),
    async until(promise) {
      const ended = new AbortController();
      const settle = () => ended.abort();
      promise.then(settle, settle);
      while (!ended.signal.aborted) {
        // Promises and simulated answers settle within a few turns of the event loop.
        for (let turns = 0; turns < 4; turns++) await new Promise((resolve) => setImmediate(resolve));
        const next = [...sleepers].reduce<Sleeper | undefined>(
          (a, b) => (a !== undefined && a.at <= b.at ? a : b),
          undefined,
        );
        if (next === undefined) continue;
        sleepers.delete(next);
        now = Math.max(now, next.at);
        next.wake();
      }
      return promise;
    },
  };
}
