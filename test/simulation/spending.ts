/**
 * A process that asks as fast as the shared budget lets it, until it is killed, while another program sets its clock:
 * `node spending.ts SPENDER`, see `Spender`.
 */
import Database from 'better-sqlite3';
import { createClient } from '../../src/api/client.ts';
import { openLedger } from '../../src/budget/ledger.ts';
import { createBudget } from '../../src/budget/queue.ts';
import { systemClock, type Clock } from '../../src/shared/clock.ts';
import { silentLog } from '../../src/shared/log.ts';
import { WarehouseError } from '../../src/shared/errors.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { ENDPOINTS, type Spender } from './budget.ts';

const { path, url, key, speed, limits, seed } = JSON.parse(process.argv[2] ?? '') as Spender;
const TIMEOUT_MS = 2000;

const random = createRandom(seed);
let setBy = 0;
// Whatever asks for the time of day is fooled, the line of waiting requests too.
const trueNow = Date.now;
Date.now = () => trueNow() + setBy;
setInterval(() => (setBy = random.int(-2, 2) * 3_600_000 + random.int(-90_000, 90_000)), 1500).unref();

const clock: Clock = {
  ...systemClock,
  now: () => trueNow() * speed + setBy,
  uptime: () => systemClock.uptime() * speed,
  uptimeStepMs: (systemClock.uptimeStepMs ?? 0) * speed,
  sleep: (ms, signal) => systemClock.sleep(ms / speed, signal),
};
const ledger = openLedger(new Database(path), {
  clock,
  keyId: 'k',
  ...limits,
  reserve: 0,
  deadlineMs: TIMEOUT_MS * speed,
});
const client = createClient({
  baseUrl: url,
  key,
  budget: createBudget({ ledger, clock, concurrency: 4 }),
  clock,
  random: Math.random,
  log: silentLog,
  timeoutMs: TIMEOUT_MS,
  userAgent: 'spending',
});
process.stdout.write('spending\n');
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
