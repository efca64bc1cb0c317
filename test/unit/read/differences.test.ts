import { describe, expect, it } from 'vitest';
import type { Row } from '../../../src/datasets/normalise.ts';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import { openDifferences } from '../../../src/read/differences.ts';

const row = (key: string, time?: number): Row => ({
  dataset: datasetNamed('events'),
  key,
  needsOrdinal: false,
  time,
  values: [],
  extra: null,
});
const changed = (...keys: string[]) => keys.map((key) => ({ key, columns: ['content'] }));

describe('the differences of a reading from the table', () => {
  it('count a row once that came twice, and as missing if it was missing first', () => {
    const differences = openDifferences();
    differences.note([row('a'), row('b')], { missing: ['a'], changed: changed('b') });
    differences.note([row('a'), row('b')], { missing: ['a'], changed: changed('a', 'b') });
    expect(differences.countMissing()).toBe(1);
    expect(differences.found()).toMatchObject({ missing: new Set(['a']), changed: new Set(['b']) });
  });

  it('have the times of the missing rows that have one, and of no others', () => {
    const differences = openDifferences();
    differences.note([row('a', 1), row('b', 2), row('c')], { missing: ['a', 'c'], changed: changed('b') });
    expect(differences.found().times).toEqual(new Map([['a', 1]]));
  });

  it('are those found so far, and do not change afterwards', () => {
    const differences = openDifferences();
    differences.noteExtra(['x']);
    const before = differences.found();
    differences.noteExtra(['y']);
    expect([before.extra, differences.found().extra]).toEqual([new Set(['x']), new Set(['x', 'y'])]);
  });
});
