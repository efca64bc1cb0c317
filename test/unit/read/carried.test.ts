import { describe, expect, it } from 'vitest';
import { normalise, type Row } from '../../../src/datasets/normalise.ts';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import { bringsNew, hasRepeats, includesAll, isSame, lacksAll, mayHaveMore } from '../../../src/read/carried.ts';
import type { Page } from '../../../src/read/page.ts';
import { SILENT_PAGE } from '../../support/fake-reader.ts';

const START = Date.parse('2026-01-12T09:00:00.000Z');

/** The event of an id, some milliseconds after the start; without a time where none is given. */
function row(id: string, ms?: number): Row {
  const time = ms === undefined ? {} : { timestamp: new Date(START + ms).toISOString() };
  const made = normalise(datasetNamed('events'), { id, ...time }, { experimentId: 'e' });
  if ('reason' in made) throw new Error(made.reason);
  return made;
}
/** The rating of a value, which has no id. */
function rating(value: number): Row {
  const made = normalise(datasetNamed('components'), { componentId: 'c', value }, { experimentId: 'e' });
  if ('reason' in made) throw new Error(made.reason);
  return made;
}

const page = (rows: readonly Row[], change: Partial<Page> = {}): Page => ({
  ...SILENT_PAGE,
  rows,
  places: rows.map((_, place) => place),
  returned: rows.length,
  isFiltered: true,
  ...change,
});

const [A, B, C] = [row('a', 5), row('b', 5), row('c', 6)];
/** A row of the millisecond before, which comes with those carried over where startTime is exclusive. */
const BEFORE = row('z', 4);

describe('a page that begins with rows carried over', () => {
  it.each<[string, boolean, readonly Row[], readonly Row[], 'key' | 'offset', Partial<Page>?]>([
    ['brings nothing new with those alone', false, [A, B], [A, B], 'key'],
    ['brings something new with a later row', true, [A, B, C], [A, B], 'key'],
    ['brings something new with another row in the place of one', true, [A, C], [A, B], 'key'],
    ['brings nothing new with rows of the millisecond before, by key', false, [BEFORE, A, B], [A, B], 'key'],
    ['brings something new with rows of the millisecond before, by offset', true, [BEFORE, A, B], [A, B], 'offset'],
    ['brings something new with a row without a time', true, [A, B, row('n')], [A, B], 'key'],
    [
      'brings something new with a malformed record',
      true,
      [A, B],
      [A, B],
      'key',
      { bad: [{ reason: 'it is a number', text: '7' }] },
    ],
    ['brings nothing new if it is empty and nothing was carried over', false, [], [], 'key'],
  ])('%s', (_what, isNew, rows, carried, by, change) => {
    expect(bringsNew(page(rows, change), carried, { by })).toBe(isNew);
  });

  it.each<[string, boolean, readonly Row[], 'key' | 'offset', boolean | undefined]>([
    ['says so', true, [A, B], 'key', true],
    ['says that it is the last, though rows of the millisecond before came', false, [BEFORE, A], 'key', false],
    ['says nothing, and rows of the millisecond before may have filled it', true, [BEFORE, A], 'key', undefined],
    ['says nothing, and has none of the millisecond before', false, [A, B], 'key', undefined],
    ['says nothing, and was requested by offset', false, [BEFORE, A], 'offset', undefined],
  ])('may have more behind it: it %s (%s)', (_what, more, rows, by, hasMore) => {
    expect(mayHaveMore(page(rows, { hasMore }), [A, B], { by })).toBe(more);
  });

  it.each<[string, boolean, readonly Row[], readonly Row[]]>([
    ['another time alone, without them', true, [C], [A, B]],
    ['one of them and another time', false, [A, C], [A, B]],
    ['their time alone, which may be full of others', false, [row('d', 5)], [A, B]],
    ['anything, where those carried over have no time', false, [C], [row('n')]],
    ['anything, where nothing was carried over', false, [C], []],
  ])('shows that the filter lies if it has %s: %s', (_what, lies, rows, carried) => {
    expect(lacksAll(rows, carried)).toBe(lies);
  });
});

describe('two pages', () => {
  it.each<[string, boolean, readonly Row[], readonly Row[]]>([
    ['in another order', true, [A, B], [B, A]],
    ['each as often', true, [rating(1), rating(1), rating(2)], [rating(2), rating(1), rating(1)]],
    ['not as often', false, [rating(1), rating(1), rating(2)], [rating(1), rating(2), rating(2)]],
    ['and one more', false, [A, B], [A, B, C]],
    ['but for one', false, [A, B], [A, C]],
  ])('have the same records %s: %s', (_what, same, one, other) => {
    expect(isSame(page(one), page(other))).toBe(same);
  });

  it('are not the same if there is no other one', () => {
    expect(isSame(page([]), undefined)).toBe(false);
  });
});

it('a page has exact repeats only if records say the same, not if they share a name', () => {
  expect(hasRepeats(page([rating(1), rating(2)]))).toBe(false);
  expect(hasRepeats(page([rating(1), rating(1)]))).toBe(true);
});

it('rows are among others whatever their order, and none always are', () => {
  expect(includesAll([B, A, C], [A, B])).toBe(true);
  expect(includesAll([A], [A, B])).toBe(false);
  expect(includesAll([], [])).toBe(true);
});
