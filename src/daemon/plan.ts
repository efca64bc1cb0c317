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

/** When each stream is to be read; renewed every half minute, and when something changes it. */
export interface Plan {
  readonly dueTimes: DueTimes;
  /** When it is to be renewed (milliseconds since 1970 UTC). */
  readonly renewAt: number;
  /** Renews it. Returns whether `_streams` may lack configured streams, or hold streams that are not configured. */
  renew(connection: ApiConnection, connectedAt: number): { readonly isRosterDue: boolean };
  /** Marks it as out of date. */
  expire(): void;
  /** Marks it as out of date in a moment, as a stream was read; other reads may end until then. */
  expireSoon(): void;
  /** Marks it as out of date, and the configured streams in `_streams` too. */
  expireStreams(): void;
  /** Notes that a stream is being read: it is not due until the next plan, which knows the outcome. */
  begun(entry: DueTime): void;
}

/** What a plan is made from. */
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

/** Every known stream; without `full`, except those of finished rooms. */
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
      // Their positions are those of the previous read: without this they would be read again as soon as they end.
      entries: entries.map((entry) => (leases.held.has(entry.key) ? { ...entry, dueAt: Infinity } : entry)),
    },
  };
}
