import { describe, expect, it, onTestFinished, vi } from 'vitest';
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
    usage: () => ({ hour: { used: 0, allowed: 0 }, others: 0, minute: new Map(), perMinute: [], ages: [] }),
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
      order.push(priority);
      // Long enough for all to have lined up behind the first two, also on a busy machine.
      await systemClock.sleep(300);
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

  it('gives the next token to the most important of those that wait, however late it came', async () => {
    for (let round = 0; round < 10; round++) {
      const asked: string[] = [];
      let freeAt = Infinity;
      let isFree = true;
      const budget = createBudget({
        ledger: ledger((endpoint) => {
          asked.push(endpoint);
          if (asked.includes('late') && freeAt === Infinity) freeAt = systemClock.uptime() + 30;
          const waitMs = freeAt === Infinity ? 30 : Math.ceil(freeAt - systemClock.uptime());
          if (waitMs > 0 || !isFree) return { waitMs: Math.max(waitMs, 1), limit: 'hour' };
          isFree = false;
          return { token: 1 };
        }),
        clock: systemClock,
        concurrency: 4,
      });
      const abort = new AbortController();
      const first = await new Promise<string>((resolve) => {
        const spend = (endpoint: string, priority: number) =>
          void budget
            .spend({ endpoint, priority, signal: abort.signal }, () => Promise.resolve(endpoint))
            .then(resolve)
            .catch(() => undefined);
        spend('early', 9);
        setTimeout(() => spend('late', 0), round);
      });
      abort.abort(new Error('enough'));
      expect(first).toBe('late');
    }
  });

  it('goes by how important each request is now, not when it lined up', async () => {
    let tokens = 0;
    const budget = createBudget({
      ledger: ledger((_, n) => (tokens > 0 ? { token: tokens-- + n } : { waitMs: 5, limit: 'hour' })),
      clock: systemClock,
      concurrency: 4,
    });
    const order: string[] = [];
    let risen = 4;
    const spend = (name: string, priority: number | (() => number)) =>
      budget.spend({ endpoint: 'events', priority }, () => Promise.resolve(order.push(name)));
    const all = [spend('live', 2), spend('idle', 4), spend('risen', () => risen)];
    await systemClock.sleep(20);
    risen = 1;
    await systemClock.sleep(20);
    for (const sent of [1, 2, 3]) {
      tokens = 1;
      await vi.waitFor(() => expect(order).toHaveLength(sent));
    }
    await Promise.all(all);
    expect(order).toEqual(['risen', 'live', 'idle']);
  });

  it('keeps going when somebody sets the clock back', async () => {
    const budget = createBudget({ ledger: ledger((_, n) => ({ token: n })), clock: systemClock, concurrency: 1 });
    const setBack = (ms: number) =>
      vi.spyOn(Date, 'now').mockImplementation(() => performance.timeOrigin + performance.now() - ms);
    onTestFinished(() => void vi.restoreAllMocks());
    for (const hours of [1, 2]) {
      setBack(hours * 3_600_000);
      const sent = budget.spend({ endpoint: 'events', priority: 5 }, () => Promise.resolve('sent'));
      expect(await Promise.race([sent, systemClock.sleep(2000)])).toBe('sent');
    }
  });

  it('leaves the line when aborted, also while all places are taken, and sends nothing any more', async () => {
    const budget = createBudget({ ledger: ledger((_, n) => ({ token: n })), clock: systemClock, concurrency: 1 });
    const { promise: place, resolve: release } = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const running = budget.spend({ endpoint: 'events', priority: 5 }, () => (started.resolve(), place));
    const abort = new AbortController();
    let isSent = false;
    const waiting = budget.spend({ endpoint: 'chat', priority: 5, signal: abort.signal }, () =>
      Promise.resolve((isSent = true)),
    );
    await started.promise;
    abort.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    release();
    await running;
    await budget.spend({ endpoint: 'chat', priority: 9 }, () => Promise.resolve());
    expect(isSent).toBe(false);
  });

  it('leaves the line at once when aborted before anything in it could start, and takes no token', async () => {
    let tokens = 0;
    const budget = createBudget({ ledger: ledger(() => ({ token: ++tokens })), clock: systemClock, concurrency: 1 });
    const abort = new AbortController();
    const sent: string[] = [];
    const send = (endpoint: string, signal?: AbortSignal) =>
      budget.spend({ endpoint, priority: 5, signal }, () => Promise.resolve(sent.push(endpoint)));
    const first = send('first', abort.signal);
    const second = send('second');
    abort.abort(new Error('enough'));
    await expect(first).rejects.toThrow('enough');
    expect(sent).toEqual([]);
    await second;
    await expect(send('third', abort.signal)).rejects.toThrow('enough');
    expect(sent).toEqual(['second']);
    expect(tokens).toBe(1);
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

  it('looks at the time again after the machine was suspended, rather than sleep for as long as was left', async () => {
    let uptime = 1e9;
    const until = uptime + 3_000_000;
    const slept: number[] = [];
    const clock = {
      ...systemClock,
      uptime: () => uptime,
      sleep(ms: number) {
        slept.push(ms);
        // Suspended for hours in the second minute.
        uptime += slept.length === 2 ? 8 * 3_600_000 : ms;
        return Promise.resolve();
      },
    };
    const grant = (): Grant => (uptime < until ? { waitMs: until - uptime, limit: 'hour' } : { token: 1 });
    const budget = createBudget({ ledger: ledger(grant), clock, concurrency: 1 });
    await budget.spend({ endpoint: 'events', priority: 5 }, () => Promise.resolve());
    expect(slept).toEqual([60_000, 60_000]);
  });

  it('hands on what sending came to, and goes on after a failure', async () => {
    const budget = createBudget({ ledger: ledger((_, n) => ({ token: n })), clock: systemClock, concurrency: 1 });
    await expect(
      budget.spend({ endpoint: 'a', priority: 1 }, () => Promise.reject(new Error('broken'))),
    ).rejects.toThrow('broken');
    await expect(budget.spend({ endpoint: 'a', priority: 1 }, () => Promise.resolve(7))).resolves.toBe(7);
  });
});
