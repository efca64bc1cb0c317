import { describe, expect, it } from 'vitest';
import { readTimeRange, type RangeFlags } from '../../../src/cli/time-range.ts';
import { DATASETS } from '../../../src/datasets/registry.ts';

const NOW = Date.parse('2026-03-10T12:00:00.000Z');
const range = (flags: RangeFlags) => readTimeRange(flags, NOW);
const time = (text: string) => Date.parse(text);

describe('a range of time on the command line', () => {
  it('is none without --from and --to', () => {
    expect(range({ dryRun: true })).toBeUndefined();
  });

  it.each([
    ['2026-03-01', '2026-03-01T00:00:00.000Z'],
    ['2026-03-01T09:30', '2026-03-01T09:30:00.000Z'],
    ['2026-03-01 09:30:15.5', '2026-03-01T09:30:15.500Z'],
    ['2026-03-01T09:30:00+01:00', '2026-03-01T08:30:00.000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
  ])('takes %s as %s', (text, iso) => {
    expect(range({ from: text })).toEqual({ from: time(iso), dryRun: false });
    expect(range({ to: text, dryRun: true })).toEqual({ to: time(iso), dryRun: true });
  });

  it('may end with today, which tomorrow’s date says', () => {
    expect(range({ from: '2026-03-10', to: '2026-03-11' })).toMatchObject({ to: time('2026-03-11T00:00:00Z') });
  });

  it.each([
    [{ from: '2026-02-30' }, '--from 2026-02-30 is not a date or time'],
    [{ from: '2026-02-30T10:00Z' }, '--from 2026-02-30T10:00Z is not a date or time'],
    [{ to: '2026-13-01' }, '--to 2026-13-01 is not a date or time'],
    [{ from: '2026-03-01T25:00' }, 'is not a date or time'],
    [{ from: 'yesterday' }, '--from yesterday is not a date or time'],
    [{ from: '' }, 'is not a date or time'],
    [{ from: '2026-03-08', to: '2026-03-01' }, '--to 2026-03-01 is not later than --from 2026-03-08'],
    [{ from: '2026-03-01', to: '2026-03-01' }, 'is not later than'],
    [{ from: '2026-03-11' }, '--from 2026-03-11 lies in the future.'],
    [{ from: '2026-03-01', to: '2026-03-12' }, '--to 2026-03-12 lies in the future.'],
    [{ from: '2026-03-01', full: true }, '--full reads everything'],
    [{ from: '2026-03-01', data: ['events', 'experiment-configs'] }, 'Records of experiment-configs have no time'],
  ] satisfies [RangeFlags, string][])('refuses %o in one sentence', (flags, said) => {
    expect(() => range(flags)).toThrow(
      expect.objectContaining({
        code: 'USAGE',
        hint: undefined,
        message: expect.stringContaining(said) as string,
      }) as Error,
    );
  });

  it('takes every data type that has a time', () => {
    const timed = DATASETS.filter(({ timeField, read }) => timeField !== undefined && read !== 'single');
    expect(timed.length).toBeGreaterThan(10);
    expect(range({ from: '2026-03-01', data: timed.map(({ name }) => name) })).toBeDefined();
  });
});
