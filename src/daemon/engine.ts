import { isDeepStrictEqual } from 'node:util';
import type { Usage } from '../budget/ledger.ts';
import { shareOf } from '../budget/priorities.ts';
import type { Config } from '../config/schema.ts';
import type { ApiConnection } from '../runtime/api-connection.ts';
import type { DueTimes } from '../schedule/due-times.ts';
import { createSchedules } from '../schedule/slots.ts';
import type { SyncContext } from '../sync/open-session.ts';
import { plainError } from '../warehouse/open.ts';
import { createBackground } from './background.ts';
import { openConnections } from './connections.ts';
import { createDailyRun } from './daily-run.ts';
import { followExperiments, LOOKS_PER_HOUR, type Experiments } from './experiments.ts';
import { createNightlyRun } from './nightly-run.ts';
import { createOutcomes } from './outcomes.ts';
import type { Outage } from './outage.ts';
import { createPlan } from './plan.ts';
import { createPollStats } from './poll-stats.ts';
import type { Notices } from './notices.ts';
import type { ContextOf } from './read-context.ts';
import { createReads } from './reads.ts';
import { createStreamLeases, type StreamLeases } from './stream-leases.ts';
import { napMs, tick } from './tick.ts';
import { createUserRequests, type UserRequests } from './user-requests.ts';
import { createWalGuard, type WalBounds } from './wal-guard.ts';
import { MINUTE_MS } from '../shared/time.ts';

/** Decides what is read when, and reads it. */
export interface Engine {
  /** Works until the signal is aborted. @throws WarehouseError when the warehouse can no longer be written. */
  run(signal: AbortSignal): Promise<void>;
  /** Runs what users request from the command line. */
  readonly requests: UserRequests;
  /** The connection in use, and its configuration. */
  readonly connection: ApiConnection;
  /** When it was opened (milliseconds since 1970 UTC). */
  readonly connectedAt: number;
  /** Switches to another configuration over a new connection. Resolves when the previous one is closed. */
  reconnect(config: Config): Promise<void>;
  /** Switches to another configuration over the same connection. */
  keep(config: Config): void;
  readonly dueTimes: DueTimes;
  readonly leases: Pick<StreamLeases, 'held'>;
  readonly experiments: Experiments;
  /** When the last tick started, in milliseconds since boot. */
  readonly tickedAt: number;
}

export interface EngineOptions extends Pick<SyncContext, 'warehouse' | 'clock' | 'log'> {
  readonly config: Config;
  /** Opens a connection; it calls `shareOf` for the share of the limits that requests of a priority may use. */
  readonly connect: (config: Config, shareOf: (rank: number, hour: Usage['hour']) => number) => ApiConnection;
  readonly outage: Outage;
  readonly notices: Notices;
  /** Called after every page and every result. */
  readonly onProgress: () => void;
  readonly walBounds?: WalBounds;
}

/** A clock that is set back by less is harmless: reads are only late by as much. */
const SET_BACK_MS = MINUTE_MS;

export function createEngine(options: EngineOptions): Engine {
  const { clock, outage, warehouse } = options;
  let nap = new AbortController();
  let tickedAt = clock.uptime();
  // A tick in progress may be requesting the list of experiments.
  let ticking: Promise<unknown> = Promise.resolve();
  const wake = () => nap.abort();
  const parts = assemble(options, wake);
  const { background, connections, dailyRun, experiments, leases, outcomes, plan, requests } = parts;
  return {
    requests,
    leases,
    experiments,
    get connection() {
      return connections.current;
    },
    get connectedAt() {
      return connections.since;
    },
    get dueTimes() {
      return plan.dueTimes;
    },
    get tickedAt() {
      return tickedAt;
    },
    keep: (config) => connections.keep(config),
    async run(signal) {
      signal.addEventListener('abort', wake, { once: true });
      let seenAt = -Infinity;
      while (!signal.aborted && outcomes.fatal === undefined) {
        nap = new AbortController();
        const rested = nap.signal;
        if (clock.now() < seenAt - SET_BACK_MS) startAgain(parts, seenAt - clock.now());
        seenAt = clock.now();
        tickedAt = clock.uptime();
        ticking = tick(parts, signal).catch((error: unknown) => {
          // A disk that fills up between two reads is no reason to exit.
          const said = plainError(warehouse.path, error);
          if (said === undefined) throw error;
          outcomes.fail(said);
        });
        await ticking;
        await clock.sleep(napMs(parts), AbortSignal.any([rested, signal])).catch(() => undefined);
      }
      background.interrupt();
      await leases.empty();
      await requests.settled();
      dailyRun.end();
      if (outcomes.fatal !== undefined) throw outcomes.fatal;
    },
    reconnect(config) {
      const former = connections.replace(config);
      const underWay = requests.settled();
      // Long reads continue over the new connection; short ones finish on the previous one.
      background.interrupt();
      // What is known about running sessions still holds with a new key.
      if (!isDeepStrictEqual(config.experiments, former.config.experiments)) experiments.restart(config);
      parts.nightlyRun.restart();
      plan.expireStreams();
      outage.over();
      wake();
      return Promise.allSettled([leases.settled(), underWay, ticking]).then(() => former.client.close());
    },
  };
}

type Parts = ReturnType<typeof assemble>;

/** Puts the collaborators together; each owns its part of the state and is given what it needs. */
function assemble(options: EngineOptions, wake: () => void) {
  const { config, clock, log, outage, notices, warehouse, onProgress } = options;
  const base = { warehouse, clock, log, outage, notices, onProgress, scheduleOf: createSchedules() };
  const background = createBackground();
  const leases = createStreamLeases(wake);
  const pollStats = createPollStats();
  const experiments = followExperiments(config, base);
  const nightlyRun = createNightlyRun(base);
  const walGuard = createWalGuard({ ...base, background }, options.walBounds);
  const plan = createPlan({ ...base, experiments, leases, nightlyRun, pollStats });
  const connect = (next: Config) =>
    options.connect(next, (rank, hour) =>
      shareOf(rank, {
        ...hour,
        planned: plan.dueTimes.requestsPerHour + LOOKS_PER_HOUR,
        reconcileShare: next.reconcile.budgetShare,
      }),
    );
  const connections = openConnections(config, connect, clock);
  const outcomes = createOutcomes({ ...base, connections, experiments, pollStats });
  const contextOf: ContextOf = (signal, priority) => ({
    client: connections.current.client,
    config: connections.current.config,
    warehouse,
    clock,
    log,
    priority,
    signal,
    acceptDeletes: false,
    commitsEachPage: true,
    onPage(stream, progress) {
      leases.note(stream, progress);
      onProgress();
      walGuard.mayWrite();
    },
  });
  const dailyRun = createDailyRun(base);
  const shared = {
    ...base,
    background,
    connections,
    contextOf,
    dailyRun,
    experiments,
    leases,
    nightlyRun,
    outcomes,
    plan,
  };
  const onEnd = () => {
    plan.expire();
    wake();
  };
  const requests = createUserRequests({ ...shared, onEnd });
  const reads = createReads({ ...shared, requests });
  return { ...shared, pollStats, reads, requests, walGuard };
}

/**
 * Handles a clock that was set back: the times that were recorded are now in the future, and nothing would be read
 * before they pass again. All of them are learned again within minutes; future times in the warehouse are ignored by
 * the due times and the reconcile.
 */
function startAgain(parts: Parts, byMs: number): void {
  const { connections, experiments, log, nightlyRun, outage, plan, pollStats, walGuard } = parts;
  log.warn({ byMs }, 'the clock was set back: everything is checked again');
  for (const part of [outage, connections, pollStats, walGuard]) part.clockSetBack();
  experiments.restart(connections.current.config);
  nightlyRun.restart();
  plan.expire();
}
