import { describe, expect, it } from 'vitest';
import { isCron } from '../../../src/config/cron.ts';

describe('a schedule', () => {
  it.each([
    '*/15 * * * *',
    '0 3 * * *',
    '0,30 8-18 1-31/2 jan-DEC mon-FRI',
    '* * * * 7',
    '30 0 3 * * *',
    ' 0 3 * * * ',
    '0 0 29 2 *',
    '0 0 30-31 2,jul *',
  ])('may be %j', (text) => expect(isCron(text)).toBe(true));

  it.each([
    '',
    'often',
    '* * * *',
    '60 * * * *',
    '0 24 * * *',
    '0 0 0 * *',
    '0 0 * 13 *',
    '0 0 * * 8',
    '*/0 * * * *',
    '5-1 * * * *',
    '1, * * * *',
    '-1 * * * *',
    '0 0 * mon *',
    '* * * * * * *',
    '0 0 30 2 *',
    '0 0 30,31 feb *',
    '0 0 31 4,6-7/2 *',
    '5/15 * * * *',
  ])('may not be %j', (text) => expect(isCron(text)).toBe(false));
});
