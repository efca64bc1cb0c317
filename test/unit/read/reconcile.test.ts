import { describe, expect, it } from 'vitest';
import type { Answer } from '../../../src/api/client.ts';
import type { Json } from '../../../src/shared/json.ts';
import { parseTime } from '../../../src/shared/time.ts';
import { compareRange, freeTime, newest, readRange } from '../../../src/read/reconcile.ts';
import { told, warned, type Asked } from '../../support/fake-api.ts';
import { at, DAY, fakeStream, type FakeStream } from '../../support/fake-stream.ts';

/** A stream of which the warehouse holds events e1 to so many, as the API had them. */
function holding(last: number): FakeStream {
  const fake = fakeStream('events');
  fake.hold(fake.series(1, last));
  fake.api.records = fake.series(1, last);
  return fake;
}

const without = (records: readonly Json[], ...ids: string[]) =>
  records.filter((record) => !ids.some((id) => JSON.stringify(record).includes(`"${id}"`)));

/** The requests for a page, rather than for a count. */
const pages = (asked: readonly Asked[]) => asked.filter(({ limit }) => limit !== 1);

/** An answer that counts so many records and says that none follow. */
const lastOf = (answer: Answer, total: number): Answer => ({ ...answer, pagination: { total, hasMore: false } });

const startsOf = (asked: readonly Asked[]) => asked.map(({ startTime = '' }) => parseTime(String(startTime)));

describe('reading a range', () => {
  it('finds the stored rows that did not come', async () => {
    const fake = holding(10);
    fake.api.records = without(fake.api.records, 'e2', 'e7');
    expect(await readRange(fake.session(), {})).toMatchObject({
      unseen: ['e2', 'e7'],
      doubts: [],
      isWhole: true,
      met: 8,
      upTo: at(10),
    });
  });

  it('misses no row outside the range, and does not cover the time after it', async () => {
    const fake = holding(10);
    fake.api.records = without(fake.api.records, 'e2', 'e5', 'e9');
    const reading = await readRange(fake.session(), { from: at(4), to: at(7) });
    expect(reading).toMatchObject({ unseen: ['e5'], doubts: [] });
    expect(reading.upTo).toBeUndefined();
    expect(reading.isWhole).toBeUndefined();
  });

  it.each<[string, (answer: Answer) => Answer, string[]]>([
    ['is warned', warned, ['warned']],
    [
      'contradicts itself',
      (answer) => told(answer, { returned: (answer.pagination?.returned ?? 0) + 1 }),
      ['contradiction'],
    ],
    ['holds a malformed record', (answer) => ({ ...answer, data: [...answer.data.slice(1), 'no object'] }), []],
  ])('misses no row if an answer %s', async (_what, change, kinds) => {
    const fake = holding(3);
    fake.api.change = change;
    fake.api.records = without(fake.api.records, 'e2');
    const { unseen, doubts } = await readRange(fake.session(), {});
    expect(unseen).toEqual([]);
    expect([...new Set(doubts.map(({ kind }) => kind))]).toEqual(kinds);
  });

  it('stores rows dated ahead, and does not count as read up to them', async () => {
    const fake = holding(3);
    fake.api.records = [...fake.api.records, fake.make('ahead', 3 * 24 * 60)];
    expect(await readRange(fake.session(), {})).toMatchObject({ upTo: at(3), unseen: [] });
    expect(fake.held()).toContain('ahead');
  });
});

describe('the newest time', () => {
  it("is measured by the server's clock, not by the local one", async () => {
    const fake = fakeStream('events');
    const session = fake.session();
    fake.api.now = at(5);
    await session.reader.page({ limit: 1 });
    expect(newest(session, [{ time: at(4) }, { time: at(6) }, { time: undefined }])).toBe(at(4));
  });

  it('is undefined if all rows are dated ahead', () => {
    const fake = fakeStream('events');
    expect(newest(fake.session(), [{ time: fake.now + DAY }])).toBeUndefined();
  });
});

describe('comparing counts', () => {
  it('costs one request for the newest record if they are equal', async () => {
    const fake = holding(16);
    expect(await compareRange(fake.session(), {})).toEqual({ doubts: [], unseen: [] });
    expect(fake.api.asked).toEqual([{ limit: 1, offset: 0, sort: 'timestamp', order: 'desc' }]);
  });

  it('reads only the part that differs', async () => {
    const fake = holding(32);
    fake.api.records = [...fake.api.records, fake.make('late', 29.5)];
    await compareRange(fake.session(), {});
    expect(fake.held()).toContain('late');
    const read = pages(fake.api.asked);
    expect(read.length).toBeLessThanOrEqual(2);
    expect(Math.min(...startsOf(read).map((start) => start ?? 0))).toBeGreaterThan(at(24));
  });

  it('finds rows that were deleted in one part and came in another', async () => {
    const fake = holding(16);
    fake.api.records = [...without(fake.api.records, 'e2', 'e3'), fake.make('late', 14.5)];
    expect(await compareRange(fake.session(), {})).toMatchObject({ unseen: ['e2', 'e3'], doubts: [] });
    expect(fake.held()).toContain('late');
  });

  it('finds a row that came in place of a deleted one only if it halves equal counts as well', async () => {
    const fake = holding(16);
    fake.api.records = [...without(fake.api.records, 'e2'), fake.make('late', 14.5)];
    expect(await compareRange(fake.session(), {}, 0)).toMatchObject({ unseen: [] });
    expect(await compareRange(fake.session(), {}, 1)).toMatchObject({ unseen: ['e2'] });
    expect(fake.held()).toContain('late');
  });

  it('reads no rows of equal halves, however often it halves', async () => {
    const fake = holding(16);
    expect(await compareRange(fake.session(), {}, 4)).toMatchObject({ unseen: [], doubts: [] });
    expect(pages(fake.api.asked)).toEqual([]);
    expect(fake.api.asked.length).toBeGreaterThan(1);
  });

  it.each<[string, (answer: Answer) => Answer]>([
    ['is how many records came', (answer) => told(answer, { total: answer.data.length })],
    ['is how many records came, and the last page', (answer) => lastOf(answer, answer.data.length)],
    ['is less than how many came', (answer) => lastOf(answer, 0)],
    ['is missing', (answer) => ({ ...answer, pagination: undefined })],
    ['comes with a warning', (answer) => (answer.pagination?.limit === 1 ? warned(answer) : answer)],
  ])('reads the range if a count %s', async (_what, change) => {
    const fake = holding(16);
    fake.api.records = [...without(fake.api.records, 'e2'), fake.make('late', 14.5), fake.make('later', 15.5)];
    fake.api.change = (answer, { limit }) => (limit === 1 ? change(answer) : answer);
    await compareRange(fake.session(), {});
    expect(fake.held()).toEqual(expect.arrayContaining(['late', 'later']));
  });

  it.each<[string, number, (answer: Answer) => Answer]>([
    ['comes with a warning', 3, (answer) => warned(told(answer, { total: 3 }))],
    ['is how many records came although more follow', 1, (answer) => told(answer, { total: 1, hasMore: true })],
    ['is less than how many came', 0, (answer) => lastOf(answer, 0)],
  ])('does not trust a count that %s', async (_what, held, change) => {
    const fake = holding(held);
    fake.api.records = [...fake.api.records, fake.make('late', 14.5)];
    fake.api.change = (answer, { limit }) => (limit === 1 ? change(answer) : answer);
    await compareRange(fake.session(), {});
    expect(fake.held()).toContain('late');
  });

  it.each(['ignores', 'refuses'] as const)('requests the counts from both ends if the API %s endTime', async (does) => {
    const fake = holding(32);
    fake.api[does] = ['endTime'];
    fake.api.records = [...fake.api.records, fake.make('late', 29.5)];
    const session = fake.session();
    await compareRange(session, {});
    expect(fake.held()).toContain('late');
    expect(session.traits.known).toMatchObject(does === 'ignores' ? { endTime: 'ignored' } : { endTimeRefused: true });
    expect(Math.min(...startsOf(pages(fake.api.asked)).map((start) => start ?? 0))).toBeGreaterThan(at(24));
    const before = fake.api.asked.length;
    await compareRange(session, {}, 2);
    expect(fake.api.asked.slice(before).filter((asked) => 'endTime' in asked)).toEqual([]);
  });
});

describe('a time without a stored row', () => {
  const ms = 1 / 60_000;

  it.each([
    ['is the time itself where it is free', [], 0],
    ['is the millisecond before where a row has the time', [0], 1],
    ['is the first that is free before it', [0, 1, 2], 3],
    ['is the time itself where none of the fifty before it is free', Array.from({ length: 50 }, (_, i) => i), 0],
  ])('%s', (_what, taken, before) => {
    const fake = fakeStream('events');
    fake.hold(taken.map((i) => fake.make(`e${i}`, 5 - i * ms)));
    expect(freeTime(fake.session(), at(5))).toBe(at(5) - before);
  });
});
