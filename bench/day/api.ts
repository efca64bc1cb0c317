/** The simulated API of the day, in a process of its own, by the same scaled clock as the daemon. */
import { startSimulator } from '../../src/simulator/server.ts';
import { scaledNow } from './scale.mjs';
import { dayWorld } from './world.ts';

const { DAY_START = '0', DAY_SEED = '1', DAY_THIN = '1' } = process.env;
const midnight = Math.floor(Number(DAY_START) / 86_400_000) * 86_400_000;
const world = dayWorld({ seed: Number(DAY_SEED), midnight, thin: Number(DAY_THIN) });
const simulator = await startSimulator({ world, now: scaledNow });
process.send?.({ url: simulator.url, key: simulator.key, experiments: world.experimentIds });
process.on('message', () => {
  const { requests } = simulator;
  const refused = requests.filter(({ status }) => status === 429).length;
  process.send?.({ requests: requests.length, refused, mostAnHour: mostIn(3_600_000, requests) });
});
process.on('disconnect', () => process.exit());

function mostIn(windowMs: number, requests: readonly { readonly at: number }[]): number {
  let [most, first] = [0, 0];
  requests.forEach(({ at }, i) => {
    while (at - (requests[first]?.at ?? at) >= windowMs) first++;
    most = Math.max(most, i - first + 1);
  });
  return most;
}
