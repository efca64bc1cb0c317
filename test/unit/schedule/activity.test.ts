import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  HOLD_MS,
  isLive,
  noteLook,
  PATIENCE_MS,
  updateRate,
  type Look,
  type Signals,
} from '../../../src/schedule/activity.ts';
import { HOUR_MS, MINUTE_MS } from '../../../src/shared/time.ts';

const NOTHING: Signals = { rooms: [] };
const T0 = Date.parse('2026-03-01T09:00:00.000Z');
const SAME: Look = { updatedAt: '2025-01-01T00:00:00.000Z', roomCount: 3, participantCount: 9 };

describe('the rate of a stream', () => {
  it('shows a burst at the first poll that sees it, also after an hour of nothing', () => {
    expect(updateRate(0, { newRows: 500, elapsedMs: HOUR_MS, spanMs: MINUTE_MS })).toBeGreaterThan(25_000);
    expect(updateRate(0, { newRows: 500, elapsedMs: HOUR_MS })).toBeCloseTo(500, -1);
  });

  it('fades within an hour once nothing comes, however often it is polled', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), (polls) => {
        let rate = 50_000;
        for (let i = 0; i < polls; i++) rate = updateRate(rate, { newRows: 0, elapsedMs: HOUR_MS / polls });
        expect(rate).toBeCloseTo(50_000 / 2 ** 12, 6);
      }),
    );
  });

  it('settles at the rate at which rows come', () => {
    let rate = 0;
    for (let i = 0; i < 200; i++) rate = updateRate(rate, { newRows: 10, elapsedMs: 20_000, spanMs: 19_000 });
    expect(rate).toBeCloseTo(1800, 0);
  });

  it('is a finite number of at least 0, whatever a poll brought', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e7, noNaN: true }), fc.nat(1e6), fc.nat(1e9), fc.nat(1e9), (...args) => {
        const [previous, newRows, elapsedMs, spanMs] = args;
        const rate = updateRate(previous, { newRows, elapsedMs, spanMs });
        expect(Number.isFinite(rate) && rate >= 0).toBe(true);
      }),
    );
  });
});

describe('an experiment', () => {
  it('is idle without a sign', () => {
    expect(isLive(NOTHING, T0)).toBe(false);
    expect(isLive(look(NOTHING, SAME, T0), T0)).toBe(false);
  });

  it.each<Look>([
    { ...SAME, updatedAt: '2026-03-01T08:59:00.000Z' },
    { ...SAME, roomCount: 4 },
    { ...SAME, participantCount: 10 },
  ])('is live from the look that differs on, for a while: %o', (changed) => {
    const signals = look(look(NOTHING, SAME, T0), changed, T0 + MINUTE_MS);
    expect(isLive(signals, T0 + MINUTE_MS)).toBe(true);
    expect(isLive(signals, T0 + MINUTE_MS + HOLD_MS)).toBe(true);
    expect(isLive(signals, T0 + MINUTE_MS + HOLD_MS + 1)).toBe(false);
  });

  it('is live at the first look when it was updated a moment ago', () => {
    expect(isLive(look(NOTHING, { ...SAME, updatedAt: '2026-03-01T08:58:00Z' }, T0), T0)).toBe(true);
    expect(isLive(look(NOTHING, { updatedAt: 'yesterday' }, T0), T0)).toBe(false);
  });

  it('is live while rows come, although the API shows no sign', () => {
    const signals = { ...NOTHING, rowsAt: T0 };
    expect(isLive(signals, T0 + HOLD_MS)).toBe(true);
    expect(isLive(signals, T0 + HOLD_MS + 1)).toBe(false);
  });

  it('is live while a room is open, for an hour longer than rows come', () => {
    const open = { rooms: [{ status: 'in_progress', since: T0 }] };
    expect(isLive(open, T0 + PATIENCE_MS)).toBe(true);
    expect(isLive(open, T0 + PATIENCE_MS + 1)).toBe(false);
    const goesOn = { ...open, rowsAt: T0 + 5 * HOUR_MS };
    expect(isLive(goesOn, T0 + 5 * HOUR_MS + PATIENCE_MS)).toBe(true);
    expect(isLive(goesOn, T0 + 5 * HOUR_MS + PATIENCE_MS + 1)).toBe(false);
  });

  it.each(['completed', 'ENDED', 'cancelled', null])('is not live for a room whose status is %s', (status) => {
    expect(isLive({ rooms: [{ status, since: T0 }] }, T0)).toBe(false);
  });

  it('is idle in the end when the API changes at every look and no row comes, and live again with rows', () => {
    let signals = NOTHING;
    let now = T0;
    for (; now < T0 + 3 * HOUR_MS; now += MINUTE_MS) {
      signals = look(signals, { ...SAME, updatedAt: new Date(now).toISOString() }, now);
      expect(isLive(signals, now)).toBe(now - T0 <= PATIENCE_MS);
    }
    expect(isLive({ ...signals, rowsAt: now }, now)).toBe(true);
  });

  it('does not flap: it stays live for the hold after each sign', () => {
    const looks = fc.array(fc.record({ after: fc.nat(HOUR_MS), rooms: fc.nat(3), rows: fc.boolean() }), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(looks, (steps) => {
        let signals = look(NOTHING, SAME, T0);
        let now = T0;
        for (const { after, rooms, rows } of steps) {
          now += after;
          const before = signals.changedAt;
          signals = look(signals, { ...SAME, roomCount: rooms }, now);
          if (rows) signals = { ...signals, rowsAt: now };
          if (!rows && signals.changedAt === before) continue;
          for (let later = 0; later <= HOLD_MS; later += HOLD_MS / 10)
            if (rows || now + later - (signals.changingSince ?? 0) <= PATIENCE_MS)
              expect(isLive(signals, now + later)).toBe(true);
        }
        expect(isLive(signals, now + 2 * HOUR_MS)).toBe(false);
      }),
    );
  });
});

function look(signals: Signals, seen: Look, now: number): Signals {
  return noteLook(signals, seen, now);
}
