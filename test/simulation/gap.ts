import { datasetNamed } from '../../src/datasets/registry.ts';
import type { ApiFault } from '../../src/simulator/faults.ts';
import type { SimRecord } from '../../src/simulator/life.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { arrive, TYPES, type Lively } from './life.ts';
import { textOf } from './mirror.ts';
import { PAGE_SIZE, strikes, type Run } from './state.ts';
import { MINUTE_MS as MINUTE } from '../../src/shared/time.ts';

/**
 * A gap that no count shows, in some of the runs: more new records come than a page has, while all answers to requests
 * with a time filter warn and lack some of them; before the next sync as many old records go as are lacking. Only the
 * watermark says that the part behind it is still to be read. Has randomness of its own, so that it changes no other
 * draw.
 * @returns what is wrong in a round that it needs for itself; undefined in all others.
 */
export function createGap(seed: number): (run: Run, isOrdinary: boolean) => readonly ApiFault[] | undefined {
  const random = createRandom(seed ^ 0x9a9);
  let isToCome = random.chance(0.6);
  let open: Lively | undefined;
  return (run, isOrdinary) => {
    if (open !== undefined && isOrdinary) {
      even(run, open);
      open = undefined;
      return [];
    }
    const { world, experimentId, now } = run;
    const types = TYPES.filter((type) => mayHaveGap(run, type));
    const type = types[random.int(0, types.length - 1)];
    if (open !== undefined || !isToCome || type === undefined || !random.chance(0.35)) return undefined;
    const [sample] = world.records(type, experimentId, now);
    if (sample === undefined) return undefined;
    const count = random.int(2, 3) * PAGE_SIZE + random.int(5, 15);
    // Several at one instant may lie on both sides of a page's end.
    const together = random.pick([1, 3]);
    for (let i = count; i > 0; i--) {
      const place = i - (i % together);
      arrive(world, type, experimentId, sample, now - Math.floor((place * 4 * MINUTE) / count), now, random);
    }
    open = type;
    isToCome = false;
    run.story.push(`a gap of ${type}`);
    return [{ kind: 'warned', dataTypes: [type], lacks: 0.4, isFiltered: true }];
  };
}

/** Whether enough of a data type is held, and the API reads it by time. */
export function mayHaveGap({ held, readings, lasting }: Run, type: Lively): boolean {
  const isByTime = datasetNamed(type).read === 'incremental';
  const isFiltered = readings.timeFilter[type] === undefined && readings.sort[type] === undefined;
  const isPlain = !lasting.some((fault) => strikes(fault, type));
  return isByTime && isFiltered && isPlain && (held.get(type)?.size ?? 0) > 2 * PAGE_SIZE;
}

/** As many of the oldest records go as the table does not hold. */
function even({ world, experimentId, now, held, story }: Run, type: Lively): void {
  const rows = held.get(type);
  const isHeld = (record: SimRecord) => rows?.has(textOf(record)) === true;
  const records = world.records(type, experimentId, now);
  const lacking = records.filter((record) => !isHeld(record)).length;
  const oldest = records
    .filter((record) => isHeld(record) && !Number.isNaN(timeOf(record)))
    .sort((a, b) => timeOf(a) - timeOf(b))
    .slice(0, -2 * PAGE_SIZE)
    .slice(0, lacking);
  if (lacking === 0 || oldest.length < lacking) return;
  const going = new Set(oldest);
  world.remove(type, experimentId, (record) => going.has(record), now);
  story.push(`${lacking} old ${type} go`);
}

function timeOf({ timestamp }: SimRecord): number {
  return Date.parse(String(timestamp));
}
