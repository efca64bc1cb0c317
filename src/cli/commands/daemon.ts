import { secretsOf } from '../../config/secrets.ts';
import { runDaemon } from '../../daemon/daemon.ts';
import { createNotifier } from '../../daemon/systemd.ts';
import { systemClock, type Clock } from '../../shared/clock.ts';
import { EXIT } from '../../shared/errors.ts';
import { plainError } from '../../warehouse/open.ts';
import { openWarehouse } from '../../warehouse/warehouse.ts';
import { openBudget, openClient, openLog, readConfig, type Command, type CommandContext } from '../context.ts';
import { exposedSecrets } from '../modes.ts';
import { VERSION } from '../version.ts';

/** A service manager waits ten seconds: by then what still hangs is left behind; what was committed is safe. */
const LONGEST_STOP_MS = 8000;

/** `hsw daemon`: keeps the warehouse fresh until it is told to stop. */
export const daemon: Command<unknown> = (context) => keepFresh(context, systemClock);

/** @param clock what the daemon takes for the time. */
export async function keepFresh(context: CommandContext, clock: Clock): Promise<number> {
  const config = readConfig(context, true, true);
  const secrets = new Set<string>();
  const log = openLog(context, config, undefined, secrets);
  const exposed = exposedSecrets(config);
  if (exposed !== undefined) log.warn(exposed);
  const warehouse = openWarehouse(config.warehouse.path, { clock, history: config.history });
  context.signal.addEventListener('abort', () => setTimeout(() => process.exit(EXIT.ok), LONGEST_STOP_MS).unref());
  try {
    await runDaemon({
      config,
      reload() {
        const next = readConfig(context, true, true);
        for (const secret of secretsOf(next)) secrets.add(secret);
        return next;
      },
      connect(wanted, hooks) {
        const budget = openBudget(wanted, warehouse.db, clock, hooks);
        return { config: wanted, budget, client: openClient(wanted, budget, log, clock) };
      },
      warehouse,
      clock,
      log,
      version: VERSION,
      notifier: createNotifier(context.env),
      signal: context.signal,
      onReload: (reload) => void process.on('SIGHUP', reload),
      onReady({ http }) {
        if (context.json) context.stdout.write(`${JSON.stringify({ ready: true, http: http ?? null })}\n`);
      },
    });
    return EXIT.ok;
  } catch (error) {
    throw plainError(config.warehouse.path, error) ?? error;
  } finally {
    warehouse.close();
  }
}
