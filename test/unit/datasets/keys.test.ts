import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { idInKey, keyOf, withOrdinal, withoutOrdinal } from '../../../src/datasets/keys.ts';
import { DATASETS, datasetNamed } from '../../../src/datasets/registry.ts';
import { canonicalJson, parseJson, type Json, type JsonObject } from '../../../src/shared/json.ts';

const events = datasetNamed('events');
const components = datasetNamed('components');
const variables = datasetNamed('variables');

const key = (record: JsonObject, dataset = events, fill = {}) => keyOf(dataset, record, { fill }).key;

/** Texts and numbers that look like one another, with every mark that means something in a key. */
const awkward = fc.oneof(
  fc.string({ unit: fc.constantFrom('1', '2', 'a', '/', '#', '%', ':', 'F', '3', '5'), maxLength: 6 }),
  fc.constantFrom('number:1', 'json:""', 'sha256:a', 'time:1', '\0', '\ud800', 'ab\udfffc'),
  fc.integer({ min: -3, max: 25 }),
  fc.constantFrom(0.5, 1e300),
);
const id = awkward.filter((value) => value !== '');
const absent = fc.constant(undefined);

describe('the key of a record with an id', () => {
  it('is unique, whatever its room and id look like', () => {
    const place = fc.tuple(fc.oneof(id, absent), id);
    fc.assert(
      fc.property(place, place, ([roomA, a], [roomB, b]) => {
        const record = (room: Json | undefined, own: Json): JsonObject =>
          room === undefined ? { id: own } : { id: own, roomId: room };
        expect(key(record(roomA, a)) === key(record(roomB, b))).toBe(roomA === roomB && a === b);
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    [{ id: 'evt_1' }, 'evt_1'],
    [{ id: 'evt_1', roomId: 'room_1' }, 'room_1/evt_1'],
    [{ id: 'evt_1', sessionId: 'room_1' }, 'room_1/evt_1'],
    [{ id: 1, roomId: 'room_1' }, 'room_1/number:1'],
    [{ id: '1', roomId: null }, '1'],
    [{ id: 'x/a#2', roomId: '50%' }, '50%25/x%2Fa%232'],
  ] as const)('of %j is %s', (record, expected) => {
    expect(key({ ...record })).toBe(expected);
  });

  it('distinguishes numbers that a double cannot hold', () => {
    const big = (digits: string) => key({ id: parseJson(digits) });
    expect(big('9007199254740993')).not.toBe(big('9007199254740992'));
  });

  it('has no room if the id is unique in the whole experiment', () => {
    expect(key({ id: 'room_1', roomId: 'room_2' }, datasetNamed('rooms'))).toBe('room_1');
  });

  it('does not depend on whether the experiment or the room was requested', () => {
    expect(key({ id: 'a' }, events, { roomId: 'room_1' })).toBe(key({ id: 'a' }));
  });

  it('shows which rows may be the same record in another room', () => {
    expect(idInKey(events, key({ id: 'x/1', roomId: 'a' }))).toBe(idInKey(events, key({ id: 'x/1' })));
    expect(idInKey(events, withOrdinal(key({ id: 'x/1', roomId: 'b' }), 2))).toBe('x%2F1');
    expect(idInKey(events, key({ content: 'no id' }))).toBeUndefined();
    expect(idInKey(components, key({ componentId: 'c', roomId: 'a' }, components))).toBeUndefined();
  });

  it('has its ordinal after the only # in it', () => {
    fc.assert(
      fc.property(id, id, fc.integer({ min: 2 }), (room, own, n) => {
        const plain = key({ id: own, roomId: room });
        expect(withoutOrdinal(plain)).toBe(plain);
        expect(withoutOrdinal(withOrdinal(plain, n))).toBe(plain);
      }),
    );
  });
});

describe('the key of a record without an id', () => {
  const write = { roomId: 'r', participantId: 'p', variable: 'points', timestamp: '2026-01-02T03:04:05Z', value: 1 };

  it('consists of the fields that name it, so that any other field may change', () => {
    const component = { roomId: 'r', participantId: 'p', componentId: 'c', stateId: 's', onset: 5, config: { a: 1 } };
    expect(key(component, components)).toBe('r/p/c/s/number:5');
    expect(key({ ...component, config: { a: 2 }, novelField: true }, components)).toBe('r/p/c/s/number:5');
    expect(key({ ...component, onset: '5' }, components)).toBe('r/p/c/s/5');
    expect(key(write, variables)).toBe('r/p/points/time:1767323045000');
    expect(key({ ...write, value: 2 }, variables)).toBe(key(write, variables));
  });

  it('is the same in whatever form a time comes', () => {
    expect(key({ ...write, timestamp: '2026-01-02T04:04:05.000+01:00' }, variables)).toBe(key(write, variables));
    expect(key({ ...write, timestamp: 1767323045000 }, variables)).toBe(key(write, variables));
    expect(key({ ...write, timestamp: 1767323045 }, variables)).toBe(key(write, variables));
    expect(key({ ...write, timestamp: 'soon' }, variables)).toBe('r/p/points/soon');
  });

  it('is unique for each name', () => {
    const name = fc.tuple(...Array.from({ length: 4 }, () => fc.oneof(awkward, absent)));
    const record = (values: readonly (Json | undefined)[]): JsonObject =>
      Object.fromEntries(
        ['participantId', 'componentId', 'stateId', 'onset'].flatMap((field, i): [string, Json][] => {
          const value = values[i];
          return value === undefined ? [] : [[field, value]];
        }),
      );
    fc.assert(
      fc.property(name, name, (a, b) => {
        const isSame = canonicalJson(record(a)) === canonicalJson(record(b));
        expect(key(record(a), components) === key(record(b), components)).toBe(isSame);
      }),
      { numRuns: 2000 },
    );
  });

  it('includes the requested room if only rooms can be requested', () => {
    expect(key({ variable: 'x' }, variables, { roomId: 'a' })).not.toBe(
      key({ variable: 'x' }, variables, { roomId: 'b' }),
    );
    expect(key({ value: 1 }, variables, { roomId: 'a' })).not.toBe(key({ value: 1 }, variables, { roomId: 'b' }));
  });

  it('is the digest of its content if no field names it, whatever the order of its fields', () => {
    const eyetracking = datasetNamed('eyetracking');
    expect(key({ x: 1, y: [2] }, eyetracking)).toBe(key({ y: [2], x: 1 }, eyetracking));
    expect(key({ x: 1, y: [2] }, eyetracking)).not.toBe(key({ x: 1, y: [3] }, eyetracking));
    expect(key({ roomId: 'r', config: {} }, components)).toMatch(/^sha256:[\w-]{43}$/);
  });
});

describe('every data type', () => {
  it.each(DATASETS.map((dataset) => [dataset.name, dataset] as const))(
    '%s names records by fields it has',
    (_, dataset) => {
      const { identity, naming = [], fields, read } = dataset;
      expect(naming.filter((field) => !Object.hasOwn(fields, field))).toEqual([]);
      expect(identity.length > 0 && naming.length > 0).toBe(false);
      if (naming.length > 0) expect(read).toBe('snapshot');
    },
  );
});
