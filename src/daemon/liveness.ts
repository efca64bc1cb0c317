import type { Clock } from '../shared/clock.ts';

/** Whether the daemon works, has nothing to do, or provably waits for a limit. */
export interface Liveness {
  /** A page or a result came. */
  progressed(): void;
  /** A request waits for a limit. */
  waits(forMs: number): void;
  /** What waited over the former connection does not count any more. */
  reconnected(): void;
  /** When a page or a result last came, or the start (milliseconds since 1970 UTC). */
  readonly progressedAt: number;
  /** When the last of the requests that wait for a limit may start; undefined where none ever waited. */
  limitedUntil(): number | undefined;
  /** @param engine when its last tick began, by the time since boot, and whether it reads something. */
  isAlive(engine: { readonly tickedAt: number; readonly isReading: boolean }, patienceMs: number): boolean;
}

/** Measured by the time since boot, as the clock may be set. */
export function createLiveness(clock: Clock): Liveness {
  let progressedAt = clock.now();
  let progressedUp = clock.uptime();
  let waitsUntil = 0;
  return {
    progressed() {
      progressedAt = clock.now();
      progressedUp = clock.uptime();
    },
    waits(forMs) {
      waitsUntil = Math.max(waitsUntil, clock.uptime() + forMs);
    },
    reconnected() {
      waitsUntil = 0;
    },
    get progressedAt() {
      return progressedAt;
    },
    limitedUntil: () => (waitsUntil === 0 ? undefined : clock.now() + waitsUntil - clock.uptime()),
    isAlive({ tickedAt, isReading }, patienceMs) {
      const since = clock.uptime() - patienceMs;
      const goesOn = tickedAt > since && (!isReading || progressedUp > since);
      return goesOn || clock.uptime() < waitsUntil;
    },
  };
}
