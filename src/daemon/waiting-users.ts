import type { ControlEvent, Notify } from '../control/protocol.ts';

/** The command lines that wait for what they asked for. */
export interface WaitingUsers {
  /** Notifies one more of them, until the returned function is called. */
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
