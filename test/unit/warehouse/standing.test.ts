import { describe, expect, it } from 'vitest';
import type { Doubt, DoubtKind } from '../../../src/warehouse/doubts.ts';
import { NEVER_READ, type Position } from '../../../src/warehouse/positions.ts';
import { isWell, standingOf, type Standing } from '../../../src/warehouse/standing.ts';

const doubts = (...kinds: DoubtKind[]): Doubt[] => kinds.map((kind) => ({ kind, text: kind }));
const at = (change: Partial<Position>) => standingOf({ ...NEVER_READ, ...change });
const READ = { dataAsOf: 1, lastStatus: 'ok' };

describe('the standing of a stream', () => {
  it.each<[Standing, Partial<Position>]>([
    ['unread', {}],
    ['complete', { ...READ, complete: true, doubts: doubts('dated-ahead') }],
    ['incomplete', { ...READ, lastStatus: 'incomplete', doubts: doubts('withheld', 'lacking') }],
    ['incomplete', { ...READ, doubts: doubts('unread') }],
    ['failed', { ...READ, lastStatus: 'failed', doubts: doubts('failed', 'withheld') }],
    ['failed', { lastStatus: 'failed', doubts: doubts('failed') }],
    ['skipped', { lastStatus: 'skipped', doubts: doubts('no-scope') }],
    ['lost', { ...READ, lastStatus: 'skipped', doubts: doubts('no-scope') }],
    ['lost', { lastStatus: 'failed', doubts: doubts('no-scope') }],
    ['gone', { ...READ, doubts: doubts('gone', 'withheld') }],
    ['gone', { lastStatus: 'failed', doubts: doubts('gone', 'failed') }],
    ['unconfigured', { ...READ, lastStatus: 'failed', doubts: doubts('unconfigured', 'failed') }],
  ])('is “%s”', (standing, change) => {
    expect(at(change)).toBe(standing);
  });
});

describe('streams', () => {
  const well = (...standings: Standing[]) => isWell(standings.map((standing) => ({ standing, isNamed: false })));

  it('are well if each is complete, or could never be read and was not configured by name', () => {
    expect(well('complete', 'skipped', 'complete')).toBe(true);
    expect(well()).toBe(true);
    expect(
      isWell([
        { standing: 'skipped', isNamed: true },
        { standing: 'complete', isNamed: true },
      ]),
    ).toBe(false);
  });

  it.each<Standing>(['incomplete', 'failed', 'lost', 'gone', 'unread'])('are not well if one is %s', (standing) => {
    expect(well('complete', standing)).toBe(false);
  });

  it('are not well if the key can read none of them', () => {
    expect(well('skipped', 'skipped')).toBe(false);
    expect(well('skipped', 'unconfigured')).toBe(false);
  });

  it('that are no longer configured do not count', () => {
    expect(well('complete', 'unconfigured')).toBe(true);
    expect(well('unread', 'unconfigured')).toBe(false);
  });
});
