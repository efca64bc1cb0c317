import { describe, expect, it } from 'vitest';
import { createBudget } from '../../../src/budget/queue.ts';
import type { Grant, Ledger } from '../../../src/budget/ledger.ts';
import { systemClock } from '../../../src/shared/clock.ts';

/** A ledger whose grants the test decides. */
function ledger(grant: (endpoint: string, n: number) => Grant): Ledger {
  let n = 0;
  return {
    tryStart: (endpoint) => grant(endpoint, n++),
    finish: () => undefined,
    pause: () => undefined,
    usage: () => ({ hour: { used: 0, allowed: 0 }, minute: new Map() }),
  };
}

describe('the line of waiting requests', () => {
  it('runs no more at once than allowed, the most important first', async () => {
    const budget = createBudget({ ledger: ledger((_, n) => ({ token: n })), clock: systemClock, concurrency: 2 });
    const order: number[] = [];
    let running = 0;
    let most = 0;
    const send = (priority: number) => async () => {
      most = Math.max(most, ++running);
      await systemClock.sleep(30);
      order.push(priority);
      running--;
    };
    await Promise.all(
      [9, 9, 9, 9, 5, 5, 1].map((priority) => budget.spend({ endpoint: 'events', priority }, send(priority))),
    );
    expect(most).toBe(2);
    expect(order.slice(2)).toEqual([1, 5, 5, 9, 9]);
  });

  it('lets other endpoints pass one that has to wait', async () => {
    let blocked = true;
    const budget = createBudget({
      ledger: ledger((endpoint, n) =>
        endpoint === 'events' && blocked ? { waitMs: 20, limit: 'minute' } : { token: n },
      ),
      clock: systemClock,
      concurrency: 1,
    });
    const done: string[] = [];
    const events = budget.spend({ endpoint: 'events', priority: 0 }, () => Promise.resolve(done.push('events')));
    await budget.spend({ endpoint: 'chat', priority: 9 }, () => Promise.resolve(done.push('chat')));
    blocked = false;
    await events;
    expect(done).toEqual(['chat', 'events']);
  });

  it('gives up waiting when aborted', async () => {
    const budget = createBudget({
      ledger: ledger(() => ({ waitMs: 60_000, limit: 'hour' })),
      clock: systemClock,
      concurrency: 1,
    });
    const abort = new AbortController();
    const waiting = budget.spend({ endpoint: 'events', priority: 5, signal: abort.signal }, () =>
      Promise.resolve('sent'),
    );
    setTimeout(() => abort.abort(new Error('enough')), 20);
    await expect(waiting).rejects.toThrow('enough');
  });

  it('hands on what sending came to, and goes on after a failure', async () => {
    const budget = createBudget({ ledger: ledger((_, n) => ({ token: n })), clock: systemClock, concurrency: 1 });
    await expect(
      budget.spend({ endpoint: 'a', priority: 1 }, () => Promise.reject(new Error('broken'))),
    ).rejects.toThrow('broken');
    await expect(budget.spend({ endpoint: 'a', priority: 1 }, () => Promise.resolve(7))).resolves.toBe(7);
  });
});
