import { join } from 'node:path';
import type { Dispatcher } from 'undici';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/shared/clock.ts';
import { createApi } from '../../src/simulator/api.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { DEMO_KEY } from '../../src/simulator/server.ts';
import { createWorld } from '../../src/simulator/world.ts';
import { SimulatedNetwork, type Delivery } from '../simulation/network.ts';
import { virtualTime } from '../simulation/virtual-time.ts';
import { HOUR, START, temporaryFolder } from '../support/lab.ts';
import { LIMITS, startVirtualEngine } from '../support/virtual-engine.ts';
import { MINUTE_MS as MINUTE } from '../../src/shared/time.ts';

const LATENCY = 700;

/** Answers after a while, during which everything else goes on. */
class SlowNetwork extends SimulatedNetwork {
  readonly #clock: Clock;

  constructor(clock: Clock, deliver: ConstructorParameters<typeof SimulatedNetwork>[0]) {
    super(deliver);
    this.#clock = clock;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    void this.#clock.sleep(LATENCY).then(() => super.dispatch(options, handler));
    return true;
  }
}

type Request = Parameters<ConstructorParameters<typeof SimulatedNetwork>[0]>[0];

/** Two experiments of which each opens a room every hour, on an API that takes a while to answer. */
function lab(lost: (request: Request) => Delivery | undefined = () => undefined) {
  const time = virtualTime(START + 2 * HOUR);
  const setBack = { ms: 0 };
  const clock: Clock = { ...time.clock, now: () => time.clock.now() - setBack.ms };
  const world = createWorld({
    seed: 1,
    start: START,
    experiments: 2,
    roomsPerExperiment: 9,
    participantsPerRoom: 2,
    videoSeconds: 10,
    roomEveryMs: HOUR,
  });
  const handle = createApi({ world, keys: [{ key: DEMO_KEY, scopes: ['*'] }], limits: LIMITS });
  const requests: { readonly at: number; readonly path: string; readonly query: string }[] = [];
  const network = new SlowNetwork(clock, (request) => {
    requests.push({ at: time.clock.now(), path: request.path, query: request.query.toString() });
    return lost(request) ?? { reply: handle(request, time.clock.now()) };
  });
  const random = createRandom(1);
  const daemon = startVirtualEngine({
    path: join(temporaryFolder(), 'w.db'),
    network,
    clock,
    random: () => random.next(),
  });
  const wait = (ms: number) => time.until(time.clock.sleep(ms));
  return { ...daemon, requests, wait, setBack, stop: () => time.until(daemon.stop()) };
}

describe('a tick', () => {
  it('does not read a stream again that is being read while the plan is made', async () => {
    const { requests, wait, stop } = lab();
    await wait(5 * MINUTE);
    const before = requests.length;
    await wait(HOUR / 2);
    await stop();
    // A read begins at the first record; a request for what comes behind the last one belongs to the same read.
    const ofOnePage = requests
      .slice(before)
      .filter(({ path, query }) => /chat|components|participants|sparse/.test(path) && /offset=0&sort/.test(query));
    const polls = [...Map.groupBy(ofOnePage, ({ path }) => path).values()];
    const pauses = polls.flatMap((of) => of.slice(1).map(({ at }, i) => at - (of[i]?.at ?? 0)));
    expect(pauses.length).toBeGreaterThan(10);
    expect(Math.min(...pauses)).toBeGreaterThan(10_000);
  });
});

/** Requests of each of so many periods, of an hour by default. */
async function counted(
  { requests, wait }: ReturnType<typeof lab>,
  { periods, of = '', periodMs = HOUR }: { periods: number; of?: string; periodMs?: number },
): Promise<number[]> {
  const counts: number[] = [];
  for (let i = 0; i < periods; i++) {
    const before = requests.length;
    await wait(periodMs);
    counts.push(requests.slice(before).filter(({ path }) => path.includes(of)).length);
  }
  return counts;
}

describe('a clock that is set back', () => {
  it('keeps nothing waiting until the time comes again', async () => {
    const daemon = lab();
    await daemon.wait(HOUR / 2);
    daemon.setBack.ms = 24 * HOUR;
    const [first = 0, second = 0] = await counted(daemon, { periods: 2, periodMs: HOUR / 2 });
    expect(first).toBeGreaterThan(30);
    expect(second).toBeGreaterThan(30);
    const ahead = daemon.warehouse.db
      .prepare<[string], number>('SELECT count(*) FROM _streams WHERE NOT finished AND last_sync_at > ?')
      .pluck();
    expect(ahead.get(new Date(START).toISOString())).toBe(0);
    await daemon.stop();
  });
});

describe('a data type that cannot be reached while all others can', () => {
  it('neither uses up the hour nor holds the others up', async () => {
    const broken = lab(({ path }) =>
      path.includes('/chat/')
        ? { error: Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' }) }
        : undefined,
    );
    const [first = 0, second = 0, third = 0] = await counted(broken, { periods: 3, of: '/chat/' });
    expect(first).toBeLessThan(100);
    expect(second).toBeLessThan(50);
    expect(third).toBeLessThan(50);
    const unread = "SELECT DISTINCT data FROM _streams WHERE NOT backfilled AND last_status IS NOT 'skipped'";
    expect(broken.warehouse.db.prepare(unread).pluck().all()).toEqual(['chat']);
    await broken.stop();
  });
});
