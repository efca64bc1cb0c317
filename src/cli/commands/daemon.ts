import type { Config } from '../../config/schema.ts';
import { isLoopback } from '../../shared/loopback.ts';
import { secretsOf } from '../../config/secrets.ts';
import { serviceToken } from '../../daemon/service-token.ts';
import { runDaemon } from '../../daemon/daemon.ts';
import { createNotifier, watchdogMs } from '../../daemon/systemd.ts';
import { systemClock } from '../../shared/clock.ts';
import { EXIT, WarehouseError } from '../../shared/errors.ts';
import { openWarehouse, type Warehouse } from '../../warehouse/warehouse.ts';
import { connectApi } from '../../runtime/api-connection.ts';
import { warehouseOptions, whileOpen } from '../../runtime/runtime.ts';
import { openLog, readConfig, type Command, type Describe } from '../context.ts';
import { exposedSecrets } from '../permissions.ts';
import { findDaemon } from '../../control/find-daemon.ts';
import { VERSION } from '../../shared/version.ts';

/** A service manager waits ten seconds. Work that hangs longer is abandoned; what was committed is safe. */
const LONGEST_STOP_MS = 8000;

export const describe: Describe = (program, run) => {
  program
    .addHelpText(
      'after',
      `
Stop it with SIGTERM or Ctrl-C. SIGHUP makes it read the configuration again. A new key in the key file is picked up without that.

Example:
  hsw daemon`,
    )
    .action((flags: unknown) => run(daemon, flags, 'service'));
};

/** `hsw daemon`: keeps the warehouse fresh until it is stopped. */
const daemon: Command<unknown> = async (context) => {
  const clock = systemClock;
  const config = readConfig(context, true, true);
  const secrets = new Set<string>();
  const log = openLog(context, config, undefined, secrets);
  const exposed = exposedSecrets(config);
  if (exposed !== undefined) log.warn(exposed);
  const options = { ...warehouseOptions(config, clock), privacy: config.privacy };
  const opened = await open(config.warehouse.path, options);
  context.signal.addEventListener('abort', () => setTimeout(() => process.exit(EXIT.ok), LONGEST_STOP_MS).unref());
  const httpToken = tokenFor(config);
  if (httpToken !== undefined) secrets.add(httpToken);
  await whileOpen(opened, (warehouse) =>
    runDaemon({
      config,
      reload() {
        const next = readConfig(context, true, true);
        for (const secret of secretsOf(next)) secrets.add(secret);
        return next;
      },
      connect: (wanted, hooks) => connectApi(wanted, { db: warehouse.db, clock, log }, hooks),
      warehouse,
      clock,
      log,
      version: VERSION,
      notifier: createNotifier(context.env),
      httpToken,
      watchdogMs: watchdogMs(context.env),
      signal: context.signal,
      onReload: (reload) => void process.on('SIGHUP', reload),
      onReady({ http }) {
        if (context.json) context.stdout.write(`${JSON.stringify({ ready: true, http: http ?? null })}\n`);
      },
    }),
  );
  return EXIT.ok;
};

/** The configured token or, on an address that only this computer reaches, one that lies beside the warehouse. */
function tokenFor({ http, warehouse }: Config): string | undefined {
  if (http === undefined || http.token !== undefined) return http?.token;
  return isLoopback(http.host.replace(/^\[|\]$/g, '')) ? serviceToken(warehouse.path) : undefined;
}

/** @throws WarehouseError WAREHOUSE_BUSY, which says so if the writer is another daemon. */
async function open(path: string, options: Parameters<typeof openWarehouse>[1]): Promise<Warehouse> {
  try {
    return openWarehouse(path, options);
  } catch (error) {
    const isBusy = error instanceof WarehouseError && error.code === 'WAREHOUSE_BUSY';
    if (!isBusy || (await findDaemon(path)).kind === 'none') throw error;
    throw new WarehouseError('WAREHOUSE_BUSY', `A daemon is already running for the warehouse ${path}.`, {
      hint: 'Leave it running, or stop it first; `hsw status` shows what it is doing.',
      cause: error,
    });
  }
}
