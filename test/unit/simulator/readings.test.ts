import { describe, expect, it } from 'vitest';
import type { SimRecord } from '../../../src/simulator/life.ts';
import type { Readings } from '../../../src/simulator/readings.ts';
import { createWorld } from '../../../src/simulator/world.ts';
import { box, LATER, SMALL, START } from './box.ts';

const at = (ms: number) => new Date(START + ms).toISOString();

/** A world whose first experiment has messages at 1, 2, 2, 2, 2, 2, 2 and 3 s only. */
function messages(readings: Partial<Readings>) {
  const world = createWorld({ ...SMALL, roomsPerExperiment: 0 });
  const [first = ''] = world.experimentIds;
  for (const [i, ms] of [1000, 2000, 2000, 2000, 2000, 2000, 2000, 3000].entries())
    world.insert('chat', first, { messageId: `m${i}`, timestamp: at(ms), onset: -i, nested: { at: at(ms) } }, START);
  const asked = box({ world, readings });
  const list = (query = '') => asked.get(`/data/chat/experiment/${first}?${query}`);
  const ids = (query = '') => list(query).data.map((message) => message['messageId']);
  return { list, ids };
}

describe('a reading', () => {
  it('takes the bounds of a time filter in or leaves them out', () => {
    for (const startTime of ['inclusive', 'exclusive'] as const)
      for (const endTime of ['inclusive', 'exclusive'] as const) {
        const { ids } = messages({ startTime, endTime });
        expect(ids(`startTime=${at(3000)}`)).toEqual(startTime === 'inclusive' ? ['m7'] : []);
        expect(ids(`endTime=${at(1000)}`)).toEqual(endTime === 'inclusive' ? ['m0'] : []);
        expect(ids(`startTime=${at(2500)}&endTime=${at(3500)}`)).toEqual(['m7']);
        expect(ids(`startTime=${encodeURIComponent('2026-01-12T11:00:02.500+02:00')}`)).toEqual(['m7']);
      }
  });

  it('keeps the order of one timestamp, or gives another in every answer but never loses a record of a whole one', () => {
    const stable = messages({ ties: 'stable' });
    const orders = (ids: () => unknown[]) => new Set(Array.from({ length: 20 }, () => JSON.stringify(ids())));
    expect(orders(() => stable.ids('sort=timestamp')).size).toBe(1);
    const shuffled = messages({ ties: 'shuffled' });
    expect(orders(() => shuffled.ids('sort=timestamp')).size).toBeGreaterThan(5);
    const answer = shuffled.ids('sort=timestamp');
    expect([answer[0], answer[7]]).toEqual(['m0', 'm7']);
    expect(answer.toSorted()).toEqual(stable.ids());
  });

  it('accepts, clamps or rejects a limit that is too large', () => {
    const ask = (overLimit: Readings['overLimit'], query: string) => messages({ overLimit, maxLimit: 3 }).list(query);
    expect(ask('accepted', 'limit=7').data.length).toBe(7);
    const clamped = ask('clamped', 'limit=7');
    expect(clamped.data.length).toBe(3);
    expect(clamped.metadata.pagination).toMatchObject({ total: 8, returned: 3, hasMore: true, nextOffset: 3 });
    expect(ask('rejected', 'limit=7').status).toBe(400);
    expect(ask('rejected', 'limit=3').data.length).toBe(3);
    expect(ask('rejected', '').data.length).toBe(3);
  });

  it('honours, ignores or rejects filters and sorting for each data type', () => {
    const filter = `startTime=${at(3000)}`;
    expect(messages({ timeFilter: { events: 'rejected' } }).ids(filter)).toEqual(['m7']);
    expect(messages({ timeFilter: { chat: 'ignored' } }).ids(filter).length).toBe(8);
    expect(messages({ timeFilter: { chat: 'rejected' } }).list(filter).status).toBe(400);
    expect(messages({ timeFilter: { chat: 'rejected' } }).list().status).toBe(200);
    expect(messages({}).ids('sort=timestamp&order=desc')[0]).toBe('m7');
    expect(messages({ sort: { chat: 'ignored' } }).ids('sort=timestamp&order=desc')[0]).toBe('m0');
    expect(messages({ sort: { chat: 'rejected' } }).list('sort=timestamp').status).toBe(400);
    for (const [reading, status, count] of [
      ['ignored', 200, 100],
      ['rejected', 400, undefined],
    ] as const) {
      const { get, first } = box({ readings: { fieldFilter: { events: reading } } });
      const { status: told, metadata } = get(`/data/events/experiment/${first}?category=none`);
      expect(told).toBe(status);
      if (count !== undefined) expect(Number(metadata.pagination?.['total'])).toBeGreaterThan(0);
    }
  });

  it('sends no pagination, for all data types or for some', () => {
    const has = (pagination: Readings['pagination']) =>
      messages({ pagination }).list().metadata.pagination !== undefined;
    expect(has('sent')).toBe(true);
    expect(has('missing')).toBe(false);
    expect(has({ missingFor: ['chat'] })).toBe(false);
    expect(has({ missingFor: ['events'] })).toBe(true);
  });

  it('tells a right total, a wrong one or none', () => {
    const total = (reading: Readings['total']) => messages({ total: reading }).list().metadata.pagination;
    expect(total('right')?.['total']).toBe(8);
    expect(total('wrong')?.['total']).not.toBe(8);
    expect(total('missing')).not.toHaveProperty('total');
    expect(total('missing')?.['hasMore']).toBe(false);
  });

  it('writes times with milliseconds, without, or with an offset, and means the same instants', () => {
    const times = (form: Readings['times']) =>
      messages({ times: form })
        .list()
        .data.map((message) => String(message['timestamp']));
    expect(times('milliseconds')[0]).toBe('2026-01-12T09:00:01.000Z');
    expect(times('seconds')[0]).toBe('2026-01-12T09:00:01Z');
    expect(times('offset')[0]).toBe('2026-01-12T11:00:01.000+02:00');
    const instants = (form: Readings['times']) => times(form).map((time) => Date.parse(time));
    expect(instants('seconds')).toEqual(instants('milliseconds'));
    expect(instants('offset')).toEqual(instants('milliseconds'));
  });

  it("gives the runs of a room's agents among its decisions, or apart", () => {
    const among = (reading: Readings['runsAmongDecisions']) => {
      const { get, world, second } = box({ readings: { runsAmongDecisions: reading } });
      const [room] = world.records('rooms', second, LATER);
      const { data } = get(`/data/agent-decisions/room/${String(room?.['id'])}`);
      return data.map((record: SimRecord) => record['_type']);
    };
    expect(new Set(among('absent'))).toEqual(new Set(['decision']));
    expect(among('present').filter((type) => type === 'run').length).toBe(1);
    expect(among('present').slice(0, -1)).toEqual(among('absent'));
  });

  it('tells total, limit and offset flat in the metadata, for all data types or for some', () => {
    const { metadata } = messages({ pagination: 'flat' }).list('limit=3&offset=2');
    expect(metadata).toMatchObject({ total: 8, limit: 3, offset: 2 });
    expect(metadata.pagination).toBeUndefined();
    const flatFor = (types: string[]) =>
      messages({ pagination: { missingFor: [], flatFor: types } }).list().metadata.pagination === undefined;
    expect([flatFor(['chat']), flatFor(['events'])]).toEqual([true, false]);
  });

  it('repeats what was given, what the endpoint parsed, or nothing', () => {
    const query = (readings: Partial<Readings>, asked = `startTime=${at(2000)}&limit=50&order=desc&secret=1`) =>
      messages({ maxLimit: 3, ...readings }).list(asked).metadata['query'];
    expect(query({ echo: 'given' })).toEqual({ startTime: at(2000), limit: '50', order: 'desc', secret: '1' });
    expect(query({ echo: 'missing' })).toBeUndefined();
    const parsed = { limit: 3, offset: 0, sort: 'timestamp', order: 'asc' };
    expect(query({})).toEqual({ ...parsed, startTime: at(2000), endTime: null, order: 'desc' });
    expect(query({ echo: 'parsed', sort: { chat: 'ignored' } })).toMatchObject(parsed);
    expect(query({ echo: 'parsed', timeFilter: { chat: 'ignored' } }, '')).toEqual(parsed);
  });

  it('echoes no time filter of recordings, and the category of events', () => {
    const { get, first } = box({ readings: { echo: 'parsed' } });
    const query = (dataType: string) =>
      get(`/data/${dataType}/experiment/${first}?startTime=${at(0)}`).metadata['query'];
    expect(query('recordings')).toEqual({ limit: 100, offset: 0, sort: 'startTime', order: 'asc' });
    expect(query('events')).toMatchObject({ startTime: at(0), endTime: null, category: null });
  });
});
