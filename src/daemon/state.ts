import { leftByPolls, pollBudget } from '../budget/priorities.ts';
import type { Stream } from '../datasets/stream.ts';
import { knownStreams } from '../sync/run.ts';
import type { SyncContext } from '../sync/stream.ts';
import { NEVER_READ, readPosition } from '../warehouse/positions.ts';
import { makeAgenda, type Agenda } from '../schedule/due-times.ts';
import type { ApiConnection } from '../runtime/api-connection.ts';
import type { Experiments } from './experiments.ts';
import type { Nights } from './nightly-run.ts';
import type { RecordedPollStats } from './poll-stats.ts';
import type { Problems } from './problems.ts';
import { openSchedule, type Schedule } from '../schedule/slots.ts';
import type { Troubles } from './outage.ts';
import type { WalGuard } from './wal-guard.ts';
import type { Desk } from './stream-leases.ts';

/** What the engine works with and what it knows; its turns change it. */
export interface State extends Pick<SyncContext, 'warehouse' | 'clock' | 'log'> {
  readonly troubles: Troubles;
  readonly problems: Problems;
  observed: RecordedPollStats;
  readonly desk: Desk;
  walGuard: WalGuard;
  readonly schedules: Map<string, Schedule>;
  /** Told of every page and every result. */
  readonly onProgress: () => void;
  connection: ApiConnection;
  connectedAt: number;
  experiments: Experiments;
  nights: Nights;
  /** Streams whose first page was asked for early, so that a long first read elsewhere does not keep it waiting. */
  readonly looked: Set<string>;
  agenda: Agenda;
  /** When the agenda was made. */
  plannedAt: number;
  /** Streams may be configured that `_streams` does not have, or the reverse. */
  isRosterDue: boolean;
  /** How many syncs that somebody asked for are waiting or under way: nothing else begins meanwhile. */
  asked: number;
  /** Ends what can wait: first reads and reconcile. Whoever needs room aborts it; the next turn begins with another one. */
  background: AbortController;
  /** The time of the last turn, by which a clock that was set back is noticed. */
  seenAt: number;
  /** An error after which nothing can be written any more. */
  fatal: Error | undefined;
}

/** A cron expression of the configuration as slots, made once. */
export function scheduleOf(
  { connection, schedules }: Pick<State, 'connection' | 'schedules'>,
  expression: string,
): Schedule {
  const { timeZone } = connection.config;
  const name = `${timeZone} ${expression}`;
  const schedule = schedules.get(name) ?? openSchedule(expression, timeZone);
  schedules.set(name, schedule);
  return schedule;
}

/** Every stream that is known now; without `full` those of finished rooms are left out. */
export function streamsOf({ connection, warehouse, experiments }: State, full: boolean): Stream[] {
  return knownStreams({ config: connection.config, warehouse, selection: {}, full }, experiments.planned());
}

/** Plans anew when each stream is read. */
export function plan(state: State, now: number): void {
  const { connection, desk, experiments, nights, observed, warehouse } = state;
  const { config, budget } = connection;
  const { hour } = budget.usage();
  const { perEndpointPerMinute, reserve } = config.api.limits;
  const isBackfilling = state.agenda.entries.some(({ isFirstRead }) => isFirstRead);
  const others =
    experiments.looksPerHour +
    leftByPolls(
      { allowed: hour.allowed, reconcileShare: config.reconcile.budgetShare },
      { isBackfilling, isReconciling: nights.isRunning },
    );
  const agenda = makeAgenda({
    config,
    streams: streamsOf(state, false),
    positionOf(stream) {
      const position = readPosition(warehouse.db, stream);
      if (position === NEVER_READ) state.isRosterDue = true;
      return position;
    },
    observed,
    isLive: (id) => experiments.isLive(id),
    changedAt: (id, dataType) => experiments.changedAt(id, dataType),
    limits: {
      perHour: pollBudget({ allowed: hour.allowed, used: hour.used, others }),
      perEndpointPerMinute: perEndpointPerMinute * (1 - reserve),
    },
    scheduleOf: (expression) => scheduleOf(state, expression),
    connectedAt: state.connectedAt,
    workingSince: state.troubles.overSince(),
    now,
  });
  // Its position is that of the read before: what is being read would begin again as soon as it ends.
  const entries = agenda.entries.map((entry) => (desk.work.has(entry.key) ? { ...entry, dueAt: Infinity } : entry));
  state.agenda = { ...agenda, entries };
  state.plannedAt = now;
}
