import { describe, expect, it } from 'vitest';
import Database from 'better-sqlite3';
import { openLedger } from '../../src/budget/ledger.ts';
import type { Clock } from '../../src/shared/clock.ts';
import { migrate } from '../../src/warehouse/migrate.ts';
import { budgetCampaign } from './budget.ts';

describe('the budget', () => {
  it('is kept by several processes that are killed and started anew; a strict server refuses nothing', async () => {
    const { requests, refused } = await budgetCampaign({ seconds: 12, restarts: 10, seed: 2 });
    expect(refused).toBe(0);
    expect(requests).toBeGreaterThan(60);
  });

  it('is used to at least 97 % over a long time', () => {
    let now = 0;
    const clock: Clock = { now: () => now, uptime: () => now, bootId: 'b', sleep: () => Promise.resolve() };
    const db = new Database(':memory:');
    migrate(db);
    const limits = { perHour: 1000, perEndpointPerMinute: 100, reserve: 0.1, deadlineMs: 60_000 };
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
    expect(spent / (hours * 900)).toBeGreaterThanOrEqual(0.97);
    expect(spent / (hours * 900)).toBeLessThanOrEqual(1.001);
  });
});
