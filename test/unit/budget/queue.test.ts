import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createBudget } from '../../../src/budget/queue.ts';
import type { Grant, Ledger } from '../../../src/budget/ledger.ts';
import { systemClock, type Clock } from '../../../src/shared/clock.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** By the timers that the test moves on, those inside Bottleneck included. */
const clock: Clock = {
  ...systemClock,
  uptime: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      setTimeout(resolve, ms);
      signal?.addEventListener('abort', () => reject(signal.reason as Error));
    }),
};
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

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

describe('the queue of waiting requests', () => {
  it('runs no more requests at once than allowed, the most important first', async () => {
    const budget = createBudget({ ledger: ledger((_, n) => ({ token: n })), clock, concurrency: 2 });
    const order: number[] = [];
    let running = 0;
    let most = 0;
    const send = (priority: number) => async () => {
      most = Math.max(most, ++running);
      order.push(priority);
      // Long enough for all to have lined up behind the first two.
      await clock.sleep(300);
      running--;
    };
    for (const priority of [9, 9, 9, 9, 5, 5, 1]) void budget.spend({ endpoint: 'events', priority }, send(priority));
    await pass(2000);
    expect(most).toBe(2);
    expect(order).toEqual([9, 9, 1, 5, 5, 9, 9]);
  });

  it('lets requests to other endpoints overtake one that has to wait', async () => {
    let blocked = true;
    const budget = createBudget({
      ledger: ledger((endpoint, n) =>
        endpoint === 'events' && blocked ? { waitMs: 20, limit: 'minute' } : { token: n },
      ),
      clock,
      concurrency: 1,
    });
    const done: string[] = [];
    const spend = (endpoint: string, priority: number) =>
      void budget.spend({ endpoint, priority }, () => Promise.resolve(done.push(endpoint)));
    spend('events', 0);
    spend('chat', 9);
    await pass(100);
    expect(done).toEqual(['chat']);
    blocked = false;
    await pass(100);
    expect(done).toEqual(['chat', 'events']);
  });

  it('lets others overtake a request that only waits for its own share', async () => {
    const budget = createBudget({
      ledger: ledger((_, n) => (n === 0 ? { waitMs: 1000, limit: 'share' } : { token: n })),
      clock,
      concurrency: 1,
    });
    const sent: string[] = [];
    const spend = (name: string, priority: number) =>
      void budget.spend({ endpoint: 'events', priority }, () => Promise.resolve(sent.push(name)));
    spend('first read', 0);
    await pass(100);
    spend('poll', 9);
    await pass(100);
    expect(sent).toEqual(['poll']);
  });

  it.each([0, 1, 2, 5, 9, 29])(
    'gives the next token to the most important waiting request, even if it came %i ms later',
    async (late) => {
      const asked: string[] = [];
      let freeAt = Infinity;
      let isFree = true;
      const budget = createBudget({
        ledger: ledger((endpoint) => {
          asked.push(endpoint);
          if (asked.includes('late') && freeAt === Infinity) freeAt = clock.uptime() + 30;
          const waitMs = freeAt === Infinity ? 30 : Math.ceil(freeAt - clock.uptime());
          if (waitMs > 0 || !isFree) return { waitMs: Math.max(waitMs, 1), limit: 'hour' };
          isFree = false;
          return { token: 1 };
        }),
        clock,
        concurrency: 4,
      });
      const sent: string[] = [];
      const spend = (endpoint: string, priority: number) =>
        void budget.spend({ endpoint, priority }, () => Promise.resolve(sent.push(endpoint)));
      spend('early', 9);
      setTimeout(() => spend('late', 0), late);
      await pass(200);
      expect(sent).toEqual(['late']);
    },
  );

  it('uses the priority that a request has now, not the one it had when it came', async () => {
    let tokens = 0;
    const budget = createBudget({
      ledger: ledger((_, n) => (tokens > 0 ? { token: tokens-- + n } : { waitMs: 5, limit: 'hour' })),
      clock,
      concurrency: 4,
    });
    const order: string[] = [];
    let risen = 4;
    const spend = (name: string, priority: number | (() => number)) =>
      void budget.spend({ endpoint: 'events', priority }, () => Promise.resolve(order.push(name)));
    spend('live', 2);
    spend('idle', 4);
    spend('risen', () => risen);
    await pass(20);
    risen = 1;
    await pass(20);
    for (const sent of [['risen'], ['risen', 'live'], ['risen', 'live', 'idle']]) {
      tokens = 1;
      await pass(20);
      expect(order).toEqual(sent);
    }
  });

  it('continues if the clock is set back', async () => {
    const budget = createBudget({ ledger: ledger((_, n) => ({ token: n })), clock, concurrency: 1 });
    const sent: number[] = [];
    for (const hours of [1, 2]) {
      vi.setSystemTime(Date.now() - hours * 3_600_000);
      void budget.spend({ endpoint: 'events', priority: 5 }, () => Promise.resolve(sent.push(hours)));
      await pass(100);
    }
    expect(sent).toEqual([1, 2]);
  });

  it('drops an aborted request, even while all places are taken, and does not send it', async () => {
    const budget = createBudget({ ledger: ledger((_, n) => ({ token: n })), clock, concurrency: 1 });
    const sent: string[] = [];
    const spend = (endpoint: string, signal?: AbortSignal) =>
      budget.spend({ endpoint, priority: 5, signal }, () => (sent.push(endpoint), clock.sleep(300)));
    void spend('running');
    const abort = new AbortController();
    const waiting = expect(spend('waiting', abort.signal)).rejects.toThrow('enough');
    await pass(100);
    expect(sent).toEqual(['running']);
    abort.abort(new Error('enough'));
    await waiting;
    void spend('next');
    await pass(1000);
    expect(sent).toEqual(['running', 'next']);
  });

  it('drops an aborted request at once if none could start yet, and takes no token', async () => {
    let tokens = 0;
    const budget = createBudget({ ledger: ledger(() => ({ token: ++tokens })), clock, concurrency: 1 });
    const abort = new AbortController();
    const sent: string[] = [];
    const spend = (endpoint: string, signal?: AbortSignal) =>
      budget.spend({ endpoint, priority: 5, signal }, () => Promise.resolve(sent.push(endpoint)));
    const first = spend('first', abort.signal);
    void spend('second');
    abort.abort(new Error('enough'));
    // No timer was moved on: nothing in the line can have run yet.
    await expect(first).rejects.toThrow('enough');
    expect(sent).toEqual([]);
    await expect(spend('third', abort.signal)).rejects.toThrow('enough');
    await pass(100);
    expect(sent).toEqual(['second']);
    expect(tokens).toBe(1);
  });

  it('ends the wait of a request that is aborted', async () => {
    const budget = createBudget({ ledger: ledger(() => ({ waitMs: 60_000, limit: 'hour' })), clock, concurrency: 1 });
    const abort = new AbortController();
    const waiting = budget.spend({ endpoint: 'events', priority: 5, signal: abort.signal }, () =>
      Promise.resolve('sent'),
    );
    const given = expect(waiting).rejects.toThrow('enough');
    await pass(100);
    abort.abort(new Error('enough'));
    await given;
  });

  it('checks the time after the machine was suspended, instead of sleeping the rest of the wait', async () => {
    let uptime = 1e9;
    const until = uptime + 3_000_000;
    const slept: number[] = [];
    const suspended = {
      ...clock,
      uptime: () => uptime,
      sleep(ms: number) {
        slept.push(ms);
        // Suspended for hours in the second minute.
        uptime += slept.length === 2 ? 8 * 3_600_000 : ms;
        return Promise.resolve();
      },
    };
    const grant = (): Grant => (uptime < until ? { waitMs: until - uptime, limit: 'hour' } : { token: 1 });
    const budget = createBudget({ ledger: ledger(grant), clock: suspended, concurrency: 1 });
    const sent = budget.spend({ endpoint: 'events', priority: 5 }, () => Promise.resolve('sent'));
    await pass(100);
    expect(await sent).toBe('sent');
    expect(slept).toEqual([60_000, 60_000]);
  });

  it('returns the result of a request, and continues after a failure', async () => {
    const budget = createBudget({ ledger: ledger((_, n) => ({ token: n })), clock, concurrency: 1 });
    const broken = budget.spend({ endpoint: 'a', priority: 1 }, () => Promise.reject(new Error('broken')));
    const failed = expect(broken).rejects.toThrow('broken');
    const seven = budget.spend({ endpoint: 'a', priority: 1 }, () => Promise.resolve(7));
    await pass(100);
    await failed;
    expect(await seven).toBe(7);
  });
});
