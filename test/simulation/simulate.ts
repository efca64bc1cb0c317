import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient, type RequestBudget } from '../../src/api/client.ts';
import { openLedger, type Ledger } from '../../src/budget/ledger.ts';
import { createBudget } from '../../src/budget/queue.ts';
import { DATASETS, datasetNamed } from '../../src/datasets/registry.ts';
import type { Clock } from '../../src/shared/clock.ts';
import { WarehouseError } from '../../src/shared/errors.ts';
import { canonicalJson, type Json } from '../../src/shared/json.ts';
import { silentLog } from '../../src/shared/log.ts';
import { createApi } from '../../src/simulator/api.ts';
import { createRandom, type Random } from '../../src/simulator/random.ts';
import type { SimReply } from '../../src/simulator/reply.ts';
import { DEMO_KEY } from '../../src/simulator/server.ts';
import { createWorld, type World } from '../../src/simulator/world.ts';
import { reconcile } from '../../src/sync/rolling.ts';
import { knownStreams, runSync } from '../../src/sync/run.ts';
import { openWarehouse, type Warehouse } from '../../src/warehouse/warehouse.ts';
import { configFor } from '../support/lab.ts';
import { live, randomReadings } from './life.ts';
import { difference, mirrored, textOf } from './mirror.ts';
import { SimulatedNetwork, type Delivery } from './network.ts';

/** What one seed came to. */
export interface Outcome {
  readonly seed: number;
  readonly simulatedMs: number;
  readonly syncs: number;
  readonly requests: number;
  readonly faults: number;
  readonly kills: number;
  /** What should never be; empty when every invariant held. */
  readonly violations: readonly string[];
}

/** Ends a sync where it stands, as kill -9 would: what was committed stays, what was not is gone. */
class Kill extends Error {}

const START = Date.parse('2026-03-01T08:00:00.000Z');
const LIMITS = { perHour: 1000, perEndpointPerMinute: 100 };
const COMPARED = DATASETS.map(({ name }) => name).filter((name) => name !== 'experiments');

interface Run {
  readonly seed: number;
  readonly random: Random;
  readonly world: World;
  readonly experimentId: string;
  /** Data types whose answers warn and lack records while it storms, however often they are asked for. */
  readonly warned: readonly string[];
  readonly clock: Clock;
  now: number;
  /** Whether faults and kills may strike. */
  stormy: boolean;
  requests: number;
  faults: number;
  kills: number;
  readonly violations: string[];
}

/**
 * A world of random readings that lives for weeks while the real sync code mirrors it, with faults on the network and
 * kills between any two steps; then all falls quiet, everything is read again, and the tables must equal the truth.
 * Time is virtual; the same seed gives the same run.
 */
export async function simulate(seed: number): Promise<Outcome> {
  const random = createRandom(seed);
  const readings = randomReadings(random);
  const world = createWorld({
    seed,
    start: START,
    experiments: 1,
    roomsPerExperiment: 3,
    participantsPerRoom: 2,
    videoSeconds: 12,
    roomEveryMs: 26 * 3_600_000,
    ...(random.chance(0.3) ? { ids: 'room' as const } : {}),
  });
  const [experimentId = ''] = world.experimentIds;
  const run: Run = {
    seed,
    random,
    world,
    experimentId,
    warned: random.chance(0.4) ? COMPARED.filter(() => random.chance(0.4)) : [],
    // A first read of little, or of days.
    now: START + random.pick([600_000, 60 * 3_600_000]),
    stormy: true,
    requests: 0,
    faults: 0,
    kills: 0,
    violations: [],
    clock: undefined as never,
  };
  const clock: Clock = {
    now: () => run.now,
    uptime: () => run.now - START,
    bootId: 'simulated',
    sleep: (ms) => {
      run.now += Math.max(ms, 0);
      return Promise.resolve();
    },
  };
  Object.assign(run, { clock });
  const handle = createApi({ world, keys: [{ key: DEMO_KEY, scopes: ['*'] }], limits: LIMITS, readings });
  const network = new SimulatedNetwork((request) => deliver(run, request.path, () => handle(request, run.now)));
  const folder = mkdtempSync(join(tmpdir(), 'hsw-simulation-'));
  const former = new Map<string, Map<string, string>>();
  const rounds = random.int(6, 14);
  let syncs = 0;
  try {
    for (let round = 0; round <= rounds; round++) {
      const isQuiet = round === rounds;
      run.stormy = !isQuiet && random.chance(0.5);
      if (isQuiet) run.now += 2 * 86_400_000;
      else live(world, experimentId, run.now, random);
      // Twice, as the first full read may have to learn how the endpoints behave.
      const kinds = isQuiet
        ? lastKinds(seed)
        : [
            random.chance(0.1)
              ? ('full' as const)
              : random.chance(0.2)
                ? ('reconcile' as const)
                : ('ordinary' as const),
          ];
      for (const [i, kind] of kinds.entries()) {
        const isLast = isQuiet && i === kinds.length - 1;
        await syncOnce(run, network, join(folder, 'w.db'), { kind, isQuiet, isLast }, former);
        syncs++;
        if (isQuiet && kind === 'reconcile') run.now += 24 * 3_600_000;
      }
      run.now += random.pick([1000, 30_000, 600_000, 3_600_000, 30 * 3_600_000]);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const { requests, faults, kills, violations } = run;
  const told = violations.map((violation) => `${violation} (readings ${JSON.stringify(readings)})`);
  return { seed, simulatedMs: run.now - START, syncs, requests, faults, kills, violations: told };
}

/** An ordinary sync; one that reads everything again; one with the night's reconcile behind it. */
type Kind = 'ordinary' | 'full' | 'reconcile';

/**
 * How a run ends once all is quiet: most with full reads (two, as the first may have to learn how the endpoints behave),
 * some with a month of nightly reconciles, which must come to the same.
 */
function lastKinds(seed: number): Kind[] {
  return seed % 8 === 0 ? ['ordinary', ...Array<Kind>(32).fill('reconcile')] : ['ordinary', 'full', 'full'];
}

/** One request reaches the API, or one of the faults strikes; each takes a moment. */
function deliver(run: Run, path: string, answer: () => SimReply): Delivery {
  const { random } = run;
  run.requests++;
  run.now += random.int(5, 400);
  const fault = run.stormy && random.chance(0.06) ? random.int(0, 6) : -1;
  if (fault >= 0) run.faults++;
  if (fault === 0) return { error: Object.assign(new Error('reset'), { code: 'ECONNRESET' }) };
  if (fault === 1) {
    run.now += 5000;
    return { error: Object.assign(new Error('hang'), { name: 'TimeoutError' }) };
  }
  const reply = answer();
  run.now += random.int(5, 200);
  if (reply.status === 429) run.violations.push('the API answered 429: a limit was exceeded');
  if (fault === 2) return { reply, cutAfter: random.int(0, reply.body.length) };
  if (fault === 3) return { reply: { ...reply, status: 503, body: '<html>unavailable</html>' } };
  if (fault === 4) return { reply: { ...reply, body: reply.body.slice(0, random.int(0, reply.body.length)) } };
  if (fault === 5)
    return {
      reply: {
        ...reply,
        status: 429,
        headers: { 'retry-after': '30' },
        body: '{"status":"error","error":{"code":"RATE_LIMIT_EXCEEDED","message":"others"}}',
      },
    };
  // With every third seed rooms warn as well, so that no narrower request gets the whole.
  const scope = run.seed % 3 === 0 ? '' : 'experiment/';
  const isWarned = run.stormy && run.warned.some((data) => path.startsWith(`/data/${data}/${scope}`));
  if (fault === 6 || isWarned) return { reply: incomplete(reply, random) };
  return { reply };
}

/** A success that lacks rows and warns of it. */
function incomplete(reply: SimReply, random: Random): SimReply {
  const body = JSON.parse(reply.body) as { data?: unknown; metadata?: Record<string, unknown> };
  if (!Array.isArray(body.data) || body.metadata === undefined) return reply;
  const data = body.data.filter(() => random.chance(0.7));
  return {
    ...reply,
    body: JSON.stringify({
      ...body,
      data,
      metadata: { ...body.metadata, _warnings: ['MISSING_INDEX: Results may be incomplete.'] },
    }),
  };
}

async function syncOnce(
  run: Run,
  network: SimulatedNetwork,
  path: string,
  { kind, isQuiet, isLast }: { kind: Kind; isQuiet: boolean; isLast: boolean },
  former: Map<string, Map<string, string>>,
): Promise<void> {
  const { clock, random } = run;
  const warehouse = openWarehouse(path, { clock, history: true });
  const config = configFor('http://simulated/api/v3', path, {
    deletes: { maxShare: 1 },
    // A short lookback hides no watermark that is too far ahead.
    lookbackMs: run.seed % 3 === 0 ? 300_000 : 3_600_000,
    experiments: [{ id: run.experimentId }],
  });
  const api = { ...config.api, limits: { ...LIMITS, reserve: 0 }, pageSize: 20, concurrency: 1 };
  const ledger = openLedger(warehouse.db, { clock, keyId: 'k', ...api.limits, deadlineMs: 6000 });
  const killAt = run.stormy && random.chance(0.3) ? random.int(1, 60) : Infinity;
  let steps = 0;
  const step = () => {
    if (++steps >= killAt) throw new Kill();
  };
  const client = createClient({
    baseUrl: 'http://simulated/api/v3',
    key: DEMO_KEY,
    // The line of waiting requests takes real time for each: most seeds ask the ledger directly.
    budget: killable(
      run.seed % 10 === 0 ? createBudget({ ledger, clock, concurrency: 1 }) : direct(ledger, clock),
      step,
    ),
    clock,
    random: () => random.next(),
    log: silentLog,
    timeoutMs: 60_000,
    userAgent: 'simulation',
    dispatcher: network,
  });
  const mortal: Warehouse = {
    ...warehouse,
    commit(stream, batch) {
      step();
      const committed = warehouse.commit(stream, batch);
      step();
      return committed;
    },
  };
  try {
    const context = {
      client,
      warehouse: mortal,
      config: { ...config, api },
      clock,
      log: silentLog,
      selection: {},
      full: kind === 'full',
      acceptDeletes: !run.stormy,
    };
    await runSync(context);
    if (kind === 'reconcile')
      await reconcile(context, knownStreams(context, [{ id: run.experimentId }]), isQuiet ? Infinity : 50);
  } catch (error) {
    if (error instanceof Kill) run.kills++;
    else if (!(error instanceof WarehouseError)) throw error;
  }
  checkHistory(run, warehouse, former);
  if (isLast || (!run.stormy && kind === 'full')) checkMirror(run, warehouse);
  if (isQuiet && kind === 'ordinary') checkNothingSkipped(run, warehouse, config.lookbackMs);
  checkPositions(run, warehouse);
  warehouse.close();
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

/** After a quiet full read, each table is the truth, record by record. */
function checkMirror({ world, experimentId, now, violations }: Run, { db }: Warehouse): void {
  for (const data of COMPARED) {
    const wrong = difference(db, data, world.records(data, experimentId, now));
    if (wrong !== undefined) violations.push(wrong);
  }
}

/**
 * An ordinary sync after the storm, without reading everything again: no row is missing that reached the API within
 * the lookback of its timestamp and never changed since, where the stream says that it is complete.
 */
function checkNothingSkipped(
  { world, experimentId, now, violations }: Run,
  { db }: Warehouse,
  lookbackMs: number,
): void {
  for (const data of COMPARED) {
    const { timeField } = datasetNamed(data);
    const read = db
      .prepare<[string], { complete: number; asOf: string | null }>(
        'SELECT min(complete) AS complete, min(data_as_of) AS asOf FROM _streams WHERE data = ?',
      )
      .get(data);
    if (timeField === undefined || read?.complete !== 1) continue;
    // What reached the API after the stream was read is the next sync's.
    const asOf = Date.parse(read.asOf ?? '');
    const held = new Set(mirrored(db, data));
    const skipped = world.lives(data, experimentId).filter(({ versions, removedAt }) => {
      const [first] = versions;
      if (first === undefined || versions.length > 1 || first.from > asOf || removedAt <= now) return false;
      const isPrompt = first.from - Date.parse(String(first.record[timeField])) < lookbackMs - 60_000;
      return isPrompt && !held.has(textOf(first.record));
    });
    if (skipped.length > 0) violations.push(`${data}: an ordinary sync skipped ${skipped.length} rows`);
  }
}

/** No watermark is ahead of the newest record that the API has ever had. */
function checkPositions({ world, experimentId, now, violations }: Run, { db }: Warehouse): void {
  const positions = db
    .prepare<[], { data: string; watermark: string | null; rows: number; scope: string }>(
      'SELECT data, watermark, rows, scope FROM _streams',
    )
    .all();
  for (const { data, watermark, rows, scope } of positions) {
    const { table, timeField } = datasetNamed(data);
    if (scope === 'experiment') {
      const held = db.prepare(`SELECT count(*) FROM "${table}"`).pluck().get();
      if (held !== rows) violations.push(`${data}: _streams says ${rows} rows, the table holds ${String(held)}`);
    }
    if (watermark === null || timeField === undefined) continue;
    const newest = world
      .lives(data, experimentId)
      .flatMap(({ versions }) =>
        versions.filter(({ from }) => from <= now).map(({ record }) => Date.parse(String(record[timeField]))),
      );
    if (Date.parse(watermark) > Math.max(...newest))
      violations.push(`${data}: the watermark ${watermark} is ahead of the truth`);
  }
}

/** Every row that changed or went since the last look stands in the history as it was. */
function checkHistory({ violations }: Run, { db }: Warehouse, former: Map<string, Map<string, string>>): void {
  for (const dataset of DATASETS) {
    const columns = [...dataset.columns.map(({ name }) => name), 'extra'];
    const rows = db
      .prepare<[], Record<string, string>>(
        `SELECT key, json_object(${columns.map((name) => `'${name}', "${name}"`).join(', ')}) AS version FROM "${dataset.table}"`,
      )
      .all();
    const present = new Map(rows.map(({ key = '', version = '' }) => [key, version]));
    const kept = db
      .prepare<[string, string], string>('SELECT record FROM _history WHERE table_name = ? AND key = ?')
      .pluck();
    for (const [key, version] of former.get(dataset.table) ?? []) {
      if (present.get(key) === version) continue;
      const has = kept.all(dataset.table, key).some((record) => {
        const members = Object.entries(JSON.parse(record) as Record<string, Json>);
        const said = Object.fromEntries(members.filter(([name]) => name !== 'first_seen_at' && name !== 'synced_at'));
        return canonicalJson(said) === canonicalJson(JSON.parse(version) as Json);
      });
      if (!has) violations.push(`${dataset.name}: the former version of ${key} is not in the history`);
    }
    former.set(dataset.table, present);
  }
}
