import type { Budget, BudgetOptions } from '../budget/queue.ts';
import type { LedgerOptions } from '../budget/ledger.ts';
import type { Config } from '../config/schema.ts';
import type { SyncContext } from '../sync/stream.ts';

/** What requests are made with; made anew when the configuration or the key changes. */
export interface Connection {
  readonly config: Config;
  readonly client: SyncContext['client'];
  readonly budget: Budget;
}

/** Makes a connection from a configuration; the daemon is handed it, as it does not know the API's client. */
export type Connect = (
  config: Config,
  hooks: Pick<BudgetOptions, 'onWait' | 'onRefused'> & Pick<LedgerOptions, 'shareOf'>,
) => Connection;
