import { describe, expect, it } from 'vitest';
import Database from 'better-sqlite3';
import { openLedger } from '../../src/budget/ledger.ts';
import type { Clock } from '../../src/shared/clock.ts';
import { migrate } from '../../src/warehouse/migrate.ts';
import { createMeter } from '../../src/simulator/access.ts';
import { budgetCampaign } from './budget.ts';
import { HOUR_MS as HOUR } from '../../src/shared/time.ts';

describe('the budget', () => {
  it('is kept by several processes that are killed and restarted; a strict server refuses nothing', async () => {
    const { requests, refused } = await budgetCampaign({ limit: 'minute', seconds: 12, restarts: 5, seed: 2 });
    expect(refused).toBe(0);
    expect(requests).toBeGreaterThan(60);
  }, 180_000);

  it('is kept over several hours of fast clocks that are set back and forth', async () => {
    const campaign = { limit: 'hour', speed: 600, seconds: 25, restarts: 5, seed: 3 } as const;
    const { requests, refused } = await budgetCampaign(campaign);
    expect(refused).toBe(0);
    expect(requests).toBeGreaterThan(350);
  }, 180_000);

  it('meets few refusals when another program wants more than the key has left', () => {
    const limits = { perHour: 200, perEndpointPerMinute: 40 };
    let now = 0;
    const clock: Clock = { now: () => now, uptime: () => now, bootId: 'b', sleep: () => Promise.resolve() };
    const meter = createMeter(limits, { endpoint: 'dataType', window: 'rolling' });
    const db = new Database(':memory:');
    migrate(db);
    const ledger = openLedger(db, { clock, keyId: 'k', ...limits, reserve: 0.1, deadlineMs: 60_000 });
    const tally = { sent: 0, refused: 0, others: 0 };
    const asksAgainAt = { events: 0, chat: 0, sync: 0 };
    const hours = 4;
    for (; now < hours * HOUR; now += 500) {
      if (now % 30_000 === 0 && meter.take('key', 'rooms', 'rooms', now) === 0) tally.others++;
      for (const endpoint of ['events', 'chat', 'sync'] as const) {
        if (now < asksAgainAt[endpoint]) continue;
        const grant = ledger.tryStart(endpoint);
        if ('waitMs' in grant) {
          asksAgainAt[endpoint] = now + grant.waitMs;
          continue;
        }
        const wait = meter.take('key', endpoint, endpoint, now);
        ledger.finish(grant.token);
        tally.sent++;
        if (wait === 0) continue;
        tally.refused++;
        ledger.pause(endpoint, Math.ceil(wait / 1000) * 1000);
      }
    }
    expect(tally.refused / hours).toBeLessThan(10);
    expect(tally.sent / hours).toBeGreaterThan(80);
  });

  it('is used to at least 97 % over a long time', () => {
    let now = 0;
    const clock: Clock = { now: () => now, uptime: () => now, bootId: 'b', sleep: () => Promise.resolve() };
    const db = new Database(':memory:');
    migrate(db);
    const limits = { perHour: 300, perEndpointPerMinute: 30, reserve: 0.1, deadlineMs: 60_000 };
    const ledger = openLedger(db, { clock, keyId: 'k', ...limits });
    const endpoints = ['events', 'chat', 'sync'];
    let spent = 0;
    const hours = 6;
    while (now < hours * 3_600_000) {
      const grants = endpoints.map((endpoint) => ledger.tryStart(endpoint));
      now += 300;
      for (const grant of grants) {
        if (!('token' in grant)) continue;
        ledger.finish(grant.token);
        spent++;
      }
      const waits = grants.map((grant) => ('token' in grant ? 0 : grant.waitMs));
      now += Math.min(...waits);
    }
    expect(spent / (hours * 270)).toBeGreaterThanOrEqual(0.97);
    expect(spent / (hours * 270)).toBeLessThanOrEqual(1.001);
  });
});
