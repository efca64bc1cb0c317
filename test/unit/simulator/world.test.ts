import { describe, expect, it } from 'vitest';
import { roomOf } from '../../../src/simulator/catalogue/entry.ts';
import type { SimRecord } from '../../../src/simulator/life.ts';
import { createWorld, type World } from '../../../src/simulator/world.ts';
import { cpuMs } from '../../support/cpu.ts';
import { HOUR, LATER, SMALL, START } from './box.ts';

const { catalogue } = createWorld(SMALL);
const TYPES = [...catalogue.keys()];

function everything(world: World, now: number) {
  return world.experimentIds.map((id) => TYPES.map((dataType) => world.records(dataType, id, now)));
}

describe('a simulated world', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(everything(createWorld(SMALL), LATER)).toEqual(everything(createWorld(SMALL), LATER));
    expect(everything(createWorld({ ...SMALL, seed: 6 }), LATER)).not.toEqual(everything(createWorld(SMALL), LATER));
  });

  it('holds records of every data type', () => {
    const world = createWorld(SMALL);
    for (const dataType of TYPES) {
      const count = world.experimentIds.reduce((sum, id) => sum + world.records(dataType, id, LATER).length, 0);
      expect(count, dataType).toBeGreaterThan(0);
    }
  });

  it('grows with time: rooms open, run and end, and no record is seen before it arrived', () => {
    const world = createWorld(SMALL);
    const [id = ''] = world.experimentIds;
    const statuses = (now: number) => world.records('rooms', id, now).map(({ status }) => status);
    expect(statuses(START - 1)).toEqual([]);
    expect(statuses(START)).toEqual(['waiting']);
    expect(statuses(START + 95_000)).toEqual(['active']);
    expect(statuses(LATER)).toEqual(['completed', 'completed', 'completed']);
    for (const { versions } of world.lives('events', id)) {
      const [arrived] = versions;
      expect(arrived?.from).toBeGreaterThan(Date.parse(String(arrived?.record['timestamp'])));
    }
  });

  it('has records that arrive a minute or more after they happened', () => {
    const world = createWorld({ ...SMALL, videoSeconds: 120 });
    const lateness = world.experimentIds.flatMap((id) =>
      world
        .lives('ratings/continuous', id)
        .map(({ versions: [arrived] }) => (arrived?.from ?? 0) - Date.parse(String(arrived?.record['timestamp']))),
    );
    expect(Math.max(...lateness)).toBeGreaterThan(60_000);
    expect(lateness.filter((ms) => ms < 5000).length).toBeGreaterThan(0.9 * lateness.length);
  });

  it('hangs together: records name the rooms and participants of their experiment', () => {
    const world = createWorld(SMALL);
    for (const id of world.experimentIds) {
      const ids = (dataType: string) => new Set(world.records(dataType, id, LATER).map((record) => record['id']));
      const [rooms, people] = [ids('rooms'), ids('participants')];
      const inRooms = TYPES.filter((name) => (catalogue.get(name)?.scopes ?? []).length > 0 && name !== 'participants');
      for (const dataType of inRooms) {
        for (const record of world.records(dataType, id, LATER)) {
          // Consent is asked for before anybody has a room.
          if (record['eventType'] !== 'consent.viewed')
            expect(rooms, dataType).toContain(roomOf(catalogue.get(dataType), record));
          const person = record['participantId'] ?? record['senderId'];
          if (typeof person === 'string') expect(people, dataType).toContain(person);
        }
      }
    }
  });

  it('rates continuously every 100 to 500 ms while the video plays', () => {
    const world = createWorld(SMALL);
    const [id = ''] = world.experimentIds;
    const byPerson = Map.groupBy(world.records('ratings/continuous', id, LATER), (record) => record['participantId']);
    for (const ratings of byPerson.values()) {
      const onsets = ratings.map(({ onset }) => Number(onset)).sort((a, b) => a - b);
      for (const [i, onset] of onsets.slice(1).entries()) {
        expect(onset - (onsets[i] ?? 0)).toBeGreaterThanOrEqual(100);
        expect(onset - (onsets[i] ?? 0)).toBeLessThanOrEqual(500);
      }
      expect(onsets.at(-1)).toBeLessThan(SMALL.videoSeconds * 1000);
    }
  });

  it('holds what trips mirrors: negative onsets, nulls, nested objects, letters of many scripts', () => {
    const world = createWorld(SMALL);
    const text = JSON.stringify(everything(world, LATER));
    expect(text).toMatch(/"onset":-\d/);
    expect(text).toMatch(/:null/);
    expect(text).toMatch(/"response":\{"value":/);
    expect(text).toMatch(/\p{Script=Han}|\p{Script=Greek}/u);
  });

  it('shows what is inserted, edited and removed from its time on, and not before', () => {
    const world = createWorld(SMALL);
    const [id = ''] = world.experimentIds;
    const before = world.records('chat', id, LATER);
    const isNew = ({ messageId }: SimRecord) => messageId === 'new';
    const found = (now: number) => world.records('chat', id, now).filter(isNew);
    world.insert('chat', id, { messageId: 'new', content: 'a' }, LATER + 10);
    expect(world.edit('chat', id, isNew, (record) => ({ ...record, content: 'b' }), LATER + 20)).toBe(1);
    expect(world.remove('chat', id, isNew, LATER + 30)).toBe(1);
    expect(found(LATER + 9)).toEqual([]);
    expect(found(LATER + 10)).toEqual([{ messageId: 'new', content: 'a' }]);
    expect(found(LATER + 20)).toEqual([{ messageId: 'new', content: 'b' }]);
    expect(found(LATER + 30)).toEqual([]);
    expect(world.records('chat', id, LATER + 30)).toEqual(before);
  });

  it('can make ids that are unique only within a room', () => {
    const ordinary = createWorld(SMALL);
    const world = createWorld({ ...SMALL, ids: 'room' });
    const [id = ''] = world.experimentIds;
    const events = world.records('events', id, LATER);
    const pairs = events.map((event) => `${String(event['roomId'] ?? event['sessionId'])} ${String(event['id'])}`);
    expect(new Set(pairs).size).toBe(events.length);
    expect(new Set(events.map((event) => event['id'])).size).toBeLessThan(events.length);
    const others = (event: SimRecord) => ({ ...event, id: '' });
    expect(events.map(others)).toEqual(ordinary.records('events', id, LATER).map(others));
  });

  it('takes work in proportion to its records', () => {
    const make = (experiments: number) =>
      createWorld({ ...SMALL, experiments, roomsPerExperiment: 6, participantsPerRoom: 4, videoSeconds: 120 });
    expect(everything(make(8), START + 24 * HOUR).flat(2).length).toBeGreaterThan(100_000);
    // Four times as many; of all their pairs there are sixteen times as many.
    expect(cpuMs(() => make(8))).toBeLessThan(10 * cpuMs(() => make(2)));
  });
});
