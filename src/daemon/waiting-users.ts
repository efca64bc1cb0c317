import type { LimitWait, Notify } from '../control/protocol.ts';
import type { Clock } from '../shared/clock.ts';

/** The command lines that wait for the result of a request. */
export interface WaitingUsers {
  /** Adds one to notify, until the returned function is called. */
  add(notify: Notify): () => void;
  /** Notifies them that a user's request waits for a limit; one that comes meanwhile is notified at once. */
  waits(wait: LimitWait): void;
}

export function createWaitingUsers(clock: Pick<Clock, 'uptime'>): WaitingUsers {
  const users = new Set<Notify>();
  let last: { wait: LimitWait; until: number } | undefined;
  return {
    add(notify) {
      users.add(notify);
      const restMs = last === undefined ? 0 : last.until - clock.uptime();
      if (last !== undefined && restMs > 0) notify({ wait: { ...last.wait, waitMs: restMs } });
      return () => users.delete(notify);
    },
    waits(wait) {
      last = { wait, until: clock.uptime() + wait.waitMs };
      for (const user of users) user({ wait });
    },
  };
}
