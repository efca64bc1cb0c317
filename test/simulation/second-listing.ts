import { happen } from '../../src/simulator/happenings.ts';
import type { SimRecord } from '../../src/simulator/life.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { mayHaveGap } from './gap.ts';
import { IDENTIFIED } from './life.ts';
import { PAGE_SIZE, type Run } from './state.ts';

/**
 * In some of the runs an old record is listed once more, under the same id and with other content, as the newest one, so
 * that no page has both: before the first sync, or before a later one, when another old record goes as well, so that the
 * count stays the same. Has randomness of its own, so that it changes no other draw.
 */
export function createSecondListing(seed: number): (run: Run, isOrdinary: boolean) => void {
  const random = createRandom(seed ^ 0x2d1);
  let isToCome = random.chance(0.23);
  return (run, isOrdinary) => {
    const { world, experimentId, now, starts, story, lasting, wrong } = run;
    const isFirst = starts.length === 0;
    if (!isToCome || !(isFirst || isOrdinary) || !random.chance(isFirst ? 0.6 : 0.4)) return;
    const isLarge = (type: string) => world.records(type, experimentId, now).length > 2 * PAGE_SIZE;
    const types = IDENTIFIED.filter((type) => isLarge(type) && (isFirst || mayHaveGap(run, type)));
    const dataType = types[random.int(0, types.length - 1)];
    if (dataType === undefined) return;
    const field = world.catalogue.get(dataType)?.time ?? 'timestamp';
    const timeOf = (record: SimRecord) => Date.parse(String(record[field]));
    const [old, next] = world
      .records(dataType, experimentId, now)
      .filter((record) => timeOf(record) < now)
      .sort((a, b) => timeOf(a) - timeOf(b))
      .slice(random.int(0, PAGE_SIZE));
    if (old === undefined) return;
    const byMs = now - random.int(0, 5000) - timeOf(old);
    happen(world, experimentId, { kind: 'listedTwice', dataType, at: now, of: (record) => record === old, byMs });
    isToCome = false;
    story.push(`an old record of ${dataType} is listed again`);
    if (isFirst) return;
    world.remove(dataType, experimentId, (record) => record === next, now);
    story.push('another one goes');
    // Nothing else hides it.
    run.stormy = false;
    wrong.splice(0, Infinity, ...lasting);
  };
}
