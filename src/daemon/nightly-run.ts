import { PRIORITIES } from '../budget/priorities.ts';
import { z } from 'zod';
import type { Stream } from '../datasets/stream.ts';
import { reconcile, type Claim } from '../sync/rolling.ts';
import type { SyncContext } from '../sync/stream.ts';
import { recall, remember } from '../warehouse/state.ts';
import type { Schedule } from '../schedule/slots.ts';
import { HOUR_MS } from '../shared/time.ts';

const Stored = z.object({ slot: z.number(), isDone: z.boolean() });

/** The nightly reconcile: begins at its slot, one that was missed included, and goes on until every stream was looked at. */
export interface Nights {
  /** Whether a part of it is to be run now. */
  isDue(now: number): boolean;
  run(context: Omit<SyncContext, 'full'>, streams: readonly Stream[], claim: Claim): Promise<void>;
  readonly isRunning: boolean;
}

export function createNights(
  { warehouse, clock, log }: Pick<SyncContext, 'warehouse' | 'clock' | 'log'>,
  schedule: Schedule,
  allowance: () => number,
): Nights {
  const { db } = warehouse;
  let night = Stored.safeParse(JSON.parse(recall(db, 'reconcile') ?? 'null')).data;
  let nextPartAt = 0;
  let isRunning = false;
  const keep = (next: z.infer<typeof Stored>) => {
    night = next;
    remember(db, 'reconcile', JSON.stringify(next), clock.now());
  };
  return {
    get isRunning() {
      return isRunning;
    },
    isDue(now) {
      // What was just read for the first time needs no reconcile before the next night. A night that lies ahead was noted
      // by a clock that was wrong.
      if (night === undefined || night.slot > now) keep({ slot: now, isDone: true });
      const slot = schedule.lastSlot(night?.slot ?? now, now);
      if (slot !== undefined) {
        keep({ slot, isDone: false });
        nextPartAt = 0;
      }
      return !isRunning && night?.isDone === false && now >= nextPartAt;
    },
    async run(context, streams, claim) {
      isRunning = true;
      nextPartAt = clock.now() + HOUR_MS;
      try {
        const whole = { ...context, full: true, priority: PRIORITIES.reconcile.rank };
        const done = await reconcile(whole, streams, allowance(), claim);
        log.info({ ...done }, done.isDone ? 'reconcile done for tonight' : 'reconcile goes on in an hour');
        if (done.isDone && night !== undefined) keep({ ...night, isDone: true });
      } finally {
        isRunning = false;
      }
    },
  };
}
