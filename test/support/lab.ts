import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createClient, type Client } from '../../src/api/client.ts';
import { openLedger } from '../../src/budget/ledger.ts';
import { createBudget } from '../../src/budget/queue.ts';
import { defaultConfig, type Config } from '../../src/config/schema.ts';
import { DATASETS, datasetNamed, DATA_TYPE_OPTIONS } from '../../src/datasets/registry.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { canonicalJson, type Json } from '../../src/shared/json.ts';
import { silentLog } from '../../src/shared/log.ts';
import { startSimulator, type Simulator, type SimulatorOptions } from '../../src/simulator/server.ts';
import { runSync, type SyncOptions, type SyncResult } from '../../src/sync/run.ts';
import type { SyncContext } from '../../src/sync/open-session.ts';
import { records } from '../../src/warehouse/records.ts';
import { openWarehouse, type Warehouse } from '../../src/warehouse/warehouse.ts';
import { HOUR_MS as HOUR } from '../../src/shared/time.ts';

export { HOUR };

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hsw-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const DEFAULTS = defaultConfig(DATA_TYPE_OPTIONS);

export function configFor(url: string, path: string, change: Partial<Config> = {}): Config {
  return {
    ...DEFAULTS,
    warehouse: { ...DEFAULTS.warehouse, path },
    http: undefined,
    options: { 'agent-decisions': { detail: true } },
    deletes: { maxShare: 0.5 },
    log: { level: 'silent', pretty: false },
    ...change,
    api: {
      ...DEFAULTS.api,
      baseUrl: url,
      limits: { perHour: 100_000, perEndpointPerMinute: 100_000, reserve: 0 },
      pageSize: 100,
      timeoutMs: 5000,
      ...change.api,
    },
  };
}

/** A simulated HyperStudy at a time that the test sets, and a warehouse that mirrors it over real HTTP. */
export interface Lab {
  readonly simulator: Simulator;
  readonly warehouse: Warehouse;
  readonly client: Client;
  now: number;
  sync(
    change?: Partial<
      Pick<SyncOptions, 'selection' | 'full' | 'acceptDeletes' | 'acceptSchema' | 'signal' | 'reread'>
    > & {
      config?: Partial<Config>;
    },
  ): Promise<SyncResult>;
  /** What a sync works with. */
  context(): SyncContext;
  /** The records of a data type in the warehouse, as sorted canonical JSON. */
  mirrored(data: string, experimentId: string): string[];
  /** The records that the API holds now, in the same form. */
  truth(data: string, experimentId: string): string[];
}

export const START = Date.parse('2026-01-12T09:00:00.000Z');

export async function openLab(
  options: SimulatorOptions & { config?: Partial<Config>; organization?: string } = {},
): Promise<Lab> {
  let now = START + 2 * HOUR + 60_000;
  const limits = { perHour: 1e6, perEndpointPerMinute: 1e6 };
  const simulator = await startSimulator({ limits, ...options, now: () => now, meterNow: Date.now });
  const path = join(temporaryFolder(), 'lab.db');
  const config = configFor(simulator.url, path, options.config);
  const clock = { ...systemClock, now: () => now, sleep: () => Promise.resolve() };
  const warehouse = openWarehouse(path, { clock, history: config.history, privacy: config.privacy });
  const { limits: ours, timeoutMs, concurrency } = config.api;
  const ledger = openLedger(warehouse.db, { clock: systemClock, keyId: 'test', ...ours, deadlineMs: timeoutMs });
  const budget = createBudget({ ledger, clock: systemClock, concurrency });
  const client = createClient({
    baseUrl: simulator.url,
    key: simulator.key,
    organization: options.organization,
    budget,
    clock,
    random: Math.random,
    log: silentLog,
    timeoutMs,
    userAgent: 'test',
  });
  onTestFinished(async () => {
    await client.close();
    warehouse.close();
    await simulator.close();
  });
  const context = () => ({
    client,
    warehouse,
    config,
    clock,
    log: silentLog,
    full: false,
    acceptDeletes: false,
  });
  return {
    simulator,
    warehouse,
    client,
    get now() {
      return now;
    },
    set now(to) {
      now = to;
    },
    context,
    sync: ({ config: change, ...rest } = {}) =>
      runSync({ ...context(), config: { ...config, ...change }, selection: {}, ...rest }),
    mirrored: (data, experimentId) =>
      [...records(warehouse.db, datasetNamed(data), [experimentId])].map(({ record }) => canonicalJson(record)).sort(),
    truth: (data, experimentId) =>
      simulator.world
        .records(data, experimentId, now)
        .map((record) => canonicalJson(record as Json))
        .sort(),
  };
}

/** The data types whose records the API hands on as they are; an experiment's counts are its own. */
export const MIRRORED = DATASETS.map(({ name }) => name).filter((name) => name !== 'experiments');
