import { z } from 'zod';
import type { Stream } from '../datasets/stream.ts';
import type { Schedule } from '../schedule/slots.ts';
import { HOUR_MS } from '../shared/time.ts';
import { reconcile, type Claim } from '../sync/rolling.ts';
import type { SyncContext } from '../sync/open-session.ts';
import { recall, remember } from '../warehouse/state.ts';

const Stored = z.object({ slot: z.number(), isDone: z.boolean() });
type Night = z.infer<typeof Stored>;

/**
 * The nightly reconcile: starts at its slot, or later if that was missed, and continues until every stream was checked.
 */
export interface NightlyRun {
  /** Whether a part of it is due now. */
  isDue(schedule: Schedule, now: number): boolean;
  /** Runs a part of it, until the allowance of requests is spent. */
  run(
    context: Omit<SyncContext, 'full'>,
    streams: readonly Stream[],
    bounds: { readonly allowance: number; readonly claim: Claim },
  ): Promise<void>;
  /** Makes its next part due at once, as the configuration or the clock has changed. */
  restart(): void;
  readonly isRunning: boolean;
}

export function createNightlyRun({
  warehouse: { db },
  clock,
  log,
}: Pick<SyncContext, 'warehouse' | 'clock' | 'log'>): NightlyRun {
  let night = Stored.safeParse(JSON.parse(recall(db, 'reconcile') ?? 'null')).data;
  let nextPartAt = 0;
  let isRunning = false;
  const keep = (next: Night): Night => {
    night = next;
    remember(db, 'reconcile', JSON.stringify(next), clock.now());
    return next;
  };
  return {
    get isRunning() {
      return isRunning;
    },
    isDue(schedule, now) {
      // What was just read for the first time needs no reconcile before the next night. A night in the future was noted
      // by a clock that was wrong.
      const last = night === undefined || night.slot > now ? keep({ slot: now, isDone: true }) : night;
      const slot = schedule.lastSlot(last.slot, now);
      if (slot !== undefined) {
        keep({ slot, isDone: false });
        nextPartAt = 0;
      }
      return !isRunning && night?.isDone === false && now >= nextPartAt;
    },
    async run(context, streams, { allowance, claim }) {
      isRunning = true;
      nextPartAt = clock.now() + HOUR_MS;
      try {
        const done = await reconcile({ ...context, full: true }, streams, allowance, claim);
        log.info({ ...done }, done.isDone ? 'reconcile done for tonight' : 'reconcile continues in an hour');
        if (done.isDone && night !== undefined) keep({ ...night, isDone: true });
      } finally {
        isRunning = false;
      }
    },
    restart() {
      nextPartAt = 0;
    },
  };
}
