import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../src/shared/clock.ts';
import { createApi } from '../../src/simulator/api.ts';
import type { ApiFault } from '../../src/simulator/faults.ts';
import { createRandom, type Random } from '../../src/simulator/random.ts';
import { ORDINARY } from '../../src/simulator/readings.ts';
import type { SimReply } from '../../src/simulator/reply.ts';
import { DEMO_KEY } from '../../src/simulator/server.ts';
import { createWorld } from '../../src/simulator/world.ts';
import { COMPARED } from './checks.ts';
import { lastingFaults, passingFault, singleReading, strangely } from './faults.ts';
import { createGap } from './gap.ts';
import { live, randomReadings } from './life.ts';
import { createRarer } from './rarer.ts';
import { createSecondListing } from './second-listing.ts';
import { SimulatedNetwork, type Delivery } from './network.ts';
import type { Run } from './state.ts';
import { createSync, LIMITS, type Kind, type Sync } from './sync-once.ts';
import { createWithdrawal } from './withdrawal.ts';
import { DAY_MS } from '../../src/shared/time.ts';

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

const START = Date.parse('2026-03-01T08:00:00.000Z');
/** So many rooms are played, one after another. */
const ROOMS = 3;
const ROOM_EVERY_MS = 26 * 3_600_000;

/**
 * A world of random readings that lives for weeks while the real sync code mirrors it, with faults on the network and
 * in the API and kills between any two steps; then all falls quiet, everything is read again, and the tables must equal
 * the truth. Time is virtual; the same seed gives the same run.
 */
export async function simulate(seed: number): Promise<Outcome> {
  const run = createRun(seed);
  const { random, world, wrong, readings } = run;
  const keys = [{ key: DEMO_KEY, scopes: ['*'] }];
  const handle = createApi({ world, keys, limits: LIMITS, readings, faults: wrong });
  const network = new SimulatedNetwork((request) => deliver(run, () => handle(request, run.now)));
  const folder = mkdtempSync(join(tmpdir(), 'hsw-simulation-'));
  const path = join(folder, 'w.db');
  const sync = createSync(run, network, path);
  const warned = warnings(seed, random);
  const gap = createGap(seed);
  const listAgain = createSecondListing(seed);
  const rarer = createRarer(seed);
  const withdraw = createWithdrawal(seed);
  run.story.push(...warned.map((fault) => JSON.stringify(fault)));
  try {
    for (let round = random.int(6, 14); round > 0; round--) {
      run.stormy = random.chance(0.5);
      const kind = random.chance(0.1) ? 'full' : random.chance(0.2) ? 'reconcile' : 'ordinary';
      befall(run, warned, kind, { gap, listAgain, rarer });
      await sync(kind, 'early');
      withdraw(run, path);
      run.now += random.pick([1000, 30_000, 600_000, 3_600_000, 30 * 3_600_000]);
    }
    await fallQuiet(run, sync);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const { requests, faults, kills, lasting, story } = run;
  const why = `(readings ${JSON.stringify(readings)}, for good ${JSON.stringify(lasting)}, then ${story.join(' ')})`;
  const violations = run.violations.map((violation) => `${violation} ${why}`);
  return { seed, simulatedMs: run.now - START, syncs: run.starts.length, requests, faults, kills, violations };
}

function createRun(seed: number): Run {
  const random = createRandom(seed);
  const readings = { ...ORDINARY, ...randomReadings(random) };
  const idsByRoom = random.chance(0.3);
  // The second experiment of a world has agents in it.
  const experiments = random.chance(0.3) ? 2 : 1;
  const world = createWorld({
    seed,
    start: START,
    experiments,
    roomsPerExperiment: ROOMS,
    participantsPerRoom: 2,
    videoSeconds: 12,
    roomEveryMs: ROOM_EVERY_MS,
    ...(idsByRoom ? { ids: 'room' as const } : {}),
  });
  const lasting = lastingFaults(random);
  const isEventful = random.chance(0.3);
  const clock: Clock = {
    now: () => run.now,
    uptime: () => run.now - START,
    bootId: 'simulated',
    sleep: (ms) => {
      run.now += Math.max(ms, 0);
      return Promise.resolve();
    },
  };
  const run: Run = {
    seed,
    random,
    readings,
    world,
    experimentId: world.experimentIds.at(-1) ?? '',
    idsByRoom,
    isEventful,
    clock,
    // A short lookback hides no watermark that is too far ahead.
    lookbackMs: seed % 3 === 0 ? 300_000 : 3_600_000,
    lasting,
    wrong: [...lasting],
    starts: [],
    held: new Map(),
    story: lasting.map((fault) => JSON.stringify(fault)),
    violations: [],
    told: new Set(),
    erasures: undefined,
    erasedAt: Infinity,
    // A first read of little, or of days.
    now: START + random.pick([600_000, 60 * 3_600_000]),
    stormy: true,
    requests: 0,
    faults: 0,
    kills: 0,
  };
  return run;
}

/** Data types whose answers warn and lack records while it storms, however often they are asked for. */
function warnings(seed: number, random: Random): ApiFault[] {
  if (!random.chance(0.4)) return [];
  const dataTypes = COMPARED.filter(() => random.chance(0.4));
  // With every third seed rooms warn as well, so that no narrower request gets the whole.
  const lacks = random.pick([0.3, 1]);
  return [{ kind: 'warned', dataTypes, lacks, ...(seed % 3 === 0 ? {} : { scopes: ['experiment'] }) }];
}

/** What has randomness of its own. */
interface Own {
  readonly gap: ReturnType<typeof createGap>;
  readonly listAgain: ReturnType<typeof createSecondListing>;
  readonly rarer: ReturnType<typeof createRarer>;
}

/** What a round brings: life goes on, and now and then something goes wrong, mostly while it storms. */
function befall(run: Run, warned: readonly ApiFault[], kind: Kind, { gap, listAgain, rarer }: Own): void {
  const { random, world, experimentId, now, wrong, stormy } = run;
  live(world, experimentId, now, random);
  if (random.chance(run.isEventful ? 0.6 : 0.15)) strangely(run, now);
  const passing = wrong.filter((fault) => fault.until !== undefined && fault.until > now);
  if (random.chance(stormy ? 0.25 : 0.04)) {
    const fault = passingFault(run, now);
    passing.push(fault);
    run.story.push(JSON.stringify(fault));
    run.faults++;
  }
  // A reconcile behind a sync would be the second reading that agrees.
  const single = kind !== 'reconcile' && random.chance(stormy ? 0.4 : 0.2) ? singleReading(run, now) : undefined;
  if (single !== undefined) run.story.push(JSON.stringify(single));
  const ofThisSync = single === undefined ? [] : [single];
  wrong.splice(0, Infinity, ...run.lasting, ...passing, ...(stormy ? warned : []), ...ofThisSync, ...rarer(run));
  listAgain(run, kind === 'ordinary');
  const ofGap = gap(run, kind === 'ordinary');
  if (ofGap === undefined) return;
  // Nothing else hides it.
  run.stormy = false;
  wrong.splice(0, Infinity, ...run.lasting, ...ofGap);
}

/**
 * The end of a run, when only what lasts is wrong: mostly full reads (several, as the first may have to learn how the
 * endpoints behave, a repeat counts once a second has shown it, and no row goes before that, nor on one reading), with
 * some seeds a month of nightly reconciles, which must come to the same. The last sync finds nothing changed.
 */
async function fallQuiet(run: Run, sync: Sync): Promise<void> {
  run.stormy = false;
  run.wrong.splice(0, Infinity, ...run.lasting);
  run.now = Math.max(run.now + 2 * DAY_MS, START + ROOMS * ROOM_EVERY_MS);
  const isNightly = run.seed % 8 === 0;
  const rest = isNightly ? Array<Kind>(32).fill('reconcile') : Array<Kind>(4).fill('full');
  const kinds: Kind[] = ['ordinary', ...rest];
  for (const [i, kind] of kinds.entries()) {
    await sync(kind, i === kinds.length - 1 ? 'last' : 'quiet');
    run.now += isNightly ? DAY_MS : 5 * 60_000;
  }
}

/** One request reaches the API, or one of the faults strikes; each takes a moment. */
function deliver(run: Run, answer: () => SimReply): Delivery {
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
  if (fault === 6 && reply.status === 200) return { reply: incomplete(reply, random) };
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
