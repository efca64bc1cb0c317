import { keyIdOf } from '../budget/key-id.ts';
import { PRIORITIES } from '../budget/priorities.ts';
import { readsOf } from '../config/reads.ts';
import type { Config } from '../config/schema.ts';
import { socketPath } from '../control/place.ts';
import { serveControl } from '../control/socket.ts';
import type { ApiConnection } from '../runtime/api-connection.ts';
import type { BudgetHooks } from '../runtime/budget.ts';
import type { Clock } from '../shared/clock.ts';
import type { WarehouseError } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import { haltedLine } from '../status/issues.ts';
import { experimentRows, type ExperimentRows } from '../warehouse/experiment-rows.ts';
import { openForReading } from '../warehouse/open.ts';
import { forgetOutage, rememberOutage } from '../warehouse/outage.ts';
import { recallRefusal } from '../warehouse/refusal.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import { startHttp, type HttpServer } from '../web/server.ts';
import { checkAlerts, createAlertStore } from './check-alerts.ts';
import { createControlHandlers } from './control-handlers.ts';
import { createEngine, type Engine } from './engine.ts';
import { createLiveness, type Liveness } from './liveness.ts';
import { createOutage, type Outage } from './outage.ts';
import { createPublishing, type Publishing } from './publishing.ts';
import { keepMedia, type MediaKeeper } from './media.ts';
import { createNotices, type Notices } from './notices.ts';
import { followConfig, type ConfigFollower } from './reload.ts';
import { viewOf } from './snapshot.ts';
import type { Notifier } from './systemd.ts';
import { createWaitingUsers, type WaitingUsers } from './waiting-users.ts';
import { watch, type Watched } from './watch.ts';
import { MINUTE_MS } from '../shared/time.ts';

export interface DaemonOptions {
  readonly config: Config;
  /** Reads the configuration again. @throws WarehouseError */
  readonly reload: () => Config;
  /** Opens a connection for a configuration. */
  readonly connect: (config: Config, hooks: BudgetHooks) => ApiConnection;
  readonly warehouse: Warehouse;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  readonly notifier: Notifier;
  /** The token of the dashboard; it needs one on this computer too, which others may use. */
  readonly httpToken: string | undefined;
  /** The timeout of systemd's watchdog, if there is one. */
  readonly watchdogMs?: number | undefined;
  /** Aborted when the daemon is to stop. */
  readonly signal: AbortSignal;
  /** Registers a callback for whenever the configuration is to be read again (SIGHUP). */
  readonly onReload: (reload: () => void) => void;
  /** Called with the addresses at which it can be reached, once everything works. */
  readonly onReady?: (at: { http: string | undefined; socket: string | undefined }) => void;
}

/**
 * The daemon counts as stuck after this long without progress while there is something to do, or after the time that
 * all tries of one request may take, whichever is longer.
 */
const STALLED_MS = 15 * MINUTE_MS;
const STALLED_TIMEOUTS = 6;
/** What `systemctl status` shows while nothing is wrong. */
const KEEPING = 'Keeping the warehouse fresh';
const VIEW_HOLDS_MS = 1000;

/**
 * Keeps the warehouse fresh until it is stopped: reads by schedule, runs `sync now` and `verify` for the command line,
 * serves the dashboard over HTTP, and follows changes of the configuration.
 * @throws WarehouseError when it cannot start, or can no longer write the warehouse.
 */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  const { log, notifier, signal, warehouse } = options;
  const daemon = assemble(options);
  const { engine } = daemon;
  let server: HttpServer | undefined;
  const { path } = warehouse;
  const about = () => ({
    version: options.version,
    startedAt: daemon.startedAt,
    http: server?.url ?? null,
    keyRefused: daemon.outage.keyRefused(),
    outage: daemon.outage.current(),
  });
  const reads = () => readsOf(engine.connection.config);
  const { requests } = engine;
  const handlers = createControlHandlers({
    requests,
    path,
    log,
    signal,
    waitingUsers: daemon.waitingUsers,
    about,
    dashboard: () => ({ url: server?.link() ?? null }),
    reads,
  });
  const socket = socketPath(path);
  if (socket === undefined)
    log.warn(
      'the path of the warehouse is too long for a socket beside it: commands such as `hsw sync now` cannot ask this daemon; choose a shorter warehouse.path',
    );
  const control = socket === undefined ? undefined : await serveControl(socket, handlers);
  try {
    const { http } = options.config;
    if (http !== undefined) {
      const rowsOf = (experiment: string) => readRows(path, experiment);
      server = await startHttp({ ...http, token: options.httpToken, view: lately(daemon.view), rowsOf, log });
      log.info({ url: server.url }, 'the dashboard is at this address');
    }
    options.onReload(() => daemon.reload());
    notifier.ready(KEEPING);
    options.onReady?.({ http: server?.url, socket });
    const stop = new AbortController();
    const ending = AbortSignal.any([signal, stop.signal]);
    const watching = Promise.all([watch(daemon.watched, ending), keepMedia(mediaOf(options, daemon), ending)]);
    await engine.run(signal).finally(() => stop.abort());
    await watching;
  } finally {
    notifier.stopping();
    await Promise.all([server?.close(), control?.close(), engine.connection.client.close(), notifier.settled()]);
    await daemon.publishing.settled();
    warehouse.tendForReaders();
    log.info('stopped; everything read so far is stored');
  }
}

function mediaOf({ warehouse, clock, log }: DaemonOptions, { engine, outage }: Daemon): MediaKeeper {
  const isOut = () => outage.current() !== undefined || outage.keyRefused() !== undefined;
  return { warehouse, clock, log, isOut, connection: () => engine.connection };
}

interface Daemon {
  readonly engine: Engine;
  readonly startedAt: number;
  readonly waitingUsers: WaitingUsers;
  readonly outage: Outage;
  readonly view: () => ReturnType<typeof viewOf>;
  readonly watched: Watched;
  readonly reload: () => void;
  readonly publishing: Publishing;
}

/** Puts the parts together: the engine, its configuration, and the view of both. */
function assemble(options: DaemonOptions): Daemon {
  const { clock, log, notifier, warehouse, version } = options;
  const notices = createNotices();
  const outage = createOutage(clock, log, (met) => storeOutage(met, options, connection().config));
  const liveness = createLiveness(clock);
  const waitingUsers = createWaitingUsers(clock);
  const startedAt = clock.now();
  // What a former program met: this one says what it meets itself.
  forgetOutage(warehouse.db, startedAt);
  const hooks = hooksOf(log, liveness, waitingUsers);
  const engine = createEngine({
    config: options.config,
    connect: (config, shareOf) => options.connect(config, { ...hooks, shareOf }),
    warehouse,
    clock,
    log,
    outage,
    notices,
    onProgress: () => liveness.progressed(),
  });
  const follower = follow(options, { engine, liveness, notices });
  const connection = () => engine.connection;
  const shown = {
    version,
    startedAt,
    clock,
    warehouse,
    engine,
    notices,
    outage,
    connection,
    lastProgressAt: () => liveness.progressedAt,
    refusal: () => recallRefusal(warehouse.db, keyIdOf(connection().config.api.key)),
    patienceMs: () => patienceMs(connection().config),
    limitedUntil: () => liveness.limitedUntil(),
  };
  const store = createAlertStore(warehouse.db, clock, log);
  const status = () =>
    haltedLine({ outage: outage.current(), keyRefused: outage.keyRefused(), now: clock.now() }) ?? KEEPING;
  const isReading = () => engine.leases.held.size > 0;
  const publishing = createPublishing({
    db: warehouse.db,
    config: () => connection().config,
    clock,
    log,
    notices,
    signal: options.signal,
  });
  const watched: Watched = {
    clock,
    log,
    warehouse,
    notifier,
    watchdogMs: options.watchdogMs,
    isAlive: () =>
      liveness.isAlive({ tickedAt: engine.tickedAt, isReading: isReading() }, patienceMs(connection().config)),
    status,
    followKey: () => follower.followKey(),
    publish: () => publishing.look(),
    checkAlerts: (signal) => checkAlerts({ ...shown, log, store }, signal),
  };
  const reload = () => {
    notifier.reloading();
    follower.reload();
    notifier.ready(status());
  };
  return { engine, startedAt, waitingUsers, outage, view: () => viewOf(shown), watched, reload, publishing };
}

function storeOutage(met: WarehouseError | undefined, { warehouse: { db }, clock }: DaemonOptions, { api }: Config) {
  if (met === undefined) forgetOutage(db, clock.now());
  else rememberOutage(db, met, keyIdOf(api.key), clock.now());
}

function follow(
  { config, reload, clock, log }: DaemonOptions,
  { engine, liveness, notices }: { engine: Engine; liveness: Liveness; notices: Notices },
): ConfigFollower {
  return followConfig({
    started: config,
    read: reload,
    clock,
    log,
    notices,
    inUse: () => engine.connection.config,
    renew(next) {
      liveness.reconnected();
      engine.reconnect(next).catch((error: unknown) => {
        log.error({ err: error }, 'the previous connection could not be closed');
      });
    },
    keep: (next) => engine.keep(next),
  });
}

function hooksOf(log: Log, liveness: Liveness, waitingUsers: WaitingUsers): BudgetHooks {
  return {
    onWait({ priority, ...wait }) {
      liveness.waits(wait.waitMs);
      if (priority === PRIORITIES.user.rank) waitingUsers.waits(wait);
    },
    onRefused({ endpoint, waitMs }) {
      log.warn({ endpoint, waitMs }, 'the API refused a request within our limits: another program uses the same key');
    },
  };
}

/** Caches the view: making it takes long with thousands of streams, and anyone may request /healthz at any rate. */
function lately<T>(make: () => T): () => T {
  let last: { readonly at: number; readonly made: T } | undefined;
  return () => {
    const at = performance.now();
    last = last === undefined || at - last.at >= VIEW_HOLDS_MS ? { at, made: make() } : last;
    return last.made;
  };
}

/** Reads on a connection of its own, which can write nothing. */
function readRows(path: string, experiment: string): ExperimentRows {
  const db = openForReading(path);
  try {
    return experimentRows(db, experiment);
  } finally {
    db.close();
  }
}

function patienceMs({ api }: Config): number {
  return Math.max(STALLED_MS, STALLED_TIMEOUTS * api.timeoutMs);
}
