import { isDeepStrictEqual } from 'node:util';
import type { Usage } from '../budget/ledger.ts';
import { shareOf } from '../budget/priorities.ts';
import type { Config } from '../config/schema.ts';
import type { ApiConnection } from '../runtime/api-connection.ts';
import type { DueTimes } from '../schedule/due-times.ts';
import { createSchedules } from '../schedule/slots.ts';
import type { SyncContext } from '../sync/stream.ts';
import { plainError } from '../warehouse/open.ts';
import { createBackground } from './background.ts';
import { openConnections } from './connections.ts';
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

/** Decides what is read when, and has it read. */
export interface Engine {
  /** Works until the signal is aborted. @throws WarehouseError when the warehouse cannot be written any more. */
  run(signal: AbortSignal): Promise<void>;
  /** What a user asked for and waits for. */
  readonly requests: UserRequests;
  /** The connection in use, and its configuration. */
  readonly connection: ApiConnection;
  /** Since when it is in use (milliseconds since 1970 UTC). */
  readonly connectedAt: number;
  /** Uses another configuration over a new connection from now on. Resolves when the former one is closed. */
  reconnect(config: Config): Promise<void>;
  /** Uses another configuration over the same connection. */
  keep(config: Config): void;
  readonly dueTimes: DueTimes;
  readonly leases: Pick<StreamLeases, 'held'>;
  readonly experiments: Experiments;
  /** When the last tick began, by the time since boot. */
  readonly tickedAt: number;
}

export interface EngineOptions extends Pick<SyncContext, 'warehouse' | 'clock' | 'log'> {
  readonly config: Config;
  /** Opens a connection, which asks what part of the limits the requests of a priority may use. */
  readonly connect: (config: Config, shareOf: (rank: number, hour: Usage['hour']) => number) => ApiConnection;
  readonly outage: Outage;
  readonly notices: Notices;
  /** Called at every page and every result. */
  readonly onProgress: () => void;
  readonly walBounds?: WalBounds;
}

/** A clock set back by less does no harm: what is due comes later by as much. */
const SET_BACK_MS = MINUTE_MS;

export function createEngine(options: EngineOptions): Engine {
  const { clock, outage, warehouse } = options;
  let nap = new AbortController();
  let tickedAt = clock.uptime();
  // A tick that is under way may be asking for the list of experiments.
  let ticking: Promise<unknown> = Promise.resolve();
  const wake = () => nap.abort();
  const parts = assemble(options, wake);
  const { background, connections, experiments, leases, outcomes, plan, requests } = parts;
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
          // A disk that fills up between two reads is no reason to end.
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
      if (outcomes.fatal !== undefined) throw outcomes.fatal;
    },
    reconnect(config) {
      const former = connections.replace(config);
      const underWay = requests.settled();
      // What takes long goes on over the new connection; what is short ends on the former one.
      background.interrupt();
      // What is known of running sessions outlives a new key.
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

/** Puts the collaborators together; each owns its part of the state and is handed what it needs. */
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
    onPage(stream, progress) {
      leases.note(stream, progress);
      onProgress();
      walGuard.mayWrite();
    },
  });
  const shared = { ...base, background, connections, contextOf, experiments, leases, nightlyRun, outcomes, plan };
  const onEnd = () => {
    plan.expire();
    wake();
  };
  const requests = createUserRequests({ ...shared, onEnd });
  const reads = createReads({ ...shared, requests });
  return { ...shared, pollStats, reads, requests, walGuard };
}

/**
 * The clock was set back: what was noted by it lies ahead, and nothing would be read before that time comes again. All of
 * that is learned again within minutes; what the warehouse holds of the future, the due times and the reconcile leave out.
 */
function startAgain(parts: Parts, byMs: number): void {
  const { connections, experiments, log, nightlyRun, outage, plan, pollStats, walGuard } = parts;
  log.warn({ byMs }, 'the clock was set back: everything is looked at again');
  for (const part of [outage, connections, pollStats, walGuard]) part.clockSetBack();
  experiments.restart(connections.current.config);
  nightlyRun.restart();
  plan.expire();
}
