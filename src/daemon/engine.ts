import type { Usage } from '../budget/ledger.ts';
import { shareOf } from '../budget/priorities.ts';
import { isDeepStrictEqual } from 'node:util';
import type { SyncContext } from '../sync/stream.ts';
import { plainError } from '../warehouse/open.ts';
import type { Agenda } from '../schedule/due-times.ts';
import { createAskedWork, type AskedWork } from './user-requests.ts';
import type { ApiConnection } from '../runtime/api-connection.ts';
import { followExperiments, type Experiments } from './experiments.ts';
import { noteFailure } from './outcomes.ts';
import { createNights, type Nights } from './nightly-run.ts';
import { createPollStats } from './poll-stats.ts';
import type { Problems } from './problems.ts';
import type { Schedule } from '../schedule/slots.ts';
import { scheduleOf, type State } from './state.ts';
import type { Troubles } from './outage.ts';
import { napMs, turn } from './tick.ts';
import { createWalGuard, type WalBounds } from './wal-guard.ts';
import { createDesk, type Desk } from './stream-leases.ts';

/** Decides what is read when, and has it read. */
export interface Engine {
  /** Works until the signal is aborted. @throws WarehouseError when the warehouse cannot be written any more. */
  run(signal: AbortSignal): Promise<void>;
  /** What somebody asked for and waits for. */
  readonly asked: AskedWork;
  /** The connection or the configuration has changed. Resolves when nothing uses the former connection any more. */
  reconnect(connection: ApiConnection): Promise<void>;
  /** The part of the limits that requests of a priority may use. */
  shareOf(priority: number, hour: Usage['hour']): number;
  readonly agenda: Agenda;
  readonly desk: Desk;
  readonly experiments: Experiments;
  /** When the connection or the configuration last changed (milliseconds since 1970 UTC). */
  readonly connectedAt: number;
  /** When the last turn began, by the time since boot. */
  readonly turnedAt: number;
}

/** A clock set back by less does no harm: what is due comes later by as much. */
const SET_BACK_MS = 60_000;

export interface EngineOptions extends Pick<SyncContext, 'warehouse' | 'clock' | 'log'> {
  readonly connection: ApiConnection;
  readonly troubles: Troubles;
  readonly problems: Problems;
  /** Told of every page and every result. */
  readonly onProgress: () => void;
  readonly walBounds?: WalBounds;
}

export function createEngine(options: EngineOptions): Engine {
  let nap = new AbortController();
  let turnedAt = options.clock.uptime();
  const wake = () => nap.abort();
  const schedules = new Map<string, Schedule>();
  const state: State = {
    ...options,
    schedules,
    observed: createPollStats(),
    walGuard: createWalGuard(options.walBounds),
    desk: createDesk(wake),
    experiments: followExperiments(options.connection.config, options),
    nights: nightsOf(options, options.connection, schedules),
    connectedAt: options.clock.now(),
    looked: new Set(),
    agenda: { entries: [], live: new Set(), requestsPerHour: 0 },
    plannedAt: -Infinity,
    isRosterDue: true,
    asked: 0,
    background: new AbortController(),
    seenAt: -Infinity,
    fatal: undefined,
  };
  const asked = createAskedWork(state, wake);
  return {
    asked,
    desk: state.desk,
    get agenda() {
      return state.agenda;
    },
    get experiments() {
      return state.experiments;
    },
    get connectedAt() {
      return state.connectedAt;
    },
    get turnedAt() {
      return turnedAt;
    },
    shareOf: (priority, { allowed, used }) =>
      shareOf(priority, {
        allowed,
        used,
        planned: state.agenda.requestsPerHour + state.experiments.looksPerHour,
        reconcileShare: state.connection.config.reconcile.budgetShare,
      }),
    async run(signal) {
      signal.addEventListener('abort', wake, { once: true });
      while (!signal.aborted && fatalOf(state) === undefined) {
        nap = new AbortController();
        const rested = nap.signal;
        if (options.clock.now() < state.seenAt - SET_BACK_MS) startAnew(state, options);
        state.seenAt = options.clock.now();
        turnedAt = options.clock.uptime();
        await turn(state, signal).catch((error: unknown) => {
          // A disk that fills up between two reads is no reason to end.
          const said = plainError(options.warehouse.path, error);
          if (said === undefined) throw error;
          noteFailure(state, undefined, said);
        });
        await options.clock.sleep(napMs(state), AbortSignal.any([rested, signal])).catch(() => undefined);
      }
      state.background.abort();
      await state.desk.empty();
      await asked.settled();
      const fatal = fatalOf(state);
      if (fatal !== undefined) throw fatal;
    },
    async reconnect(connection) {
      const underWay = asked.settled();
      // What takes long goes on over the new connection; what is short ends on the former one.
      state.background.abort();
      // What is known of running sessions outlives a new key.
      if (!isDeepStrictEqual(connection.config.experiments, state.connection.config.experiments))
        state.experiments = followExperiments(connection.config, options);
      state.connection = connection;
      state.connectedAt = options.clock.now();
      state.nights = nightsOf(options, connection, schedules);
      state.plannedAt = -Infinity;
      state.isRosterDue = true;
      state.troubles.over();
      wake();
      await Promise.all([state.desk.settled(), underWay]);
    },
  };
}

/**
 * The clock was set back: what was noted by it lies ahead, and nothing would be read before that time comes again. All of
 * that is learned anew within minutes; what the warehouse holds of the future, `agenda.ts` and the reconcile leave out.
 */
function startAnew(state: State, options: EngineOptions): void {
  const { clock, log, troubles, connection, schedules } = state;
  log.warn({ byMs: state.seenAt - clock.now() }, 'the clock was set back: everything is looked at again');
  troubles.clockSetBack();
  state.connectedAt = Math.min(state.connectedAt, clock.now());
  state.observed = createPollStats();
  state.walGuard = createWalGuard(options.walBounds);
  state.experiments = followExperiments(connection.config, options);
  state.nights = nightsOf(options, connection, schedules);
  state.plannedAt = -Infinity;
}

/** Read anew each time, as turns change it. */
function fatalOf({ fatal }: State): Error | undefined {
  return fatal;
}

function nightsOf(options: EngineOptions, connection: ApiConnection, schedules: Map<string, Schedule>): Nights {
  const { schedule, budgetShare } = connection.config.reconcile;
  const allowance = () => Math.max(1, Math.floor(budgetShare * connection.budget.usage().hour.allowed));
  return createNights(options, scheduleOf({ connection, schedules }, schedule), allowance);
}
