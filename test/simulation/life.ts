import type { Random } from '../../src/simulator/random.ts';
import type { Readings } from '../../src/simulator/readings.ts';
import type { SimRecord } from '../../src/simulator/life.ts';
import type { World } from '../../src/simulator/world.ts';
import { MINUTE_MS as MINUTE, HOUR_MS as HOUR } from '../../src/shared/time.ts';

/** Data types in which records come, change and go by themselves, and the field by which they are told apart. */
const LIVELY = {
  events: 'id',
  chat: 'messageId',
  'ratings/continuous': 'ratingId',
  sync: 'metricId',
  recordings: 'recordingId',
  videochat: undefined,
  components: undefined,
  eyetracking: undefined,
} as const;
export type Lively = keyof typeof LIVELY;
export const TYPES = Object.keys(LIVELY) as [Lively, ...Lively[]];
/** Those with an id. */
export const IDENTIFIED = TYPES.filter((type) => LIVELY[type] !== undefined) as [Lively, ...Lively[]];

/** An undocumented API in one of its many readings. */
export function randomReadings(random: Random): Partial<Readings> {
  const filters = (share: number) =>
    Object.fromEntries(types(random, share).map((type) => [type, random.pick(['ignored', 'rejected'] as const)]));
  return {
    startTime: random.pick(['inclusive', 'exclusive']),
    endTime: random.pick(['inclusive', 'exclusive']),
    ties: random.pick(['stable', 'stable', 'shuffled']),
    overLimit: random.pick(['clamped', 'accepted']),
    maxLimit: random.pick([7, 13, 20, 1000]),
    timeFilter: random.chance(0.5) ? {} : filters(0.3),
    sort: random.chance(0.6) ? {} : filters(0.3),
    pagination: random.pick([
      'sent',
      'sent',
      'sent',
      'flat',
      'missing',
      { missingFor: types(random, 0.3), flatFor: types(random, 0.3) },
    ]),
    echo: random.pick(['given', 'parsed', 'parsed', 'missing']),
    runsAmongDecisions: random.pick(['absent', 'present']),
    window: random.pick(['rolling', 'fixed']),
    total: random.pick(['right', 'right', 'right', 'right', 'wrong', 'missing']),
    times: random.pick(['milliseconds', 'seconds', 'offset']),
    endpoint: random.pick(['dataType', 'path']),
    retryAfter: random.pick(['seconds', 'date']),
  };
}

function types(random: Random, share: number): Lively[] {
  return TYPES.filter(() => random.chance(share));
}

/** Something happens in the world: rows arrive in time or late, many at one instant, twice, change, or go. */
export function live(world: World, experimentId: string, now: number, random: Random): void {
  for (let i = random.int(0, 6); i > 0; i--) {
    const type = random.pick(TYPES);
    const happening = random.int(0, 9);
    const sample = sampleOf(world, type, experimentId, now, random);
    if (sample === undefined) continue;
    if (happening < 4) arrive(world, type, experimentId, sample, now - random.int(0, 5000), now, random);
    else if (happening === 4) arrive(world, type, experimentId, sample, now - random.int(0, 50 * MINUTE), now, random);
    else if (happening === 5)
      arrive(world, type, experimentId, sample, now - random.int(0, 20 * 24 * HOUR), now, random);
    else if (happening === 6) crowd(world, type, experimentId, sample, now, random);
    else if (happening === 7) change(world, type, experimentId, sample, now, random);
    else if (happening === 8) world.remove(type, experimentId, (record) => record === sample, now);
    // An exact repeat of a record without an id is a record of its own.
    else if (LIVELY[type] === undefined) world.insert(type, experimentId, sample, now);
  }
}

function sampleOf(
  world: World,
  type: Lively,
  experimentId: string,
  now: number,
  random: Random,
): SimRecord | undefined {
  const records = world.records(type, experimentId, now);
  return records[random.int(0, Math.max(records.length - 1, 0))];
}

/** A record like another one, with an id of its own, that happened at a time and comes now. */
export function arrive(
  world: World,
  type: Lively,
  experimentId: string,
  sample: SimRecord,
  happened: number,
  now: number,
  random: Random,
): void {
  const time = type === 'recordings' ? 'startTime' : 'timestamp';
  const id = LIVELY[type];
  const record = {
    ...sample,
    [time]: new Date(happened).toISOString(),
    ...(id === undefined ? { note: random.id(3) } : { [id]: random.id(10) }),
  };
  world.insert(type, experimentId, random.chance(0.1) ? oddly(record, random) : record, now);
}

/** A known field with another type, null, or a field that no one has seen yet. */
function oddly(record: SimRecord, random: Random): SimRecord {
  return {
    ...record,
    onset: random.pick<unknown>([null, 'soon', { ms: 5 }, [1], true]),
    [`field_${random.int(1, 5)}`]: random.pick<unknown>([1.5, null, 'ü', { deep: [null] }]),
  };
}

/** More records at one instant than a small page holds. */
function crowd(world: World, type: Lively, experimentId: string, sample: SimRecord, now: number, random: Random): void {
  const happened = now - random.int(0, 10 * MINUTE);
  for (let i = random.int(2, 45); i > 0; i--) arrive(world, type, experimentId, sample, happened, now, random);
}

function change(
  world: World,
  type: Lively,
  experimentId: string,
  sample: SimRecord,
  now: number,
  random: Random,
): void {
  world.edit(
    type,
    experimentId,
    (record) => record === sample,
    (record) => ({ ...record, onset: random.int(0, 1e6), enriched: random.id(4) }),
    now,
  );
}
