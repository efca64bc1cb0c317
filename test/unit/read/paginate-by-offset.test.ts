import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/shared/json.ts';
import { OFFSET_IGNORED, Shifted, type PaginateOptions } from '../../../src/read/paginate.ts';
import {
  callRecord,
  fakeReader,
  ids,
  malformed,
  message,
  messages,
  readPages,
  spaced,
  type FakeReader,
} from '../../support/fake-reader.ts';

describe('a listing by offset', () => {
  const list = (reader: FakeReader, change: Partial<PaginateOptions> = {}) =>
    readPages(reader, { by: 'offset', ...change });

  it('steps back to the row before the last timestamp, and sends no time filter', async () => {
    const { keys, offsets, froms } = await list(fakeReader(messages(1, 2, 5, 5, 5, 6, 7, 8), { pageSize: 5 }));
    expect(keys).toEqual(ids(8));
    expect(offsets).toEqual([0, 1, 4]);
    expect(new Set(froms)).toEqual(new Set([undefined]));
  });

  it('requests no order if the endpoint refuses one', async () => {
    const reader = fakeReader(spaced(6));
    expect((await list(reader, { sorted: false })).keys).toEqual(ids(6));
    expect(new Set(reader.requests.map(({ order }) => order))).toEqual(new Set([undefined]));
  });

  // Rows from before those carried over never count as new, although without an order they are just as likely.
  it.each([
    ['newest first', [90, 80, 70, 60, 50, 40, 30, 20, 10]],
    ['in no order', [30, 10, 20, 70, 60, 50, 90, 80, 40]],
  ])('without an order reaches the end if rows come %s', async (_how, times) => {
    const { keys, doubts } = await list(fakeReader(messages(...times)), { sorted: false });
    expect(keys).toEqual(ids(9));
    expect(doubts).toEqual([]);
  });

  it('counts malformed records among the places', async () => {
    const reader = fakeReader([
      malformed(1),
      message('m1', 2),
      malformed(3),
      ...['x1', 'x2', 'x3'].map((id, i) => message(id, 4 + i)),
    ]);
    const { keys, bad, offsets } = await list(reader);
    expect(keys).toEqual(['m1', 'x1', 'x2', 'x3']);
    expect(bad).toBe(2);
    expect(offsets).toEqual([0, 2, 4]);
  });

  it('continues with smaller pages than requested if the endpoint sends these', async () => {
    const { keys, offsets } = await list(fakeReader(messages(1, 2, 3, 4, 5, 6, 7), { pageSize: 100, mostRecords: 4 }));
    expect(keys).toEqual(ids(7));
    expect(offsets).toEqual([0, 2, 4]);
  });

  it('has each row without a time once, and gives ordinals to repeats', async () => {
    const records = [callRecord('a', 1), callRecord('b', 2), ...['c', 'd', 'd', 'e', 'd'].map((id) => callRecord(id))];
    const { keys } = await list(fakeReader(records, {}, 'videochat'));
    expect(keys).toHaveLength(7);
    expect(new Set(keys).size).toBe(7);
    expect(keys.filter((key) => key.includes('#')).map((key) => key.slice(key.indexOf('#')))).toEqual(['#2', '#3']);
  });

  it.each([
    ['rows that were read are deleted', 'gone'],
    ['so many rows came that its place has other rows', 'came'],
  ] as const)('starts again if %s', async (_what, change) => {
    const reader = fakeReader(messages(11, 12, 13, 14, 15, 16, 17), {
      before: (answer) => {
        if (answer !== 2) return;
        if (change === 'gone') reader.api.records.splice(0, 1);
        else reader.api.records.unshift(...[1, 2, 3, 4].map((ms) => message(`early${ms}`, ms)));
      },
    });
    await expect(list(reader)).rejects.toThrow(Shifted);
  });

  it('starts again if a full page of one timestamp lacks the rows carried over', async () => {
    const reader = fakeReader(messages(10, 20, 30, 40, 90, 90, 90, 90, 90, 95), {
      before: (answer) => {
        if (answer === 2) reader.api.records.splice(3, 1);
      },
    });
    await expect(list(reader)).rejects.toThrow(Shifted);
  });

  // The first page always has the rows carried over, so that the listing ends as proven after the first page.
  it.each(['absent', 'whole'] as const)(
    'ends with a doubt if offset is ignored, with the pagination %s',
    async (pagination) => {
      const reader = fakeReader(messages(1, 2, 3, 4, 5, 6), { offset: 'ignored', pagination });
      expect((await list(reader)).doubts).toContain(OFFSET_IGNORED.kind);
    },
  );

  it.each([
    [8, 'absent'],
    [8, 'whole'],
    [20, 'absent'],
    [20, 'whole'],
  ] as const)('counts %i exact repeats of one record, with the pagination %s', async (repeats, pagination) => {
    const same = Array.from({ length: repeats }, () => callRecord('a', 3));
    const records = [callRecord('x', 1), callRecord('y', 2), ...same, callRecord('b', 4)];
    const { keys, doubts } = await list(fakeReader(records, { pagination }, 'videochat'));
    expect(doubts).toEqual([]);
    expect(keys).toHaveLength(records.length);
    expect(new Set(keys).size).toBe(records.length);
  });

  it.each(['absent', 'whole'] as const)(
    'counts exact repeats without a time, with the pagination %s',
    async (pagination) => {
      const records = Array.from({ length: 9 }, () => callRecord('a'));
      const { keys, doubts } = await list(fakeReader(records, { pagination }, 'videochat'));
      expect(doubts).toEqual([]);
      expect(new Set(keys).size).toBe(9);
    },
  );

  it.each(['absent', 'whole'] as const)(
    'ends with a doubt if offset is ignored and all rows are exact repeats, with the pagination %s',
    async (pagination) => {
      const same = Array.from({ length: 6 }, () => callRecord('a', 3));
      const reader = fakeReader(same, { offset: 'ignored', pagination }, 'videochat');
      expect((await list(reader)).keys.length).toBeLessThanOrEqual(6);
      expect(reader.requests.length).toBeLessThanOrEqual(12);
    },
  );

  // Rows without a time always count as new, so that the same page is asked for and numbered again for ever.
  it('ends with a doubt if offset is ignored and no row has a time', async () => {
    const reader = fakeReader(messages(...Array.from({ length: 6 }, () => undefined)), { offset: 'ignored' });
    expect((await list(reader)).doubts).toContain(OFFSET_IGNORED.kind);
  });

  // Malformed records behind rows carried over do not count as new: a full page of them ends the listing as proven.
  it('continues after a full page in which only the malformed records are new', async () => {
    const records: JsonObject[] = [...messages(1, 2, 3, 4), malformed(5), malformed(5), malformed(5), message('m5', 6)];
    expect((await list(fakeReader(records, { pagination: 'absent' }))).keys).toEqual(ids(5));
  });
});
