import { describe, expect, it } from 'vitest';
import { createAlertStore } from '../../../src/daemon/check-alerts.ts';
import { readTo } from '../../../src/daemon/snapshot.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import { silentLog } from '../../../src/shared/log.ts';
import { NEVER_READ, type StoredPosition } from '../../../src/warehouse/positions.ts';
import { openLab } from '../../support/lab.ts';
import { MINUTE_MS as MINUTE, HOUR_MS as HOUR } from '../../../src/shared/time.ts';

const NOW = Date.parse('2026-01-12T12:00:00.000Z');

describe('what a room sends', () => {
  const read = (data: string, change: Partial<StoredPosition> = {}) =>
    ({
      ...NEVER_READ,
      experimentId: 'exp_1',
      data,
      scope: 'experiment',
      lastStatus: 'ok',
      rows: 9,
      dataAsOf: NOW,
      ...change,
    }) satisfies StoredPosition;

  it('was read until the stalest of its streams was', () => {
    const positions = [
      read('rooms', { dataAsOf: NOW - 9 * HOUR }),
      read('events', { dataAsOf: NOW - MINUTE }),
      read('chat', { dataAsOf: NOW - 3 * MINUTE }),
      read('sync', { dataAsOf: NOW - HOUR, rows: 0 }),
      read('ratings/sparse', { dataAsOf: undefined, lastStatus: 'skipped', rows: 0 }),
      read('events', { dataAsOf: NOW - HOUR, experimentId: 'exp_2' }),
      read('chat', { dataAsOf: NOW - HOUR, scope: 'room:r2' }),
    ];
    expect(readTo(positions, 'exp_1', 'r1')).toBe(NOW - 3 * MINUTE);
    expect(readTo(positions, 'exp_1', 'r2')).toBe(NOW - HOUR);
    const unread = read('ratings/continuous', { dataAsOf: undefined, lastStatus: undefined, rows: 0 });
    expect(readTo([...positions, unread], 'exp_1', 'r1')).toBeUndefined();
    expect(readTo([read('rooms')], 'exp_1', 'r1')).toBeUndefined();
  });
});

describe('the record of sent alerts', () => {
  it('is remembered although the warehouse cannot be written, and stored as soon as it can', async () => {
    const lab = await openLab();
    const { warehouse } = lab;
    const clock = { ...systemClock, now: () => lab.now };
    const store = createAlertStore(warehouse.db, clock, silentLog);
    warehouse.db.pragma('query_only = 1');
    store.save('"told"');
    expect(store.load()).toBe('"told"');
    expect(createAlertStore(warehouse.db, clock, silentLog).load()).toBeUndefined();
    warehouse.db.pragma('query_only = 0');
    store.save('"told again"');
    expect(createAlertStore(warehouse.db, clock, silentLog).load()).toBe('"told again"');
  });
});
