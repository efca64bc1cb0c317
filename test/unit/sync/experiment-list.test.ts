import { describe, expect, it } from 'vitest';
import type { Answer, Client } from '../../../src/api/client.ts';
import type { Json } from '../../../src/shared/json.ts';
import { listAll } from '../../../src/sync/experiment-list.ts';

/** A client whose list answers with these records at an offset; counts its requests. */
function listing(page: (offset: number) => Json[]) {
  const asked = { requests: 0 };
  const get = (request: Parameters<Client['get']>[0]): Promise<Answer> => {
    asked.requests++;
    const data = page(Number(request.query?.['offset']));
    const nothing = { warnings: [], pagination: undefined, echo: undefined, basis: undefined, serverTime: undefined };
    return Promise.resolve({ data, metadata: {}, truncated: false, tries: 1, ...nothing });
  };
  return { asked, list: () => listAll({ get } as unknown as Client, { path: '/experiments', what: 'the list' }) };
}

describe('a list of experiments', () => {
  it.each([
    ['new records', (offset: number) => Array.from({ length: 50 }, (_, i) => ({ id: `exp_${offset + i}` }))],
    ['records without an id', () => Array.from({ length: 50 }, () => ({ name: 'x' }))],
  ])('that goes on for ever with %s ends, and is not called whole', async (_, page) => {
    const { list, asked } = listing((offset) => page(offset));
    const { isWhole, doubt } = await list();
    expect([isWhole, asked.requests]).toEqual([false, 400]);
    expect(doubt).toMatch(/it has no end: [\d]+ were listed in 400 pages/);
  });

  it('may have numbers as ids, and says of records without one that they are there', async () => {
    const first = [{ id: 7 }, { id: 'a' }, { id: '' }, { id: null }, 'x'];
    const { listed, isWhole, doubt } = await listing((offset) => (offset === 0 ? first : [])).list();
    expect(listed.map(({ id }) => id)).toEqual(['7', 'a']);
    expect([isWhole, doubt]).toEqual([false, '3 in the list have no id']);
  });
});
