import { createClient, type RequestBudget } from '../../src/api/client.ts';
import { openLedger } from '../../src/budget/ledger.ts';
import { rankNow } from '../../src/budget/priorities.ts';
import type { Config } from '../../src/config/schema.ts';
import { createEngine, type Engine, type EngineOptions } from '../../src/daemon/engine.ts';
import { createNotices, type Notices } from '../../src/daemon/notices.ts';
import { createOutage } from '../../src/daemon/outage.ts';
import { silentLog } from '../../src/shared/log.ts';
import type { Clock } from '../../src/shared/clock.ts';
import type { Priority } from '../../src/shared/priority.ts';
import { DEMO_KEY, type Simulator } from '../../src/simulator/server.ts';
import { openWarehouse, type Warehouse } from '../../src/warehouse/warehouse.ts';
import { SimulatedNetwork } from '../simulation/network.ts';
import { configFor } from './lab.ts';

export const LIMITS = { perHour: 1000, perEndpointPerMinute: 100 };

/** The daemon's engine on a real warehouse file, and a network and a clock that the test drives. */
export interface VirtualEngine {
  readonly engine: Engine;
  readonly warehouse: Warehouse;
  readonly notices: Notices;
  /** Ends the engine as SIGTERM does, and closes the file. */
  stop(): Promise<void>;
}

export interface VirtualEngineOptions extends Pick<EngineOptions, 'walBounds'> {
  readonly path: string;
  /** A simulated network, or a simulator that is reached over a real one. */
  readonly network: SimulatedNetwork | Pick<Simulator, 'url' | 'key'>;
  readonly clock: Clock;
  readonly random: () => number;
  /** The data types that it reads; by default all. */
  readonly data?: Config['data'];
  readonly pageSize?: Config['api']['pageSize'];
  readonly limits?: typeof LIMITS;
  /** Told of each request that lines up. */
  readonly onSpend?: (spending: { endpoint: string; priority?: Priority | undefined }) => void;
}

export function startVirtualEngine(options: VirtualEngineOptions): VirtualEngine {
  const { path, network, clock, random, data, pageSize = 'auto', limits = LIMITS, walBounds } = options;
  const api =
    network instanceof SimulatedNetwork
      ? { baseUrl: 'http://simulated/api/v3', key: DEMO_KEY, dispatcher: network }
      : { baseUrl: network.url, key: network.key };
  const warehouse = openWarehouse(path, { clock, history: true });
  const plain = configFor(api.baseUrl, path, { deletes: { maxShare: 1 }, ...(data === undefined ? {} : { data }) });
  const config = { ...plain, api: { ...plain.api, limits: { ...limits, reserve: 0.1 }, pageSize } };
  const connect: EngineOptions['connect'] = (_, shareOf) => {
    const ledger = openLedger(warehouse.db, { clock, keyId: 'k', ...config.api.limits, shareOf, deadlineMs: 60_000 });
    const budget: RequestBudget = {
      pause: (endpoint, waitMs) => ledger.pause(endpoint, waitMs),
      async spend({ endpoint, priority, signal }, send) {
        options.onSpend?.({ endpoint, priority });
        for (;;) {
          signal?.throwIfAborted();
          const grant = ledger.tryStart(endpoint, rankNow(priority));
          if ('token' in grant) return send().finally(() => ledger.finish(grant.token));
          await clock.sleep(grant.waitMs, signal);
        }
      },
    };
    const client = createClient({
      ...api,
      budget,
      clock,
      random,
      log: silentLog,
      timeoutMs: 60_000,
      userAgent: 'test',
    });
    return { config, client, budget: { ...budget, usage: () => ledger.usage() } };
  };
  const notices = createNotices();
  const engine = createEngine({
    warehouse,
    clock,
    log: silentLog,
    config,
    connect,
    outage: createOutage(clock, silentLog),
    notices,
    onProgress: () => undefined,
    ...(walBounds === undefined ? {} : { walBounds }),
  });
  const ending = new AbortController();
  const running = engine.run(ending.signal);
  return {
    engine,
    warehouse,
    notices,
    async stop() {
      ending.abort(new Error('stopped'));
      await running;
      warehouse.close();
    },
  };
}
