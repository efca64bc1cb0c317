import { describe, expect, it } from 'vitest';
import {
  requestPage,
  contradictionIn,
  countedBy,
  isShownLast,
  whatFollows,
  type Follows,
} from '../../../src/read/evidence.ts';
import type { TraitValues } from '../../../src/read/endpoint-traits.ts';
import type { Page } from '../../../src/read/page.ts';
import { fakeReader, SILENT_PAGE, spaced } from '../../support/fake-reader.ts';

/** An answer of three records to a request for ten that says nothing of its place. */
const page = (change: Partial<Page>): Page => ({ ...SILENT_PAGE, returned: 3, ...change });
const WARNED: Partial<Page> = { doubts: [{ kind: 'warned', text: 'an index is missing' }] };

describe('what an answer says about the next page', () => {
  it.each<[Follows, string, Partial<Page>]>([
    ['more', 'hasMore says so', { hasMore: true }],
    ['more', 'hasMore says so of an empty answer', { hasMore: true, returned: 0 }],
    ['more', 'nextOffset lies behind it', { nextOffset: 3 }],
    ['more', 'nextOffset lies behind it, whatever hasMore says', { nextOffset: 3, hasMore: false }],
    ['more', 'total is larger than its end', { total: 4 }],
    ['more', 'total is larger than its end, whatever hasMore says', { total: 4, hasMore: false }],
    ['more', 'total is larger than its end at an offset', { total: 24, offset: 20 }],
    ['last', 'hasMore says that there is no more', { hasMore: false }],
    ['last', 'total is its end', { total: 3 }],
    ['last', 'total is its end at an offset', { total: 23, offset: 20, hasMore: false }],
    ['last', 'nextOffset is its own place', { nextOffset: 0, hasMore: false }],
    ['last', 'it is empty and says so', { returned: 0, hasMore: false, total: 0 }],
    [
      'full',
      'it is as long as asked for, although hasMore says that there is no more',
      { returned: 10, hasMore: false },
    ],
    ['full', 'it is as long as asked for, and total is its end', { returned: 10, total: 10 }],
    ['full', 'it is longer than asked for', { returned: 12, total: 12, hasMore: false }],
    ['unknown', 'it has no pagination', {}],
    ['unknown', 'it has no pagination, and is full', { returned: 10 }],
    ['unknown', 'it is warned, and only total speaks', { ...WARNED, total: 9 }],
    ['last', 'it is warned: its total counts what it lacks', { ...WARNED, total: 9, hasMore: false }],
  ])('is "%s" if %s', (follows, _why, change) => {
    expect(whatFollows(page(change))).toBe(follows);
  });
});

describe('an answer', () => {
  it.each<[string, Partial<Page>]>([
    ['says nothing', {}],
    ['agrees in everything', { reportedReturned: 3, total: 5, hasMore: true, nextOffset: 3 }],
    ['is empty, and counts none', { returned: 0, reportedReturned: 0, total: 0, hasMore: false }],
    ['is empty behind the last record', { returned: 0, offset: 7, total: 7, hasMore: false }],
    ['is empty far behind the last record', { returned: 0, offset: 9, total: 7, hasMore: false }],
    ['ends the listing', { offset: 4, total: 7, hasMore: false }],
    ['ends the listing with a nextOffset of no progress', { offset: 4, total: 7, hasMore: false, nextOffset: 4 }],
    ['ignored a filter, which it may', { ignored: ['startTime', 'sort'] }],
  ])('does not contradict itself if it %s', (_what, change) => {
    expect(contradictionIn(page(change))).toBeUndefined();
  });

  it.each<[string, Partial<Page>, string]>([
    ['sent fewer records than it says', { reportedReturned: 4 }, 'the API says that it sent 4 records, but sent 3'],
    ['sent more records than it says', { reportedReturned: 2 }, 'the API says that it sent 2 records, but sent 3'],
    [
      'counts records, and sent none',
      { returned: 0, total: 5 },
      'the API counts 5 records, but sent none after the first 0',
    ],
    [
      'counts records behind its offset, and sent none',
      { returned: 0, offset: 4, total: 5 },
      'the API counts 5 records, but sent none after the first 4',
    ],
    [
      'counts more records, and says that there are none',
      { total: 5, hasMore: false },
      'the API counts 5 records, but says that there are none after the first 3',
    ],
    ['sent more than it counts', { offset: 4, total: 6 }, 'the API counts 6 records, but sent at least one more'],
    [
      'says that there is no more, and where it begins',
      { hasMore: false, nextOffset: 3 },
      'the API says that there are no more records, but also where the next ones begin',
    ],
    [
      'says that there is more, and sent none',
      { returned: 0, hasMore: true },
      'the API says that there are more records, but sent none',
    ],
  ])('contradicts itself if it %s', (_what, change, text) => {
    expect(contradictionIn(page(change))).toBe(text);
  });
});

describe('the count of an answer', () => {
  it.each<[string, number | undefined, Partial<Page>]>([
    ['its total', 7, { total: 7 }],
    ['its total on a full page with more behind it', 25, { total: 25, returned: 10 }],
    ['its total where the whole listing came with room to spare', 3, { total: 3 }],
    ['its total at an offset', 20, { total: 20, returned: 10, offset: 10 }],
    [
      'nothing at an offset where its total is only how many were sent',
      undefined,
      { total: 10, returned: 10, offset: 10 },
    ],
    ['none', 0, { total: 0, returned: 0 }],
    ['nothing where it does not say', undefined, {}],
    ['nothing where it was filtered by time', undefined, { total: 7, isFiltered: true }],
    ['nothing where the API says that it lacks records', undefined, { ...WARNED, total: 7 }],
    ['nothing where total is the length of a full page', undefined, { total: 10, returned: 10 }],
    ['nothing where total is the length of a page longer than asked for', undefined, { total: 12, returned: 12 }],
  ])('is %s', (_what, counted, change) => {
    expect(countedBy(page(change))).toBe(counted);
  });
});

describe('an answer is proven to be the last', () => {
  it.each<[string, Partial<Page>, number, TraitValues]>([
    ['where nothing is in it', { returned: 0 }, 0, {}],
    ['where nothing is in it and it says so', { returned: 0, total: 0, hasMore: false }, 0, {}],
    ['where longer ones came from the endpoint', { hasMore: false }, 3, { largestPage: 4 }],
    ['where longer ones came from the endpoint and it says nothing', {}, 3, { largestPage: 4 }],
    [
      'where as many came as once were proven to be all, with room for more',
      { total: 3, capacity: 10 },
      3,
      { totalProven: 3 },
    ],
  ])('%s', (_why, change, met, known) => {
    expect(isShownLast(page(change), met, known)).toBe(true);
  });

  it.each<[string, Partial<Page>, number, TraitValues]>([
    ['by its own words alone', { total: 3, hasMore: false }, 3, {}],
    ['where it says nothing and nothing is known', {}, 3, {}],
    ['where it is full', { returned: 10, hasMore: false }, 10, { largestPage: 50 }],
    ['where it is as long as the longest that came', { hasMore: false }, 3, { largestPage: 3 }],
    ['where it says that there is more', { hasMore: true }, 3, { largestPage: 50 }],
    ['where it was warned', { ...WARNED, returned: 0 }, 0, { largestPage: 50 }],
    ['where it contradicts itself', { returned: 0, hasMore: true }, 0, { largestPage: 50 }],
    ['where another number was proven', { total: 3, capacity: 10 }, 3, { totalProven: 4 }],
    ['where another number came before it', { total: 3, capacity: 10 }, 5, { totalProven: 3 }],
    ['where it does not say how many it could hold', { total: 3 }, 3, { totalProven: 3 }],
    ['where it was cut down to what it holds', { total: 3, capacity: 3 }, 3, { totalProven: 3 }],
  ])('but it is not proven %s', (_why, change, met, known) => {
    expect(isShownLast(page(change), met, known)).toBe(false);
  });
});

describe('a page that is requested', () => {
  const contradictory = (answers: number) =>
    fakeReader(spaced(2), { lie: (sent, answer) => (answer <= answers ? { ...sent, reportedReturned: 7 } : sent) });

  it('is requested once if its answer is consistent', async () => {
    const reader = contradictory(0);
    expect(await requestPage(reader, {})).toMatchObject({ page: { returned: 2 }, contradiction: undefined });
    expect(reader.requests).toHaveLength(1);
  });

  it('is requested again if its answer contradicts itself, and the second answer counts', async () => {
    const reader = contradictory(1);
    expect(await requestPage(reader, { offset: 0 })).toMatchObject({
      page: { reportedReturned: 2 },
      contradiction: undefined,
    });
    expect(reader.requests).toEqual([{ offset: 0 }, { offset: 0 }]);
  });

  it('is not requested a third time', async () => {
    const reader = contradictory(9);
    expect((await requestPage(reader, {})).contradiction).toBe('the API says that it sent 7 records, but sent 2');
    expect(reader.requests).toHaveLength(2);
  });

  it('is not requested again if the API itself says that records are missing', async () => {
    const reader = fakeReader(spaced(2), { lie: (sent) => ({ ...sent, ...WARNED, reportedReturned: 7 }) });
    expect((await requestPage(reader, {})).contradiction).toBeUndefined();
    expect(reader.requests).toHaveLength(1);
  });
});
