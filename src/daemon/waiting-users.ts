import type { ControlEvent, Notify } from '../control/protocol.ts';

/** The command lines that wait for the result of a request. */
export interface WaitingUsers {
  /** Adds one to notify, until the returned function is called. */
  add(notify: Notify): () => void;
  notify(event: ControlEvent): void;
}

export function createWaitingUsers(): WaitingUsers {
  const users = new Set<Notify>();
  return {
    add(notify) {
      users.add(notify);
      return () => users.delete(notify);
    },
    notify(event) {
      for (const user of users) user(event);
    },
  };
}
