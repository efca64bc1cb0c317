import { describe, expect, it } from 'vitest';
import { createStreamLeases } from '../../../src/daemon/stream-leases.ts';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import type { Stream } from '../../../src/datasets/stream.ts';

const stream = (data: string): Stream => ({
  experimentId: 'e',
  dataset: datasetNamed(data),
  scope: { kind: 'experiment' },
});
const [events, chat] = [stream('events'), stream('chat')];

describe('the stream leases', () => {
  it('give a stream to one at a time, and then to those who wait for it in the order in which they came', async () => {
    const order: string[] = [];
    const leases = createStreamLeases(() =>
      order.push(leases.take(events, 'poll', 0) === undefined ? 'still taken' : 'free'),
    );
    const release = leases.take(events, 'poll', 0);
    expect(leases.take(events, 'poll', 0)).toBeUndefined();
    const [first, second] = ['first', 'second'].map((name) =>
      leases
        .takeNext(events, 'verify', () => 7)
        .then((given) => {
          order.push(name);
          return given;
        }),
    );
    expect(leases.take(chat, 'poll', 0)).toBeDefined();
    release?.();
    (await first)?.();
    expect(leases.held.get('events of e')).toMatchObject({ kind: 'verify', since: 7 });
    (await second)?.();
    expect(order).toEqual(['still taken', 'first', 'still taken', 'second', 'free']);
  });

  it('are empty once no stream is held or waited for', async () => {
    const leases = createStreamLeases(() => undefined);
    let isEmpty = false;
    const release = leases.take(events, 'poll', 0);
    const next = leases.takeNext(events, 'verify', () => 0);
    void leases.empty().then(() => (isEmpty = true));
    release?.();
    const last = await next;
    await Promise.resolve();
    expect(isEmpty).toBe(false);
    last();
    await leases.empty();
    expect(isEmpty).toBe(true);
  });
});
