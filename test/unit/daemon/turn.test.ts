import { join } from 'node:path';
import type { Dispatcher } from 'undici';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/shared/clock.ts';
import { createApi } from '../../../src/simulator/api.ts';
import { createRandom } from '../../../src/simulator/random.ts';
import { DEMO_KEY } from '../../../src/simulator/server.ts';
import { createWorld } from '../../../src/simulator/world.ts';
import { SimulatedNetwork, type Delivery } from '../../simulation/network.ts';
import { virtualTime } from '../../simulation/virtual-time.ts';
import { HOUR, START, temporaryFolder } from '../../support/lab.ts';
import { LIMITS, startVirtualEngine } from '../../support/virtual-engine.ts';

const MINUTE = 60_000;
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
    videoSeconds: 60,
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

describe('a turn', () => {
  it('does not read a stream again that is being read while the plan is made', async () => {
    const { requests, wait, stop } = lab();
    await wait(5 * MINUTE);
    const before = requests.length;
    await wait(HOUR / 2);
    await stop();
    const ofOnePage = requests.slice(before).filter(({ path }) => /chat|components|participants|sparse/.test(path));
    const polls = [...Map.groupBy(ofOnePage, ({ path }) => path).values()];
    const pauses = polls.flatMap((of) => of.slice(1).map(({ at }, i) => at - (of[i]?.at ?? 0)));
    expect(pauses.length).toBeGreaterThan(10);
    expect(Math.min(...pauses)).toBeGreaterThan(10_000);
  });
});
