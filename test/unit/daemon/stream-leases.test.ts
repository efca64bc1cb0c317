import { describe, expect, it } from 'vitest';
import { createDesk } from '../../../src/daemon/stream-leases.ts';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import type { Stream } from '../../../src/datasets/stream.ts';

const stream = (data: string): Stream => ({
  experimentId: 'e',
  dataset: datasetNamed(data),
  scope: { kind: 'experiment' },
});
const [events, chat] = [stream('events'), stream('chat')];

describe('the desk', () => {
  it('gives a stream to one at a time, and then to those who wait for it in the order in which they came', async () => {
    const order: string[] = [];
    const desk = createDesk(() => order.push(desk.take(events, 'poll', 0) === undefined ? 'still taken' : 'free'));
    const release = desk.take(events, 'poll', 0);
    expect(desk.take(events, 'poll', 0)).toBeUndefined();
    const [first, second] = ['first', 'second'].map((name) =>
      desk
        .takeNext(events, 'verify', () => 7)
        .then((given) => {
          order.push(name);
          return given;
        }),
    );
    expect(desk.take(chat, 'poll', 0)).toBeDefined();
    release?.();
    (await first)?.();
    expect(desk.work.get('events of e')).toMatchObject({ kind: 'verify', since: 7 });
    (await second)?.();
    expect(order).toEqual(['still taken', 'first', 'still taken', 'second', 'free']);
  });

  it('is empty once nobody holds or waits for a stream', async () => {
    const desk = createDesk(() => undefined);
    let isEmpty = false;
    const release = desk.take(events, 'poll', 0);
    const next = desk.takeNext(events, 'verify', () => 0);
    void desk.empty().then(() => (isEmpty = true));
    release?.();
    const last = await next;
    await Promise.resolve();
    expect(isEmpty).toBe(false);
    last();
    await desk.empty();
    expect(isEmpty).toBe(true);
  });
});
