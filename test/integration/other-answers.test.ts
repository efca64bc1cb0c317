import { describe, expect, it } from 'vitest';
import type { SimReply, SimRequest } from '../../src/simulator/reply.ts';
import { accountLab, type AccountLab } from '../support/accounts.ts';

type Change = (reply: SimReply, request: SimRequest) => SimReply;

/** A lab in which answers about its data type are changed while `change` says how. */
async function otherLab(data: string) {
  const fault: { change?: Change | undefined } = {};
  const it = await accountLab(data, {
    fault: (request) =>
      request.path.startsWith(`/data/${data}/`)
        ? { kind: 'change', change: (reply) => fault.change?.(reply, request) ?? reply }
        : undefined,
  });
  return { it, fault };
}

/** The answer with other words in its metadata. */
function saying(reply: SimReply, words: Readonly<Record<string, unknown>>): SimReply {
  const body = JSON.parse(reply.body) as { metadata: Readonly<Record<string, unknown>> };
  return { ...reply, body: JSON.stringify({ ...body, metadata: { ...body.metadata, ...words } }) };
}

/** The answer to a request for no records, of another data type. */
const ofAnother = (reply: SimReply): SimReply =>
  saying(
    { ...reply, body: JSON.stringify({ ...(JSON.parse(reply.body) as object), data: [] }) },
    { dataType: 'eyetracking', pagination: { total: 0, returned: 0, hasMore: false, limit: 100, offset: 0 } },
  );

function expectExact(lab: AccountLab): void {
  const { right, held, truth } = lab.rows();
  expect({ right, held, reason: lab.position().reason }).toEqual({ right: truth, held: truth, reason: undefined });
}

const everySecond = (change: Change): Change => {
  let n = 0;
  return (reply, request) => (++n % 2 === 0 ? reply : change(reply, request));
};

describe('an answer to a request for another data type', () => {
  it.each(['events', 'components', 'participants'])('is requested again (%s)', async (data) => {
    const { it, fault } = await otherLab(data);
    it.arrive(150);
    await it.sync();
    fault.change = everySecond(ofAnother);
    it.arrive(20);
    for (let times = 0; times < 3; times++) expect(await it.sync()).toMatchObject({ complete: true, marked: 0 });
    expectExact(it);
  });

  it.each(['events', 'components', 'participants'])(
    'that comes each time fails, and no row is missing for it (%s)',
    async (data) => {
      const { it, fault } = await otherLab(data);
      it.arrive(150);
      await it.sync();
      fault.change = ofAnother;
      for (let times = 0; times < 3; times++) {
        const { status, error, marked, deleted, requests } = await it.sync();
        expect({ status, code: error?.code, marked, deleted }).toEqual({
          status: 'failed',
          code: 'ANSWER_UNREADABLE',
          marked: 0,
          deleted: 0,
        });
        expect(error?.message).toContain('is not for this request: it names eyetracking');
        expect(requests).toBeLessThanOrEqual(4);
      }
      fault.change = undefined;
      await it.sync();
      expectExact(it);
    },
  );

  it('is none if the endpoint always names the other one', async () => {
    const { it, fault } = await otherLab('components');
    fault.change = (reply) => saying(reply, { dataType: 'events' });
    it.arrive(150, (i) => ({ onset: i }));
    await it.sync();
    expect((await it.sync()).requests).toBe(1);
    expectExact(it);
  });
});

describe('an answer to a request for another page', () => {
  it.each(['events', 'components'])('fails, and the reading ends (%s)', async (data) => {
    const { it, fault } = await otherLab(data);
    it.arrive(250, (i) => ({ onset: i }));
    await it.sync();
    let kept: SimReply | undefined;
    fault.change = (reply, { query }) => {
      if (query.get('offset') !== '0') kept ??= reply;
      return kept ?? reply;
    };
    await it.sync({ full: true });
    it.arrive(30, (i) => ({ onset: 500 + i }));
    for (let times = 0; times < 2; times++) expect(await it.sync()).toMatchObject({ status: 'failed', deleted: 0 });
    fault.change = undefined;
    for (let times = 0; times < 2; times++) await it.sync();
    expectExact(it);
  });
});

describe('one later page that comes at every later place, and names none', () => {
  it.each<[string, boolean]>([
    ['events', true],
    ['components', true],
    ['components', false],
    ['participants', true],
  ])('ends the reading, and is not all there is (%s, counted: %s)', async (data, isCounted) => {
    const { it, fault } = await otherLab(data);
    it.arrive(450, (i) => ({ onset: i }));
    let [requests, kept]: [number, SimReply | undefined] = [0, undefined];
    fault.change = (reply, { query }) => {
      // An endless reading ends as well, but too late.
      if (++requests > 100) return { ...reply, status: 400 };
      if (Number(query.get('offset') ?? 0) > 0) reply = kept ??= reply;
      const body = JSON.parse(reply.body) as { data: unknown[]; metadata: { pagination: { total: number } } };
      const { total } = body.metadata.pagination;
      const pagination = { returned: body.data.length, hasMore: true, ...(isCounted ? { total } : {}) };
      return saying(reply, { pagination, query: undefined, filters: undefined });
    };
    const { complete } = await it.sync();
    const { right, truth } = it.rows();
    expect({ isFalse: complete && right !== truth, isCheap: requests < 60 }).toEqual({ isFalse: false, isCheap: true });
  });
});

describe('an answer that a cache kept', () => {
  it.each(['events', 'components'])('does not complete a stream or delete a row (%s)', async (data) => {
    const { it, fault } = await otherLab(data);
    it.arrive(50, (i) => ({ onset: i }));
    const cache = new Map<string, SimReply>();
    fault.change = (reply, { query }) => {
      const kept = cache.get(query.toString());
      if (kept === undefined) cache.set(query.toString(), reply);
      return kept === undefined ? reply : { ...kept, headers: { ...kept.headers, age: '900' } };
    };
    await it.sync();
    await it.sync();
    it.arrive(30, (i) => ({ onset: 500 + i }));
    const { complete } = await it.sync();
    if (complete) expectExact(it);
    else expect(it.position().reason).toContain('a cache on the way sent an answer that is 900 seconds old');
    fault.change = undefined;
    await it.sync();
    expectExact(it);
    expect(it.history('deleted')).toBe(0);
  });
});
