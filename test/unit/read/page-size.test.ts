import { describe, expect, it } from 'vitest';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import type { Stream } from '../../../src/datasets/stream.ts';
import { WarehouseError, type ErrorCode } from '../../../src/shared/errors.ts';
import { openTraits } from '../../../src/read/endpoint-traits.ts';
import { openPageSize } from '../../../src/read/page-size.ts';
import { openEmpty } from '../../../src/warehouse/migrate.ts';

/** An endpoint of endless records that serves so many at once; of larger pages comes what `beyond` says. */
function endpoint(beyond: ErrorCode | 'served' | 'cut down' | 'warned', most = 1000) {
  const db = openEmpty();
  const server = { beyond, most };
  const asked: number[] = [];
  const ask = async (limit: number) => {
    asked.push(limit);
    await new Promise((resolve) => setImmediate(resolve));
    const page = { limit, returned: limit, hasMore: true, doubts: [] as string[] };
    if (limit <= server.most || server.beyond === 'served') return page;
    if (server.beyond === 'cut down') return { ...page, returned: server.most };
    if (server.beyond === 'warned') return { ...page, returned: server.most, doubts: ['the limit is too large'] };
    throw new WarehouseError(server.beyond, 'too much');
  };
  const stream = (experimentId: string): Stream => ({
    experimentId,
    dataset: datasetNamed('events'),
    scope: { kind: 'experiment' },
  });
  const traitsOf = (experimentId: string) => openTraits(db, stream(experimentId), () => 0);
  const read = async (experimentId: string, pages = 6) => {
    const size = openPageSize(traitsOf(experimentId), undefined);
    for (let i = 0; i < pages; i++) await size.use(ask);
  };
  return { server, asked, ask, traitsOf, read, larger: () => asked.filter((limit) => limit > 1000) };
}

describe('a page larger than documented', () => {
  it.each(['PARAMETER_REFUSED', 'SERVER_FAILED', 'SERVER_UNREACHABLE', 'cut down', 'warned'] as const)(
    'is tried once in vain, even if the answer is %s, and the stream continues',
    async (beyond) => {
      const { read, larger } = endpoint(beyond);
      await read('exp_1');
      await read('exp_2');
      expect(larger()).toEqual([2000]);
    },
  );

  it('is tried once by all streams that are read at the same time', async () => {
    const { read, larger } = endpoint('PARAMETER_REFUSED');
    await Promise.all(['exp_1', 'exp_2', 'exp_3', 'exp_4'].map((id) => read(id)));
    expect(larger()).toEqual([2000]);
  });

  it('stays known if a stream that began before learns something else', async () => {
    const { read, traitsOf, larger } = endpoint('cut down');
    const before = traitsOf('exp_2');
    expect(before.known).toEqual({});
    await read('exp_1');
    before.learn({ sortRefused: true }, 'a test');
    expect(traitsOf('exp_3').known).toEqual({ pageSizeTried: true, sortRefused: true });
    await read('exp_3');
    expect(larger()).toEqual([2000]);
  });

  it('is given up once the server refuses what it served before', async () => {
    const { server, asked, read } = endpoint('served');
    await read('exp_1');
    expect(asked.at(-1)).toBe(5000);
    server.beyond = 'PARAMETER_REFUSED';
    asked.length = 0;
    await read('exp_1', 3);
    await read('exp_2', 3);
    expect(asked).toEqual([5000, 1000, 1000, 1000, 1000, 1000, 1000]);
  });

  it('is requested again after an hour in which it failed', async () => {
    const { server, asked, read } = endpoint('served');
    await read('exp_1');
    server.beyond = 'SERVER_FAILED';
    asked.length = 0;
    await read('exp_1', 3);
    expect(asked).toEqual([5000, 1000, 1000, 1000]);
    server.beyond = 'served';
    await read('exp_1', 1);
    expect(asked.at(-1)).toBe(5000);
  });
});

it('a reader adopts the lower limit that an answer names, and tries no larger page', async () => {
  const { asked, traitsOf } = endpoint('served');
  const size = openPageSize(traitsOf('exp_1'), undefined);
  const ask = (limit: number) => {
    asked.push(limit);
    return Promise.resolve({ limit: Math.min(limit, 500), returned: Math.min(limit, 500), hasMore: true, doubts: [] });
  };
  for (let pages = 0; pages < 3; pages++) await size.use(ask);
  expect(asked).toEqual([1000, 500, 500]);
  expect(traitsOf('exp_1').known).toMatchObject({ pageSize: 500, pageSizeTried: true });
});

it('an error names the setting if the API refuses the configured page size', async () => {
  const { ask, traitsOf } = endpoint('PARAMETER_REFUSED');
  await expect(openPageSize(traitsOf('exp_1'), 5000).use(ask)).rejects.toMatchObject({
    code: 'PARAMETER_REFUSED',
    hint: expect.stringContaining('api.pageSize') as string,
  });
});
