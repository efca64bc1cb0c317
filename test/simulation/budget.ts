/**
 * `npm run budget-test [-- SECONDS]`: several real processes spend one key's limits from one file as fast as they may,
 * and are killed and started again all the while, and their clocks are set back and forth by hours; a strict server,
 * which counts each request whatever comes of it, must never have to refuse one. First the minute's limit in real time,
 * then the hour's on clocks that run 60 times as fast. The server counts in rolling windows and by data type: what keeps
 * within those keeps within fixed windows and within each path's own limit as well.
 */
import { once } from 'node:events';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { createRandom } from '../../src/simulator/random.ts';
import { startSimulator } from '../../src/simulator/server.ts';
import { migrate } from '../../src/warehouse/migrate.ts';
import { MINUTE_MS, HOUR_MS } from '../../src/shared/time.ts';

/** Which limit the processes meet: the other one is too large to matter, or nearly so. */
const CAMPAIGNS = {
  minute: { speed: 1, limits: { perHour: 100_000, perEndpointPerMinute: 40 } },
  hour: { speed: 60, limits: { perHour: 300, perEndpointPerMinute: 100 } },
} as const;

const PROCESSES = 4;
/** The endpoints that the processes ask. */
export const ENDPOINTS = ['events', 'chat', 'sync'];

export interface BudgetResult {
  readonly requests: number;
  readonly refused: number;
  /** The requests as a share of what the limits allow over the whole time. */
  readonly share: number;
}

/** What a process that spends is told. */
export interface Spender {
  readonly path: string;
  readonly url: string;
  readonly key: string;
  /** How many times as fast its clock runs. */
  readonly speed: number;
  readonly limits: { readonly perHour: number; readonly perEndpointPerMinute: number };
  /** Decides how its wall clock is set. */
  readonly seed: number;
}

/** @param seconds how long; @param restarts how many processes are killed and started again in that time. */
export async function budgetCampaign(options: {
  limit: keyof typeof CAMPAIGNS;
  speed?: number;
  seconds: number;
  restarts: number;
  seed: number;
}): Promise<BudgetResult> {
  const { limit, seconds, restarts, seed } = options;
  const { limits, speed } = { ...CAMPAIGNS[limit], ...options };
  const random = createRandom(seed);
  const folder = mkdtempSync(join(tmpdir(), 'hsw-budget-'));
  const path = join(folder, 'w.db');
  const db = new Database(path);
  db.pragma('journal_mode = wal');
  migrate(db);
  // Some answers fail, so that retries are spent as well.
  const simulator = await startSimulator({
    limits,
    meterNow: () => (performance.timeOrigin + performance.now()) * speed,
    fault: () => (random.chance(0.1) ? { kind: 'reset' } : undefined),
  });
  const start = async () => {
    const { url, key } = simulator;
    const spender: Spender = { path, url, key, speed, limits, seed: random.int(0, 1e9) };
    const child = spawn(process.execPath, [join(import.meta.dirname, 'spending.ts'), JSON.stringify(spender)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    running.push(child);
    // It says so when it begins to spend, which on a busy machine takes a while.
    await once(child.stdout, 'data');
  };
  const running: ChildProcess[] = [];
  let began = Date.now();
  let ended = began;
  try {
    await Promise.all(Array.from({ length: PROCESSES }, start));
    began = Date.now();
    for (let i = 0; i < restarts; i++) {
      await delay(Math.max(began + ((i + 1) * seconds * 1000) / (restarts + 1) - Date.now(), 0));
      const [killed] = running.splice(random.int(0, PROCESSES - 1), 1);
      killed?.kill('SIGKILL');
      await start();
    }
    await delay(Math.max(began + seconds * 1000 - Date.now(), 0));
    ended = Date.now();
  } finally {
    for (const child of running) child.kill('SIGKILL');
    await simulator.close();
    db.close();
    rmSync(folder, { recursive: true, force: true });
  }
  const { requests } = simulator;
  const refused = requests.filter(({ status }) => status === 429).length;
  // A window may be full at the start and again each time that it has passed.
  const windows = (lengthMs: number) => Math.ceil(((ended - began) * speed) / lengthMs);
  const allowed = Math.min(
    ENDPOINTS.length * limits.perEndpointPerMinute * windows(MINUTE_MS),
    limits.perHour * windows(HOUR_MS),
  );
  return { requests: requests.length, refused, share: requests.length / allowed };
}

if (process.argv[1] === import.meta.filename) {
  const [seconds, restarts] = [Number(process.argv[2] ?? 235), 50];
  for (const limit of ['minute', 'hour'] as const) {
    const { requests, refused, share } = await budgetCampaign({ limit, seconds, restarts, seed: 1 });
    console.log(
      `the ${limit}'s limit, ${PROCESSES} processes for ${seconds} s with ${restarts} kills and clocks set back and forth: ${requests} requests, ${(share * 100).toFixed(1)} % of what the limits allow, ${refused} refused`,
    );
    if (refused > 0) process.exitCode = 1;
  }
}
