import { describe, expect, it } from 'vitest';
import type { Answer, Client } from '../../../src/api/client.ts';
import { WarehouseError } from '../../../src/shared/errors.ts';
import type { Json } from '../../../src/shared/json.ts';
import { DAY_MS, HOUR_MS } from '../../../src/shared/time.ts';
import { listWithShares, shareRequests, SHARES_EVERY_MS } from '../../../src/sync/shares.ts';
import { fakeStream } from '../../support/fake-stream.ts';

type Lists = Readonly<Record<string, readonly Json[] | WarehouseError>>;
const NO_LIST = new WarehouseError('NOT_FOUND', 'there is no such list');

/** An API with these lists under their paths; those that a test does not name it does not have. */
function sharing(first: Lists) {
  const { warehouse, context } = fakeStream('experiments');
  let lists = first;
  let organization: string | undefined = 'org_1';
  let now = context.clock.now();
  let asked: string[] = [];
  const get = ({ path, query }: Parameters<Client['get']>[0]): Promise<Answer> => {
    asked.push(path);
    const list = lists[path] ?? NO_LIST;
    if (list instanceof WarehouseError) return Promise.reject(list);
    const data = list.slice(Number(query?.['offset'] ?? 0));
    const nothing = { warnings: [], pagination: undefined, echo: undefined, basis: undefined, serverTime: undefined };
    return Promise.resolve({ data, metadata: {}, truncated: false, tries: 1, ...nothing });
  };
  /** Which experiments are listed, and which lists that took. */
  const list = async () => {
    asked = [];
    const client: Client = { ...context.client, get, organization };
    const clock = { now: () => now };
    const listing = await listWithShares({ client, db: warehouse.db, clock, everyMs: SHARES_EVERY_MS });
    return { ...listing, ids: listing.listed.map(({ id }) => id), asked };
  };
  return {
    list,
    due: () => shareRequests(warehouse.db, organization, now),
    set: (next: Lists) => (lists = next),
    join: (next: string) => (organization = next),
    wait: (ms: number) => (now += ms),
  };
}

const OWN = { '/experiments': [{ id: 'own' }] };

describe('the list of experiments with what is shared', () => {
  it('has those of others behind the own ones, each once', async () => {
    const { list } = sharing({ ...OWN, '/experiments/shared': [{ id: 'own' }, { id: 'theirs' }], '/deployments': [] });
    expect(await list()).toMatchObject({ ids: ['own', 'theirs'], isWhole: true });
  });

  it('has an experiment of which only deployments are shared, and not twice one that is shared whole', async () => {
    const deployments = ['part', 'part', 'own', 'theirs'].map((experimentId, i) => ({ id: `dep_${i}`, experimentId }));
    const { list } = sharing({ ...OWN, '/experiments/shared': [{ id: 'theirs' }], '/deployments': deployments });
    expect((await list()).ids).toEqual(['own', 'theirs', 'part']);
  });

  it('requests what is shared again after ten minutes, and says meanwhile that it did not look', async () => {
    const { list, due, wait } = sharing({ ...OWN, '/experiments/shared': [{ id: 'theirs' }], '/deployments': [] });
    expect(due()).toBe(2);
    await list();
    wait(SHARES_EVERY_MS - 1);
    expect(due()).toBe(0);
    const between = await list();
    expect(between.asked).toEqual(['/experiments']);
    expect(['own', 'theirs', 'unheard of'].map(between.isUnrequested)).toEqual([false, true, false]);
    wait(1);
    expect((await list()).asked).toHaveLength(3);
  });

  it('requests what is shared at once for another organization', async () => {
    const { list, join } = sharing({ ...OWN, '/experiments/shared': [], '/deployments': [] });
    await list();
    join('org_2');
    expect((await list()).asked).toHaveLength(3);
  });

  it.each(['NOT_FOUND', 'PARAMETER_REFUSED', 'SCOPE_MISSING'] as const)(
    'is whole without lists that the API refuses with %s, and requests them once a day',
    async (code) => {
      const refused = new WarehouseError(code, 'no');
      const { list, wait } = sharing({ ...OWN, '/experiments/shared': refused, '/deployments': refused });
      expect(await list()).toMatchObject({ ids: ['own'], isWhole: true });
      wait(HOUR_MS);
      expect((await list()).asked).toEqual(['/experiments']);
      wait(DAY_MS);
      expect((await list()).asked).toHaveLength(3);
    },
  );

  it('fails where the server does, so that nothing shared counts as gone', async () => {
    const { list } = sharing({ ...OWN, '/experiments/shared': new WarehouseError('SERVER_UNREACHABLE', 'no') });
    await expect(list()).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE' });
  });

  it('does not follow the deployments of an experiment that was shared whole and has left the list', async () => {
    const deployments = [{ id: 'dep_1', experimentId: 'theirs' }];
    const { list, set, wait } = sharing({
      ...OWN,
      '/experiments/shared': [{ id: 'theirs' }],
      '/deployments': deployments,
    });
    await list();
    set({ ...OWN, '/experiments/shared': [], '/deployments': deployments });
    wait(HOUR_MS);
    const { ids, isUnrequested } = await list();
    expect([ids, isUnrequested('theirs')]).toEqual([['own'], false]);
  });

  it('is not whole if one of its lists is not', async () => {
    const { list } = sharing({ ...OWN, '/experiments/shared': [{ name: 'without an id' }], '/deployments': [] });
    expect(await list()).toMatchObject({ isWhole: false, doubt: '1 in the list have no id' });
  });
});
