import type { Clock } from '../shared/clock.ts';

/** Whether the daemon makes progress, has nothing to do, or provably waits for a limit. */
export interface Liveness {
  /** Notes that a page or a result arrived. */
  progressed(): void;
  /** Notes that a request waits for a limit. */
  waits(forMs: number): void;
  /** Forgets the requests that waited on the previous connection. */
  reconnected(): void;
  /** When a page or a result last arrived, or the start (milliseconds since 1970 UTC). */
  readonly progressedAt: number;
  /** When the last of the requests that wait for a limit may start; undefined if none ever waited. */
  limitedUntil(): number | undefined;
  /** @param engine when its last tick started, in milliseconds since boot, and whether it is reading something. */
  isAlive(engine: { readonly tickedAt: number; readonly isReading: boolean }, patienceMs: number): boolean;
}

/** Measures by the time since boot, as the clock may be changed. */
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
      const isProgressing = tickedAt > since && (!isReading || progressedUp > since);
      return isProgressing || clock.uptime() < waitsUntil;
    },
  };
}
