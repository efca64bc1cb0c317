import { createClient, type Client, type ClientOptions } from '../api/client.ts';
import type { Budget } from '../budget/queue.ts';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../shared/clock.ts';
import { WarehouseError } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import { VERSION } from '../shared/version.ts';
import type { Db } from '../warehouse/open.ts';
import { openBudget, type BudgetHooks } from './budget.ts';

/** Sends the requests; the daemon opens another one when the configuration or the key changes. */
export interface ApiConnection {
  readonly config: Config;
  readonly budget: Budget;
  readonly client: Client;
}

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
