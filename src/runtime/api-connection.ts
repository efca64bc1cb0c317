import { createClient, type Client, type ClientOptions } from '../api/client.ts';
import { keyIdOf } from '../budget/key-id.ts';
import { openLedger, type Ledger, type LedgerOptions } from '../budget/ledger.ts';
import { createBudget, type Budget, type BudgetOptions } from '../budget/queue.ts';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../shared/clock.ts';
import { WarehouseError } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import { VERSION } from '../shared/version.ts';
import { withPlainErrors, type Db } from '../warehouse/open.ts';
import { rememberRefusal } from '../warehouse/refusal.ts';

/** Sends the requests; the daemon opens another one when the configuration or the key changes. */
export interface ApiConnection {
  readonly config: Config;
  readonly budget: Budget;
  readonly client: Client;
}

/** What a budget reports, and what it needs to know. */
export type BudgetHooks = Pick<BudgetOptions, 'onWait' | 'onRefused'> & Pick<LedgerOptions, 'shareOf'>;

export interface ConnectionOptions {
  /** The warehouse, which holds the ledger. */
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
}

/** A client whose requests are counted in the ledger. */
export function connectApi(config: Config, { db, clock, log }: ConnectionOptions, hooks: BudgetHooks): ApiConnection {
  const budget = openBudget(config, db, clock, hooks);
  return { config, budget, client: openClient(config.api, { budget, clock, log }) };
}

/** The budget of the configured key. A 429 is remembered for `hsw status`. */
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

/**
 * The ledger is written before each request: it is the first to meet a full disk, which must be reported in plain
 * words.
 */
function plainly(path: string, ledger: Ledger): Ledger {
  return {
    ...ledger,
    tryStart: (endpoint, priority) => withPlainErrors(path, () => ledger.tryStart(endpoint, priority)),
    finish: (token) => withPlainErrors(path, () => ledger.finish(token)),
    pause: (endpoint, waitMs) => withPlainErrors(path, () => ledger.pause(endpoint, waitMs)),
  };
}

/**
 * A client for the few requests of a waiting user, when there may be no warehouse yet: they are not counted in a
 * ledger, and come out of the reserve.
 */
export function openUncounted(
  api: Server,
  clock: Clock,
  log: Log,
  bounds: Pick<ClientOptions, 'largestBody'> = {},
): Client {
  const budget = { spend: <T>(_: unknown, send: () => Promise<T>) => send(), pause: () => undefined };
  return openClient(api, { budget, clock, log, mostWaits: 1, ...bounds });
}

type Server = Pick<Config['api'], 'baseUrl' | 'key' | 'timeoutMs'> & Partial<Pick<Config['api'], 'organization'>>;

function openClient(
  { baseUrl, key, organization, timeoutMs }: Server,
  options: Pick<ClientOptions, 'budget' | 'clock' | 'log' | 'mostWaits' | 'largestBody'>,
): Client {
  if (key === undefined) throw new WarehouseError('KEY_MISSING', 'There is no API key.');
  return createClient({
    ...options,
    baseUrl,
    key,
    organization,
    timeoutMs,
    random: Math.random,
    userAgent: `hyperstudy-warehouse/${VERSION}`,
  });
}
