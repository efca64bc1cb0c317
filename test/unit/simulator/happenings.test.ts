import { describe, expect, it } from 'vitest';
import { happen, ODD_TIMES, type Happening } from '../../../src/simulator/happenings.ts';
import type { SimRecord } from '../../../src/simulator/life.ts';
import { createWorld } from '../../../src/simulator/world.ts';
import { box, HOUR, LATER, SMALL } from './box.ts';

const AFTER = LATER + 1000;

/** The first experiment of the small world before and after something happened at `LATER`. */
function after(happening: Happening) {
  const world = createWorld(SMALL);
  const [first = ''] = world.experimentIds;
  const dataType = happening.kind === 'lobby' ? 'events' : happening.dataType;
  const before = world.records(dataType, first, LATER - 1);
  const affected = happen(world, first, happening);
  const records = world.records(dataType, first, LATER);
  const added = records.filter((record) => !before.includes(record));
  return {
    ...box({ world }),
    dataType,
    before,
    records,
    added,
    affected,
    then: (next: Happening) => happen(world, first, next),
  };
}

const ids = (records: readonly SimRecord[]) => records.map(({ id }) => id);

describe('the store', () => {
  it('holds records that are dated ahead of its clock', () => {
    const { added, affected } = after({ kind: 'datedAhead', dataType: 'chat', byMs: 2 * HOUR, count: 3, at: LATER });
    expect(affected).toBe(3);
    expect(added.map(({ timestamp }) => Date.parse(String(timestamp)) - LATER)).toEqual([
      2 * HOUR,
      2 * HOUR + 1,
      2 * HOUR + 2,
    ]);
    expect(new Set(added.map(({ messageId }) => messageId)).size).toBe(3);
  });

  it('holds records whose time is none, which filtered answers leave out and plain and sorted listings have', () => {
    const { added, records, get, first } = after({ kind: 'oddTimes', dataType: 'events', at: LATER });
    expect(added.map(({ timestamp }) => timestamp)).toEqual([...ODD_TIMES]);
    expect(added.at(-1)).not.toHaveProperty('timestamp');
    const total = (query: string) =>
      get(`/data/events/experiment/${first}?${query}`, AFTER).metadata.pagination?.['total'];
    expect(total('')).toBe(records.length);
    expect(total('sort=timestamp&order=desc')).toBe(records.length);
    expect(total('startTime=1970-01-01T00:00:00Z')).toBe(records.length - ODD_TIMES.length);
    expect(total('endTime=2999-01-01T00:00:00Z')).toBe(records.length - ODD_TIMES.length);
  });

  it.each([undefined, 'lobby_1'])(
    'answers with events of the lobby (session %s) at experiment scope only',
    (session) => {
      const lobby = { kind: 'lobby', count: 3, at: LATER } as const;
      const { added, get, world, first } = after(session === undefined ? lobby : { ...lobby, session });
      expect(added.map(({ sessionId }) => sessionId)).toEqual([session, session, session]);
      const all = get(`/data/events/experiment/${first}?limit=1000`, AFTER).data;
      expect(ids(all)).toEqual(expect.arrayContaining(ids(added)));
      const inNone = all.filter((event) => event['roomId'] === undefined && event['sessionId'] === undefined);
      const rooms = world.records('rooms', first, LATER).map(({ id }) => String(id));
      const inRooms = rooms.flatMap((room) => get(`/data/events/room/${room}?limit=1000`, AFTER).data);
      expect(inRooms.length).toBe(all.length - inNone.length - (session === undefined ? 0 : 3));
      expect(ids(inRooms)).not.toEqual(expect.arrayContaining(ids(added)));
      expect(get('/data/events/room/lobby_1', AFTER).status).toBe(404);
    },
  );

  it('has records that exchange what they say in a field', () => {
    const { before, records } = after({
      kind: 'pairedAnew',
      dataType: 'components',
      field: 'config',
      of: 1,
      at: LATER,
    });
    const configs = (all: readonly SimRecord[]) => all.map(({ config }) => JSON.stringify(config));
    const [first = '', ...others] = configs(before);
    expect(configs(records)).toEqual([...others, first]);
  });

  it('moves the onsets or the times of all records at once, or of some', () => {
    const { before, records } = after({ kind: 'derivedAgain', dataType: 'chat', field: 'onset', byMs: 300, at: LATER });
    expect(records).toEqual(before.map((record) => ({ ...record, onset: Number(record['onset']) + 300 })));
    const some = after({
      kind: 'derivedAgain',
      dataType: 'events',
      field: 'timestamp',
      byMs: -HOUR,
      of: 0.3,
      at: LATER,
    });
    expect(some.affected).toBe(some.added.length);
    expect(some.affected).toBeLessThan(some.before.length / 2);
    const times = (records: readonly SimRecord[]) =>
      new Map(records.map((r) => [r['id'], Date.parse(String(r['timestamp']))]));
    for (const [id, time] of times(some.added)) expect(times(some.before).get(id)).toBe(time + HOUR);
  });

  it('shows a new field on every record, also on versions that are yet to come', () => {
    const { records } = after({ kind: 'enriched', dataType: 'components', field: 'kind', at: LATER });
    expect(records.every(({ kind }) => typeof kind === 'string')).toBe(true);
    const world = createWorld(SMALL);
    const [first = ''] = world.experimentIds;
    const [opened = NaN, , ended = NaN] = world.lives('rooms', first)[0]?.versions.map(({ from }) => from) ?? [];
    happen(world, first, { kind: 'enriched', dataType: 'rooms', field: 'kind', at: opened + 1 });
    const statuses = [opened, opened + 1, ended].map((now) => world.records('rooms', first, now)[0]);
    expect(statuses.map((room) => [room?.['status'], 'kind' in (room ?? {})])).toEqual([
      ['waiting', false],
      ['waiting', true],
      ['completed', true],
    ]);
  });

  it.each(['recordings', 'components'])('has duplicates of %s until they are removed', (dataType) => {
    const { before, added, then, world, first } = after({ kind: 'duplicated', dataType, of: 1, at: LATER });
    const now = world.records(dataType, first, LATER);
    expect(now.length).toBe(2 * before.length);
    if (dataType === 'recordings') expect(added.length).toBe(before.length);
    expect(then({ kind: 'deduplicated', dataType, at: AFTER })).toBe(before.length);
    expect(world.records(dataType, first, AFTER)).toEqual(before);
  });

  it('lists an id twice with other content', () => {
    const { before, added } = after({ kind: 'listedTwice', dataType: 'events', of: 0.2, at: LATER });
    expect(added.length).toBeGreaterThan(0);
    for (const { id, onset } of added)
      expect(before.find((record) => record['id'] === id)?.['onset']).toBe(Number(onset) - 1);
  });

  it('lists an id again at a later time', () => {
    const { before, added } = after({ kind: 'listedTwice', dataType: 'events', of: 0.2, byMs: 5000, at: LATER });
    const [{ id, timestamp } = {}] = added;
    const first = before.find((record) => record['id'] === id)?.['timestamp'];
    expect(Date.parse(String(timestamp))).toBe(Date.parse(String(first)) + 5000);
  });

  it('holds ids that a careless key takes for one', () => {
    const { added } = after({ kind: 'twins', dataType: 'events', at: LATER });
    const room = String(added[0]?.['roomId'] ?? added[0]?.['sessionId']);
    expect(ids(added)).toEqual(['1', 1, 'a', `${room}/a`]);
  });

  it('calls the room of events roomId where it was sessionId, and they stay in their room', () => {
    const { before, records, get } = after({ kind: 'roomRenamed', dataType: 'events', at: LATER });
    const old = before.filter((event) => 'sessionId' in event);
    expect(old.length).toBeGreaterThan(0);
    expect(records.some((event) => 'sessionId' in event)).toBe(false);
    const room = String(old[0]?.['sessionId']);
    expect(ids(get(`/data/events/room/${room}?limit=1000`, AFTER).data)).toContain(old[0]?.['id']);
  });

  it('moves records to another room, where they are listed from then on', () => {
    const { before, added, get } = after({ kind: 'movedToRoom', dataType: 'chat', of: 0.4, at: LATER });
    expect(added.length).toBeGreaterThan(0);
    const [moved] = added;
    const room = (records: readonly SimRecord[]) =>
      String(records.find(({ messageId }) => messageId === moved?.['messageId'])?.['roomId']);
    expect(room(before)).not.toBe(room(added));
    const listed = (id: string, now: number) =>
      get(`/data/chat/room/${id}`, now).data.some(({ messageId }) => messageId === moved?.['messageId']);
    expect([listed(room(before), LATER - 1), listed(room(added), LATER - 1)]).toEqual([true, false]);
    expect([listed(room(before), AFTER), listed(room(added), AFTER)]).toEqual([false, true]);
  });

  it('gets recordings long after they were made', () => {
    const { added, before } = after({ kind: 'late', dataType: 'recordings', byMs: 9 * HOUR, count: 2, at: LATER });
    expect(added.map(({ startTime }) => Date.parse(String(startTime)))).toEqual([
      LATER - 9 * HOUR,
      LATER - 9 * HOUR + 1,
    ]);
    expect(added.map(({ egressId }) => egressId)).toEqual(added.map(({ recordingId }) => recordingId));
    expect(before.map(({ recordingId }) => recordingId)).not.toContain(added[0]?.['recordingId']);
  });
});
