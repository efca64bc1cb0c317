import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../shared/log.ts';

const LOGGED_EVERY_MS = 60_000;
const SLOW_MS = 1000;

/** Answers to wrong tokens come late, one after the other, and the log names them once a minute. */
export type RefuseLate = (path: string) => Promise<void>;

export function createRefuseLate(log: Log, slowMs = SLOW_MS, now = () => performance.now()): RefuseLate {
  let last = Promise.resolve();
  let waiting = 0;
  let unsaid = 0;
  let saidAt = -Infinity;
  return async (path) => {
    unsaid++;
    if (now() - saidAt >= LOGGED_EVERY_MS) {
      log.warn({ path: path.slice(0, 200), times: unsaid }, 'refused a wrong token');
      [saidAt, unsaid] = [now(), 0];
    }
    // However many come at once, none waits longer than its connection is kept.
    if (waiting >= MOST_WAITING) return;
    waiting++;
    last = last.then(() => delay(slowMs, undefined, { ref: false }));
    await last.finally(() => waiting--);
  };
}

const MOST_WAITING = 5;
