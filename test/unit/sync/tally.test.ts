import { expect, it } from 'vitest';
import type { Usage } from '../../../src/budget/ledger.ts';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import type { Stream } from '../../../src/datasets/stream.ts';
import type { SyncOptions } from '../../../src/sync/run.ts';
import type { StreamResult } from '../../../src/sync/stream.ts';
import { tallied, type Tally } from '../../../src/sync/tally.ts';
import { configFor } from '../../support/lab.ts';
import { HOUR_MS as HOUR } from '../../../src/shared/time.ts';

const streamsOf = (data: string, many: number): Stream[] =>
  Array.from({ length: many }, (_, i) => ({
    experimentId: `exp_${i}`,
    dataset: datasetNamed(data),
    scope: { kind: 'experiment' },
  }));

/** A sync of which only what the tally asks for is real, with a limit of 100 requests an hour. */
function counting(used = 0) {
  const time = { now: 1_000_000 };
  const told: Tally[] = [];
  const config = configFor('http://127.0.0.1:9', 'w.db');
  const ages: Usage['ages'] = Array.from({ length: used }, () => ({ endpoint: 'events', ageMs: 0 }));
  const hooks = tallied(
    {
      config: { ...config, api: { ...config.api, limits: { perHour: 100, perEndpointPerMinute: 100, reserve: 0 } } },
      clock: { now: () => time.now, uptime: () => time.now },
      budget: { usage: () => ({ hour: { used, allowed: 100 }, others: 0, minute: new Map(), perMinute: [], ages }) },
    } as unknown as Parameters<typeof tallied>[0],
    (tally) => told.push(tally),
  );
  const plan = (streams: Stream[]) => hooks.onPlan?.(streams);
  const end = (stream: Stream | undefined, requests: number) => {
    if (stream === undefined) throw new Error('no stream');
    const result = { data: stream.dataset.name, requests } as StreamResult;
    hooks.onStream?.({ stream });
    hooks.onStream?.({ stream, result } satisfies Parameters<NonNullable<SyncOptions['onStream']>>[0]);
  };
  const page = (stream: Stream) => hooks.onPage?.(stream, { fetched: 1, total: 2 });
  return { time, told, plan, end, page, last: () => told.at(-1) };
}

it('the tally of a sync counts streams once, also when they are read again or planned again', () => {
  const { plan, end, last } = counting();
  const [first, ...others] = streamsOf('events', 3);
  plan([...(first === undefined ? [] : [first]), ...others]);
  expect(last()).toMatchObject({ done: 0, of: 3 });
  end(first, 1);
  end(first, 2);
  expect(last()).toMatchObject({ done: 1, of: 3 });
  // Rooms were found.
  plan([...streamsOf('events', 3), ...streamsOf('chat', 4)]);
  expect(last()).toMatchObject({ done: 1, of: 7 });
});

it('the tally of a sync says when all will be done under the limits, from what streams of a type took so far', () => {
  const { time, plan, end, last } = counting();
  const streams = streamsOf('events', 50);
  plan(streams);
  // 50 requests are less than the hour allows.
  expect((last()?.doneAt ?? 0) - time.now).toBeLessThan(HOUR / 4);
  time.now += 10_000;
  end(streams[0], 4);
  // 49 streams with four requests each: the second hundred waits an hour.
  expect((last()?.doneAt ?? 0) - time.now).toBeGreaterThan(HOUR);
  expect((last()?.doneAt ?? 0) - time.now).toBeLessThan(1.5 * HOUR);
});

it('the tally of a sync counts what the hour has spent already', () => {
  const { time, plan, last } = counting(100);
  plan(streamsOf('events', 1));
  expect(last()?.hour).toEqual({ used: 100, allowed: 100 });
  expect((last()?.doneAt ?? 0) - time.now).toBeGreaterThanOrEqual(HOUR);
});

it('the tally of a sync is reported during a long stream too, once a second', () => {
  const { time, told, plan, page } = counting();
  const streams = streamsOf('events', 1);
  plan(streams);
  for (let i = 0; i < 30; i++) {
    time.now += 100;
    for (const stream of streams) page(stream);
  }
  expect(told).toHaveLength(1 + 3);
});
