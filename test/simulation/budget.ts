/**
 * `npm run budget-test [-- SECONDS]`: several real processes spend one key's limits from one file as fast as they may,
 * and are killed and started anew all the while; a strict server, which counts each request whatever comes of it, must
 * never have to refuse one.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { createRandom } from '../../src/simulator/random.ts';
import { startSimulator } from '../../src/simulator/server.ts';
import { migrate } from '../../src/warehouse/migrate.ts';

/** The hour's limit is too large to matter here; an endpoint's minute is what they meet. */
export const LIMITS = { perHour: 100_000, perEndpointPerMinute: 40 };

const PROCESSES = 4;
const MINUTE_MS = 60_000;

export interface BudgetResult {
  readonly seconds: number;
  readonly requests: number;
  readonly refused: number;
  readonly restarts: number;
  /** Requests of the busiest endpoint in the best minute, and as a share of what the limits allow over the whole time. */
  readonly share: number;
}

/** @param seconds how long; @param restarts how many processes are killed and started anew in that time. */
export async function budgetCampaign(options: {
  seconds: number;
  restarts: number;
  seed: number;
}): Promise<BudgetResult> {
  const { seconds, restarts, seed } = options;
  const random = createRandom(seed);
  const folder = mkdtempSync(join(tmpdir(), 'hsw-budget-'));
  const path = join(folder, 'w.db');
  const db = new Database(path);
  db.pragma('journal_mode = wal');
  migrate(db);
  // Some answers fail, so that retries are spent as well.
  const simulator = await startSimulator({
    limits: LIMITS,
    fault: () => (random.chance(0.1) ? { kind: 'reset' } : undefined),
  });
  const start = () =>
    spawn(process.execPath, [join(import.meta.dirname, 'spending.ts'), path, simulator.url, simulator.key], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  const running: ChildProcess[] = Array.from({ length: PROCESSES }, start);
  const began = Date.now();
  try {
    for (let i = 0; i < restarts; i++) {
      await delay((seconds * 1000) / (restarts + 1));
      const place = random.int(0, PROCESSES - 1);
      running[place]?.kill('SIGKILL');
      running[place] = start();
    }
    await delay(began + seconds * 1000 - Date.now());
  } finally {
    for (const child of running) child.kill('SIGKILL');
    await simulator.close();
    db.close();
    rmSync(folder, { recursive: true, force: true });
  }
  const { requests } = simulator;
  const refused = requests.filter(({ status }) => status === 429).length;
  // A window may be full at the start and again each minute after it.
  const allowed = 3 * LIMITS.perEndpointPerMinute * Math.ceil((seconds * 1000) / MINUTE_MS);
  return { seconds, requests: requests.length, refused, restarts, share: requests.length / allowed };
}

if (process.argv[1] === import.meta.filename) {
  const result = await budgetCampaign({ seconds: Number(process.argv[2] ?? 235), restarts: 50, seed: 1 });
  const { seconds, requests, refused, restarts, share } = result;
  console.log(
    `${PROCESSES} processes for ${seconds} s with ${restarts} kills: ${requests} requests, ${(share * 100).toFixed(1)} % of what the limits allow, ${refused} refused`,
  );
  process.exitCode = refused === 0 ? 0 : 1;
}
