import { describe, expect, it } from 'vitest';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import type { Stream } from '../../../src/datasets/stream.ts';
import { WarehouseError } from '../../../src/shared/errors.ts';
import { openTraits } from '../../../src/read/endpoint-traits.ts';
import { openPageSize } from '../../../src/read/page-size.ts';
import { openEmpty } from '../../../src/warehouse/migrate.ts';
import { DAY_MS as DAY } from '../../../src/shared/time.ts';

const FAILURES = {
  'an answer 504': () => new WarehouseError('SERVER_FAILED', 'the server answered 504'),
  'a time-out': () =>
    new WarehouseError('SERVER_UNREACHABLE', 'no answer in time', { cause: new DOMException('', 'TimeoutError') }),
  'an answer too large to read': () => new WarehouseError('ANSWER_UNREADABLE', 'the answer is too large'),
} as const;
const away = () => new WarehouseError('SERVER_UNREACHABLE', 'no network', { cause: new Error('ENOTFOUND') });

/** An endpoint that fails at pages of more than `most` records. */
function endpoint(most: number, failure: () => WarehouseError = FAILURES['an answer 504']) {
  const db = openEmpty();
  const server = { most, failure, returned: Infinity };
  const asked: number[] = [];
  let now = 0;
  const stream = (experimentId: string): Stream => ({
    experimentId,
    dataset: datasetNamed('events'),
    scope: { kind: 'experiment' },
  });
  const traitsOf = (experimentId = 'exp_1') => openTraits(db, stream(experimentId), () => now);
  const ask = (limit: number) => {
    asked.push(limit);
    if (limit > server.most) return Promise.reject(server.failure());
    return Promise.resolve({ limit, returned: Math.min(limit, server.returned), hasMore: true, doubts: [] });
  };
  return {
    server,
    ask,
    asked,
    traitsOf,
    /** What a sync of one page asks for. */
    read: async (options: { fixed?: number; atMost?: number; experimentId?: string } = {}) => {
      const before = asked.length;
      await openPageSize(traitsOf(options.experimentId), options.fixed).use(ask, options.atMost);
      return asked.slice(before);
    },
    /** What a sync of one page asks for that fails, and its error. */
    fail: async (options: { fixed?: number } = {}) => {
      const error: unknown = await openPageSize(traitsOf(), options.fixed)
        .use(ask)
        .catch((thrown: unknown) => thrown);
      return { asked, error };
    },
    after: (ms: number) => void (now += ms),
  };
}

describe('a page that fails', () => {
  it.each(Object.entries(FAILURES))(
    'with %s is requested as a small page, and the next page is a quarter as large',
    async (_, failure) => {
      const { read, traitsOf } = endpoint(300, failure);
      expect(await read()).toEqual([1000, 10]);
      expect(traitsOf().known.smallerPage).toBe(250);
      expect(await read()).toEqual([250]);
    },
  );

  it('shrinks to ten records and no further', async () => {
    const { read } = endpoint(10);
    expect([await read(), await read(), await read(), await read(), await read()]).toEqual([
      [1000, 10],
      [250, 10],
      [62, 10],
      [15, 10],
      [10],
    ]);
  });

  it('does not count as too large if a small page fails as well', async () => {
    const { fail, traitsOf } = endpoint(9);
    const { asked, error } = await fail();
    expect(asked).toEqual([1000, 10]);
    expect(error).toMatchObject({ code: 'SERVER_FAILED', message: 'the server answered 504' });
    expect(traitsOf().known).toEqual({});
  });

  it('reports its own error if the small page fails in another way', async () => {
    const { fail, server } = endpoint(0);
    let failures = 0;
    server.failure = () => (failures++ === 0 ? FAILURES['an answer 504']() : away());
    expect((await fail()).error).toMatchObject({ code: 'SERVER_FAILED' });
  });

  it('is requested once without a network, and nothing is learned', async () => {
    const { fail, traitsOf } = endpoint(300, away);
    const { asked, error } = await fail();
    expect(asked).toEqual([1000]);
    expect(error).toMatchObject({ code: 'SERVER_UNREACHABLE', message: 'no network' });
    expect(traitsOf().known).toEqual({});
  });

  it.each(['KEY_REFUSED', 'NOT_FOUND', 'RATE_LIMITED', 'PARAMETER_REFUSED', 'INTERRUPTED'] as const)(
    'with %s is requested once, and nothing is learned',
    async (code) => {
      const { fail, traitsOf } = endpoint(300, () => new WarehouseError(code, 'no'));
      expect((await fail()).asked).toEqual([1000]);
      expect(traitsOf().known).toEqual({});
    },
  );

  it('of ten records is not requested as a smaller one', async () => {
    const { fail } = endpoint(0);
    expect((await fail({ fixed: 10 })).asked).toEqual([10]);
  });

  it('of the configured size shrinks as well', async () => {
    const { read } = endpoint(300);
    expect(await read({ fixed: 800 })).toEqual([800, 10]);
    expect(await read({ fixed: 800 })).toEqual([200]);
  });

  it('of fewer records than a page makes pages a quarter of that size', async () => {
    const { read, traitsOf } = endpoint(50);
    expect(await read({ atMost: 100 })).toEqual([100, 10]);
    expect(traitsOf().known.smallerPage).toBe(25);
  });
});

describe('a smaller page', () => {
  it('is remembered for a day with its evidence, then forgotten', async () => {
    const { read, after } = endpoint(300);
    await read();
    after(DAY);
    expect(await read()).toEqual([250]);
    after(1);
    expect(await read()).toEqual([1000, 10]);
  });

  it('applies to its stream only, because its data may be the reason', async () => {
    const { read } = endpoint(300);
    await read();
    expect(await read({ experimentId: 'exp_2' })).toEqual([1000, 10]);
  });

  // Once a small page is full, the guess at a larger one begins with 2000, which fails and costs the endpoint its guess.
  it('is not enlarged because it is full', async () => {
    const { ask, asked, traitsOf, read } = endpoint(300);
    await read();
    const size = openPageSize(traitsOf(), undefined);
    for (let i = 0; i < 3; i++) await size.use(ask);
    expect(asked.slice(2)).toEqual([250, 250, 250]);
    expect(traitsOf('exp_2').known).toEqual({});
  });
});
