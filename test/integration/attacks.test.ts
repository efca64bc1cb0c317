import { describe, expect, it } from 'vitest';
import { datasetNamed } from '../../src/datasets/registry.ts';
import type { Stream } from '../../src/datasets/stream.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { silentLog } from '../../src/shared/log.ts';
import { errorReply, type SimReply, type SimRequest } from '../../src/simulator/reply.ts';
import type { Fault } from '../../src/simulator/server.ts';
import { reconcile } from '../../src/sync/rolling.ts';
import { runVerify, verifyStream } from '../../src/sync/verify.ts';
import { accountLab, type AccountLab } from '../support/accounts.ts';
import { configFor, HOUR, openLab } from '../support/lab.ts';

interface Body {
  data: Record<string, unknown>[];
  metadata: { pagination?: Record<string, unknown> };
}

interface Pages {
  total: number;
  returned: number;
  offset: number;
  limit: number;
  hasMore: boolean;
}

/** A fault that changes what successful answers of a path say. */
function changed(path: RegExp, change: (body: Body, pages: Pages) => Partial<Body>) {
  return (request: SimRequest): Fault | undefined =>
    path.test(request.path) ? { kind: 'change', change: (reply) => rewritten(reply, change) } : undefined;
}

function rewritten(reply: SimReply, change: (body: Body, pages: Pages) => Partial<Body>): SimReply {
  if (reply.status !== 200) return reply;
  const body = JSON.parse(reply.body) as Body & { status: string };
  const pages = body.metadata.pagination as Pages | undefined;
  if (pages === undefined) return reply;
  return { ...reply, body: JSON.stringify({ ...body, ...change(body, pages) }) };
}

/** The same answer with another account of its place. */
function saying(body: Body, pagination: Record<string, unknown> | undefined): Partial<Body> {
  return { metadata: { ...body.metadata, ...(pagination === undefined ? {} : { pagination }) } };
}

/** An answer of at most so many rows that says that they are all. */
function cutSilently({ data, metadata }: Body, rows: number): Partial<Body> {
  const page = data.slice(0, rows);
  const { limit, offset } = metadata.pagination as unknown as Pages;
  const pagination = {
    total: page.length,
    returned: page.length,
    limit: Math.min(limit, rows),
    offset,
    hasMore: false,
  };
  return { data: page, metadata: { ...metadata, pagination } };
}

/** The same without a word of its limit. */
function untold({ data = [], metadata }: Partial<Body>): Partial<Body> {
  const { total, returned, offset, hasMore } = metadata?.pagination ?? {};
  return { data, metadata: { pagination: { total, returned, offset, hasMore } } };
}

const STOP: Fault = { kind: 'reply', reply: errorReply(401, 'so many requests show that it never ends') };

function expectExact(lab: AccountLab): void {
  const { right, held, truth } = lab.rows();
  expect({ right, held, reason: lab.position().reason }).toEqual({ right: truth, held: truth, reason: undefined });
}

/** Either the stream equals the truth, or it does not say that it does; and no row is gone that the API has. */
function expectHonest(lab: AccountLab): void {
  const { right, held, truth } = lab.rows();
  expect(right, 'rows that the API has').toBe(truth);
  if (lab.position().complete) expect(held).toBe(truth);
}

function context({ lab }: AccountLab) {
  return {
    client: lab.client,
    warehouse: lab.warehouse,
    config: configFor(lab.simulator.url, lab.warehouse.path),
    clock: { ...systemClock, now: () => lab.now, sleep: () => Promise.resolve() },
    log: silentLog,
    full: true,
    acceptDeletes: false,
  };
}

function streamOf(lab: AccountLab, data: string): Stream {
  return { experimentId: lab.id, dataset: datasetNamed(data), scope: { kind: 'experiment' } };
}

function remove({ lab, id }: AccountLab, data: string, field: string, ids: readonly string[]): void {
  lab.simulator.world.remove(data, id, (record) => ids.includes(String(record[field])), lab.now + 1);
}

const retimed = (lab: AccountLab, ids: readonly string[]) =>
  lab.happen({
    kind: 'derivedAgain',
    dataType: 'events',
    at: lab.lab.now,
    field: 'timestamp',
    byMs: -2 * HOUR,
    of: ({ id }) => ids.includes(String(id)),
  });

describe('records that arrive while a stream is read', () => {
  it.each(['agent-runs', 'agent-decisions', 'deployments'])(
    'do not make a sync repeat requests for data without pages (%s)',
    async (data) => {
      let asked = 0;
      const lab = await openLab({
        world: { experiments: 2, roomsPerExperiment: 1 },
        fault: ({ path }) => {
          if (!path.includes(data)) return undefined;
          asked++;
          const { world } = lab.simulator;
          for (const id of world.experimentIds) {
            const [sample] = world.records(data, id, lab.now);
            if (asked <= 4 && sample !== undefined) world.insert(data, id, { ...sample, id: `live_${asked}` }, lab.now);
          }
          return asked > 40 ? STOP : undefined;
        },
      });
      const { streams } = await lab.sync({ selection: { data: [data] } });
      expect(streams.map(({ reason }) => reason)).toEqual(streams.map(() => undefined));
    },
  );

  it("do not make a sync repeat requests for a room's write log", async () => {
    let asked = 0;
    const lab = await openLab({
      world: { experiments: 1, roomsPerExperiment: 1 },
      fault: ({ path }) => {
        if (!path.includes('variables')) return undefined;
        asked++;
        const { world } = lab.simulator;
        const [id = ''] = world.experimentIds;
        const [sample] = world.records('variables', id, lab.now);
        const timestamp = new Date(lab.now).toISOString();
        if (asked === 2) world.insert('variables', id, { ...sample, timestamp, value: 'live' }, lab.now);
        return asked > 40 ? STOP : undefined;
      },
    });
    await lab.sync({ selection: { data: ['rooms', 'variables'] } });
    expect(asked).toBeLessThan(5);
  });

  it.each(['events', 'participants'])('do not prolong a reading if one comes at every request (%s)', async (data) => {
    const { identity, timeField = '' } = datasetNamed(data);
    let asked = 0;
    let isLive = false;
    const it = await accountLab(data, {
      fault: ({ path }) => {
        if (!isLive || !path.startsWith(`/data/${data}/`)) return undefined;
        const { lab, id } = it;
        lab.now += 50;
        const { world } = lab.simulator;
        const [sample] = world.records(data, id, lab.now);
        const time = new Date(lab.now).toISOString();
        world.insert(data, id, { ...sample, [identity[0] ?? 'note']: `live_${asked}`, [timeField]: time }, lab.now);
        return ++asked > 60 ? STOP : undefined;
      },
    });
    it.arrive(250);
    isLive = true;
    expect(await it.sync()).toMatchObject({ status: 'ok' });
    expect(asked).toBeLessThan(10);
  });
});

describe('a row that the API still has', () => {
  it('is not deleted if it was re-timed and another one was deleted at the same time', async () => {
    const it = await accountLab('events');
    it.arrive(500);
    await it.sync();
    retimed(it, ['new_480']);
    remove(it, 'events', 'id', ['new_100']);
    for (let times = 0; times < 3; times++) await it.sync();
    expectHonest(it);
  });

  it('is not deleted if a time filter does not see it and another one was deleted', async () => {
    const it = await accountLab('events');
    it.arrive(500);
    await it.sync();
    it.faults.push({ kind: 'blindFilter', to: ({ id }) => id === 'new_200' });
    remove(it, 'events', 'id', ['new_250']);
    for (let times = 0; times < 3; times++) await it.sync();
    expectHonest(it);
  });

  it('is not deleted by the nightly reconcile either', async () => {
    const it = await accountLab('events');
    it.arrive(500);
    await it.sync();
    const three = (from: number) => Array.from({ length: 3 }, (_, i) => `new_${from + i}`);
    it.faults.push({ kind: 'blindFilter', to: ({ id }) => three(200).includes(String(id)) });
    remove(it, 'events', 'id', three(250));
    for (let night = 0; night < 2; night++) {
      it.lab.now += 24 * HOUR;
      await reconcile(context(it), [streamOf(it, 'events')], 1000);
    }
    expectHonest(it);
  });

  it("is not deleted if the experiment's answer is warned and the rooms cut their pages silently", async () => {
    let isCut = false;
    const cut = changed(/components\/room/, (body) => cutSilently(body, 60));
    const it = await accountLab('components', {
      also: ['rooms', 'experiments'],
      fault: (request) => (isCut ? cut(request) : undefined),
    });
    const rooms = it.lab.simulator.world.records('rooms', it.id, it.lab.now).map(({ id }) => id);
    it.arrive(150, (i) => ({ roomId: rooms[i % 2], componentId: `component_${i}` }));
    await it.sync();
    isCut = true;
    it.faults.push({ kind: 'warned', dataTypes: ['components'], scopes: ['experiment'] });
    for (let times = 0; times < 3; times++) await it.sync();
    expectHonest(it);
  });
});

describe('records without an id that share a name', () => {
  const late = (lab: AccountLab) =>
    lab.happen({ kind: 'late', dataType: 'components', at: lab.lab.now, byMs: 48 * HOUR, count: 1 });

  it('are all kept if an earlier one came and the listing fails half-way', async () => {
    let isFailing = false;
    const it = await accountLab('components', {
      fault: ({ query }) =>
        isFailing && Number(query.get('offset') ?? 0) >= 150
          ? { kind: 'reply', reply: errorReply(500, 'out of order') }
          : undefined,
    });
    it.arrive(250);
    await it.sync();
    const before = it.lab.mirrored('components', it.id);
    late(it);
    isFailing = true;
    await it.sync();
    const after = new Set(it.lab.mirrored('components', it.id));
    expect(before.filter((text) => !after.has(text))).toEqual([]);
  });

  it('leave no history if an earlier one came and none of them changed', async () => {
    const it = await accountLab('components');
    it.arrive(250);
    await it.sync();
    late(it);
    await it.sync();
    expectExact(it);
    expect(it.history('changed')).toBe(0);
  });

  it('are exact if one was edited while another came, then one was deleted, and ties come in any order', async () => {
    const it = await accountLab('components', { readings: { ties: 'shuffled' } });
    const time = new Date(it.lab.now - HOUR).toISOString();
    it.arrive(250, (i) => (i % 50 === 7 ? { timestamp: time, config: { i } } : { config: { i } }));
    await it.sync();
    const { world } = it.lab.simulator;
    const isOf = (i: number) => (record: Record<string, unknown>) => JSON.stringify(record['config']) === `{"i":${i}}`;
    world.edit('components', it.id, isOf(57), (one) => ({ ...one, completed: 'edited' }), it.lab.now);
    late(it);
    await it.sync();
    expectExact(it);
    expect([it.history('changed'), it.history('deleted')]).toEqual([1, 0]);
    world.remove('components', it.id, isOf(120), it.lab.now);
    for (let times = 0; times < 3; times++) await it.sync();
    expectExact(it);
    expect([it.history('changed'), it.history('deleted')]).toEqual([1, 1]);
  });

  it('leave no history in the write log of a room if an earlier one came', async () => {
    const it = await accountLab('variables', { also: ['rooms', 'experiments'] });
    const { lab, id } = it;
    const { world } = lab.simulator;
    // Rooms that are over are left alone otherwise.
    const sync = () => lab.sync({ selection: { data: ['rooms', 'experiments', 'variables'] }, full: true });
    const [sample] = world.records('variables', id, lab.now);
    const write = (value: string) => world.insert('variables', id, { ...sample, value }, lab.now);
    for (const value of ['n', 'p', 'r', 't']) write(value);
    await sync();
    for (const value of ['m', 'o', 's', 'z']) write(value);
    lab.now += HOUR;
    await sync();
    expect(lab.mirrored('variables', id)).toEqual(lab.truth('variables', id));
    expect(lab.warehouse.db.prepare("SELECT count(*) FROM _history WHERE table_name = 'variables'").pluck().get()).toBe(
      0,
    );
  });
});

describe('rows that are deleted while the stream is read', () => {
  it('are settled by the next syncs', async () => {
    let isBusy = false;
    let removed = 0;
    const it = await accountLab('events', {
      fault: ({ path }) => {
        if (!isBusy || !path.startsWith('/data/events/')) return undefined;
        it.lab.now += 5;
        const id = `new_${++removed}`;
        it.lab.simulator.world.remove('events', it.id, (event) => event['id'] === id, it.lab.now);
        return undefined;
      },
    });
    it.arrive(450);
    await it.sync();
    isBusy = true;
    await it.sync();
    isBusy = false;
    for (let times = 0; times < 3; times++) await it.sync();
    expectExact(it);
  });
});

describe('a large listing', () => {
  it.each([
    ['participants', 'id'],
    ['recordings', 'recordingId'],
  ])('brings a new record although an old one was removed in the meantime (%s)', async (data, field) => {
    const it = await accountLab(data);
    it.arrive(250);
    await it.sync();
    remove(it, data, field, ['new_150']);
    it.arrive(1);
    await it.sync();
    if (it.position().complete) expectExact(it);
  });

  it('brings changes of its newest records', async () => {
    const it = await accountLab('participants');
    it.arrive(250);
    await it.sync();
    const { world } = it.lab.simulator;
    const done = { status: 'completed', completionCode: 'COMPLETED_NO_CODE', note: 'done' };
    world.edit(
      'participants',
      it.id,
      ({ id }) => id === 'new_250',
      (person) => ({ ...person, ...done }),
      it.lab.now,
    );
    await it.sync();
    expectExact(it);
  });

  it('of a finished room gets late records within a few nights', async () => {
    const it = await accountLab('recordings', { also: ['rooms', 'experiments'] });
    const { lab, id } = it;
    const [recording = {}] = lab.simulator.world.records('recordings', id, lab.now);
    const [room = ''] = lab.simulator.world.records('rooms', id, lab.now).map((one) => String(one['id']));
    const sync = () =>
      lab.sync({
        selection: { data: ['rooms', 'experiments', 'recordings'] },
        config: { experiments: [{ id, rooms: [room] }] },
      });
    await sync();
    lab.now += 24 * HOUR;
    await sync();
    const late = { ...recording, roomId: room, recordingId: 'late', egressId: 'late' };
    lab.simulator.world.insert('recordings', id, late, lab.now);
    const stream: Stream = { ...streamOf(it, 'recordings'), scope: { kind: 'room', id: room } };
    for (let night = 0; night < 3; night++) {
      lab.now += 24 * HOUR;
      await reconcile(context(it), [stream], 1000);
      await sync();
    }
    expect(lab.mirrored('recordings', id).some((text) => text.includes('"late"'))).toBe(true);
  });
});

describe('a list of experiments in pages of 25', () => {
  it.each([
    ['without a word of pages', () => undefined],
    ['each of which says that it is all', (): Record<string, unknown> => ({ total: 25, returned: 25, hasMore: false })],
  ])('is read to its end, or is in doubt (%s)', async (_, pages) => {
    const cut = changed(/^\/experiments$/, ({ data, metadata }) => {
      const { pagination: before, ...rest } = metadata;
      const pagination = before === undefined ? undefined : pages();
      return { data: data.slice(0, 25), metadata: { ...rest, ...(pagination === undefined ? {} : { pagination }) } };
    });
    const lab = await openLab({ world: { experiments: 40, roomsPerExperiment: 1 }, fault: cut });
    const { streams, issues } = await lab.sync({ selection: { data: ['experiments'] } });
    if (issues.length === 0) expect(streams.length).toBe(40);
  });

  it('does not make a known experiment count as gone', async () => {
    let isCut = false;
    const cut = changed(/^\/experiments$/, ({ data, metadata }) => ({
      data: data.slice(0, 25),
      metadata: { ...metadata, pagination: {} },
    }));
    const lab = await openLab({
      world: { experiments: 40, roomsPerExperiment: 1 },
      fault: (request) => (isCut ? cut(request) : undefined),
    });
    const selection = { data: ['experiments'] };
    await lab.sync({ selection });
    isCut = true;
    const { issues } = await lab.sync({ selection });
    expect(issues.filter(({ code }) => code === 'EXPERIMENT_GONE')).toEqual([]);
  });
});

describe('a total that is not right', () => {
  async function idleRequests(change: (pages: Pages) => number, arrivals: number): Promise<number> {
    const it = await accountLab('events', {
      fault: changed(/^\/data\/events/, (body, pages) => saying(body, { ...pages, total: change(pages) })),
    });
    it.arrive(850);
    await it.sync();
    await it.sync();
    it.arrive(arrivals);
    const { requests } = await it.sync();
    expectExact(it);
    return requests;
  }

  it('costs no listing at each sync if it is a little too low', async () => {
    expect(await idleRequests(({ total }) => (total > 100 ? total - 3 : total), 0)).toBeLessThanOrEqual(3);
  });

  it('costs no listing at each sync if it stops at a round number', async () => {
    expect(await idleRequests(({ total }) => Math.min(total, 200), 5)).toBeLessThanOrEqual(3);
  });

  it('costs no listing at each sync if it counts only to the next record', async () => {
    const next = ({ offset, returned, hasMore }: Pages) => offset + returned + (hasMore ? 1 : 0);
    expect(await idleRequests(next, 5)).toBeLessThanOrEqual(3);
  });

  it.each([
    ['events', true],
    ['events', false],
    ['participants', true],
    ['participants', false],
  ] as const)(
    'costs no listing at each sync if pages were larger once (%s, with pagination: %s)',
    async (data, isTold) => {
      let isCut = false;
      const cut = changed(/^\/data\//, (body) => (isTold ? cutSilently(body, 30) : untold(cutSilently(body, 30))));
      const it = await accountLab(data, { fault: (request) => (isCut ? cut(request) : undefined) });
      it.arrive(450);
      await it.sync();
      isCut = true;
      await it.sync();
      const { requests } = await it.sync();
      expectExact(it);
      expect(requests).toBeLessThanOrEqual(20);
    },
  );

  it.each([98])('hides no deletion if it is the number of records sent, of %i rows', async (rows) => {
    const it = await accountLab('chat');
    it.lab.simulator.world.remove('chat', it.id, () => true, it.lab.now - 1);
    const { lab, id } = it;
    for (let i = 0; i < rows; i++) {
      const timestamp = new Date(lab.now - 3 * HOUR + i * 1000).toISOString();
      lab.simulator.world.insert('chat', id, { messageId: `m_${i}`, roomId: 'room', timestamp }, lab.now);
    }
    it.faults.push({ kind: 'totalIsReturned' });
    await it.sync();
    remove(it, 'chat', 'messageId', ['m_3']);
    for (let times = 0; times < 3; times++) await it.sync();
    expectExact(it);
  });
});

describe('requests of a sync that finds nothing new', () => {
  it('are at most two for one row if the pagination is absent', async () => {
    const it = await accountLab('chat', { readings: { pagination: 'missing' } });
    it.lab.simulator.world.remove('chat', it.id, () => true, it.lab.now - 1);
    const timestamp = new Date(it.lab.now - HOUR).toISOString();
    it.lab.simulator.world.insert('chat', it.id, { messageId: 'only', roomId: 'room', timestamp }, it.lab.now);
    await it.sync();
    expect((await it.sync()).requests).toBeLessThanOrEqual(2);
  });

  it('are at most three for many rows of one instant in changing order, even if the pagination is absent', async () => {
    const it = await accountLab('events', { readings: { ties: 'shuffled', pagination: 'missing' } });
    const timestamp = new Date(it.lab.now - 60_000).toISOString();
    it.arrive(350, () => ({ timestamp }));
    await it.sync();
    expect((await it.sync()).requests).toBeLessThanOrEqual(3);
    it.arrive(1, () => ({ timestamp }));
    await it.sync();
    expectExact(it);
  });

  it('are at most two if times are seconds since 1970', async () => {
    const it = await accountLab('events');
    const { lab, id } = it;
    const seconds = (time: unknown) => Date.parse(String(time)) / 1000;
    lab.simulator.world.edit(
      'events',
      id,
      () => true,
      (one) => ({ ...one, timestamp: seconds(one['timestamp']) }),
      lab.now,
    );
    it.arrive(450, (i) => ({ timestamp: lab.now / 1000 - 1000 + i + 0.25 }));
    const newest = new Date(lab.now - 551_000 + 250).toISOString();
    expect(await it.sync()).toMatchObject({ status: 'ok', watermark: newest });
    expect((await it.sync()).requests).toBeLessThanOrEqual(2);
    expectExact(it);
  });

  it('are few if one row of many was re-timed', async () => {
    const it = await accountLab('events');
    it.arrive(3000);
    await it.sync();
    retimed(it, ['new_2980']);
    const { requests } = await it.sync();
    expectExact(it);
    expect(requests).toBeLessThanOrEqual(7);
  });
});

describe.each(['room', 'participant', 'deployment'] as const)('a row of another room in the answer of a %s', (kind) => {
  /** A lab that reads the events of one part only, the last page of whose answers has other rows as well. */
  async function leakyLab() {
    const leaked: Record<string, unknown>[] = [];
    const it = await accountLab('events', {
      fault: changed(/^\/data\/events/, (body, pages) => {
        const { total, returned, offset, limit } = pages;
        const isEnd = offset + returned >= total && returned < limit;
        const data = isEnd ? [...body.data, ...leaked.slice(Math.max(offset - total, 0))] : body.data;
        return { data, ...saying(body, { ...pages, total: total + leaked.length, returned: data.length }) };
      }),
    });
    const { lab, id } = it;
    const { world } = lab.simulator;
    const [deployment] = world.records('deployments', id, lab.now);
    const seated = world
      .records('events', id, lab.now)
      .find(({ roomId, participantId }) => roomId !== undefined && participantId !== undefined);
    const participant = { id: String(seated?.['participantId']), room: String(seated?.['roomId']) };
    const parts = {
      room: { rooms: [participant.room] },
      participant: { participants: [participant] },
      deployment: { deployments: [String(deployment?.['id'])] },
    };
    const config = { experiments: [{ id, ...parts[kind] }] };
    return {
      lab,
      leak: (eventId: string) =>
        leaked.push({
          id: eventId,
          experimentId: id,
          roomId: 'elsewhere',
          timestamp: new Date(lab.now - 1000).toISOString(),
          eventType: 'consent.given',
        }),
      stop: () => leaked.splice(0),
      sync: async () => {
        lab.now += HOUR / 4;
        const { streams } = await lab.sync({
          selection: { data: ['deployments', 'deployment-sessions', 'events'] },
          config,
        });
        return streams.find(({ data }) => data === 'events');
      },
      verify: () =>
        runVerify({
          ...context(it),
          config: { ...context(it).config, ...config },
          selection: { data: ['events'] },
          deep: false,
          repair: false,
        }),
    };
  }

  it('leaves no doubt about the requested part, at few requests', async () => {
    const { leak, sync, verify } = await leakyLab();
    leak('first');
    expect(await sync()).toMatchObject({ complete: true });
    expect(await sync()).toMatchObject({ complete: true, inserted: 0 });
    leak('second');
    expect(await sync()).toMatchObject({ complete: true, inserted: 1 });
    const idle = await sync();
    expect(idle).toMatchObject({ complete: true, inserted: 0 });
    expect(idle?.requests).toBeLessThanOrEqual(3);
    expect((await verify()).streams).toMatchObject([{ status: 'equal' }]);
  });

  it('does not count as missing once it no longer comes', async () => {
    const { leak, stop, sync } = await leakyLab();
    leak('first');
    await sync();
    stop();
    expect(await sync()).toMatchObject({ complete: true, deleted: 0 });
  });
});

describe('verify of a stream to which a record comes at every request', () => {
  it.each([true, false])('reports that it is equal (deep: %s)', async (deep) => {
    let asked = 0;
    let isLive = false;
    const it = await accountLab('events', {
      fault: ({ path }) => {
        if (!isLive || !path.startsWith('/data/events/')) return undefined;
        const { lab, id } = it;
        lab.now += 50;
        const { world } = lab.simulator;
        const [sample] = world.records('events', id, lab.now);
        const timestamp = new Date(lab.now).toISOString();
        world.insert('events', id, { ...sample, id: `live_${asked}`, timestamp }, lab.now);
        return ++asked > 60 ? STOP : undefined;
      },
    });
    it.arrive(450);
    await it.sync();
    isLive = true;
    const verdict = await verifyStream(context(it), streamOf(it, 'events'), { deep, repair: false });
    expect(verdict).toMatchObject({ status: 'equal' });
  });
});
