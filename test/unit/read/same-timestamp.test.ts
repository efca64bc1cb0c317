import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../src/shared/json.ts';
import type { Page } from '../../../src/read/page.ts';
import { readSameTimestamp } from '../../../src/read/same-timestamp.ts';
import {
  callRecord,
  fakeReader,
  ids,
  malformed,
  message,
  messages,
  readPages,
  type FakeApi,
} from '../../support/fake-reader.ts';

async function readFrom(pageAt: (offset: number) => Promise<Page>) {
  const again = async () => ({ page: await pageAt(0), place: 0 });
  return readSameTimestamp(pageAt, await again(), { isEnd: ({ hasMore }) => hasMore === false, isHeld: true, again });
}

/** Reads the timestamp with which a listing of these records begins. */
async function read(records: readonly Json[], change: Partial<FakeApi> = {}, data = 'chat') {
  const reader = fakeReader(records, change, data);
  const pageAt = (offset: number) => reader.page({ order: 'asc', offset });
  const group = await readFrom(pageAt);
  return { group, keys: group.rows.map(({ key }) => key), requests: reader.requests.length };
}

const atOnce = (count: number) => messages(...ids(count).map(() => 10));
const kinds = ({ doubts }: { doubts: readonly { kind: string }[] }) => doubts.map(({ kind }) => kind);
/** Records without an id, as many of each as its number says. */
const calls = (times: Readonly<Record<string, number>>): JsonObject[] =>
  Object.entries(times).flatMap(([id, count]) => Array.from({ length: count }, () => callRecord(id, 10)));

describe('a timestamp that fills more than a page', () => {
  it('is read in one pass if the order of its rows is stable', async () => {
    const { group, keys, requests } = await read([...atOnce(100), message('later', 20)], { pageSize: 40 });
    expect(keys).toEqual(ids(100));
    expect(group).toMatchObject({ length: 100, isLast: false, isEnd: false, doubts: [] });
    expect(requests).toBe(3);
  });

  // One record in the place in which it was may be there by chance.
  it('is read twice if its pages are too short to prove that the order is stable', async () => {
    const { group, keys, requests } = await read([...atOnce(10), message('later', 20)]);
    expect(keys).toEqual(ids(10));
    expect(group).toMatchObject({ length: 10, isLast: false, isEnd: false, doubts: [] });
    expect(requests).toBe(2 * 4);
  });

  it('is read until every place is accounted for if the order changes in every answer', async () => {
    const { group, keys, requests } = await read([...atOnce(10), message('later', 20)], { ties: 'shuffled' });
    expect(new Set(keys)).toEqual(new Set(ids(10)));
    expect(keys).toHaveLength(10);
    expect(kinds(group)).toEqual([]);
    expect(requests).toBeGreaterThan(3);
  });

  it.each([2, 3, 6, 9])(
    'has none of its %i rows twice if the pagination is absent and their order changes',
    async (count) => {
      const { keys, requests } = await read(atOnce(count), { ties: 'shuffled', pagination: 'absent' });
      expect(keys.toSorted()).toEqual(ids(count));
      if (count < 4) expect(requests).toBe(2);
    },
  );

  it('ends with the time and the place of the next rows', async () => {
    const { group } = await read([...atOnce(5), message('later', 20), message('last', 30)]);
    expect(group.following[0]?.time).toBe(group.rows[0]?.time === undefined ? undefined : group.rows[0].time + 10);
    expect(group.length).toBe(5);
  });

  it('is the last if the API says so after it', async () => {
    const { group, keys } = await read(atOnce(6));
    expect(keys).toEqual(ids(6));
    expect(group).toMatchObject({ isLast: true, isEnd: false, following: [] });
  });

  it('is the end if an answer after it is empty', async () => {
    const { group, keys } = await read(atOnce(8), { pagination: 'absent' });
    expect(keys).toEqual(ids(8));
    expect(group).toMatchObject({ isLast: true, isEnd: true });
  });

  it('has each of its records once although its pages overlap', async () => {
    const shift = (answer: number) => (answer === 2 ? 3 : 0);
    const reader = fakeReader(atOnce(7));
    let answer = 0;
    const pageAt = (offset: number) => reader.page({ order: 'asc', offset: Math.max(0, offset - shift(++answer)) });
    const group = await readFrom(pageAt);
    expect(group.rows.map(({ key }) => key).sort()).toEqual(ids(7));
  });

  it('has no gap if a row that was read is deleted between two of its pages', async () => {
    const reader = fakeReader(atOnce(10), {
      before: (answer) => {
        if (answer === 2) reader.api.records.splice(0, 1);
      },
    });
    const { keys } = await readPages(reader);
    expect(keys).toEqual(ids(10).slice(1));
  });

  it('keeps the doubts of its pages', async () => {
    const { group } = await read(atOnce(6), {
      lie: (page, answer) =>
        answer === 2 ? { ...page, doubts: [{ kind: 'warned', text: 'an index is missing' }] } : page,
    });
    expect(kinds(group)).toContain('warned');
  });

  it('counts malformed records among its places', async () => {
    const { group, keys, requests } = await read([malformed(10), ...atOnce(6), malformed(10), message('later', 20)]);
    expect(keys).toEqual(ids(6));
    expect(group).toMatchObject({ length: 8, doubts: [] });
    expect(group.bad).toHaveLength(2);
    expect(requests).toBe(2 * 3);
  });

  it('ends at the place of the next row, malformed records before it counted', async () => {
    const { group } = await read([...atOnce(4), malformed(10), malformed(10), message('later', 20)]);
    expect(group).toMatchObject({ length: 6, isLast: false });
  });

  // Pages that hold only malformed records count as pages that bring nothing new.
  it('continues after three pages of malformed records', async () => {
    const records = [...atOnce(4), ...Array.from({ length: 12 }, () => malformed(10)), message('later', 20)];
    const { group } = await read(records);
    expect(kinds(group)).toEqual([]);
    expect(group).toMatchObject({ length: 16, isLast: false });
  });

  it('ends with a doubt if the API keeps saying "more" and sends the same rows', async () => {
    const { group, keys } = await read(atOnce(4), {
      offset: 'ignored',
      lie: (page) => ({ ...page, hasMore: true }),
    });
    expect(keys.toSorted()).toEqual(ids(4));
    expect(kinds(group)).toContain('endless');
    expect(group).toMatchObject({ isLast: true, isEnd: false });
  });

  it('ends if an endpoint without pagination sends its first page again', async () => {
    const { group, keys, requests } = await read(atOnce(4), { offset: 'ignored', pagination: 'absent' });
    expect(keys).toEqual(ids(4));
    expect(kinds(group)).toEqual([]);
    expect(group.isLast).toBe(true);
    expect(requests).toBe(2);
  });
});

describe('records without an id that share a timestamp', () => {
  it.each(['stable', 'shuffled'] as const)('are all found if their content differs, with %s ties', async (ties) => {
    const { group, keys } = await read(calls({ a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1 }), { ties }, 'videochat');
    expect(new Set(keys).size).toBe(7);
    expect(kinds(group)).toEqual([]);
  });

  it('are counted as often as they come once two passes agree', async () => {
    const { group, keys, requests } = await read(calls({ a: 3, b: 1, c: 2 }), {}, 'videochat');
    expect(keys).toHaveLength(6);
    expect(new Set(keys).size).toBe(3);
    expect(kinds(group)).toEqual([]);
    expect(requests).toBe(4);
  });

  it('are in doubt if they repeat and their order changes in every answer', async () => {
    const { group, keys, requests } = await read(calls({ a: 3, b: 1, c: 2 }), { ties: 'shuffled' }, 'videochat');
    expect(new Set(keys).size).toBe(3);
    expect(kinds(group)).toEqual(['unstable']);
    expect(requests).toBe(60);
  });

  it('get ordinals in a reading', async () => {
    const reader = fakeReader(calls({ a: 3, b: 1, c: 2 }), {}, 'videochat');
    const { keys, doubts } = await readPages(reader);
    expect(keys).toHaveLength(6);
    expect(new Set(keys).size).toBe(6);
    expect(doubts).toEqual([]);
  });

  // What belongs to another data type fills places that no row accounts for: every pass of thirty is made.
  it('are read in one pass beside records of another data type', async () => {
    const records = [
      { id: 'p_1', _type: 'decision', timestamp: '2026-01-12T09:00:00.010Z' },
      { id: 'run_1', _type: 'run' },
    ];
    const { group, requests } = await read(records, { pagination: 'absent' }, 'agent-decisions');
    expect(kinds(group)).toEqual([]);
    expect(requests).toBeLessThan(4);
  });
});

describe('a reading with a timestamp that fills more than a page', () => {
  const before = [message('b1', 1), message('b2', 2)];
  const after = [message('a1', 30), message('a2', 40), message('a3', 50)];
  const all = ['b1', 'b2', ...ids(11), 'a1', 'a2', 'a3'];

  it.each([
    ['key', 'stable'],
    ['key', 'shuffled'],
    ['offset', 'stable'],
    ['offset', 'shuffled'],
  ] as const)('has every row by %s, with %s ties', async (by, ties) => {
    const reader = fakeReader([...before, ...atOnce(11), ...after], { ties });
    const { keys, doubts } = await readPages(reader, { by });
    expect(new Set(keys)).toEqual(new Set(all));
    expect(doubts).toEqual([]);
  });

  it.each(['inclusive', 'exclusive'] as const)('continues by key after it if startTime is %s', async (startTime) => {
    const reader = fakeReader([...before, ...atOnce(11), ...after], { startTime });
    const { keys, froms, offsets } = await readPages(reader);
    expect(keys).toEqual(all);
    expect(froms).toEqual([undefined, ...Array.from({ length: 8 }, () => 9), 29]);
    expect(offsets).toEqual([0, 0, 3, 6, 9, 0, 3, 6, 9, 0]);
  });

  it('has it whole if another timestamp follows a millisecond later', async () => {
    const records = [...atOnce(9), ...Array.from({ length: 9 }, (_, i) => message(`n${i}`, 11)), message('end', 12)];
    const { keys, doubts } = await readPages(fakeReader(records));
    expect(new Set(keys).size).toBe(19);
    expect(doubts).toEqual([]);
  });
});
