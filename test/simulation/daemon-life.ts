/**
 * `npm run daemon-life [-- --days 7 --seed 1]`: the daemon's real engine over real SQLite for days of virtual time, while
 * the world goes on, the network fails and the process is stopped and started; then the world rests for a month of nights, in
 * which the daemon alone must bring every table to the truth.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DATASETS } from '../../src/datasets/registry.ts';
import { createApi } from '../../src/simulator/api.ts';
import { createRandom, type Random } from '../../src/simulator/random.ts';
import { DEMO_KEY } from '../../src/simulator/server.ts';
import { createWorld, type World } from '../../src/simulator/world.ts';
import { openWarehouse } from '../../src/warehouse/warehouse.ts';
import { LIMITS, startVirtualEngine } from '../support/virtual-engine.ts';
import { live, randomReadings } from './life.ts';
import { difference, isUncountable } from './mirror.ts';
import { SimulatedNetwork, type Delivery } from './network.ts';
import { virtualTime } from './virtual-time.ts';
import { DAY_MS } from '../../src/shared/time.ts';

export interface Life {
  readonly days: number;
  readonly requests: number;
  readonly faults: number;
  readonly restarts: number;
  /** How often the machine was suspended with the daemon running. */
  readonly sleeps: number;
  readonly mostAnHour: number;
  /** Hours in which the server could not be found, and the requests in them. */
  readonly outageHours: number;
  readonly inOutage: number;
  readonly violations: readonly string[];
}

const START = Date.parse('2026-03-23T08:00:00.000Z');
const COMPARED = DATASETS.map(({ name }) => name).filter((name) => name !== 'experiments');
/** The nights in which every range is read again, and some to spare. */
const RESTING_DAYS = 32;

export interface LifeOptions {
  /** Stormy days, and calm ones after them. */
  readonly days: number;
  readonly rest?: number;
  readonly seed: number;
  /** Small pages make many streams large, which are compared in parts over four weeks. */
  readonly pageSize?: number;
  /** Whether the API behaves in one of its undocumented ways, drawn by the seed, or in the most ordinary one. */
  readonly odd?: boolean;
}

export async function daemonLife(options: LifeOptions): Promise<Life> {
  const { days, seed, rest = RESTING_DAYS, pageSize = 50, odd = false } = options;
  const random = createRandom(seed);
  const readings = odd ? randomReadings(random) : {};
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
  const handle = createApi({ world, keys: [{ key: DEMO_KEY, scopes: ['*'] }], limits: LIMITS, readings });
  const tally = { requests: 0, faults: 0, restarts: 0, mostAnHour: 0, inOutage: 0, sleeps: 0 };
  const violations = new Set<string>();
  let isStormy = true;
  // Once the server cannot be found for hours, up to more than a day.
  const outageFrom = START + random.next() * days * 0.6 * DAY_MS;
  const outageTo = outageFrom + random.int(1, 26) * 3_600_000;
  let recent: number[] = [];
  const network = new SimulatedNetwork((request): Delivery => {
    tally.requests++;
    time.pass(random.int(5, 300));
    recent = [...recent.filter((at) => clock.now() - at < 3_600_000), clock.now()];
    tally.mostAnHour = Math.max(tally.mostAnHour, recent.length);
    if (isStormy && clock.now() >= outageFrom && clock.now() < outageTo) {
      tally.inOutage++;
      return { error: Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }) };
    }
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
  const ends = START + (days + rest) * DAY_MS;
  try {
    while (clock.now() < ends) {
      const isResting = clock.now() >= START + days * DAY_MS;
      isStormy = !isResting;
      const upFor = isResting
        ? ends - clock.now()
        : Math.min(random.int(2, 30) * 3_600_000, START + days * DAY_MS - clock.now());
      const fallAsleep = (ms: number) => {
        time.pass(ms);
        tally.sleeps++;
      };
      await time.until(run({ path, network, clock, random, world, upFor, isResting, pageSize, fallAsleep }));
      tally.restarts++;
      if (!isResting && random.chance(0.3)) time.pass(random.int(1, 10) * 3_600_000);
    }
    for (const violation of compare(path, world, clock.now())) violations.add(violation);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const outageHours = Math.round((Math.min(outageTo, START + days * DAY_MS) - outageFrom) / 3_600_000);
  const told = [...violations].map((violation) => `${violation} (readings ${JSON.stringify(readings)})`);
  return { days: days + rest, ...tally, outageHours, violations: told };
}

interface Uptime {
  readonly path: string;
  readonly network: SimulatedNetwork;
  readonly clock: ReturnType<typeof virtualTime>['clock'];
  readonly random: Random;
  readonly world: World;
  readonly upFor: number;
  readonly isResting: boolean;
  readonly pageSize: number;
  readonly fallAsleep: (ms: number) => void;
}

/** The daemon's engine from a start to a stop. */
async function run({
  path,
  network,
  clock,
  random,
  world,
  upFor,
  isResting,
  pageSize,
  fallAsleep,
}: Uptime): Promise<void> {
  const daemon = startVirtualEngine({ path, network, clock, random: () => random.next(), pageSize });
  for (const until = clock.now() + upFor; clock.now() < until;) {
    await clock.sleep(Math.min(3_600_000, Math.max(1, until - clock.now())));
    if (isResting) continue;
    // The machine is suspended for hours, with the daemon on it.
    if (random.chance(0.08)) fallAsleep(random.int(1, 12) * 3_600_000);
    for (const id of world.experimentIds) live(world, id, clock.now(), random);
  }
  await daemon.stop();
}

/** After a month of quiet nights each table is the truth, and no stream is in doubt but where no one could count. */
function compare(path: string, world: World, now: number): string[] {
  const warehouse = openWarehouse(path, {
    clock: { now: () => now, uptime: () => 0, bootId: 'b', sleep: () => Promise.resolve() },
    history: true,
  });
  const { db } = warehouse;
  const wrong = COMPARED.flatMap((data) => {
    const truth = world.experimentIds.flatMap((id) => world.records(data, id, now));
    return difference(db, data, truth) ?? [];
  });
  const doubted = db
    .prepare<[], { data: string; reason: string }>('SELECT data, reason FROM _streams WHERE NOT complete')
    .all()
    .filter(({ data }) => !isUncountable(db, data))
    .map(({ data, reason }) => `${data}: ${reason}`);
  warehouse.close();
  return [...wrong, ...doubted];
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: {
      days: { type: 'string', default: '7' },
      seed: { type: 'string', default: '1' },
      rest: { type: 'string', default: String(RESTING_DAYS) },
      odd: { type: 'boolean', default: false },
    },
  });
  const began = Date.now();
  const { days, seed, rest, odd } = values;
  const life = await daemonLife({ days: Number(days), seed: Number(seed), rest: Number(rest), odd });
  for (const violation of life.violations) console.log(`✗ ${violation}`);
  console.log(
    `${life.days} days (${days} of them stormy) in ${((Date.now() - began) / 1000).toFixed(0)} s: ${life.requests} requests, at most ${life.mostAnHour} in an hour, ` +
      `${life.faults} faults, ${life.restarts} starts, ${life.sleeps} times asleep, ${life.inOutage} requests in ${life.outageHours} hours without a server, ${life.violations.length} violations`,
  );
  process.exitCode = life.violations.length === 0 ? 0 : 1;
}
