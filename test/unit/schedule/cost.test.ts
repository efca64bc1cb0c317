import { describe, expect, it } from 'vitest';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import type { Stream } from '../../../src/datasets/stream.ts';
import { estimate, forecast, type Spent } from '../../../src/schedule/cost.ts';
import { cpuMs } from '../../support/cpu.ts';
import { MINUTE_MS as MINUTE, HOUR_MS as HOUR } from '../../../src/shared/time.ts';

const UNSPENT: Spent = { perHour: 900, perEndpointPerMinute: 90, concurrency: 4, ages: [] };

const jobs = (n: number, endpoints = ['events', 'chat', 'sync']) =>
  Array.from({ length: n }, (_, i) => ({ endpoint: endpoints[i % endpoints.length] ?? '', requests: 1 }));

describe('when requests would be done', () => {
  it('is no sooner than so many at once allow', () => {
    expect(forecast(jobs(160), UNSPENT).at(-1)).toBe((160 / 4) * 500);
  });

  it("is a minute later for what an endpoint's limit holds back, and at once for the others", () => {
    const done = forecast([...jobs(91, ['events']), { endpoint: 'chat', requests: 2 }], UNSPENT);
    expect(done[89]).toBeLessThan(MINUTE / 2);
    expect(done[90]).toBeGreaterThan(MINUTE);
    expect(done[91]).toBeLessThan(MINUTE / 2);
  });

  it('takes account of what is spent, and of when it returns', () => {
    const ages = Array.from({ length: 450 }, () => ({ endpoint: 'rooms', ageMs: HOUR / 2 }));
    const endpoints = ['events', 'chat', 'sync', 'components', 'videochat', 'recordings'];
    const done = forecast(jobs(451, endpoints), { ...UNSPENT, ages });
    expect(done[449]).toBeLessThan(2 * MINUTE);
    expect(done[450]).toBe(HOUR / 2 + 500);
  });

  it('takes work in proportion to the requests, also for thousands of rooms', () => {
    expect(forecast(jobs(20_000), UNSPENT).at(-1)).toBeGreaterThan(22 * HOUR);
    const work = (count: number) => cpuMs(() => forecast(jobs(count), UNSPENT));
    // Four times as many; of all their pairs there are sixteen times as many.
    expect(work(20_000)).toBeLessThan(10 * work(5000));
  });
});

it('the forecast counts the requests for the list of experiments as well', () => {
  const stream: Stream = { experimentId: 'exp_1', dataset: datasetNamed('chat'), scope: { kind: 'experiment' } };
  const streams = [{ stream, position: { backfilled: true, rows: 2500 }, full: true, pageSize: 1000 }];
  expect(estimate([], UNSPENT, 1)).toMatchObject({ requests: 1, doneInMs: 500 });
  expect(estimate(streams, UNSPENT, 1)).toMatchObject({ requests: 4, streams: [{ requests: 3, why: 'everything' }] });
});
