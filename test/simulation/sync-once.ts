import { createClient, type RequestBudget } from '../../src/api/client.ts';
import { openLedger, type Ledger } from '../../src/budget/ledger.ts';
import { createBudget } from '../../src/budget/queue.ts';
import type { Clock } from '../../src/shared/clock.ts';
import { WarehouseError } from '../../src/shared/errors.ts';
import { silentLog } from '../../src/shared/log.ts';
import { DEMO_KEY } from '../../src/simulator/server.ts';
import { reconcile } from '../../src/sync/rolling.ts';
import { knownStreams, runSync } from '../../src/sync/run.ts';
import { openWarehouse, type Warehouse } from '../../src/warehouse/warehouse.ts';
import { configFor } from '../support/lab.ts';
import {
  endsWell,
  gapsInHistory,
  grownHistory,
  historySizes,
  lostRows,
  wrongDerived,
  wrongPositions,
} from './checks.ts';
import { wronglyLearned } from './learned.ts';
import type { SimulatedNetwork } from './network.ts';
import { brokenPromises } from './promise.ts';
import { PAGE_SIZE, type Run } from './state.ts';

/** An ordinary sync; one that reads everything again; one with the night's reconcile behind it. */
export type Kind = 'ordinary' | 'full' | 'reconcile';

/** One sync in a process of its own, and every check behind it. @param when once all is quiet, or before, or the very last. */
export type Sync = (kind: Kind, when: 'early' | 'quiet' | 'last') => Promise<void>;

export const LIMITS = { perHour: 1000, perEndpointPerMinute: 100 };
const URL = 'http://simulated/api/v3';

/** Ends a sync where it stands, as kill -9 would: what was committed stays, what was not is gone. */
class Kill extends Error {}

export function createSync(run: Run, network: SimulatedNetwork, path: string): Sync {
  const former = new Map<string, Map<string, string>>();
  let erasures = run.erasures;
  return async (kind, when) => {
    // An erasure leaves no former versions.
    if (run.erasures !== erasures) former.clear();
    erasures = run.erasures;
    const warehouse = openWarehouse(path, { clock: run.clock, history: true });
    const { db } = warehouse;
    const lostBefore = run.faults;
    const historyBefore = historySizes(db);
    run.starts.push(run.now);
    const isKilled = await syncOnce(run, network, { path, warehouse, kind, nightly: when === 'early' ? 50 : Infinity });
    if (isKilled) run.kills++;
    const found = [
      ...gapsInHistory(db, former),
      ...wrongPositions(run, db),
      ...wrongDerived(db),
      ...lostRows(run, db),
      ...(isKilled ? [] : brokenPromises(run, db, run.faults === lostBefore)),
      ...wronglyLearned(run, db, run.faults === lostBefore),
      ...(when === 'last' ? [...endsWell(run, db), ...grownHistory(run, db, historyBefore)] : []),
    ];
    for (const violation of found) report(run, violation, kind);
    warehouse.close();
  };
}

/** What goes on being wrong is told once. */
function report(run: Run, violation: string, kind: Kind): void {
  const what = (violation.split(', such as')[0] ?? '').replace(/\d+/g, 'n');
  if (run.told.has(what)) return;
  run.told.add(what);
  run.violations.push(`sync ${run.starts.length}, ${kind}: ${violation}`);
}

/** Gives whether the process was killed over it. */
async function syncOnce(
  run: Run,
  network: SimulatedNetwork,
  { path, warehouse, kind, nightly }: { path: string; warehouse: Warehouse; kind: Kind; nightly: number },
): Promise<boolean> {
  const { clock, random, experimentId, lookbackMs } = run;
  const experiments = [{ id: experimentId }];
  const config = configFor(URL, path, { deletes: { maxShare: 1 }, lookbackMs, experiments });
  const api = { ...config.api, limits: { ...LIMITS, reserve: 0 }, pageSize: PAGE_SIZE, concurrency: 1 };
  const step = killer(run.stormy && random.chance(0.3) ? random.int(1, 60) : Infinity);
  const context = {
    client: createClient({
      baseUrl: URL,
      key: DEMO_KEY,
      budget: killable(budgetOf(run, warehouse), step),
      clock,
      random: () => random.next(),
      log: silentLog,
      timeoutMs: 60_000,
      userAgent: 'simulation',
      dispatcher: network,
    }),
    warehouse: mortal(warehouse, step),
    config: { ...config, api },
    clock,
    log: silentLog,
    selection: {},
    full: kind === 'full',
    // A user who accepts deletions looks first, and does not do so while the API says what is not so.
    acceptDeletes: !run.stormy && run.wrong.length === run.lasting.length,
  };
  try {
    await runSync(context);
    if (kind === 'reconcile') await reconcile(context, knownStreams(context, experiments), nightly);
  } catch (error) {
    if (error instanceof Kill) return true;
    if (!(error instanceof WarehouseError)) throw error;
  }
  return false;
}

function killer(killAt: number): () => void {
  let steps = 0;
  return () => {
    if (++steps >= killAt) throw new Kill();
  };
}

function mortal(warehouse: Warehouse, step: () => void): Warehouse {
  return {
    ...warehouse,
    commit(stream, batch) {
      step();
      const committed = warehouse.commit(stream, batch);
      step();
      return committed;
    },
  };
}

/** The line of waiting requests takes real time for each: most seeds ask the ledger directly. */
function budgetOf({ seed, clock }: Run, { db }: Warehouse): RequestBudget {
  const ledger = openLedger(db, { clock, keyId: 'k', ...LIMITS, reserve: 0, deadlineMs: 6000 });
  return seed % 10 === 0 ? createBudget({ ledger, clock, concurrency: 1 }) : direct(ledger, clock);
}

function direct(ledger: Ledger, clock: Clock): RequestBudget {
  return {
    pause: (endpoint, waitMs) => ledger.pause(endpoint, waitMs),
    async spend({ endpoint }, send) {
      for (;;) {
        const grant = ledger.tryStart(endpoint);
        if ('token' in grant) return send().finally(() => ledger.finish(grant.token));
        await clock.sleep(grant.waitMs);
      }
    },
  };
}

function killable(budget: RequestBudget, step: () => void): RequestBudget {
  return {
    pause: (endpoint, waitMs) => budget.pause(endpoint, waitMs),
    spend: async (spending, send) => {
      step();
      return budget.spend(spending, send).finally(step);
    },
  };
}
