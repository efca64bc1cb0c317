/**
 * `npm run daemon-life [-- --days 7 --seed 1]`: the daemon's real engine over real SQLite for days of virtual time, while
 * the world goes on, the network fails and the process is stopped and started; then the world rests for a month of nights, in
 * which the daemon alone must bring every table to the truth.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createClient, type RequestBudget } from '../../src/api/client.ts';
import { openLedger } from '../../src/budget/ledger.ts';
import { createEngine } from '../../src/daemon/engine.ts';
import { createProblems } from '../../src/daemon/problems.ts';
import { createTroubles } from '../../src/daemon/troubles.ts';
import { DATASETS, datasetNamed } from '../../src/datasets/registry.ts';
import { canonicalJson, type Json } from '../../src/shared/json.ts';
import { silentLog } from '../../src/shared/log.ts';
import { createApi } from '../../src/simulator/api.ts';
import { createRandom, type Random } from '../../src/simulator/random.ts';
import { DEMO_KEY } from '../../src/simulator/server.ts';
import { createWorld, type World } from '../../src/simulator/world.ts';
import { records } from '../../src/warehouse/rows.ts';
import { openWarehouse } from '../../src/warehouse/warehouse.ts';
import { configFor } from '../support/lab.ts';
import { live } from './life.ts';
import { SimulatedNetwork, type Delivery } from './network.ts';
import { virtualTime } from './virtual-time.ts';

export interface Life {
  readonly days: number;
  readonly requests: number;
  readonly faults: number;
  readonly restarts: number;
  readonly mostAnHour: number;
  /** Bytes of resident memory: the most, in MB. */
  readonly mostRss: number;
  readonly violations: readonly string[];
}

const START = Date.parse('2026-03-23T08:00:00.000Z');
const DAY_MS = 86_400_000;
const LIMITS = { perHour: 1000, perEndpointPerMinute: 100 };
const COMPARED = DATASETS.map(({ name }) => name).filter((name) => name !== 'experiments');
/** The nights in which every range is read again, and some to spare. */
const RESTING_DAYS = 32;

export async function daemonLife({ days, seed }: { days: number; seed: number }): Promise<Life> {
  const random = createRandom(seed);
  const time = virtualTime(START);
  const { clock } = time;
  const world = createWorld({
    seed,
    start: START,
    experiments: 2,
    roomsPerExperiment: 5,
    participantsPerRoom: 2,
    videoSeconds: 20,
    roomEveryMs: 7 * 3_600_000,
  });
  const handle = createApi({ world, keys: [{ key: DEMO_KEY, scopes: ['*'] }], limits: LIMITS, readings: {} });
  const tally = { requests: 0, faults: 0, restarts: 0, mostAnHour: 0, mostRss: 0 };
  const violations = new Set<string>();
  let isStormy = true;
  let recent: number[] = [];
  const network = new SimulatedNetwork((request): Delivery => {
    tally.requests++;
    time.pass(random.int(5, 300));
    recent = [...recent.filter((at) => clock.now() - at < 3_600_000), clock.now()];
    tally.mostAnHour = Math.max(tally.mostAnHour, recent.length);
    tally.mostRss = Math.max(tally.mostRss, process.memoryUsage.rss() / 1024 ** 2);
    const fault = isStormy && random.chance(0.05) ? random.int(0, 2) : -1;
    if (fault >= 0) tally.faults++;
    if (fault === 0) return { error: Object.assign(new Error('reset'), { code: 'ECONNRESET' }) };
    const reply = handle(request, clock.now());
    if (reply.status === 429) violations.add('the API answered 429: a limit was exceeded');
    if (fault === 1) return { reply, cutAfter: random.int(0, reply.body.length) };
    return fault === 2 ? { reply: { ...reply, status: 503, body: '<html>down</html>' } } : { reply };
  });
  const folder = mkdtempSync(join(tmpdir(), 'hsw-life-'));
  const path = join(folder, 'w.db');
  const ends = START + (days + RESTING_DAYS) * DAY_MS;
  try {
    while (clock.now() < ends) {
      const isResting = clock.now() >= START + days * DAY_MS;
      isStormy = !isResting;
      const upFor = isResting
        ? ends - clock.now()
        : Math.min(random.int(2, 30) * 3_600_000, START + days * DAY_MS - clock.now());
      await time.until(run({ path, network, clock, random, world, upFor, isResting }));
      tally.restarts++;
      if (!isResting && random.chance(0.3)) time.pass(random.int(1, 10) * 3_600_000);
    }
    for (const violation of compare(path, world, clock.now())) violations.add(violation);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return { days: days + RESTING_DAYS, ...tally, violations: [...violations] };
}

interface Uptime {
  readonly path: string;
  readonly network: SimulatedNetwork;
  readonly clock: ReturnType<typeof virtualTime>['clock'];
  readonly random: Random;
  readonly world: World;
  readonly upFor: number;
  readonly isResting: boolean;
}

/** The daemon's engine from a start to a stop. */
async function run({ path, network, clock, random, world, upFor, isResting }: Uptime): Promise<void> {
  const warehouse = openWarehouse(path, { clock, history: true });
  const plain = configFor('http://simulated/api/v3', path, { deletes: { maxShare: 1 } });
  const config = { ...plain, api: { ...plain.api, limits: { ...LIMITS, reserve: 0.1 }, pageSize: 50 } };
  const made: { shareOf?: (priority: number) => number } = {};
  const shareOf = (priority: number) => made.shareOf?.(priority) ?? 1;
  const ledger = openLedger(warehouse.db, { clock, keyId: 'k', ...config.api.limits, shareOf, deadlineMs: 60_000 });
  const budget: RequestBudget = {
    pause: (endpoint, waitMs) => ledger.pause(endpoint, waitMs),
    async spend({ endpoint, priority, signal }, send) {
      for (;;) {
        const grant = ledger.tryStart(endpoint, priority);
        if ('token' in grant) return send().finally(() => ledger.finish(grant.token));
        await clock.sleep(grant.waitMs, signal);
      }
    },
  };
  const client = createClient({
    baseUrl: 'http://simulated/api/v3',
    key: DEMO_KEY,
    budget,
    clock,
    random: () => random.next(),
    log: silentLog,
    timeoutMs: 60_000,
    userAgent: 'life',
    dispatcher: network,
  });
  const engine = createEngine({
    warehouse,
    clock,
    log: silentLog,
    connection: { config, client, budget: { ...budget, usage: () => ledger.usage() } },
    troubles: createTroubles(clock, silentLog),
    problems: createProblems(),
    onProgress: () => undefined,
  });
  made.shareOf = (priority) => engine.shareOf(priority);
  const stop = new AbortController();
  const running = engine.run(stop.signal);
  for (const until = clock.now() + upFor; clock.now() < until;) {
    await clock.sleep(Math.min(3_600_000, Math.max(1, until - clock.now())));
    if (!isResting) for (const id of world.experimentIds) live(world, id, clock.now(), random);
  }
  stop.abort(new Error('stopped'));
  await running;
  warehouse.close();
}

/** After a month of quiet nights, each table is the truth. */
function compare(path: string, world: World, now: number): string[] {
  const warehouse = openWarehouse(path, {
    clock: { now: () => now, uptime: () => 0, bootId: 'b', sleep: () => Promise.resolve() },
    history: true,
  });
  const wrong = COMPARED.flatMap((data) => {
    const mirrored = [...records(warehouse.db, datasetNamed(data))].map(({ record }) => canonicalJson(record)).sort();
    const truth = world.experimentIds
      .flatMap((id) => world.records(data, id, now))
      .map((record) => canonicalJson(record as Json))
      .sort();
    return mirrored.join('\n') === truth.join('\n')
      ? []
      : [`${data}: ${mirrored.length} rows for ${truth.length} records`];
  });
  const doubted = warehouse.db
    .prepare<[], string>("SELECT data || ': ' || reason FROM _streams WHERE NOT complete")
    .pluck()
    .all();
  warehouse.close();
  return [...wrong, ...doubted];
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: { days: { type: 'string', default: '7' }, seed: { type: 'string', default: '1' } },
  });
  const began = Date.now();
  const life = await daemonLife({ days: Number(values.days), seed: Number(values.seed) });
  for (const violation of life.violations) console.log(`✗ ${violation}`);
  console.log(
    `${life.days} days (${values.days} of them stormy) in ${((Date.now() - began) / 1000).toFixed(0)} s: ${life.requests} requests, at most ${life.mostAnHour} in an hour, ` +
      `${life.faults} faults, ${life.restarts} starts, memory at most ${life.mostRss.toFixed(0)} MB, ${life.violations.length} violations`,
  );
  process.exitCode = life.violations.length === 0 ? 0 : 1;
}
