import { expect, it } from 'vitest';
import { openLab } from '../support/lab.ts';

it('requests outside /data count by the first segment of their path, as an API with strict limits may do', async () => {
  const lab = await openLab();
  await lab.sync();
  const endpointOf = (path: string) => {
    const [first = '', ...rest] = path.split('/').slice(1);
    return first === 'data' ? rest.slice(0, -2).join('/') : first;
  };
  const asked = Map.groupBy(lab.simulator.requests, ({ path }) => endpointOf(path));
  const spent = lab.warehouse.db
    .prepare<[], { endpoint: string; n: number }>('SELECT endpoint, count(*) AS n FROM _ledger GROUP BY endpoint')
    .all();
  expect(new Map(spent.map(({ endpoint, n }) => [endpoint, n]))).toEqual(
    new Map([...asked].map(([endpoint, requests]) => [endpoint, requests.length])),
  );
  expect(asked.get('experiments')?.length).toBeGreaterThan(3);
});
