import type { ApiFault } from '../../src/simulator/faults.ts';
import { happen } from '../../src/simulator/happenings.ts';
import { createRandom } from '../../src/simulator/random.ts';
import type { Run } from './state.ts';

/**
 * Faults of one round that the release notes tell of and that the other draws do not have: records of a room in the
 * answers of other rooms, recordings whose addresses could not be signed, a list of experiments that ends early, and
 * responses that were paired with other components. Has randomness of its own, so that it changes no other draw.
 */
export function createRarer(seed: number): (run: Run) => readonly ApiFault[] {
  const random = createRandom(seed ^ 0x51c7);
  const isToCome = random.chance(0.4);
  return ({ world, experimentId, now, story }) => {
    if (!isToCome || !random.chance(0.3)) return [];
    const made = random.pick<() => ApiFault | undefined>([
      () => ({ kind: 'leaked', dataTypes: [random.pick(['events', 'chat', 'ratings/continuous'])], of: 0.2 }),
      () => ({ kind: 'nulled', dataTypes: ['recordings'], fields: ['downloadUrl'] }),
      () => ({ kind: 'cutList', dataTypes: ['experiments'], after: 0 }),
      () => {
        const paired = { kind: 'pairedAnew', dataType: 'components', field: 'config', of: 0.3, at: now } as const;
        if (happen(world, experimentId, paired) > 0) story.push(JSON.stringify(paired));
        return undefined;
      },
    ])();
    if (made === undefined) return [];
    story.push(JSON.stringify(made));
    return [made];
  };
}
