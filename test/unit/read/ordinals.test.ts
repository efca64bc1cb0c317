import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Row } from '../../../src/datasets/normalise.ts';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import { markOf, numbered, openNumbering, tailStart } from '../../../src/read/ordinals.ts';

const id = (key: string, content = '', time = 1): Row => ({
  dataset: datasetNamed('components'),
  key,
  needsOrdinal: false,
  time,
  values: [content],
  extra: null,
});
const named = (key: string, content = '', time = 1): Row => ({
  ...id(key, content, time),
  needsOrdinal: true,
});
const digest = (content: string): Row => named(`sha256:${content}`, content);
const timeless = (content: string): Row => ({ ...digest(content), time: undefined });

/** What each content is called, whatever the order of the rows. */
const keys = (rows: readonly Row[]) =>
  Object.fromEntries(rows.map(({ key, values }): [string, string] => [String(values[0]), key]));

describe('ordinals', () => {
  it('are not given to rows with unique keys', () => {
    const rows = [id('a'), named('b'), digest('c')];
    const result = numbered(rows);
    expect(result.doubled).toBe(0);
    result.rows.forEach((row, i) => expect(row).toBe(rows[i]));
  });

  it('follow time, then content, whatever the order of the answer', () => {
    const rows = [named('n', 'x', 2), named('n', 'z', 1), named('n', 'y', 1), id('i', 'p'), id('i', 'q'), id('j', 'r')];
    const expected = keys(numbered(rows).rows);
    expect(expected['x']).toBe('n#3');
    expect([expected['y'], expected['z']].sort()).toEqual(['n', 'n#2']);
    fc.assert(
      fc.property(fc.shuffledSubarray(rows, { minLength: rows.length }), (shuffled) => {
        const result = numbered(shuffled);
        expect(keys(result.rows)).toEqual(expected);
        expect(result.rows.map(({ values }) => values)).toEqual(shuffled.map(({ values }) => values));
      }),
    );
  });

  it('come with the number of ids that have several records, exact repeats included', () => {
    const { rows, doubled } = numbered([id('a', 'x'), id('a', 'x'), id('a', 'y'), id('b'), id('c', '1'), id('c', '2')]);
    expect(doubled).toBe(2);
    expect(new Set(rows.map(({ key }) => key))).toEqual(new Set(['a', 'a#2', 'a#3', 'b', 'c', 'c#2']));
  });

  it.each([
    ['what names a record, at any time', [named('n', 'x', 1)], [named('n', 'y', 2)], 'n#2'],
    ['exact repeats without a time', [timeless('x')], [timeless('x')], 'sha256:x#2'],
    ['a third record of an id that was met twice', [id('a', 'x'), id('a', 'y')], [id('a', 'z', 2)], 'a#3'],
  ])('continue across the calls of a listing: %s', (_what, first, then, expected) => {
    const number = openNumbering();
    number(first);
    expect(number(then).rows.map(({ key }) => key)).toEqual([expected]);
  });

  it('of exact repeats with a time, and of an id that came once, start again in each call', () => {
    const number = openNumbering();
    number([digest('x'), digest('x'), id('a')]);
    expect(number([digest('x'), id('a', 'new', 2)]).rows.map(({ key }) => key)).toEqual(['sha256:x', 'a']);
  });

  it('are the same for a record that comes twice in a listing because rows moved', () => {
    const number = openNumbering();
    const first = keys(number([named('n', 'x', 1), named('n', 'y', 1), id('a', 'p'), id('a', 'q')]).rows);
    const again = [named('n', 'y', 1), named('n', 'z', 2), id('a', 'q')];
    expect(keys(number(again).rows)).toEqual({ y: first['y'], z: 'n#3', q: first['q'] });
    expect(number([named('n', 'x', 1)]).rows.map(({ key }) => key)).toEqual([first['x']]);
  });
});

describe('the mark of a row', () => {
  it('distinguishes records with one name, but not two versions of one id', () => {
    expect(markOf(digest('x'))).toBe('sha256:x');
    expect(markOf(named('n', 'x'))).not.toBe(markOf(named('n', 'y')));
    expect(markOf(id('a', 'x'))).toBe(markOf(id('a', 'y')));
  });
});

describe('the index of the first row with the last timestamp', () => {
  it.each([
    [[], 0],
    [[1, 2, 3], 2],
    [[1, 3, 3], 1],
    [[3, 3, 3], 0],
    [[1, undefined, undefined], 2],
    [[3, undefined, 3], 2],
  ])('of %j is %i', (times, start) => {
    expect(tailStart(times.map((time) => ({ ...id('a'), time })))).toBe(start);
  });
});
