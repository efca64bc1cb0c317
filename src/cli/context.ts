import { fstatSync } from 'node:fs';
import { createClient, type Client, type ClientOptions } from '../api/client.ts';
import { keyIdOf } from '../budget/key-id.ts';
import { createBudget, type Budget, type BudgetOptions } from '../budget/queue.ts';
import { openLedger, type Ledger, type LedgerOptions } from '../budget/ledger.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { secretsOf } from '../config/secrets.ts';
import { DATA_TYPE_OPTIONS } from '../datasets/registry.ts';
import { systemClock, type Clock } from '../shared/clock.ts';
import { WarehouseError } from '../shared/errors.ts';
import { createLog, type Log } from '../shared/log.ts';
import { requireMigrated } from '../warehouse/migrate.ts';
import { openForReading, plainError, withPlainErrors, type Db } from '../warehouse/open.ts';
import { rememberRefusal } from '../warehouse/refusal.ts';
import { openWarehouse, type Warehouse } from '../warehouse/warehouse.ts';
import { VERSION } from './version.ts';

/** What every command is given. */
export interface CommandContext {
  /** One JSON document on stdout instead of text for people. */
  readonly json: boolean;
  readonly configPath: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
}

/** A command: gives the exit status. */
export type Command<Options> = (context: CommandContext, options: Options) => Promise<number>;

/** @param needsSecrets whether the command needs what the alerts and the dashboard keep secret. */
export function readConfig(context: CommandContext, needsKey: boolean, needsSecrets = false): Config {
  return loadConfig({
    path: context.configPath,
    env: context.env,
    dataTypes: DATA_TYPE_OPTIONS,
    needsKey,
    needsSecrets,
  });
}

/**
 * A log on stderr, as the configuration wants it; `level` overrides it.
 * @param secrets takes those of the configuration, and hides what is added later too.
 */
export function openLog(
  context: CommandContext,
  config: Config,
  level = config.log.level,
  secrets = new Set<string>(),
): Log {
  const pretty = config.log.pretty === 'auto' ? context.stderr.isTTY : config.log.pretty;
  for (const secret of secretsOf(config)) secrets.add(secret);
  return createLog({ level, pretty, secrets });
}

/** Whether stderr is systemd's journal: `JOURNAL_STREAM` then names its device and inode (systemd.exec(5)). */
export function isJournal(env: CommandContext['env']): boolean {
  const { dev, ino } = fstatSync(2);
  return env['JOURNAL_STREAM'] === `${dev}:${ino}`;
}

/** The warehouse, opened for writing, and a client whose requests its ledger counts. */
export interface Connection {
  readonly warehouse: Warehouse;
  readonly client: Client;
  readonly clock: Clock;
}

/**
 * Opens the warehouse and a client, uses them, and closes both, whatever happens.
 * @throws WarehouseError also for what SQLite says of the disk or the file meanwhile.
 */
export async function withConnection<T>(
  config: Config,
  log: Log,
  onWait: BudgetOptions['onWait'],
  use: (connection: Connection) => Promise<T>,
): Promise<T> {
  const clock = systemClock;
  const { path } = config.warehouse;
  const warehouse = openWarehouse(path, { clock, history: config.history });
  try {
    const client = openClient(config, openBudget(config, warehouse.db, clock, { onWait }), log, clock);
    return await use({ warehouse, client, clock }).finally(() => client.close());
  } catch (error) {
    throw plainError(path, error) ?? error;
  } finally {
    warehouse.close();
  }
}

/** What a budget tells, and what it asks. */
type BudgetHooks = Pick<BudgetOptions, 'onWait' | 'onRefused'> & Pick<LedgerOptions, 'shareOf'>;

/** The budget of the configured key. Whoever meets a 429 with it remembers that for `hsw status`. */
export function openBudget(config: Config, db: Db, clock: Clock, hooks: BudgetHooks = {}): Budget {
  const { key, limits, timeoutMs, concurrency } = config.api;
  const keyId = keyIdOf(key);
  const ledger = plainly(
    db.name,
    openLedger(db, { clock, keyId, ...limits, shareOf: hooks.shareOf, deadlineMs: timeoutMs }),
  );
  return createBudget({
    ledger,
    clock,
    concurrency,
    onWait: hooks.onWait,
    onRefused(refusal) {
      rememberRefusal(db, { at: clock.now(), ...refusal, keyId });
      hooks.onRefused?.(refusal);
    },
  });
}

/** Before anything is asked the ledger is written: it is the first to meet a full disk, which has to be said in words. */
function plainly(path: string, ledger: Ledger): Ledger {
  return {
    ...ledger,
    tryStart: (endpoint, priority) => withPlainErrors(path, () => ledger.tryStart(endpoint, priority)),
    finish: (token) => withPlainErrors(path, () => ledger.finish(token)),
    pause: (endpoint, waitMs) => withPlainErrors(path, () => ledger.pause(endpoint, waitMs)),
  };
}

export function openClient(
  config: Config,
  budget: Budget,
  log: Log,
  clock: Clock,
  patience: Pick<ClientOptions, 'mostWaits'> = {},
): Client {
  const { baseUrl, key, timeoutMs } = config.api;
  if (key === undefined) throw new WarehouseError('KEY_MISSING', 'There is no API key.');
  return createClient({
    baseUrl,
    key,
    budget,
    clock,
    random: Math.random,
    log,
    timeoutMs,
    userAgent: `hyperstudy-warehouse/${VERSION}`,
    ...patience,
  });
}

/** The warehouse for reading beside a writer. */
export function openReader(config: Config): Db {
  const db = openForReading(config.warehouse.path);
  try {
    requireMigrated(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
