import { fallbackValues } from '../../src/datasets/fallbacks.ts';
import { denormalise, normalise } from '../../src/datasets/normalise.ts';
import { datasetNamed } from '../../src/datasets/registry.ts';
import { isObject, parseJson } from '../../src/shared/json.ts';
import type { Life, SimRecord } from '../../src/simulator/life.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { visible, type World } from '../../src/simulator/world.ts';
import { erasuresOf, type Erasures } from '../../src/warehouse/erasures.ts';
import { openWarehouse } from '../../src/warehouse/warehouse.ts';
import type { Run } from './state.ts';

/**
 * In some of the runs a person withdraws and is erased between two syncs, while the API goes on sending their records.
 * Has randomness of its own, so that it changes no other draw.
 */
export function createWithdrawal(seed: number): (run: Run, path: string) => void {
  const random = createRandom(seed ^ 0x3e7);
  let isToCome = random.chance(0.25);
  return (run, path) => {
    const { world, experimentId, now, clock, idsByRoom, story } = run;
    if (!isToCome || !random.chance(0.3)) return;
    const people = world.records('participants', experimentId, now);
    const { id, roomId } = people[random.int(0, people.length - 1)] ?? {};
    if (typeof id !== 'string' || (idsByRoom && typeof roomId !== 'string')) return;
    isToCome = false;
    const warehouse = openWarehouse(path, { clock, history: true });
    warehouse.erase({ participant: id, ...(idsByRoom ? { room: String(roomId) } : {}) }, false);
    run.erasures = erasuresOf(warehouse.db);
    run.erasedAt = now;
    warehouse.close();
    story.push(`participant ${id} is erased`);
  };
}

/** What the tables should hold of the world: all but what erased people sent or did, and no word of their ids. */
export function toBeHeld({ world, erasures }: Pick<Run, 'world' | 'erasures'>): World {
  if (erasures === undefined) return world;
  const lives = (dataType: string, experimentId: string) =>
    world
      .lives(dataType, experimentId)
      .map((life) => withoutErased(erasures, dataType, experimentId, life))
      .filter((life) => life !== undefined);
  return {
    ...world,
    lives,
    records: (dataType, experimentId, now) =>
      lives(dataType, experimentId)
        .map((life) => visible(life, now))
        .filter((record) => record !== undefined),
  };
}

/** Whether a record is of someone who was erased. */
export function isErased({ erasures, experimentId }: Run, dataType: string, life: Life): boolean {
  return erasures !== undefined && withoutErased(erasures, dataType, experimentId, life) === undefined;
}

function withoutErased(erasures: Erasures, dataType: string, experimentId: string, life: Life): Life | undefined {
  const versions = life.versions.flatMap(({ from, record }) => {
    const remaining = remainderOf(erasures, dataType, experimentId, record);
    return remaining === undefined ? [] : [{ from, record: remaining }];
  });
  return versions.length === 0 ? undefined : { ...life, versions };
}

function remainderOf(
  erasures: Erasures,
  dataType: string,
  experimentId: string,
  record: SimRecord,
): SimRecord | undefined {
  const dataset = datasetNamed(dataType);
  const sent = parseJson(JSON.stringify(record));
  const fill = isObject(sent) ? fallbackValues(dataset, sent) : {};
  const row = normalise(dataset, sent, { experimentId, fill });
  if ('reason' in row) return erasures.apply(dataset, { rows: [], bad: [row] }).bad.length === 0 ? undefined : record;
  const [remaining] = erasures.apply(dataset, { rows: [row] }).rows;
  if (remaining === row) return record;
  return remaining && denormalise(dataset, { experimentId, ...remaining });
}
