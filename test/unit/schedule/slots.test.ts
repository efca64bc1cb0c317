import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isCron } from '../../../src/config/cron.ts';
import { openSchedule } from '../../../src/schedule/slots.ts';
import { cpuMs } from '../../support/cpu.ts';
import { DAY_MS as DAY } from '../../../src/shared/time.ts';

const at = (text: string) => Date.parse(text);

/** Every slot of a stretch of time, found by asking every minute, as a daemon does. */
function slots(expression: string, timeZone: string, from: string, to: string): string[] {
  const schedule = openSchedule(expression, timeZone);
  const found: string[] = [];
  for (let now = at(from); now <= at(to); now += 60_000) {
    const slot = schedule.lastSlot(now - 60_000, now);
    if (slot !== undefined) found.push(new Date(slot).toISOString());
  }
  return found;
}

describe('a schedule', () => {
  it('comes at its slots, in its time zone', () => {
    expect(slots('*/15 * * * *', 'UTC', '2026-03-01T00:00:00Z', '2026-03-01T00:50:00Z')).toEqual([
      '2026-03-01T00:00:00.000Z',
      '2026-03-01T00:15:00.000Z',
      '2026-03-01T00:30:00.000Z',
      '2026-03-01T00:45:00.000Z',
    ]);
    expect(slots('17 3 * * mon', 'Europe/Berlin', '2026-03-01T00:00:00Z', '2026-03-08T00:00:00Z')).toEqual([
      '2026-03-02T02:17:00.000Z',
    ]);
  });

  it('comes once on the day when the clock is put forward over it, and once when it is put back', () => {
    expect(slots('30 2 * * *', 'Europe/Berlin', '2026-03-28T00:00:00Z', '2026-03-31T00:00:00Z')).toEqual([
      '2026-03-28T01:30:00.000Z',
      '2026-03-29T01:00:00.000Z',
      '2026-03-30T00:30:00.000Z',
    ]);
    expect(slots('30 2 * * *', 'Europe/Berlin', '2026-10-24T00:00:00Z', '2026-10-27T00:00:00Z')).toEqual([
      '2026-10-24T00:30:00.000Z',
      '2026-10-25T00:30:00.000Z',
      '2026-10-26T01:30:00.000Z',
    ]);
  });

  it('goes on every quarter of an hour while the clock is put back', () => {
    const found = slots('*/15 * * * *', 'Europe/Berlin', '2026-10-25T00:00:00Z', '2026-10-25T03:00:00Z');
    expect(found.length).toBe(13);
  });

  it('is caught up once after any time asleep', () => {
    const schedule = openSchedule('0 3 * * *', 'UTC');
    expect(schedule.lastSlot(at('2026-03-01T04:00:00Z'), at('2026-03-09T12:00:00Z'))).toBe(at('2026-03-09T03:00:00Z'));
    expect(schedule.lastSlot(at('2026-03-09T03:00:00Z'), at('2026-03-09T12:00:00Z'))).toBeUndefined();
    expect(openSchedule('0 0 1 * *', 'UTC').lastSlot(0, at('2026-03-31T00:00:00Z'))).toBe(at('2026-03-01T00:00:00Z'));
  });

  it('is caught up with seconds as well, and comes at each of its seconds', () => {
    const daily = openSchedule('30 0 3 * * *', 'UTC');
    const slot = at('2026-03-09T03:00:30Z');
    expect(daily.lastSlot(at('2026-03-08T04:00:00Z'), at('2026-03-09T23:00:00Z'))).toBe(slot);
    expect(daily.nextSlot(at('2026-03-08T04:00:00Z'))).toBe(slot);
    expect(openSchedule('30 0 3 * * *', 'UTC').lastSlot(slot - DAY, slot - 1)).toBeUndefined();
    const often = openSchedule('*/20 * * * * *', 'UTC');
    const from = at('2026-03-01T00:00:00Z');
    const found = Array.from({ length: 61 }, (_, i) => often.lastSlot(from + i * 1000 - 1, from + i * 1000));
    expect(found.flatMap((one) => (one === undefined ? [] : [one - from]))).toEqual([0, 20_000, 40_000, 60_000]);
    expect(often.nextSlot(from + 20_000)).toBe(from + 40_000);
  });

  it('can be made of every expression that the configuration takes', () => {
    const number = (least: number, most: number) => fc.integer({ min: least, max: most + 1 });
    const part = (least: number, most: number) =>
      fc
        .record({ from: number(least, most), to: number(least, most), step: fc.integer({ min: 0, max: most + 2 }) })
        .chain(({ from, to, step }) =>
          fc.constantFrom('*', `${from}`, `${from}-${to}`, `*/${step}`, `${from}/${step}`, `${from}-${to}/${step}`),
        );
    const field = (least: number, most: number) =>
      fc.array(part(least, most), { minLength: 1, maxLength: 2 }).map((parts) => parts.join(','));
    const fields = fc.tuple(field(0, 59), field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 7));
    fc.assert(
      fc.property(fields, fc.boolean(), (all, hasSeconds) => {
        const expression = all.slice(hasSeconds ? 0 : 1).join(' ');
        if (isCron(expression)) openSchedule(expression, 'UTC');
      }),
      {
        numRuns: 5000,
        seed: 1,
        examples: ['0 0 30 2 *', '0 0 31 4,6 *', '5/15 * * * *'].map((text) => [
          ['0', ...text.split(' ')] as [string, string, string, string, string, string],
          false,
        ]),
      },
    );
  });

  it('looks for its next slot once, however rare it is and however many ask', () => {
    const schedule = openSchedule('0 0 1 1 *', 'UTC');
    const now = at('2026-03-01T03:00:00Z');
    expect(schedule.nextSlot(now)).toBeUndefined();
    const once = cpuMs(() => openSchedule('0 0 1 1 *', 'UTC').nextSlot(now));
    const asked = () => Array.from({ length: 1000 }, (_, i) => schedule.nextSlot(now + i));
    expect(new Set(asked())).toEqual(new Set([undefined]));
    expect(cpuMs(asked)).toBeLessThan(10 * once);
    expect(schedule.nextSlot(at('2026-12-31T23:00:00Z'))).toBe(at('2027-01-01T00:00:00Z'));
    expect(schedule.nextSlot(at('2026-12-31T23:59:59Z'))).toBe(at('2027-01-01T00:00:00Z'));
    expect(schedule.nextSlot(at('2027-01-01T00:00:00Z'))).toBeUndefined();
    expect(schedule.nextSlot(at('2026-12-31T23:00:00Z'))).toBe(at('2027-01-01T00:00:00Z'));
  });

  it('knows its next slot', () => {
    expect(openSchedule('0 3 * * *', 'UTC').nextSlot(at('2026-03-01T03:00:00Z'))).toBe(
      at('2026-03-01T03:00:00Z') + DAY,
    );
  });
});
