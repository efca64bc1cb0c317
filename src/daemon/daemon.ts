import { keyIdOf } from '../budget/key-id.ts';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../shared/clock.ts';
import type { Log } from '../shared/log.ts';
import { PRIORITIES } from '../budget/priorities.ts';
import { recallRefusal } from '../warehouse/refusal.ts';
import { noteGrowth } from '../warehouse/state.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import { checkAlerts, createAlertStore } from './alarm.ts';
import type { ApiConnection, BudgetHooks } from '../runtime/api-connection.ts';
import { createEngine, type Engine } from './engine.ts';
import { followConfig } from './reload.ts';
import { createHandlers } from './control-handlers.ts';
import { serveHandover, socketPath } from '../control/socket.ts';
import { startHttp, type HttpServer } from '../web/server.ts';
import type { Tell } from '../control/protocol.ts';
import { viewOf } from './snapshot.ts';
import { createProblems } from './problems.ts';
import { readsOf } from '../config/reads.ts';
import type { Notifier } from './systemd.ts';
import { createTroubles } from './outage.ts';
import { HOUR_MS } from '../shared/time.ts';

export interface DaemonOptions {
  readonly config: Config;
  /** Reads the configuration anew. @throws WarehouseError */
  readonly reload: () => Config;
  /** Opens a connection for a configuration. */
  readonly connect: (config: Config, hooks: BudgetHooks) => ApiConnection;
  readonly warehouse: Warehouse;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  readonly notifier: Notifier;
  /** The longest silence that systemd's watchdog bears, where one watches. */
  readonly watchdogMs?: number | undefined;
  /** Aborted when the daemon is to stop. */
  readonly signal: AbortSignal;
  /** Calls back whenever somebody wants the configuration to be read again (SIGHUP). */
  readonly onReload: (reload: () => void) => void;
  /** Told the addresses at which it can be reached, once everything works. */
  readonly onReady?: (at: { http: string | undefined; socket: string }) => void;
}

/**
 * Without progress for longer than this although there is something to do, something hangs; or for longer than the tries
 * of one request may take.
 */
const STALLED_MS = 15 * 60_000;
const STALLED_TIMEOUTS = 6;
const WATCH_EVERY_MS = 10_000;
/** What `systemctl status` shows while nothing is wrong. */
const KEEPING = 'Keeping the warehouse fresh';
const KEY_LOOK_MS = 15_000;
const VIEW_HOLDS_MS = 1000;
const GROWTH_EVERY_MS = HOUR_MS;
const ALERTS_EVERY_MS = 60_000;

/**
 * Keeps the warehouse fresh until it is told to stop: reads by schedule, takes over `sync now` and `verify`, shows itself
 * over HTTP, follows the configuration.
 * @throws WarehouseError when it cannot begin, or the warehouse can be written no more.
 */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  const { log, notifier, signal, warehouse } = options;
  const daemon = assemble(options);
  const { engine } = daemon;
  let server: HttpServer | undefined;
  const { path } = warehouse;
  const about = () => ({ version: options.version, startedAt: daemon.startedAt, http: server?.url ?? null });
  const reads = () => readsOf(daemon.connection().config);
  const handlers = createHandlers({ engine, path, log, signal, askers: daemon.askers, about, reads });
  const handover = await serveHandover(socketPath(path), handlers);
  try {
    const { http } = options.config;
    if (http !== undefined) {
      server = await startHttp({ ...http, view: lately(daemon.view), maxAgeMs: patienceMs(options.config), log });
      log.info({ url: server.url }, 'the dashboard is at this address');
    }
    options.onReload(() => daemon.reload());
    notifier.ready(KEEPING);
    options.onReady?.({ http: server?.url, socket: socketPath(path) });
    const stop = new AbortController();
    const watching = watch(options, daemon, AbortSignal.any([signal, stop.signal]));
    await engine.run(signal).finally(() => stop.abort());
    await watching;
  } finally {
    notifier.stopping();
    await Promise.all([server?.close(), handover.close(), daemon.connection().client.close(), notifier.settled()]);
    warehouse.refreshViews();
    log.info('stopped; everything read so far is stored');
  }
}

interface Daemon {
  readonly engine: Engine;
  readonly startedAt: number;
  /** Those who wait for what they asked for; they are told what it waits for. */
  readonly askers: Set<Tell>;
  readonly connection: () => ApiConnection;
  readonly view: () => ReturnType<typeof viewOf>;
  readonly reload: () => void;
  readonly followKey: () => void;
  /** What keeps it from asking the API, in words that hold no secret. */
  readonly trouble: () => string | undefined;
  readonly checkAlerts: (signal: AbortSignal) => Promise<void>;
  /** Whether it works, or has nothing to do, or provably waits. */
  readonly isAlive: () => boolean;
}

/** Puts the parts together: engine, connection, and what is shown of them. */
function assemble(options: DaemonOptions): Daemon {
  const { clock, log, warehouse, version } = options;
  const problems = createProblems();
  const troubles = createTroubles(clock, log);
  const startedAt = clock.now();
  let lastProgressAt = startedAt;
  // By the time since boot, as the clock may be set.
  const progress = { at: clock.uptime(), waitsUntil: 0 };
  const made: { engine?: Engine } = {};
  const askers = new Set<Tell>();
  const connect = (config: Config) =>
    options.connect(config, {
      shareOf: (priority, hour) => made.engine?.shareOf(priority, hour) ?? 1,
      onWait({ priority, ...wait }) {
        progress.waitsUntil = Math.max(progress.waitsUntil, clock.uptime() + wait.waitMs);
        if (priority === PRIORITIES.user.rank) for (const tell of askers) tell({ wait });
      },
      onRefused({ endpoint, waitMs }) {
        log.warn(
          { endpoint, waitMs },
          'the API refused a request within our limits: another program uses the same key',
        );
      },
    });
  let connection = connect(options.config);
  const onProgress = () => {
    lastProgressAt = clock.now();
    progress.at = clock.uptime();
  };
  const engine = (made.engine = createEngine({ warehouse, clock, log, connection, troubles, problems, onProgress }));
  const renew = (config: Config) => {
    const former = connection;
    progress.waitsUntil = 0;
    connection = connect(config);
    void engine
      .reconnect(connection)
      .then(() => former.client.close())
      .catch((error: unknown) => log.error({ err: error }, 'the former connection could not be closed'));
  };
  const follower = followConfig({
    started: options.config,
    read: options.reload,
    clock,
    log,
    problems,
    inUse: () => connection.config,
    renew,
    keep: (config) => void (connection = { ...connection, config }),
  });
  const shown = {
    version,
    startedAt,
    clock,
    warehouse,
    engine,
    problems,
    troubles,
    connection: () => connection,
    lastProgressAt: () => lastProgressAt,
    refusedAt: () => recallRefusal(warehouse.db, keyIdOf(connection.config.api.key))?.at,
    limitedUntil: () => (progress.waitsUntil === 0 ? undefined : clock.now() + progress.waitsUntil - clock.uptime()),
  };
  const store = createAlertStore(warehouse.db, clock, log);
  return {
    engine,
    startedAt,
    askers,
    connection: () => connection,
    view: () => viewOf(shown),
    checkAlerts: (signal) => checkAlerts({ ...shown, log, store, connectedAt: () => engine.connectedAt }, signal),
    reload() {
      options.notifier.reloading();
      follower.reload();
      options.notifier.ready(troubles.current()?.text ?? KEEPING);
    },
    followKey: () => follower.followKey(),
    trouble: () => troubles.current()?.text,
    isAlive() {
      const since = clock.uptime() - patienceMs(connection.config);
      const goesOn = engine.turnedAt > since && (engine.desk.work.size === 0 || progress.at > since);
      return goesOn || clock.uptime() < progress.waitsUntil;
    },
  };
}

/** Making the view takes long where there are thousands of streams, and anybody may ask for /healthz as often as they like. */
function lately<T>(make: () => T): () => T {
  let last: { readonly at: number; readonly made: T } | undefined;
  return () => {
    const at = performance.now();
    last = last === undefined || at - last.at >= VIEW_HOLDS_MS ? { at, made: make() } : last;
    return last.made;
  };
}

function patienceMs({ api }: Config): number {
  return Math.max(STALLED_MS, STALLED_TIMEOUTS * api.timeoutMs);
}

/** What has to be done now and then: systemd's watchdog, a new key, how the warehouse grows. */
async function watch(options: DaemonOptions, daemon: Daemon, signal: AbortSignal) {
  const { clock, notifier, warehouse, log, watchdogMs = Infinity } = options;
  const every = Math.min(WATCH_EVERY_MS, watchdogMs / 4);
  // By the time since boot, as the clock may be set.
  let [keyAt, growthAt, alertsAt] = [clock.uptime() + KEY_LOOK_MS, 0, clock.uptime() + ALERTS_EVERY_MS];
  let checking = Promise.resolve();
  while (!signal.aborted) {
    try {
      const up = clock.uptime();
      if (daemon.isAlive()) notifier.watchdog();
      notifier.status(daemon.trouble() ?? KEEPING);
      if (up >= keyAt) {
        keyAt = up + KEY_LOOK_MS;
        daemon.followKey();
      }
      if (up >= alertsAt) {
        alertsAt = up + ALERTS_EVERY_MS;
        // A channel that hangs holds up the next check, and nothing else.
        checking = checking
          .then(() => daemon.checkAlerts(signal))
          .catch((error: unknown) => {
            if (!signal.aborted) log.error({ err: error }, 'the alerts could not be checked');
          });
      }
      if (up >= growthAt) {
        growthAt = up + GROWTH_EVERY_MS;
        noteGrowth(warehouse.db, clock.now());
        warehouse.refreshViews();
      }
    } catch (error) {
      log.error({ err: error }, 'internal error (a bug in hyperstudy-warehouse) in the daemon’s watch, which goes on');
    }
    await clock.sleep(every, signal).catch(() => undefined);
  }
}
