import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withoutOrdinal } from '../../../src/datasets/keys.ts';
import { normalise } from '../../../src/datasets/normalise.ts';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import { isObject, type Json } from '../../../src/shared/json.ts';
import { NotWalkable, Shifted } from '../../../src/read/paginate.ts';
import { callRecord, fakeReader, malformed, message, readPages, type FakeReader } from '../../support/fake-reader.ts';

const RUNS = 300;

/** The time that more records have than fit a page, in milliseconds. */
const CROWDED = 10;
/** Records so many milliseconds after the beginning stand beside it: before, directly before, directly behind, behind. */
const BESIDE = [2, CROWDED - 1, CROWDED + 1, 30];

/** What happens between two answers; `at` picks a record. */
interface Event {
  readonly kind: 'delete' | 'edit' | 'insert' | 'retime';
  readonly at: number;
  /** The time of what is inserted, or to which it is moved. */
  readonly ms: number;
}

const times = fc.constantFrom(CROWDED, CROWDED, CROWDED, ...BESIDE);
const event: fc.Arbitrary<Event> = fc.record({
  kind: fc.constantFrom('delete', 'edit', 'insert', 'retime'),
  at: fc.nat(),
  ms: times,
});

const worlds = fc.record({
  pageSize: fc.constantFrom(10, 12, 31),
  crowd: fc.integer({ min: 8, max: 70 }),
  beside: fc.array(fc.constantFrom(...BESIDE), { maxLength: 6 }),
  badAt: fc.array(fc.nat(), { maxLength: 2 }),
  // What happens before the second, the third … answer.
  events: fc.array(fc.array(event, { maxLength: 3 }), { maxLength: 10 }),
  ties: fc.constantFrom('stable', 'shuffled'),
  pagination: fc.constantFrom('whole', 'absent'),
  startTime: fc.constantFrom('inclusive', 'exclusive'),
  by: fc.constantFrom('key', 'offset'),
} as const);

type World = typeof worlds extends fc.Arbitrary<infer T> ? T : never;

/** Lets it happen to a record with an id, if there is one; an edited record is there all the time. */
function happen(records: readonly Json[], happening: Event, name: string): Json[] {
  const place = happening.at % Math.max(records.length, 1);
  if (happening.kind === 'insert') return records.toSpliced(place, 0, message(name, happening.ms));
  const record = records[place];
  if (record === undefined || !isObject(record)) return [...records];
  if (happening.kind === 'delete') return records.toSpliced(place, 1);
  if (happening.kind === 'edit') return records.with(place, { ...record, note: name });
  return records.with(place, { ...record, timestamp: message('', happening.ms)['timestamp'] ?? null });
}

/** What was there at the same time all along, by id and time. */
function lasting(records: readonly Json[], before: readonly string[] | undefined): string[] {
  const there = records.flatMap((record) => {
    if (!isObject(record)) return [];
    const { messageId, timestamp, content } = record;
    return typeof messageId === 'string' && typeof timestamp === 'string' && !Array.isArray(content)
      ? [`${messageId} ${timestamp}`]
      : [];
  });
  const all = new Set(there);
  return before === undefined ? there : before.filter((one) => all.has(one));
}

function readerOf({ crowd, beside, badAt, events, pageSize, ties, pagination, startTime }: World) {
  let records: Json[] = [
    ...Array.from({ length: crowd }, (_one, i) => message(`m${i}`, CROWDED)),
    ...beside.map((ms, i) => message(`b${i}`, ms)),
  ];
  for (const place of badAt)
    records = records.toSpliced(place % records.length, 0, { ...malformed(CROWDED), at: place });
  let there = lasting(records, undefined);
  const reader: FakeReader = fakeReader(records, {
    pageSize,
    ties,
    pagination,
    startTime,
    before(answer) {
      for (const [i, one] of (events[answer - 2] ?? []).entries()) {
        reader.api.records = happen(reader.api.records, one, `new_${answer}_${i}`);
        there = lasting(reader.api.records, there);
      }
    },
  });
  return { reader, there: () => there.map((one) => one.slice(0, one.indexOf(' '))) };
}

/** Undefined where the reading says itself that it cannot vouch for what it read. */
async function readKeys(reader: FakeReader, by: 'key' | 'offset'): Promise<ReadonlySet<string> | undefined> {
  try {
    const { keys, doubts } = await readPages(reader, { by });
    return doubts.length > 0 ? undefined : new Set(keys);
  } catch (error) {
    if (error instanceof Shifted || error instanceof NotWalkable) return undefined;
    throw error;
  }
}

describe('a reading of a timestamp with many records that come, go, change and move between its answers', () => {
  it('has every record that existed all the time, or a doubt', async () => {
    let whole = 0;
    await fc.assert(
      fc.asyncProperty(worlds, async (world) => {
        const { reader, there } = readerOf(world);
        const keys = await readKeys(reader, world.by);
        if (keys === undefined) return;
        whole++;
        expect(there().filter((id) => !keys.has(id))).toEqual([]);
      }),
      { numRuns: RUNS },
    );
    expect(whole, 'readings that say that they are whole').toBeGreaterThan(RUNS / 2);
  });

  it('has every record without an id as often as it existed all the time, or a doubt', async () => {
    await fc.assert(
      fc.asyncProperty(repeatedWorlds, async ({ sent, events, ...api }) => {
        let least = timesOf(sent);
        const reader: FakeReader = fakeReader(
          sent.map((id) => callRecord(id, CROWDED)),
          {
            ...api,
            before(answer) {
              for (const one of events[answer - 2] ?? []) {
                reader.api.records = comeOrGo(reader.api.records, one);
                const now = timesOf(reader.api.records.map(callerOf));
                least = new Map([...least].map(([id, times]) => [id, Math.min(times, now.get(id) ?? 0)]));
              }
            },
          },
          'videochat',
        );
        const { keys, doubts } = await readPages(reader);
        if (doubts.length > 0) return;
        const met = timesOf(keys.map(withoutOrdinal));
        const lacking = [...least].filter(([id, times]) => (met.get(keyOfCall(id)) ?? 0) < times);
        expect(lacking).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });
});

const CALLERS = ['a', 'b', 'c', 'd', 'e'];

const repeatedWorlds = fc.record({
  pageSize: fc.constantFrom(10, 31),
  sent: fc.array(fc.constantFrom(...CALLERS), { minLength: 11, maxLength: 40 }),
  // Where one comes for each that goes, nothing tells which of several equal ones it was.
  events: fc
    .tuple(fc.constantFrom('delete', 'insert'), fc.array(fc.array(fc.nat(), { maxLength: 3 }), { maxLength: 8 }))
    .map(([kind, places]) => places.map((ats) => ats.map((at) => ({ kind, at })))),
  pagination: fc.constantFrom('whole', 'absent'),
} as const);

function comeOrGo(records: readonly Json[], { kind, at }: { readonly kind: string; readonly at: number }): Json[] {
  const place = at % Math.max(records.length, 1);
  const caller = CALLERS[at % CALLERS.length] ?? '';
  return kind === 'delete' ? records.toSpliced(place, 1) : records.toSpliced(place, 0, callRecord(caller, CROWDED));
}

function callerOf(record: Json): string {
  const caller = isObject(record) ? record['participantId'] : undefined;
  return typeof caller === 'string' ? caller : '';
}

function keyOfCall(caller: string): string {
  const row = normalise(datasetNamed('videochat'), callRecord(caller, CROWDED), { experimentId: 'exp_1' });
  return 'key' in row ? row.key : '';
}

function timesOf(names: readonly string[]): ReadonlyMap<string, number> {
  return new Map([...Map.groupBy(names, (name) => name)].map(([name, all]) => [name, all.length]));
}
