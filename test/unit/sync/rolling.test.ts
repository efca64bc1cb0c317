import { describe, expect, it } from 'vitest';
import type { Stream } from '../../../src/datasets/stream.ts';
import { WarehouseError } from '../../../src/shared/errors.ts';
import { reconcile } from '../../../src/sync/rolling.ts';
import { readPosition, type PositionChange } from '../../../src/warehouse/positions.ts';
import { DAY, fakeStream, HOUR, type FakeStream } from '../../support/fake-stream.ts';

const of = (fake: FakeStream, experimentId: string, position: PositionChange): Stream => {
  const stream = { ...fake.stream, experimentId };
  fake.warehouse.commit(stream, { rows: [], position: { backfilled: true, doubts: [], ...position } });
  return stream;
};

describe('a stream is due for the nightly reconcile', () => {
  it.each<[string, string, (now: number) => PositionChange, boolean]>([
    ['if it was compared 21 hours ago', 'events', (now) => ({ countedAt: now - 21 * HOUR }), true],
    ['not if it was compared 19 hours ago', 'events', (now) => ({ countedAt: now - 19 * HOUR }), false],
    ['if a wrong clock compared it tomorrow', 'events', (now) => ({ countedAt: now + DAY }), true],
    ['not before its first read has ended', 'events', () => ({ backfilled: false }), false],
    [
      'not if it is listed whole and was verified 27 days ago',
      'rooms',
      (now) => ({ verifiedAt: now - 27 * DAY }),
      false,
    ],
    ['if it is listed whole and was verified 29 days ago', 'rooms', (now) => ({ verifiedAt: now - 29 * DAY }), true],
  ])('%s', async (_when, data, position, isDue) => {
    const fake = fakeStream(data);
    const stream = of(fake, 'exp_1', position(fake.now));
    const claimed: Stream[] = [];
    const claim = (one: Stream) => void claimed.push(one);
    await reconcile({ ...fake.context, full: true }, [stream], 10, claim);
    expect(claimed).toEqual(isDue ? [stream] : []);
  });

  it('if it is a room that the configuration names, as no count of the whole shows its late rows', async () => {
    const fake = fakeStream('participants');
    const stream: Stream = { ...fake.stream, scope: { kind: 'room', id: 'room_1' } };
    const position = { backfilled: true, doubts: [], verifiedAt: fake.now - DAY, countedAt: fake.now - DAY };
    fake.warehouse.commit(stream, { rows: [], position });
    const { streams } = await reconcile({ ...fake.context, full: true }, [stream], 10);
    expect(streams).toBe(1);
  });
});

describe('the nightly reconcile', () => {
  it('begins with the stream that has waited longest, and ends when its allowance is spent', async () => {
    const fake = fakeStream('events');
    const [one, two] = [of(fake, 'exp_1', { countedAt: fake.now - 30 * HOUR }), of(fake, 'exp_2', {})];
    const run = (allowance: number) => reconcile({ ...fake.context, full: true }, [one, two], allowance);
    expect(await run(1)).toMatchObject({ streams: 1, isDone: false });
    expect(readPosition(fake.warehouse.db, two).countedAt).toBe(fake.now);
    expect(readPosition(fake.warehouse.db, one).countedAt).toBe(fake.now - 30 * HOUR);
    expect(await run(10)).toMatchObject({ streams: 1, isDone: true });
  });

  it('leaves a stream that is being read for later, and releases those that it took', async () => {
    const fake = fakeStream('events');
    const [free, busy] = [of(fake, 'exp_1', {}), of(fake, 'exp_2', {})];
    let released = 0;
    const claim = (stream: Stream) => (stream === busy ? undefined : () => released++);
    const done = await reconcile({ ...fake.context, full: true }, [busy, free], 10, claim);
    expect([done.isDone, done.streams, released]).toEqual([false, 1, 1]);
  });

  it('repairs what differs, and counts it', async () => {
    const fake = fakeStream('events');
    fake.hold(fake.series(1, 3));
    fake.api.records = fake.series(1, 3).map((record, i) => (i === 1 ? { ...record, note: 'edited' } : record));
    expect(await reconcile({ ...fake.context, full: true }, [fake.stream], 10)).toMatchObject({ repaired: 1 });
  });

  it('reads a large stream in parts, and verifies it after the last one', async () => {
    const fake = fakeStream('events');
    fake.hold(fake.series(1, 12));
    fake.api.records = fake.series(1, 12);
    const parts: [number | undefined, boolean][] = [];
    for (let night = 0; night < 8 && fake.position().verifiedAt === undefined; night++) {
      await reconcile({ ...fake.context, full: true }, [fake.stream], 50);
      parts.push([fake.position().rereadTo, fake.position().verifiedAt !== undefined]);
      fake.now += DAY;
    }
    expect(parts.length).toBeGreaterThan(1);
    const ends = parts.slice(0, -1).map(([to]) => to ?? NaN);
    expect(ends).toEqual(ends.toSorted((a, b) => a - b));
    expect(parts.at(-1)).toEqual([undefined, true]);
  });

  it.each<[string, Error]>([
    ['an error of the stream itself', new WarehouseError('ANSWER_UNREADABLE', 'no')],
    ['a bug', new TypeError('a bug')],
  ])('goes on with the others after %s', async (_what, error) => {
    const fake = fakeStream('events');
    const streams = ['exp_1', 'exp_2'].map((id) => of(fake, id, {}));
    let isFirst = true;
    fake.api.change = (answer) => {
      if (!isFirst) return answer;
      isFirst = false;
      throw error;
    };
    expect(await reconcile({ ...fake.context, full: true }, streams, 10)).toMatchObject({ streams: 2, isDone: true });
  });

  it('ends when the server cannot be reached, as the others would fail as well', async () => {
    const fake = fakeStream('events');
    fake.api.change = () => {
      throw new WarehouseError('SERVER_UNREACHABLE', 'no network');
    };
    const streams = ['exp_1', 'exp_2'].map((id) => of(fake, id, {}));
    const run = reconcile({ ...fake.context, full: true }, streams, 10);
    await expect(run).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE' });
    expect(fake.api.asked).toHaveLength(1);
  });
});
