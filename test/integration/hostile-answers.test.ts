import { describe, expect, it } from 'vitest';
import type { SimReply } from '../../src/simulator/reply.ts';
import { accountLab, type AccountLab } from '../support/accounts.ts';
import { DAY_MS as DAY } from '../../src/shared/time.ts';

interface Body {
  readonly data: readonly Readonly<Record<string, unknown>>[];
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** A lab in which answers about its data type are changed while `change` says how. */
async function changedLab(data: string) {
  const fault: { change?: ((body: Body) => object) | undefined } = {};
  const it = await accountLab(data, {
    also: ['rooms', 'experiments'],
    fault: ({ path }) =>
      fault.change !== undefined && path.startsWith(`/data/${data}/`)
        ? { kind: 'change', change: (reply) => rewritten(reply, fault.change) }
        : undefined,
  });
  return { it, fault };
}

function rewritten(reply: SimReply, change: ((body: Body) => object) | undefined): SimReply {
  if (reply.status !== 200 || change === undefined) return reply;
  return { ...reply, body: JSON.stringify(change(JSON.parse(reply.body) as Body)) };
}

function expectExact(lab: AccountLab): void {
  const { right, held, truth } = lab.rows();
  expect({ right, held, reason: lab.position().reason }).toEqual({ right: truth, held: truth, reason: undefined });
}

describe('an answer that is not what was requested', () => {
  it.each<[string, string, (body: Body) => object]>([
    ['an object without members', 'components', ({ metadata }) => ({ status: 'success', data: {}, metadata })],
    ['an object that wraps the list', 'components', ({ data }) => ({ status: 'success', data: { components: data } })],
    ['an object that wraps no record', 'rooms', () => ({ status: 'success', data: { rooms: [], total: 0 } })],
    ['no record, and an error beside it', 'chat', () => ({ data: [], error: { code: 'INTERNAL', message: 'x' } })],
    ['no record, and a status of its own', 'chat', () => ({ status: 'partial', data: [] })],
    ['no record, and that it failed', 'events', () => ({ success: false, data: [] })],
    ['no record, and nothing else', 'components', () => ({ data: [] })],
    ['no record, and errors', 'events', () => ({ status: 'success', data: [], errors: [{ message: 'x' }] })],
    ['no record, and a warning beside it', 'chat', () => ({ status: 'success', data: [], _warnings: ['x'] })],
    ['no record, and a count beside it', 'events', () => ({ status: 'success', data: [], total: 60 })],
    ['no record, and a count in a text', 'chat', () => ({ data: [], metadata: { pagination: { total: '60' } } })],
    ['no record, and that more follow', 'events', () => ({ data: [], metadata: { pagination: { hasMore: true } } })],
    ['no record, and where more begin', 'chat', () => ({ data: [], metadata: { pagination: { nextOffset: 1000 } } })],
    ['no record, and that it was cut, in a word', 'chat', () => ({ data: [], metadata: { truncated: 'true' } })],
  ])('is not believed in a first read or later: %s (%s)', async (_, data, change) => {
    const { it, fault } = await changedLab(data);
    fault.change = change;
    expect(await it.sync()).toMatchObject({ complete: false });
    expect(it.rows().held).toBe(0);
    fault.change = undefined;
    await it.sync();
    expectExact(it);
    fault.change = change;
    for (let times = 0; times < 2; times++) expect(await it.sync()).toMatchObject({ complete: false });
    fault.change = undefined;
    await it.sync();
    expectExact(it);
    expect(it.history('deleted')).toBe(0);
  });
});

/** The records less the last one, and these words about their number. */
const short =
  (words: (sent: number) => object) =>
  ({ data, metadata }: Body): object => {
    const others = { ...metadata, pagination: undefined };
    return { status: 'success', data: data.slice(0, -1), metadata: { ...others, ...words(data.length) } };
  };

describe('an answer that lacks a record each time, and counts otherwise', () => {
  it.each<[string, string, (body: Body) => object]>([
    ['its count is larger', 'recordings', short(() => ({ count: 9999 }))],
    ['its total is larger', 'agent-decisions', short(() => ({ total: 60 }))],
    ['its count is larger', 'agent-decisions', short((sent) => ({ count: sent }))],
    ['its count is smaller', 'agent-decisions', short(() => ({ count: 1 }))],
  ])('deletes no row, and completes no stream that lacks one: %s (%s)', async (_, data, change) => {
    const { it, fault } = await changedLab(data);
    it.arrive(3);
    await it.sync();
    expectExact(it);
    fault.change = change;
    for (let times = 0; times < 3; times++) {
      const { complete, deleted } = await it.sync();
      expect(deleted).toBe(0);
      if (complete) expectExact(it);
      else expect(it.position().reason).toBeDefined();
    }
    fault.change = undefined;
    for (let times = 0; times < 2; times++) await it.sync();
    expectExact(it);
  });

  it('has more records than it says, which are none where only it has them (recordings)', async () => {
    const { it, fault } = await changedLab('recordings');
    await it.sync();
    fault.change = ({ data, metadata }) => ({ status: 'success', data: [...data, { note: 'none' }], metadata });
    for (let times = 0; times < 3; times++) expect(await it.sync()).toMatchObject({ complete: false });
    fault.change = undefined;
    for (let times = 0; times < 2; times++) await it.sync();
    expectExact(it);
  });
});

describe('a large listing whose rooms are all live', () => {
  it.each(['components', 'recordings'])(
    'costs a reading of the rooms once a day, not at every sync (%s)',
    async (data) => {
      const { it } = await changedLab(data);
      it.arrive(600, (i) => ({ onset: i }));
      await it.sync();
      await it.sync({ after: DAY });
      expect((await it.sync()).requests).toBeLessThanOrEqual(2);
      expectExact(it);
    },
  );
});

describe('two records with one id', () => {
  it.each([
    ['participants', 'id', 3],
    ['participants', 'id', 250],
    ['events', 'id', 250],
    ['recordings', 'recordingId', 250],
  ])('can each be deleted, and the right row is deleted (%s, %s, %i more)', async (data, field, more) => {
    for (const [i, keeps] of ['one', 'two'].entries()) {
      const { it } = await changedLab(data);
      it.arrive(2, (n) => ({ [field]: 'shared', note: n === 0 ? 'one' : 'two' }));
      it.arrive(more);
      await it.sync({ full: true });
      expectExact(it);
      const { world } = it.lab.simulator;
      world.remove(data, it.id, (one) => one[field] === 'shared' && one['note'] !== keeps, it.lab.now + 1 + i);
      for (let times = 0; times < 3; times++) await it.sync();
      expectExact(it);
    }
  });
});

const OF_EACH_KIND = ['components', 'eyetracking', 'events', 'recordings', 'participants'];

describe('an answer that has one record twice, in the place of another', () => {
  it.each(OF_EACH_KIND)('is not believed until a second one shows the same (%s)', async (data) => {
    const { it, fault } = await changedLab(data);
    it.arrive(60, (i) => ({ note: `n${i}` }));
    let isOver = false;
    fault.change = (body) => {
      const twice = [...body.data];
      const [first] = twice.slice(-3);
      if (isOver || first === undefined || twice.length < 10) return body;
      isOver = true;
      twice[twice.length - 2] = first;
      return { ...body, data: twice };
    };
    expect((await it.sync()).reason).toMatch(/^1 row says exactly what another one says;/);
    expect(it.position().doubts).toContainEqual(expect.objectContaining({ kind: 'repeated', count: 1 }));
    for (let times = 0; times < 3; times++) {
      const { complete } = await it.sync();
      if (complete) expectExact(it);
    }
    expectExact(it);
    expect(it.position().doubts).toEqual([]);
  });
});

describe('answers whose later pages have one record twice each time, in the place of another', () => {
  it.each(['components', 'recordings', 'participants'])('are not believed as long as they do (%s)', async (data) => {
    const { it, fault } = await changedLab(data);
    it.arrive(250, (i) => ({ note: `n${i}` }));
    fault.change = (body) => {
      const { offset } = body.metadata['pagination'] as { offset: number };
      const [before] = body.data.slice(3);
      const isChanged = offset > 0 && before !== undefined && body.data.length > 5;
      return { ...body, data: isChanged ? body.data.with(4, before) : body.data };
    };
    for (let times = 0; times < 3; times++) expect(await it.sync()).toMatchObject({ complete: false });
    fault.change = undefined;
    for (let times = 0; times < 3; times++) await it.sync();
    expectExact(it);
  });
});

describe('a row that comes as a malformed record', () => {
  it.each(['events', 'participants', 'agent-runs'])('is not deleted, however often it does (%s)', async (data) => {
    const { it, fault } = await changedLab(data);
    it.arrive(150);
    await it.sync();
    const isIt = (record: Readonly<Record<string, unknown>> | null) => record?.['id'] === 'new_140';
    fault.change = (body) => ({ ...body, data: body.data.map((record) => (isIt(record) ? null : record)) });
    for (let times = 0; times < 3; times++) expect(await it.sync()).toMatchObject({ complete: false, deleted: 0 });
    expect(it.position().reason).toMatch(/^1 row did not come and may be a malformed record that came instead/);
    fault.change = undefined;
    await it.sync();
    expectExact(it);
  });

  it.each(['events', 'participants', 'agent-runs'])(
    'is not deleted either if it did so first in an answer that warned (%s)',
    async (data) => {
      const { it, fault } = await changedLab(data);
      it.arrive(150);
      await it.sync();
      const isIt = (record: Readonly<Record<string, unknown>> | null) => record?.['id'] === 'new_140';
      const nulled = (body: Body) => ({ ...body, data: body.data.map((record) => (isIt(record) ? null : record)) });
      fault.change = (body) => ({ ...nulled(body), metadata: { ...body.metadata, _warnings: ['MISSING_INDEX: x'] } });
      await it.sync();
      fault.change = nulled;
      for (let times = 0; times < 3; times++) expect(await it.sync()).toMatchObject({ complete: false, deleted: 0 });
      fault.change = undefined;
      await it.sync();
      expectExact(it);
    },
  );

  it('is deleted with consent', async () => {
    const { it, fault } = await changedLab('agent-runs');
    it.arrive(150);
    await it.sync();
    fault.change = (body) => ({ ...body, data: [null, ...body.data.slice(1)] });
    for (let times = 0; times < 2; times++) await it.sync();
    expect(await it.sync({ acceptDeletes: true })).toMatchObject({ deleted: 1 });
  });

  it.each(['events', 'agent-runs', 'components'])(
    'keeps no others if its id or name shows which row it is (%s)',
    async (data) => {
      const { it, fault } = await changedLab(data);
      it.arrive(150, (i) => ({ onset: i, note: `n${i}` }));
      await it.sync();
      const { world } = it.lab.simulator;
      const deep = JSON.parse(`${'['.repeat(200)}${']'.repeat(200)}`) as unknown;
      const isIt = (record: Readonly<Record<string, unknown>>) => record['note'] === 'n70';
      fault.change = (body) => ({
        ...body,
        data: body.data.map((record) => (isIt(record) ? { ...record, deep } : record)),
      });
      const isGone = ({ note }: Readonly<Record<string, unknown>>) => note === 'n10' || note === 'n11';
      expect(world.remove(data, it.id, isGone, it.lab.now + 1)).toBe(2);
      for (let times = 0; times < 3; times++) await it.sync();
      expect(it.history('deleted')).toBe(2);
      expect(it.rows().held).toBe(it.rows().truth);
      expect(it.position()).toMatchObject({ complete: false, withheldRows: 1, quarantinedRecords: 1 });
      expect(it.position().reason).toMatch(/^1 row came as a malformed record, so that it is withheld from deletion/);
      fault.change = undefined;
      for (let times = 0; times < 2; times++) await it.sync();
      expectExact(it);
    },
  );

  it('does not keep others that were deleted later', async () => {
    const { it, fault } = await changedLab('agent-runs');
    it.arrive(150);
    fault.change = (body) => ({ ...body, data: [null, ...body.data.slice(1)] });
    await it.sync();
    it.lab.simulator.world.remove('agent-runs', it.id, ({ id }) => id === 'new_140', it.lab.now + 1);
    await it.sync();
    expect(await it.sync()).toMatchObject({ deleted: 1 });
  });
});

/** An answer of which every second one writes its records in another way. */
function everySecond(write: (value: unknown) => unknown): (body: Body) => object {
  let n = 0;
  return (body) => (++n % 2 === 1 ? body : { ...body, data: body.data.map(write) });
}

describe('objects whose members come in another order', () => {
  const turned = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(turned)
      : typeof value === 'object' && value !== null
        ? Object.fromEntries(
            Object.entries(value)
              .reverse()
              .map(([name, member]) => [name, turned(member)]),
          )
        : value;

  it.each<[string, string, (body: Body) => object]>(
    ['events', 'components', 'recordings'].flatMap((data) => [
      [data, 'each sync', (body) => ({ ...body, data: turned(body.data) })],
      [data, 'every second answer', everySecond(turned)],
    ]),
  )('are no change (%s, %s)', async (data, _, change) => {
    const { it, fault } = await changedLab(data);
    const members = { a: 1, b: [{ c: 2, d: 3 }] };
    it.arrive(130, (i) => ({ data: members, config: members, metadata: members, unknown: members, other: i }));
    await it.sync();
    fault.change = change;
    expect(await it.sync()).toMatchObject({ complete: true, updated: 0 });
    expect(await it.sync({ full: true })).toMatchObject({ complete: true, updated: 0 });
    expect(it.history('changed')).toBe(0);
    expectExact(it);
  });
});

describe('times that come in another form in every second answer', () => {
  const FORMS: Readonly<Record<string, (time: string) => unknown>> = {
    'another zone': (time) => new Date(Date.parse(time) + 7_200_000).toISOString().replace('Z', '+02:00'),
    'more zeros': (time) => time.replace('Z', '000Z'),
    milliseconds: (time) => Date.parse(time),
  };
  const inForm =
    (form: string) =>
    (record: unknown): unknown => {
      const isTime = (value: unknown) => typeof value === 'string' && /^\d{4}-[^T]*T[^Z]*\.\d{3}Z$/.test(value);
      const members = Object.entries(record as object);
      return Object.fromEntries(
        members.map(([name, value]) => [name, isTime(value) ? FORMS[form]?.(String(value)) : value]),
      );
    };

  it.each<[string, string]>([
    ...OF_EACH_KIND.map((data): [string, string] => [data, 'another zone']),
    ['events', 'more zeros'],
    ['eyetracking', 'milliseconds'],
  ])('are no change and cost nothing (%s, %s)', async (data, form) => {
    const { it, fault } = await changedLab(data);
    it.arrive(130);
    await it.sync();
    const before = it.history('changed');
    fault.change = everySecond(inForm(form));
    for (let times = 0; times < 3; times++) {
      const { requests, ...result } = await it.sync();
      expect(result).toMatchObject({ complete: true, inserted: 0, updated: 0, marked: 0 });
      expect(requests).toBeLessThanOrEqual(2);
    }
    expect(await it.sync({ full: true })).toMatchObject({ complete: true, inserted: 0, updated: 0, marked: 0 });
    expect(it.history('changed')).toBe(before);
    expectExact(it);
  });

  it('are a change where the instant differs beyond the millisecond', async () => {
    const { it, fault } = await changedLab('events');
    it.arrive(3);
    await it.sync();
    const [{ timestamp } = {}] = it.lab.simulator.world.records('events', it.id, it.lab.now).slice(-1);
    const finer = (value: unknown) => (value === timestamp ? String(value).replace('Z', '5Z') : value);
    fault.change = (body) => ({
      ...body,
      data: body.data.map((one) => ({ ...one, timestamp: finer(one['timestamp']) })),
    });
    expect(await it.sync()).toMatchObject({ complete: true, updated: 1 });
    expect(await it.sync()).toMatchObject({ complete: true, updated: 0 });
  });
});

describe('records that say exactly the same', () => {
  it.each(OF_EACH_KIND)('are all held when two readings have shown them, at no cost afterwards (%s)', async (data) => {
    const { it } = await changedLab(data);
    const { world } = it.lab.simulator;
    it.arrive(30);
    const [sample = {}] = world.records(data, it.id, it.lab.now).slice(-1);
    for (let n = 0; n < 2; n++) world.insert(data, it.id, sample, it.lab.now);
    await it.sync();
    expect(it.position().doubts).toContainEqual(expect.objectContaining({ kind: 'repeated', count: 2 }));
    expect(it.rows().right).toBe(it.rows().truth);
    await it.sync();
    expectExact(it);
    expect((await it.sync()).requests).toBeLessThanOrEqual(2);
    expectExact(it);
    expect(it.history('deleted') + it.history('changed')).toBe(0);
  });
});

/** A change of an answer's place in the listing. */
const paged =
  (change: (pagination: Readonly<Record<string, number>>) => object) =>
  (body: Body): Body => ({
    ...body,
    metadata: { ...body.metadata, pagination: change(body.metadata['pagination'] as Record<string, number>) },
  });

describe('a server that lowers its page size midway, without a word', () => {
  it('is not believed that a short page is the last', async () => {
    const { it, fault } = await changedLab('events');
    it.arrive(350);
    let answers = 0;
    fault.change = (body) => {
      if (++answers < 4) return body;
      const short = { ...body, data: body.data.slice(0, 40) };
      return paged(({ limit, offset }) => ({ limit, offset, returned: short.data.length, hasMore: false }))(short);
    };
    for (let times = 0; times < 2; times++) {
      const { complete } = await it.sync();
      if (complete) expectExact(it);
    }
    expectExact(it);
  });
});

describe('an answer that sends the first of its records only, as an object', () => {
  it('is not read, one request for each record', async () => {
    const { it, fault } = await changedLab('events');
    it.arrive(50);
    fault.change = (body) => ({ ...body, data: body.data[0] ?? {} });
    const { status, requests } = await it.sync();
    expect({ status, isCheap: requests < 5 }).toEqual({ status: 'failed', isCheap: true });
  });
});

describe('an answer that says that more follow, without a count', () => {
  it('is not complete when nothing follows, whatever came before', async () => {
    const { it, fault } = await changedLab('events');
    it.arrive(250);
    fault.change = ({ data, metadata }) => {
      const { offset = 0 } = (metadata['pagination'] ?? {}) as { offset?: number };
      const shown = data.slice(0, Math.max(0, 60 - offset));
      return { status: 'success', data: shown, metadata: { pagination: { hasMore: true } } };
    };
    expect(await it.sync()).toMatchObject({ complete: false });
    fault.change = undefined;
    await it.sync();
    expectExact(it);
    expect(it.history('deleted')).toBe(0);
  });
});

/** What an answer without a count says of its pages. @param most how many of its records it has. */
function uncounted({ data, metadata }: Body, most = Infinity): object {
  const { total = 0, offset = 0 } = (metadata['pagination'] ?? {}) as { total?: number; offset?: number };
  const shown = data.slice(0, most);
  const hasMore = most === Infinity && total > offset + shown.length;
  return { status: 'success', data: shown, metadata: { pagination: { hasMore, returned: shown.length } } };
}

describe('answers that have the first of their records only, and say that it is the last', () => {
  it.each(['chat', 'events', 'components', 'recordings'])(
    'do not make a stream unreadable when they are over (%s)',
    async (data) => {
      const { it, fault } = await changedLab(data);
      it.arrive(250, (i) => ({ onset: i }));
      fault.change = (body) => uncounted(body);
      await it.sync();
      fault.change = (body) => uncounted(body, 1);
      for (let times = 0; times < 3; times++) await it.sync();
      fault.change = (body) => uncounted(body);
      for (let times = 0; times < 3; times++) await it.sync();
      expectExact(it);
    },
  );
});

describe('answers behind the first page that lack their last record, and count only up to there', () => {
  it.each(['chat', 'events', 'recordings', 'components'])(
    'are not believed where the first page counts more (%s)',
    async (data) => {
      const { it, fault } = await changedLab(data);
      it.arrive(250, (i) => ({ onset: i }));
      fault.change = ({ data: records, metadata, ...rest }) => {
        const { limit = 0, offset = 0 } = (metadata['pagination'] ?? {}) as { limit?: number; offset?: number };
        const query = (metadata['query'] ?? {}) as { startTime?: unknown };
        if (offset === 0 && typeof query.startTime !== 'string') return { data: records, metadata, ...rest };
        const shown = records.slice(0, -1);
        const pagination = { total: offset + shown.length, returned: shown.length, limit, offset, hasMore: false };
        return { ...rest, data: shown, metadata: { ...metadata, pagination } };
      };
      for (let times = 0; times < 6; times++) {
        const { complete } = await it.sync();
        if (complete) expectExact(it);
      }
      fault.change = undefined;
      for (let times = 0; times < 3; times++) await it.sync();
      expectExact(it);
    },
  );
});

describe('an answer that sends one record as an object, without a count', () => {
  it.each(['rooms', 'events'])('is not taken for all of the list (%s)', async (data) => {
    const { it, fault } = await changedLab(data);
    it.arrive(3);
    fault.change = ({ data: [record] }) => ({ status: 'success', data: record ?? [] });
    expect(await it.sync()).toMatchObject({ complete: false });
    fault.change = undefined;
    await it.sync();
    expectExact(it);
  });
});

describe('a count that is wrong, while the records stay the same', () => {
  it.each<[string, string, (turn: number, sync: number) => number]>([
    ['events', 'by one in every second sync', (_, sync) => sync % 2],
    ['events', 'by one more or less in every second sync', (_, sync) => (sync % 2) * 2 - 1],
    ['components', 'by one in every second sync', (_, sync) => sync % 2],
    ['components', 'by one more or less in every second sync', (_, sync) => (sync % 2) * 2 - 1],
    ['participants', 'by one in every second answer', (turn) => turn % 2],
  ])('is not searched for at every sync, and other differences are (%s, %s)', async (data, _, by) => {
    const { it, fault } = await changedLab(data);
    it.arrive(250, (i) => ({ onset: i }));
    let [turn, sync] = [0, 0];
    const add = (page: Readonly<Record<string, number>>) => ({ total: (page['total'] ?? 0) + by(++turn, sync) });
    fault.change = paged((page) => ({ ...page, ...add(page) }));
    for (; sync < 8; sync++) await it.sync();
    for (; sync < 10; sync++) {
      const { requests, complete } = await it.sync();
      expect(requests).toBeLessThanOrEqual(3);
      const { right, held, truth } = it.rows();
      expect([right, held]).toEqual([truth, truth]);
      if (!complete)
        expect(it.position().doubts).toContainEqual(expect.objectContaining({ kind: 'lacking', count: 1 }));
    }
    it.arrive(3, (i) => ({ onset: 1000 + i }));
    for (; sync < 12; sync++) await it.sync();
    const { right, truth } = it.rows();
    expect(right).toBe(truth);
    fault.change = undefined;
    for (let times = 0; times < 2; times++) await it.sync();
    expectExact(it);
    expect(it.history('deleted')).toBe(0);
  });

  it.each(['components', 'participants'])(
    'is not listed for at every sync if it is always too high (%s)',
    async (data) => {
      const { it, fault } = await changedLab(data);
      it.arrive(250, (i) => ({ onset: i }));
      fault.change = paged((page) => ({ ...page, total: (page['total'] ?? 0) + 7 }));
      for (let times = 0; times < 3; times++) await it.sync();
      const { complete, reason, requests } = await it.sync();
      expect({ complete, isCheap: requests <= 3 }).toEqual({ complete: false, isCheap: true });
      expect(reason).toContain('the API counts');
      expect((await it.sync({ after: 2 * DAY })).requests).toBeGreaterThan(3);
    },
  );
});

describe('answers in turn from servers of two versions', () => {
  it.each(['events', 'participants'])('have everything read again once a day, not at every sync (%s)', async (data) => {
    const { it, fault } = await changedLab(data);
    it.arrive(250);
    let turn = 0;
    fault.change = (body) => {
      const version = `v${turn % 2}`;
      return { ...body, metadata: { ...body.metadata, processing: { version } } };
    };
    const costs = [];
    for (; turn < 7; turn++) costs.push((await it.sync()).requests);
    expect(costs[1]).toBeGreaterThan(2);
    expect(costs.slice(2).every((requests) => requests <= 2)).toBe(true);
    for (turn = 8; turn < 10; turn++) costs.push((await it.sync({ after: 1.1 * DAY })).requests);
    expect(Math.max(...costs.slice(-2))).toBeGreaterThan(2);
    expectExact(it);
  });
});
