import { isDeepStrictEqual } from 'node:util';
import { backfillBudget } from '../plan/intervals.ts';
import type { Selection } from '../plan/streams.ts';
import { runSync, type SyncOptions, type SyncResult } from '../sync/run.ts';
import { PRIORITY, type SyncContext } from '../sync/stream.ts';
import type { Agenda } from './agenda.ts';
import type { Connection } from './connection.ts';
import { followExperiments, type Experiments } from './experiments.ts';
import { createNights, type Nights } from './nights.ts';
import { noteFailure } from './outcomes.ts';
import { createObserved } from './observed.ts';
import type { Problems } from './problems.ts';
import type { Schedule } from './scheduler.ts';
import { scheduleOf, type State } from './state.ts';
import type { Troubles } from './troubles.ts';
import { contextOf, napMs, turn } from './turn.ts';
import { createWalGuard, type WalBounds } from './wal.ts';
import { createDesk, type Desk } from './work.ts';

/** What somebody asked to be synced now. */
export interface Asked {
  readonly selection: Selection;
  readonly full: boolean;
  readonly acceptDeletes: boolean;
}

/** Decides what is read when, and has it read. */
export interface Engine {
  /** Works until the signal is aborted. @throws WarehouseError when the warehouse cannot be written any more. */
  run(signal: AbortSignal): Promise<void>;
  /** Does at once what somebody asked for, before everything else. */
  syncNow(asked: Asked, hooks: Pick<SyncOptions, 'onPage' | 'onStream' | 'signal'>): Promise<SyncResult>;
  /** The connection or the configuration has changed. Resolves when nothing uses the former connection any more. */
  reconnect(connection: Connection): Promise<void>;
  /** The part of the limits that requests of a priority may use. */
  shareOf(priority: number): number;
  readonly agenda: Agenda;
  readonly desk: Desk;
  readonly experiments: Experiments;
}

export interface EngineOptions extends Pick<SyncContext, 'warehouse' | 'clock' | 'log'> {
  readonly connection: Connection;
  readonly troubles: Troubles;
  readonly problems: Problems;
  /** Told of every page and every result. */
  readonly onProgress: () => void;
  readonly walBounds?: WalBounds;
}

export function createEngine(options: EngineOptions): Engine {
  let nap = new AbortController();
  const wake = () => nap.abort();
  const schedules = new Map<string, Schedule>();
  const state: State = {
    ...options,
    schedules,
    observed: createObserved(),
    walGuard: createWalGuard(options.walBounds),
    desk: createDesk(wake),
    experiments: followExperiments(options.connection.config, options),
    nights: nightsOf(options, options.connection, schedules),
    connectedAt: options.clock.now(),
    looked: new Set(),
    agenda: { entries: [], requestsPerHour: 0 },
    plannedAt: -Infinity,
    asked: 0,
    background: new AbortController(),
    fatal: undefined,
  };
  let lastAsked: Promise<unknown> = Promise.resolve();
  return {
    desk: state.desk,
    get agenda() {
      return state.agenda;
    },
    get experiments() {
      return state.experiments;
    },
    shareOf: (priority) => shareOf(state, priority),
    async run(signal) {
      signal.addEventListener('abort', wake, { once: true });
      while (!signal.aborted && fatalOf(state) === undefined) {
        nap = new AbortController();
        const rested = nap.signal;
        await turn(state, signal);
        await options.clock.sleep(napMs(state), AbortSignal.any([rested, signal])).catch(() => undefined);
      }
      state.background.abort();
      await state.desk.empty();
      const fatal = fatalOf(state);
      if (fatal !== undefined) throw fatal;
    },
    syncNow(asked, hooks) {
      state.asked++;
      state.background.abort();
      const result = lastAsked.then(() => runAsked(state, asked, hooks));
      const noted = result.catch((error: unknown) => noteFailure(state, undefined, error));
      lastAsked = noted.then(() => {
        state.asked--;
        state.background = new AbortController();
        state.plannedAt = -Infinity;
        wake();
      });
      return result;
    },
    async reconnect(connection) {
      const asked = lastAsked;
      // What takes long goes on over the new connection; what is short ends on the former one.
      state.background.abort();
      state.background = new AbortController();
      // What is known of running sessions outlives a new key.
      if (!isDeepStrictEqual(connection.config.experiments, state.connection.config.experiments))
        state.experiments = followExperiments(connection.config, options);
      state.connection = connection;
      state.connectedAt = options.clock.now();
      state.nights = nightsOf(options, connection, schedules);
      state.plannedAt = -Infinity;
      state.troubles.over();
      wake();
      await Promise.all([state.desk.settled(), asked]);
    },
  };
}

/** Read anew each time, as turns change it. */
function fatalOf({ fatal }: State): Error | undefined {
  return fatal;
}

async function runAsked(
  state: State,
  asked: Asked,
  hooks: Pick<SyncOptions, 'onPage' | 'onStream' | 'signal'>,
): Promise<SyncResult> {
  await state.desk.empty();
  // Whoever asks may have mended the key.
  state.connection.client.tryKeyAgain();
  const context = contextOf(state, hooks.signal ?? new AbortController().signal, PRIORITY.asked);
  return runSync({
    ...context,
    ...asked,
    onPage(stream, progress) {
      hooks.onPage?.(stream, progress);
      context.onPage?.(stream, progress);
    },
    onStream(event) {
      hooks.onStream?.(event);
      if (event.result !== undefined) state.experiments.note(event.result);
      state.onProgress();
    },
  });
}

function nightsOf(options: EngineOptions, connection: Connection, schedules: Map<string, Schedule>): Nights {
  const { schedule, budgetShare } = connection.config.reconcile;
  const allowance = () => Math.max(1, Math.floor(budgetShare * connection.budget.usage().hour.allowed));
  return createNights(options, scheduleOf({ connection, schedules }, schedule), allowance);
}

function shareOf({ connection, agenda, experiments }: State, priority: number): number {
  const { allowed, used } = connection.budget.usage().hour;
  const planned = agenda.requestsPerHour + experiments.looksPerHour;
  if (priority === PRIORITY.backfill) return Math.max(backfillBudget({ allowed, used, planned }), 1) / allowed;
  return priority === PRIORITY.reconcile ? connection.config.reconcile.budgetShare : 1;
}
