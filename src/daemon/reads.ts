import { PRIORITIES } from '../budget/priorities.ts';
import type { Stream } from '../datasets/stream.ts';
import { dueNow, type DueTime } from '../schedule/due-times.ts';
import { BOUNDS } from '../schedule/intervals.ts';
import type { Schedule } from '../schedule/slots.ts';
import type { Clock } from '../shared/clock.ts';
import type { Priority } from '../shared/priority.ts';
import { syncStream } from '../sync/stream.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import type { Background } from './background.ts';
import type { Connections } from './connections.ts';
import type { DailyRun } from './daily-run.ts';
import type { Experiments } from './experiments.ts';
import { createFirstLooks, endedWhenLong } from './first-looks.ts';
import type { NightlyRun } from './nightly-run.ts';
import type { Outage } from './outage.ts';
import type { Outcomes } from './outcomes.ts';
import { streamsOf, type Plan } from './plan.ts';
import type { ContextOf, ReadContext } from './read-context.ts';
import type { StreamLeases } from './stream-leases.ts';
import type { UserRequests } from './user-requests.ts';

/** Starts the reads that are due. */
export interface Reads {
  /** @param mayWait whether reads that can wait may start. */
  beginDue(signal: AbortSignal, mayWait: boolean): void;
  /** Starts the next part of the nightly run, if it is due. */
  beginNightly(signal: AbortSignal): void;
}

export interface ReadParts {
  readonly warehouse: Warehouse;
  readonly clock: Clock;
  readonly background: Background;
  readonly connections: Connections;
  readonly contextOf: ContextOf;
  readonly dailyRun: DailyRun;
  readonly experiments: Experiments;
  readonly leases: StreamLeases;
  readonly nightlyRun: NightlyRun;
  readonly outage: Outage;
  readonly outcomes: Outcomes;
  readonly plan: Plan;
  readonly requests: Pick<UserRequests, 'isSyncing'>;
  readonly scheduleOf: (expression: string, timeZone: string) => Schedule;
  readonly onProgress: () => void;
}

/**
 * The most first reads at once; polls have the configured concurrency for themselves. One fewer for those that may take
 * hours, so that rooms of earlier days, which take one request each, do not wait for them.
 */
const MOST_FIRST_READS = { long: 2, room: 3 };

export function createReads(parts: ReadParts): Reads {
  const { background, clock, connections, contextOf, dailyRun, leases, nightlyRun, outage, outcomes, plan } = parts;
  const firstLooks = createFirstLooks(parts.warehouse);

  const begin = (entry: DueTime, kind: 'poll' | 'first read', signal: AbortSignal) => {
    const { stream, isFirstRead } = entry;
    const release = leases.take(stream, kind, clock.now());
    if (release === undefined) return;
    plan.begun(entry);
    const over = connections.current;
    const priority = kind === 'first read' ? PRIORITIES.backfill.rank : pollPriority(parts, stream);
    const context = contextOf(isFirstRead ? AbortSignal.any([signal, background.signal]) : signal, priority);
    const isLook = isFirstRead && kind === 'poll';
    if (isLook) firstLooks.note(entry);
    const read = (within: ReadContext) =>
      syncStream({ ...(isLook ? endedWhenLong(within) : within), full: false }, stream);
    void dailyRun
      .read(context, stream, read)
      .then(
        (result) => {
          if (outcomes.note(stream, result).mayNameStreams) plan.expire();
        },
        (error: unknown) => outcomes.fail(error, { stream, over }),
      )
      .then(() => {
        plan.expireSoon();
        release();
        parts.onProgress();
      });
  };

  return {
    beginDue(signal, mayWait) {
      const isTrying = outage.isTrying();
      const isFirstLook = firstLooks.now();
      for (const entry of dueNow(plan.dueTimes, clock.now())) {
        const isShort = !entry.isFirstRead || isFirstLook(entry);
        if (!isShort && !mayWait) continue;
        const kind = isShort ? 'poll' : 'first read';
        const length = entry.stream.scope.kind === 'room' ? 'room' : 'long';
        const most = isShort ? connections.current.config.api.concurrency : MOST_FIRST_READS[length];
        if (isTrying ? leases.held.size === 0 : leases.count(kind) < most) begin(entry, kind, signal);
      }
    },
    beginNightly(signal) {
      const { config, budget } = connections.current;
      const { schedule, budgetShare } = config.reconcile;
      if (outage.isTrying() || !nightlyRun.isDue(parts.scheduleOf(schedule, config.timeZone), clock.now())) return;
      const context = contextOf(AbortSignal.any([signal, background.signal]), PRIORITIES.reconcile.rank);
      const allowance = Math.max(1, Math.floor(budgetShare * budget.usage().hour.allowed));
      const claim = (stream: Stream) => leases.take(stream, 'reconcile', clock.now());
      nightlyRun
        .run(context, streamsOf(parts, config, true), { allowance, claim })
        .catch((error: unknown) => outcomes.fail(error));
    },
  };
}

/**
 * The priority of a poll while it waits for a limit. If a session starts meanwhile, polls that start later must not
 * overtake this one; and sessions must not keep an idle stream waiting forever. A sync for a user starts when the polls
 * have ended, so they then wait with the user's priority, and the user can see what the sync is waiting for.
 */
function pollPriority({ clock, plan, requests }: ReadParts, { experimentId }: Stream): Priority {
  const { user, live, fresh } = PRIORITIES;
  const patientUntil = clock.uptime() + BOUNDS.idleMs;
  return () => {
    if (requests.isSyncing) return user.rank;
    return plan.dueTimes.live.has(experimentId) || clock.uptime() >= patientUntil ? live.rank : fresh.rank;
  };
}
