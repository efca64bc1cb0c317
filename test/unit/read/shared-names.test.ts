import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/shared/json.ts';
import { list as listRecords } from '../../../src/read/full-listing.ts';
import { readSnapshot } from '../../../src/sync/snapshot.ts';
import { at, fakeStream, type FakeStream } from '../../support/fake-stream.ts';

/** A record of the one component: all of them share its name. */
const record = (minute: number | undefined, value: string): JsonObject => ({
  componentId: 'scale',
  componentType: value,
  ...(minute === undefined ? {} : { timestamp: new Date(at(minute)).toISOString() }),
});

const series = (...minutes: number[]) => minutes.map((minute) => record(minute, `at ${minute}`));

/** What is held: the keys by value, and the values of rows that were ever overwritten. */
function held({ warehouse: { db } }: FakeStream) {
  const rows = db
    .prepare<[], [string, string, string]>('SELECT key, component_type, timestamp FROM components')
    .raw()
    .all();
  return {
    values: rows.map(([, value, time]) => JSON.stringify([value, time])).sort(),
    keys: new Map(rows.map(([key, value]) => [value, key])),
    overwritten: db
      .prepare<[], string>("SELECT record ->> 'component_type' FROM _history WHERE what = 'changed'")
      .pluck()
      .all(),
  };
}

/** Lists everything once and lets rows go that did not come. */
async function list(fake: FakeStream, ...records: readonly JsonObject[]) {
  fake.api.records = records;
  const session = fake.session({ full: true });
  const { unseen, met } = await readSnapshot(session);
  expect(met).toBe(records.length);
  session.sink.drop({ missing: [], deleted: unseen, missedAt: fake.now });
  return { gone: unseen.length, ...held(fake) };
}

/** A stream that holds these records. */
function holding(...records: readonly JsonObject[]): FakeStream {
  const fake = fakeStream('components');
  fake.hold(records);
  return fake;
}

describe('records that share a name', () => {
  it.each([
    ['comes first', 5],
    ['comes between', 35],
    ['has the time of another', 30],
    ['comes last', 95],
  ])('keep their keys if another record %s', async (_where, minute) => {
    const fake = holding(...series(10, 20, 30, 40, 50, 60, 70, 80, 90));
    const before = held(fake).keys;
    const { keys, gone, overwritten } = await list(
      fake,
      ...series(10, 20, 30, 40, 50, 60, 70, 80, 90),
      record(minute, 'new'),
    );
    expect([gone, overwritten]).toEqual([0, []]);
    expect(keys.get('new')).toMatch(/#10$/);
    expect([...before].filter(([value, key]) => keys.get(value) !== key)).toEqual([]);
  });

  it('keep their keys if the first one is deleted', async () => {
    const fake = holding(...series(10, 20, 30, 40, 50, 60));
    const before = held(fake).keys;
    const { keys, gone, overwritten } = await list(fake, ...series(20, 30, 40, 50, 60));
    expect([gone, overwritten]).toEqual([1, []]);
    expect([...keys].filter(([value, key]) => before.get(value) !== key)).toEqual([]);
  });

  it('keep their keys if one is edited and another one comes at the same time', async () => {
    const fake = holding(...series(10, 20, 30, 40, 50, 60));
    const edited = [...series(10, 20, 30), record(40, 'edited'), ...series(50, 60), record(5, 'new')];
    const { gone, overwritten } = await list(fake, ...edited);
    expect([gone, overwritten]).toEqual([0, ['at 40']]);
  });

  it('change only the one whose time was edited, because all others came', async () => {
    const fake = holding(...series(10, 20, 30, 40, 50, 60));
    const { gone, overwritten } = await list(fake, ...series(10, 20, 30, 40, 50), record(1, 'moved'));
    expect([gone, overwritten]).toEqual([0, ['at 60']]);
  });

  it('are all kept if a listing fails half-way', async () => {
    const fake = holding(...series(10, 20, 30, 40, 50, 60));
    const before = held(fake).values;
    fake.api.records = [record(1, 'first'), record(2, 'second'), ...series(10, 20, 30, 40, 50, 60)];
    fake.api.change = (answer, { offset }) => {
      if (Number(offset) > 0) throw new Error('out of order');
      return answer;
    };
    await expect(readSnapshot(fake.session({ full: true }))).rejects.toThrow('out of order');
    expect(before.filter((value) => !held(fake).values.includes(value))).toEqual([]);
  });

  it.each([
    ['one was stored', [30], [30, 70]],
    ['several were stored', [10, 20, 30], [10, 20, 30, 70, 80, 90]],
  ])('are all kept if %s, the first page warns and others come behind it', async (_what, stored, upstream) => {
    const fake = holding(...series(...stored));
    const before = held(fake).keys;
    const others = [40, 41, 42, 43, 44].map((minute) => ({
      ...record(minute, 'other'),
      componentId: `other ${minute}`,
    }));
    const early = upstream.filter((minute) => minute < 40);
    const late = upstream.filter((minute) => minute > 40);
    fake.api.records = [...series(...early), ...others, ...series(...late)];
    fake.api.change = (answer, { offset = '0' }) =>
      Number(offset) > 0 ? answer : { ...answer, warnings: ['results may be incomplete'] };
    const { doubts } = await listRecords(fake.session({ full: true }), {}, (_seen, listed) => listed);
    expect(doubts.map(({ kind }) => kind)).toContain('warned');
    const { keys, overwritten } = held(fake);
    expect(overwritten).toEqual([]);
    expect([...before].filter(([value, key]) => keys.get(value) !== key)).toEqual([]);
    expect(late.filter((minute) => !keys.has(`at ${minute}`))).toEqual([]);
  });

  it('are all kept if only one was stored and a new one comes on the page before it', async () => {
    const fake = holding(record(90, 'held'));
    const others = [1, 2, 3].map((minute) => ({
      ...record(minute, `other ${minute}`),
      componentId: `other ${minute}`,
    }));
    const { overwritten, values } = await list(fake, record(0, 'new'), ...others, record(90, 'held'));
    expect(overwritten).toEqual([]);
    expect(values).toHaveLength(5);
  });

  const Record = fc.record({ minute: fc.option(fc.nat(9), { nil: undefined }), value: fc.constantFrom('a', 'b', 'c') });
  const Records = fc.array(Record, { maxLength: 14 });

  /** Exact repeats that fill a page, which a listing cannot count. */
  const fillsPage = (records: readonly { minute: number | undefined }[]) =>
    [...Map.groupBy(records, ({ minute }) => minute).values()].some(({ length }) => length >= 8);

  it('are exact after one listing whatever came, went and changed, and unchanged ones get no history', async () => {
    const fake = fakeStream('components', {}, 8);
    await fc.assert(
      fc.asyncProperty(Records, Records, Records, async (stay, go, come) => {
        fc.pre(!fillsPage([...stay, ...come]));
        const of = (records: typeof stay) => records.map(({ minute, value }) => record(minute, value));
        fake.warehouse.db.exec('DELETE FROM components; DELETE FROM _history');
        fake.hold(of([...go, ...stay]));
        const { values, overwritten } = await list(fake, ...of([...come, ...stay]));
        expect(values).toEqual(
          of([...come, ...stay])
            .map(asHeld)
            .sort(),
        );
        expect(overwritten.length).toBeLessThanOrEqual(Math.min(go.length, come.length));
        const again = await list(fake, ...of([...stay, ...come]));
        expect([again.gone, again.overwritten.length]).toEqual([0, overwritten.length]);
      }),
      { numRuns: 60 },
    );
  });
});

const asHeld = ({ componentType = null, timestamp = null }: JsonObject) => JSON.stringify([componentType, timestamp]);
