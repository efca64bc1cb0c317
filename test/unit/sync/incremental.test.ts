import { describe, expect, it } from 'vitest';
import type { Answer } from '../../../src/api/client.ts';
import { WarehouseError } from '../../../src/shared/errors.ts';
import { formatTime } from '../../../src/shared/time.ts';
import { readIncremental } from '../../../src/sync/incremental.ts';
import { told, warned } from '../../support/fake-api.ts';
import { at, DAY, fakeStream, HOUR, MINUTE, type FakeStream } from '../../support/fake-stream.ts';

/** What the API is asked for to begin with rows of a minute: the millisecond before, for an exclusive filter. */
const since = (minute: number) => formatTime(at(minute) - 1);

const watermarks = ({ taken }: FakeStream) =>
  taken.map(({ rows, position }) => [rows.at(-1)?.key, position?.watermark]);

const kindsOf = ({ doubts }: { doubts: readonly { kind: string }[] }) => [...new Set(doubts.map(({ kind }) => kind))];

describe('a first read', () => {
  it('commits ten pages together with the watermark up to which they go', async () => {
    const fake = fakeStream('events');
    fake.api.records = fake.series(1, 36);
    const reading = await readIncremental(fake.session());
    expect(watermarks(fake)).toEqual([
      ['e30', at(30)],
      ['e36', at(36)],
    ]);
    expect(reading).toMatchObject({ doubts: [], unseen: [], upTo: at(36) });
  });

  it('keeps the pages before an error and continues after them', async () => {
    const fake = fakeStream('events');
    fake.api.records = fake.series(1, 10);
    fake.api.change = (answer) => {
      if (fake.api.asked.length === 3) throw new WarehouseError('SERVER_FAILED', 'the server failed');
      return answer;
    };
    // A page as small as this one is not tried in smaller ones.
    await expect(readIncremental(fake.session())).rejects.toMatchObject({ code: 'SERVER_FAILED' });
    expect(fake.position()).toMatchObject({ watermark: at(6), backfilled: false });
    fake.api.change = (answer) => answer;
    fake.api.asked = [];
    await readIncremental(fake.session());
    expect(fake.api.asked[0]).toMatchObject({ startTime: since(6) });
    expect(fake.held()).toHaveLength(10);
  });

  it('starts with the rows at its watermark, as more of that time may come', async () => {
    const fake = fakeStream('events');
    fake.hold(fake.series(1, 6), { backfilled: false });
    fake.api.records = fake.series(1, 10);
    await readIncremental(fake.session());
    expect(fake.api.asked[0]).toMatchObject({ startTime: since(6), sort: 'timestamp', order: 'asc' });
    expect(fake.held()).toHaveLength(10);
  });

  it.each<[string, (answer: Answer) => Answer, string]>([
    ['is warned', warned, 'warned'],
    ['contradicts itself', (answer) => told(answer, { returned: 99 }), 'contradiction'],
  ])('stores the rows after a page that %s, but does not move the watermark', async (_what, change, kind) => {
    const fake = fakeStream('events');
    fake.api.records = fake.series(1, 10);
    fake.api.change = (answer, { startTime }) => (startTime === since(4) ? change(answer) : answer);
    const session = fake.session();
    // What came short is not asked for again in this test.
    session.traits.learn({ narrowerFailed: true }, 'a test');
    const reading = await readIncremental(session);
    expect(kindsOf(reading)).toEqual([kind]);
    expect(reading.upTo).toBe(at(3));
    expect(fake.position().watermark).toBe(at(3));
    expect(fake.held()).toHaveLength(10);
  });

  it('stores rows dated ahead, but does not move the watermark to them', async () => {
    const fake = fakeStream('events');
    fake.api.records = [...fake.series(1, 5), fake.make('ahead', 9999)];
    await readIncremental(fake.session());
    expect(fake.held()).toContain('ahead');
    expect(fake.position().watermark).toBe(at(5));
  });

  it('counts the records that came only if it began with the first record', async () => {
    const fake = fakeStream('events');
    fake.api.records = fake.series(1, 3);
    expect(await readIncremental(fake.session())).toMatchObject({ met: 3, total: 3 });
    const other = fakeStream('events');
    other.hold(other.series(1, 2), { backfilled: false });
    other.api.records = other.series(1, 3);
    expect((await readIncremental(other.session())).met).toBeUndefined();
  });
});

/** A stream that was read before: the warehouse holds and the API has events e1 to so many. */
function polled(last: number, config = {}, pageSize = 4): FakeStream {
  const fake = fakeStream('events', config, pageSize);
  fake.hold(fake.series(1, last));
  fake.api.records = fake.series(1, last);
  return fake;
}

describe('a poll', () => {
  it('is one request for the newest records, without a time filter', async () => {
    const fake = polled(10);
    expect(await readIncremental(fake.session())).toMatchObject({
      doubts: [],
      unseen: [],
      total: 10,
      isShown: true,
      upTo: at(10),
    });
    expect(fake.api.asked).toEqual([{ limit: 4, offset: 0, sort: 'timestamp', order: 'desc' }]);
  });

  it.each([
    ['a hundred at least', 20, HOUR, 1000, 100],
    ['twice as many as the lookback holds', 300, 119.5 * MINUTE, 1000, 240],
    ['a page at most', 300, 119.5 * MINUTE, 150, 150],
  ])('requests %s', async (_what, rows, lookbackMs, pageSize, limit) => {
    const fake = polled(rows, { lookbackMs }, pageSize);
    await readIncremental(fake.session());
    expect(fake.api.asked).toMatchObject([{ limit }]);
  });

  it('reads the gap back to its watermark if the counts differ', async () => {
    const fake = polled(10);
    fake.api.records = fake.series(1, 20);
    const reading = await readIncremental(fake.session());
    expect(fake.held()).toHaveLength(20);
    expect(reading).toMatchObject({ doubts: [], upTo: at(20) });
    expect(fake.api.asked[1]).toMatchObject({ startTime: since(10), order: 'asc' });
  });

  it('reads no gap if the page goes back to the watermark and the counts agree', async () => {
    const fake = polled(10);
    fake.api.records = fake.series(1, 13);
    await readIncremental(fake.session());
    expect(fake.held()).toHaveLength(13);
    expect(fake.api.asked).toHaveLength(1);
  });

  it('reads the gap that an interrupted reading left, although as many old rows have gone since', async () => {
    const fake = polled(10);
    fake.api.records = fake.series(1, 20);
    fake.api.change = (answer, { startTime }) => {
      if (startTime !== undefined) throw new WarehouseError('SERVER_FAILED', 'the server failed');
      return answer;
    };
    await expect(readIncremental(fake.session())).rejects.toMatchObject({ code: 'SERVER_FAILED' });
    expect(fake.held()).toHaveLength(14);
    fake.api.change = (answer) => answer;
    fake.api.records = fake.series(7, 20);
    await readIncremental(fake.session());
    expect(fake.held()).toEqual(expect.arrayContaining(['e11', 'e12', 'e15', 'e16', 'e20']));
  });

  it('reads no gap to rows that are dated ahead, as the watermark never comes there', async () => {
    const fake = polled(10);
    const ahead = [1, 2, 3, 4].map((i) => fake.make(`ahead${i}`, 9999 + i));
    fake.hold(ahead, { watermark: at(10) });
    fake.api.records = [...fake.series(1, 10), ...ahead];
    await readIncremental(fake.session());
    expect(fake.api.asked).toHaveLength(1);
  });

  it('reads no gap if the page reaches back beyond the watermark, whatever the counts are', async () => {
    const fake = polled(10);
    fake.api.records = [fake.make('late', 0.5), ...fake.series(1, 10)];
    expect(await readIncremental(fake.session())).toMatchObject({ total: 11 });
    expect(fake.api.asked).toHaveLength(1);
  });

  it('finds deleted rows among the newest, except those with the page’s oldest time', async () => {
    const fake = polled(10);
    fake.hold([fake.make('twin', 6)], { watermark: at(10) });
    fake.api.records = fake.series(1, 10).filter(({ id }) => id !== 'e9');
    expect(await readIncremental(fake.session())).toMatchObject({ unseen: ['e9'], doubts: [] });
  });

  it('covers the whole stream if its page has room for more and longer pages were seen before', async () => {
    const fake = polled(3);
    const session = fake.session();
    session.traits.learn({ largestPage: 4 }, 'a test');
    expect(await readIncremental(session)).toMatchObject({ isWhole: true, isShown: true, met: 3 });
  });

  it('learns that descending order is ignored, reads the lookback instead, and does not try again', async () => {
    const fake = polled(10, { lookbackMs: 3.5 * MINUTE });
    fake.api.ignores = ['order'];
    fake.api.records = fake.series(1, 12);
    const session = fake.session();
    expect(await readIncremental(session)).toMatchObject({ doubts: [], upTo: at(12) });
    expect(session.traits.known).toMatchObject({ descendingIgnored: true });
    expect(fake.held()).toHaveLength(12);
    expect(fake.api.asked[1]).toMatchObject({ order: 'asc', startTime: formatTime(at(6.5) - 1) });
    fake.api.asked = [];
    await readIncremental(session);
    expect(fake.api.asked.filter(({ order }) => order === 'desc')).toEqual([]);
  });

  it.each<[string, (answer: Answer) => Answer, string]>([
    ['is warned', warned, 'warned'],
    ['contradicts itself', (answer) => told(answer, { hasMore: false }), 'contradiction'],
  ])('that %s stores its rows, moves no watermark and misses no row', async (_what, change, kind) => {
    const fake = polled(10);
    fake.api.records = fake.series(1, 12).filter(({ id }) => id !== 'e10');
    fake.api.change = change;
    const session = fake.session();
    session.traits.learn({ narrowerFailed: true }, 'a test');
    const reading = await readIncremental(session);
    expect(kindsOf(reading)).toEqual([kind]);
    expect(reading).toMatchObject({ unseen: [] });
    expect([reading.upTo, reading.total, reading.isWhole]).toEqual([undefined, undefined, undefined]);
    expect(fake.held()).toContain('e12');
    expect(fake.position().watermark).toBe(at(10));
  });

  it("does not read everything again because this computer's clock is a day behind the server's", async () => {
    const fake = fakeStream('events');
    fake.hold(fake.series(1, 20));
    fake.api.records = fake.series(1, 20);
    const serverNow = fake.now;
    fake.now -= DAY;
    fake.api.now = serverNow;
    await readIncremental(fake.session());
    expect(fake.api.asked).toHaveLength(1);
  });

  it('reads everything if the watermark is ahead of the clock, because that one does not count', async () => {
    const fake = polled(10);
    fake.hold([], { watermark: fake.now + DAY });
    fake.api.records = fake.series(1, 20);
    expect(await readIncremental(fake.session())).toMatchObject({ isWhole: true, upTo: at(20) });
    expect(fake.api.asked[0]).not.toHaveProperty('startTime');
    expect(fake.held()).toHaveLength(20);
  });

  it('starts with the first record if a full read is requested', async () => {
    const fake = polled(10);
    expect(await readIncremental(fake.session({ full: true }))).toMatchObject({ isWhole: true, met: 10 });
    expect(fake.api.asked[0]).toEqual({ limit: 4, offset: 0, sort: 'timestamp', order: 'asc' });
  });
});

describe('an endpoint without a time filter', () => {
  it.each([
    ['ignores', { startTimeIgnored: true }],
    ['refuses', { startTimeRefused: true }],
  ] as const)('that %s startTime is listed whole, and startTime is not tried again', async (does, trait) => {
    const fake = fakeStream('events');
    fake.api.records = fake.series(1, 10);
    fake.api[does] = ['startTime'];
    const session = fake.session();
    expect(await readIncremental(session)).toMatchObject({ isWhole: true, met: 10, doubts: [] });
    expect(session.traits.known).toMatchObject(trait);
    fake.api.asked = [];
    await readIncremental(session);
    expect(fake.api.asked.filter((asked) => 'startTime' in asked)).toEqual([]);
  });

  it('is not assumed after another kind of error', async () => {
    const fake = fakeStream('events');
    fake.api.change = () => {
      throw new WarehouseError('SCOPE_MISSING', 'the key may not');
    };
    const session = fake.session();
    await expect(readIncremental(session)).rejects.toMatchObject({ code: 'SCOPE_MISSING' });
    expect(session.traits.known).toEqual({});
  });
});
