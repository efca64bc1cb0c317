import { happen } from '../../src/simulator/happenings.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { IDENTIFIED } from './life.ts';
import { PAGE_SIZE, type Run } from './state.ts';

/**
 * In some of the runs an old record is listed once more, under the same id and with other content, as the newest one, so
 * that no page has both: before the first sync, or later. Has randomness of its own, so that it changes no other draw.
 */
export function createSecondListing(seed: number): (run: Run) => void {
  const random = createRandom(seed ^ 0x2d1);
  let isToCome = random.chance(0.5);
  return ({ world, experimentId, now, starts, story }) => {
    if (!isToCome || !random.chance(starts.length === 0 ? 0.6 : 0.2)) return;
    const types = IDENTIFIED.filter((type) => world.records(type, experimentId, now).length > 2 * PAGE_SIZE);
    const dataType = types[random.int(0, types.length - 1)];
    if (dataType === undefined) return;
    const field = world.catalogue.get(dataType)?.time ?? 'timestamp';
    const [old] = world
      .records(dataType, experimentId, now)
      .map((record) => ({ record, time: Date.parse(String(record[field])) }))
      .filter(({ time }) => time < now)
      .sort((a, b) => a.time - b.time)
      .slice(random.int(0, PAGE_SIZE));
    if (old === undefined) return;
    const byMs = now - random.int(0, 5000) - old.time;
    happen(world, experimentId, { kind: 'listedTwice', dataType, at: now, of: (one) => one === old.record, byMs });
    isToCome = false;
    story.push(`an old record of ${dataType} is listed again`);
  };
}
