/** Interrupts work that can wait, which is first reads and reconcile, whenever something else has to go first. */
export interface Background {
  /** Aborted when the work that started with it has to end. */
  readonly signal: AbortSignal;
  /** Interrupts background work in progress. */
  interrupt(): void;
  /** Allows background work to start again. */
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
