/** Ends what can wait, which are first reads and reconcile, whenever something else needs the room. */
export interface Background {
  /** Aborted when what began with it has to end. */
  readonly signal: AbortSignal;
  /** Ends what is under way. */
  interrupt(): void;
  /** From now on it may begin again. */
  resume(): void;
}

export function createBackground(): Background {
  let current = new AbortController();
  return {
    get signal() {
      return current.signal;
    },
    interrupt() {
      current.abort();
    },
    resume() {
      if (current.signal.aborted) current = new AbortController();
    },
  };
}
