import { describe, expect, it } from 'vitest';
import { NotWalkable, type Chunk } from '../../../src/read/paginate.ts';
import {
  at,
  callRecord,
  fakeReader,
  ids,
  malformed,
  message,
  messages,
  readPages as read,
  spaced,
} from '../../support/fake-reader.ts';

describe('a reading by key', () => {
  it.each(['inclusive', 'exclusive'] as const)(
    'begins each page a millisecond before the last row, so that an %s startTime includes that row',
    async (startTime) => {
      const reader = fakeReader(spaced(9), { startTime });
      const { keys, froms, offsets, doubts } = await read(reader);
      expect(keys).toEqual(ids(9));
      expect(froms).toEqual([undefined, 39, 69]);
      expect(offsets).toEqual([0, 0, 0]);
      expect(doubts).toEqual([]);
    },
  );

  it('may read the rows of the millisecond before again, and gives them the same keys', async () => {
    const times = [1, 2, 3, 3, 4, 5];
    const { keys } = await read(
      fakeReader(
        times.map((ms) => callRecord(`p${ms}`, ms)),
        { pageSize: 5 },
        'videochat',
      ),
    );
    expect(keys).toHaveLength(8);
    expect(new Set(keys).size).toBe(6);
  });

  it('requests rows in the order of their time', async () => {
    const reader = fakeReader(messages(1, 2));
    await read(reader);
    expect(reader.requests).toEqual([{ from: undefined, order: 'asc', offset: 0 }]);
  });

  it.each(['inclusive', 'exclusive'] as const)(
    'begins with the rows of `from` if startTime is %s',
    async (startTime) => {
      const reader = fakeReader(messages(1, 5, 5, 8), { startTime });
      const { keys, froms } = await read(reader, { from: at(5) });
      expect(froms).toEqual([4]);
      expect(keys).toEqual(['m2', 'm3', 'm4']);
    },
  );

  it.each(['stable', 'shuffled'] as const)(
    'takes the rows of one timestamp from one answer, with %s ties',
    async (ties) => {
      const times = [1, 2, 5, 5, 5, 7, 9, 9, 9, 10, 12, 12];
      const { keys, chunks } = await read(fakeReader(messages(...times), { ties }));
      expect(new Set(keys)).toEqual(new Set(ids(12)));
      for (const time of new Set(times)) {
        const all = times.filter((one) => one === time).length;
        const counts = chunks.map(({ rows }) => rows.filter((row) => row.time === at(time)).length);
        expect(counts.filter((count) => count > 0).every((count) => count === all)).toBe(true);
      }
    },
  );

  it('yields no row of the last timestamp before an answer has all of them', async () => {
    const { chunks } = await read(fakeReader(messages(10, 20, 50, 50, 50)));
    expect(chunks.map(({ rows }) => rows.map(({ key }) => key))).toEqual([
      ['m1', 'm2'],
      ['m3', 'm4', 'm5'],
    ]);
    expect(chunks.map(({ upTo }) => upTo)).toEqual([at(20), at(50)]);
  });

  it('fails if the rows carried over do not come again', async () => {
    const reader = fakeReader(spaced(7), {
      before: (answer) => {
        if (answer === 2) reader.api.records.splice(3, 1);
      },
    });
    await expect(read(reader)).rejects.toThrow(new NotWalkable('startTime'));
    expect(reader.requests).toHaveLength(2);
  });

  it('fails if an empty answer follows rows that have to come again', async () => {
    const reader = fakeReader(spaced(6), {
      before: (answer) => {
        if (answer === 2) reader.api.records = [];
      },
    });
    await expect(read(reader)).rejects.toThrow(new NotWalkable('startTime'));
  });

  it('continues if only some of the rows carried over come again because others were re-timed', async () => {
    const reader = fakeReader(messages(10, 20, 40, 40, 50), {
      before: (answer) => {
        if (answer === 2) reader.api.records[2] = message('m3', 10);
      },
    });
    expect((await read(reader)).keys).toEqual(['m1', 'm2', 'm4', 'm5']);
  });

  it('fails if rows come out of order', async () => {
    const reader = fakeReader(messages(1, 3, 2), { order: 'ignored' });
    await expect(read(reader)).rejects.toThrow(new NotWalkable('sort'));
  });

  it('fails if rows from before `from` come', async () => {
    const reader = fakeReader(messages(1, 2, 9), { startTime: 'ignored' });
    await expect(read(reader, { from: at(9) })).rejects.toThrow(new NotWalkable('startTime'));
  });

  it('fails on the second page if startTime is ignored', async () => {
    const reader = fakeReader(messages(1, 3, 5, 7, 9), { startTime: 'ignored' });
    await expect(read(reader)).rejects.toThrow(new NotWalkable('startTime'));
    expect(reader.requests).toHaveLength(2);
  });

  // Nothing checks that a full page of a later timestamp has the rows carried over: they are lost without a doubt.
  it('fails if a full page of one later timestamp lacks the rows carried over', async () => {
    const reader = fakeReader(messages(10, 20, 30, 40, 90, 90, 90, 90, 95), {
      before: (answer) => {
        if (answer === 2) reader.api.records.splice(3, 1);
      },
    });
    await expect(read(reader)).rejects.toThrow(NotWalkable);
  });

  // An empty answer that says that there is more ends the walk as proven, and the rows carried over are in no chunk.
  it('loses no row carried over if an empty answer says that there is more', async () => {
    const reader = fakeReader(spaced(5), {
      lie: (page, answer) => (answer === 1 ? page : emptied(page)),
    });
    const outcome = await read(reader).catch((error: unknown) => error);
    if (outcome instanceof NotWalkable) return;
    expect(outcome).toMatchObject({ keys: ['m1', 'm2', 'm3', 'm4'], isEnd: false });
  });

  it('stops after the rows of `to`, and requests nothing more', async () => {
    const reader = fakeReader(messages(10, 20, 30, 30, 40, 50, 60, 70, 80));
    const { keys } = await read(reader, { to: at(30) });
    expect(keys).toEqual(['m1', 'm2', 'm3', 'm4']);
    expect(reader.requests).toHaveLength(2);
  });

  it('yields malformed records with the page in which they come', async () => {
    const { keys, bad } = await read(fakeReader([malformed(5), ...spaced(5)]));
    expect(keys).toEqual(ids(5));
    expect(bad).toBe(1);
  });
});

describe('the end of a reading', () => {
  it.each(['key', 'offset'] as const)('by %s is a shorter page that says that it is the last', async (by) => {
    const reader = fakeReader(messages(1, 2, 3));
    expect(await read(reader, { by })).toMatchObject({ keys: ids(3), isEnd: false, doubts: [] });
    expect(reader.requests).toHaveLength(1);
  });

  it.each(['key', 'offset'] as const)('by %s is not a full page that says that it is the last', async (by) => {
    const reader = fakeReader(spaced(7), {
      lie: (page) => ({ ...page, hasMore: false, nextOffset: undefined, total: page.offset + page.returned }),
    });
    const { keys, doubts } = await read(reader, { by });
    expect(keys).toEqual(ids(7));
    expect(doubts).toEqual([]);
  });

  it.each(['key', 'offset'] as const)(
    'by %s is proven by a request that brings only records that came before',
    async (by) => {
      const reader = fakeReader(messages(1, 2, 3, 4));
      expect(await read(reader, { by })).toMatchObject({ keys: ids(4), isEnd: true });
      expect(reader.requests).toHaveLength(2);
    },
  );

  it.each(['key', 'offset'] as const)('by %s takes one more request if the pagination is absent', async (by) => {
    const reader = fakeReader(spaced(5), { pagination: 'absent' });
    expect(await read(reader, { by })).toMatchObject({ keys: ids(5), isEnd: true, doubts: [] });
    expect(reader.requests).toHaveLength(3);
  });

  it('without pagination is a page shorter than others that the endpoint served', async () => {
    const reader = fakeReader(messages(1, 2, 3), { pagination: 'absent' });
    expect((await read(reader, { known: { largestPage: 4 } })).keys).toEqual(ids(3));
    expect(reader.requests).toHaveLength(1);
  });

  it.each(['key', 'offset'] as const)(
    'by %s is only a request that brings nothing new if claims are not believed',
    async (by) => {
      const reader = fakeReader(spaced(5));
      expect(await read(reader, { by, end: 'empty' })).toMatchObject({ keys: ids(5), isEnd: true });
      expect(reader.requests).toHaveLength(3);
    },
  );

  it('is proven by an empty first answer', async () => {
    expect(await read(fakeReader([]), { end: 'empty' })).toMatchObject({ keys: [], isEnd: true, doubts: [] });
  });

  it('is a doubt after three requests if the API keeps saying "more" and sends nothing new', async () => {
    const reader = fakeReader(messages(10, 20, 30, 40, 41), { lie: saysMore, offset: 'ignored' });
    const { keys, doubts, isEnd } = await read(reader);
    expect(new Set(keys)).toEqual(new Set(ids(5)));
    expect({ doubts, isEnd }).toEqual({ doubts: ['endless'], isEnd: false });
    expect(reader.requests).toHaveLength(6);
  });

  // The last timestamp counts as one that fills a page, and is read in thirty passes: 122 requests.
  it('is a doubt after three requests if one row is left and the API keeps saying "more"', async () => {
    const reader = fakeReader(spaced(5), { lie: saysMore, offset: 'ignored' });
    const { keys, doubts } = await read(reader);
    expect(new Set(keys)).toEqual(new Set(ids(5)));
    expect(doubts).toEqual(['endless']);
    expect(reader.requests.length).toBeLessThan(10);
  });
});

describe('a contradictory page', () => {
  it('is requested once more, and the second answer counts', async () => {
    const reader = fakeReader(messages(1, 2, 3), {
      lie: (page, n) => (n === 1 ? { ...page, reportedReturned: 9 } : page),
    });
    expect(await read(reader)).toMatchObject({ keys: ids(3), doubts: [] });
    expect(reader.requests).toHaveLength(2);
  });

  it('is stored with a doubt if it contradicts itself again', async () => {
    const reader = fakeReader(messages(1, 2, 3), { lie: (page) => ({ ...page, reportedReturned: 9 }) });
    expect(await read(reader)).toMatchObject({ keys: ids(3), doubts: ['contradiction'] });
    expect(reader.requests).toHaveLength(2);
  });
});

function emptied(page: Chunk['page']): Chunk['page'] {
  return { ...page, rows: [], places: [], returned: 0, reportedReturned: 0, total: undefined, hasMore: true };
}

function saysMore(page: Chunk['page']): Chunk['page'] {
  return { ...page, hasMore: true, total: undefined, nextOffset: undefined };
}
