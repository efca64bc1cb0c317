import { keyIdOf } from '../budget/key-id.ts';
import { openLedger, type Ledger, type LedgerOptions } from '../budget/ledger.ts';
import { createBudget, type Budget, type BudgetOptions } from '../budget/queue.ts';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../shared/clock.ts';
import { withPlainErrors, type Db } from '../warehouse/open.ts';
import { rememberRefusal } from '../warehouse/refusal.ts';

/** What a budget reports, and what it needs to know. */
export type BudgetHooks = Pick<BudgetOptions, 'onWait' | 'onRefused'> & Pick<LedgerOptions, 'shareOf'>;

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
