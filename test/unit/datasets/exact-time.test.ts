import { describe, expect, it } from 'vitest';
import { exactTime } from '../../../src/datasets/exact-time.ts';
import { parseJson, type Json } from '../../../src/shared/json.ts';

describe('an exact time', () => {
  it.each<[string, readonly Json[]]>([
    [
      '2026-01-12T11:00:05.000Z',
      [
        '2026-01-12T11:00:05Z',
        '2026-01-12T11:00:05.000Z',
        '2026-01-12 11:00:05.000000+00:00',
        '2026-01-12T13:00:05+0200',
        '2026-01-12T11:00:05',
        1_768_215_605,
        1_768_215_605_000,
        { _seconds: 1_768_215_605, _nanoseconds: 0 },
      ],
    ],
    [
      '2026-01-12T11:00:05.123Z',
      ['2026-01-12T11:00:05,1230Z', 1_768_215_605.123, 1_768_215_605_123, parseJson('1768215605.12300000000000000')],
    ],
    [
      '2026-01-12T11:00:05.1234567Z',
      [
        '2026-01-12T12:00:05.123456700+01:00',
        { seconds: 1_768_215_605, nanoseconds: 123_456_700 },
        parseJson('1768215605.1234567000000'),
      ],
    ],
  ])('is the same text in whatever form it comes: %s', (exact, forms) => {
    expect(forms.map(exactTime)).toEqual(forms.map(() => exact));
  });

  it.each<[Json | undefined]>([
    [undefined],
    [null],
    [''],
    ['noon'],
    ['2026-02-30T00:00:00Z'],
    [12],
    [{ seconds: 1_768_215_605 }],
    [{ seconds: 1_768_215_605, nanoseconds: 0, zone: 'CET' }],
    [{ seconds: 1_768_215_605, nanoseconds: 2e9 }],
    [{ seconds: 1_768_215_605, nanoseconds: 0.5 }],
  ])('is not made of what is no time or says more than one: %j', (sent) => {
    expect(exactTime(sent)).toBeUndefined();
  });
});
