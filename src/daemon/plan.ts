import { leftByPolls, pollBudget } from '../budget/priorities.ts';
import type { Config } from '../config/schema.ts';
import type { Stream } from '../datasets/stream.ts';
import type { ApiConnection } from '../runtime/api-connection.ts';
import { computeDueTimes, type DueTime, type DueTimes, type PollStats } from '../schedule/due-times.ts';
import type { Schedule } from '../schedule/slots.ts';
import type { Clock } from '../shared/clock.ts';
import { knownStreams } from '../sync/run.ts';
import { NEVER_READ, readPosition } from '../warehouse/positions.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import { LOOKS_PER_HOUR, type Experiments } from './experiments.ts';
import type { NightlyRun } from './nightly-run.ts';
import type { Outage } from './outage.ts';
import type { StreamLeases } from './stream-leases.ts';

/** When each stream is to be read; made again every half minute, and when something is known that changes it. */
export interface Plan {
  readonly dueTimes: DueTimes;
  /** When it is to be made again (milliseconds since 1970 UTC). */
  readonly renewAt: number;
  /** Makes it again. Gives whether `_streams` may lack streams that are configured, or the reverse. */
  renew(connection: ApiConnection, connectedAt: number): { readonly isRosterDue: boolean };
  /** It is out of date. */
  expire(): void;
  /** A stream was read: it is out of date in a moment, in which others may end as well. */
  expireSoon(): void;
  /** It is out of date, and so is what `_streams` says is configured. */
  expireStreams(): void;
  /** A stream is being read, and is not due until the next plan, which knows what came of it. */
  begun(entry: DueTime): void;
}

/** What a plan is made of. */
export interface PlanParts {
  readonly warehouse: Warehouse;
  readonly clock: Clock;
  readonly experiments: Experiments;
  readonly leases: Pick<StreamLeases, 'held'>;
  readonly nightlyRun: Pick<NightlyRun, 'isRunning'>;
  readonly outage: Pick<Outage, 'overSince'>;
  readonly pollStats: PollStats;
  readonly scheduleOf: (expression: string, timeZone: string) => Schedule;
}

const RENEW_MS = 30_000;
const SOON_MS = 1000;

export function createPlan(parts: PlanParts): Plan {
  const { clock } = parts;
  let dueTimes: DueTimes = { entries: [], live: new Set(), requestsPerHour: 0 };
  let renewAt = -Infinity;
  let isRosterDue = true;
  return {
    get dueTimes() {
      return dueTimes;
    },
    get renewAt() {
      return renewAt;
    },
    renew(connection, connectedAt) {
      const now = clock.now();
      const isBackfilling = dueTimes.entries.some(({ isFirstRead }) => isFirstRead);
      const made = make(parts, { connection, connectedAt, isBackfilling, now });
      const found = { isRosterDue: isRosterDue || made.isStreamNew };
      dueTimes = made.dueTimes;
      renewAt = now + RENEW_MS;
      isRosterDue = false;
      return found;
    },
    expire() {
      renewAt = -Infinity;
    },
    expireSoon() {
      renewAt = Math.min(renewAt, clock.now() + SOON_MS);
    },
    expireStreams() {
      renewAt = -Infinity;
      isRosterDue = true;
    },
    begun(entry) {
      const entries = dueTimes.entries.map((one) => (one === entry ? { ...one, dueAt: Infinity } : one));
      dueTimes = { ...dueTimes, entries };
    },
  };
}

/** Every stream that is known now; without `full` those of finished rooms are left out. */
export function streamsOf(
  { warehouse, experiments }: Pick<PlanParts, 'warehouse' | 'experiments'>,
  config: Config,
  full: boolean,
): Stream[] {
  return knownStreams({ config, warehouse, selection: {}, full }, experiments.planned());
}

interface Circumstances {
  readonly connection: ApiConnection;
  readonly connectedAt: number;
  readonly isBackfilling: boolean;
  readonly now: number;
}

function make(parts: PlanParts, { connection, connectedAt, isBackfilling, now }: Circumstances) {
  const { experiments, leases, nightlyRun, outage, pollStats, scheduleOf, warehouse } = parts;
  const { config, budget } = connection;
  const { allowed, used } = budget.usage().hour;
  const { perEndpointPerMinute, reserve } = config.api.limits;
  const left = leftByPolls(
    { allowed, reconcileShare: config.reconcile.budgetShare },
    { isBackfilling, isReconciling: nightlyRun.isRunning },
  );
  const positions = streamsOf(parts, config, false).map(
    (stream) => [stream, readPosition(warehouse.db, stream)] as const,
  );
  const positionOf = new Map(positions);
  const { entries, ...rest } = computeDueTimes({
    config,
    streams: [...positionOf.keys()],
    positionOf: (stream) => positionOf.get(stream) ?? NEVER_READ,
    pollStats,
    isLive: (id) => experiments.isLive(id),
    changedAt: (id, dataType) => experiments.changedAt(id, dataType),
    limits: {
      perHour: pollBudget({ allowed, used, others: LOOKS_PER_HOUR + left }),
      perEndpointPerMinute: perEndpointPerMinute * (1 - reserve),
    },
    scheduleOf: (expression) => scheduleOf(expression, config.timeZone),
    connectedAt,
    workingSince: outage.overSince(),
    now,
  });
  return {
    isStreamNew: positions.some(([, position]) => position === NEVER_READ),
    dueTimes: {
      ...rest,
      // Its position is that of the read before: what is being read would begin again as soon as it ends.
      entries: entries.map((entry) => (leases.held.has(entry.key) ? { ...entry, dueAt: Infinity } : entry)),
    },
  };
}
