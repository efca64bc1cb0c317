/** The simulated API of the day, in a process of its own, by the same fast clock as the daemon. */
import { startSimulator } from '../../src/simulator/server.ts';
import { timeAt } from '../../test/support/fast-clock.mjs';
import { dayWorld } from './world.ts';
import { z } from 'zod';

const Asked = z.object({
  pace: z.object({ start: z.number(), from: z.number(), speed: z.number() }),
  day: z.object({ seed: z.number(), midnight: z.number(), thin: z.number() }),
});
const { pace, day } = Asked.parse(JSON.parse(process.argv[2] ?? ''));
const world = dayWorld(day);
const simulator = await startSimulator({ world, now: () => timeAt(pace) });
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
