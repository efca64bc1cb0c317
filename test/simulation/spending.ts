/** A process that asks as fast as the shared budget lets it, until it is killed: `node spending.ts FILE URL KEY`. */
import Database from 'better-sqlite3';
import { createClient } from '../../src/api/client.ts';
import { openLedger } from '../../src/budget/ledger.ts';
import { createBudget } from '../../src/budget/queue.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { silentLog } from '../../src/shared/log.ts';
import { WarehouseError } from '../../src/shared/errors.ts';
import { LIMITS } from './budget.ts';

const [path = '', baseUrl = '', key = ''] = process.argv.slice(2);
const clock = systemClock;
const ledger = openLedger(new Database(path), { clock, keyId: 'k', ...LIMITS, reserve: 0, deadlineMs: 2000 });
const client = createClient({
  baseUrl,
  key,
  budget: createBudget({ ledger, clock, concurrency: 4 }),
  clock,
  random: Math.random,
  log: silentLog,
  timeoutMs: 2000,
  userAgent: 'spending',
});
const ENDPOINTS = ['events', 'chat', 'sync'];
await Promise.all(
  [...ENDPOINTS, ...ENDPOINTS].map(async (endpoint) => {
    for (;;) {
      const asked = { path: `/data/${endpoint}/experiment/exp_nobody`, endpoint, what: endpoint };
      await client.get(asked).catch((error: unknown) => {
        if (!(error instanceof WarehouseError)) throw error;
      });
    }
  }),
);
