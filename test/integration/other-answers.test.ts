import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { SimReply, SimRequest } from '../../src/simulator/reply.ts';
import { accountLab, type AccountLab } from '../support/accounts.ts';
import { HOUR, openLab } from '../support/lab.ts';

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

const answersOf = (data: string) => (data === 'deployments' ? '/deployments' : `/data/${data}/`);

/** Two experiments, the second of which is answered with the first one's records while `isMixed` says so. */
async function mixedLab(data: string, words: Readonly<Record<string, unknown>>) {
  const fault = { isMixed: false };
  let first: SimReply | undefined;
  const lab = await openLab({
    world: { experiments: 2, roomsPerExperiment: 2, videoSeconds: 5 },
    config: { data: [data] },
    fault: ({ path, query }) => {
      if (!path.startsWith(answersOf(data))) return undefined;
      const [one = ''] = lab.simulator.world.experimentIds;
      const isFirst = path.includes(one) || query.get('experimentId') === one;
      return {
        kind: 'change',
        change(reply) {
          if (isFirst && query.get('offset') !== '1') first ??= reply;
          return fault.isMixed && !isFirst && first !== undefined ? saying(first, words) : reply;
        },
      };
    },
  });
  lab.now += 20 * HOUR;
  const [, id = ''] = lab.simulator.world.experimentIds;
  const sync = async () => {
    lab.now += HOUR / 4;
    const { status, streams } = await lab.sync();
    return { status, stream: streams.find((one) => one.experiment === id && one.data === data) };
  };
  return { lab, fault, sync, isExact: () => isDeepStrictEqual(lab.mirrored(data, id), lab.truth(data, id)) };
}

describe('an answer with the records of another experiment', () => {
  it.each<[string, Record<string, unknown>]>([
    ['recordings', { scopeId: undefined }],
    ['events', { scopeId: undefined, query: undefined }],
    ['participants', { scopeId: 'me' }],
    ['deployments', {}],
  ])('is not taken for its own, and no row is missing for it (%s, %j)', async (data, words) => {
    const { fault, sync, isExact } = await mixedLab(data, words);
    await sync();
    fault.isMixed = true;
    for (let times = 0; times < 3; times++) {
      const { status, stream } = await sync();
      expect({ status, stream: stream?.status, deleted: stream?.deleted }).toEqual({
        status: 'partial',
        stream: 'failed',
        deleted: 0,
      });
      expect(stream?.error?.message).toMatch(/is not for this request: its records are of exp_|names me/);
      expect(isExact()).toBe(true);
    }
    fault.isMixed = false;
    expect((await sync()).stream).toMatchObject({ complete: true });
    expect(isExact()).toBe(true);
  });

  it('beside the own ones is left out, where the experiment is only a filter (deployments)', async () => {
    const lab = await openLab({
      world: { experiments: 2, roomsPerExperiment: 2, videoSeconds: 5 },
      config: { data: ['deployments'] },
      fault: ({ path, query }) => {
        // The endpoint ignores the filter.
        if (path === '/deployments') query.delete('experimentId');
        return undefined;
      },
    });
    lab.now += 20 * HOUR;
    for (let times = 0; times < 2; times++) {
      expect((await lab.sync()).status).toBe('ok');
      for (const id of lab.simulator.world.experimentIds)
        expect(lab.mirrored('deployments', id)).toEqual(lab.truth('deployments', id));
    }
  });
});

describe('an answer without records that names nothing', () => {
  it.each(['participants', 'chat'])('is doubted where others name what they are for (%s)', async (data) => {
    const { it, fault } = await otherLab(data);
    it.arrive(20);
    await it.sync();
    fault.change = (reply) => ({ ...reply, body: JSON.stringify({ status: 'success', data: [], metadata: { a: 1 } }) });
    for (let times = 0; times < 3; times++) expect(await it.sync()).toMatchObject({ complete: false, deleted: 0 });
    expect(it.position().reason).toContain('it has no records, and does not say what it is for');
    fault.change = undefined;
    await it.sync();
    expectExact(it);
  });
});

describe('an empty experiment that is answered in fewer words than others', () => {
  it('is complete', async () => {
    const lab = await openLab({
      world: { experiments: 2, roomsPerExperiment: 2, videoSeconds: 5 },
      config: { data: ['chat'] },
      fault: ({ path }) => ({
        kind: 'change',
        change: (reply) =>
          path.includes(`/data/chat/experiment/${lab.simulator.world.experimentIds[1] ?? ''}`)
            ? { ...reply, body: JSON.stringify({ status: 'success', data: [], metadata: {} }) }
            : reply,
      }),
    });
    lab.simulator.world.remove('chat', lab.simulator.world.experimentIds[1] ?? '', () => true, 0);
    lab.now += 20 * HOUR;
    await lab.sync();
    expect((await lab.sync()).streams.map(({ complete }) => complete)).toEqual([true, true]);
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
