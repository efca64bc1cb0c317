import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/shared/json.ts';
import { formatTime } from '../../../src/shared/time.ts';
import { isOver, readLiveRooms, readRooms } from '../../../src/read/by-room.ts';
import { roomsOf } from '../../../src/read/rooms.ts';
import { verifiedRooms } from '../../../src/warehouse/verified-rooms.ts';
import { syncStream } from '../../../src/sync/stream.ts';
import type { Answer } from '../../../src/api/client.ts';
import { told, warned, type Asked } from '../../support/fake-api.ts';
import { at, fakeStream, HOUR, type FakeStream, type Listed } from '../../support/fake-stream.ts';

const TWO = { r1: {}, r2: {} };

describe('the rooms of an experiment', () => {
  it.each<[string, string, boolean, Readonly<Record<string, JsonObject>>, Listed, JsonObject]>([
    [
      'cover everything if each record has a room and the list is complete',
      'recordings',
      true,
      TWO,
      { roomCount: 2 },
      {},
    ],
    ['cover everything if the experiment does not count its rooms', 'recordings', true, TWO, {}, {}],
    ['do not cover data that may belong to no room', 'participants', false, TWO, { roomCount: 2 }, {}],
    ['do not cover everything if the experiment counts more', 'recordings', false, TWO, { roomCount: 3 }, {}],
    ['do not cover everything if their list is incomplete', 'recordings', false, TWO, { isComplete: false }, {}],
    ['do not cover everything if a stored row names no room', 'recordings', false, TWO, {}, { roomId: null }],
  ])('%s', (_what, data, areAll, rooms, listing, more) => {
    const fake = fakeStream(data);
    fake.listRooms(rooms, listing);
    fake.hold([fake.make('one', 1, { roomId: 'r1', ...more })]);
    expect(roomsOf(fake)).toEqual({ ids: ['r1', 'r2'], areAll });
  });

  it('cannot be read if none is known, or if the data type cannot be requested by room', () => {
    expect(roomsOf(fakeStream('recordings'))).toBeUndefined();
    const runs = fakeStream('agent-runs');
    runs.listRooms(TWO);
    expect(roomsOf(runs)).toBeUndefined();
  });
});

/** Has a record come at the end of another room's answers as well. */
const leaking =
  (record: JsonObject, room: string) =>
  (answer: Answer, asked: Asked): Answer => {
    const [own = 0, offset] = [answer.pagination?.total, Number(asked['offset'] ?? 0)];
    const isEnd = offset <= own && answer.data.length < Number(asked['limit']);
    if (asked['room'] !== room) return answer;
    const data = isEnd ? [...answer.data, record] : answer.data;
    return told({ ...answer, data }, { total: own + 1, returned: data.length });
  };

const DOUBTS = [{ kind: 'warned', text: 'the API warned' }] as const;

describe('reading every room', () => {
  const inTwoRooms = (listing?: Listed) => {
    const fake = fakeStream('recordings');
    fake.listRooms(TWO, listing);
    fake.hold([fake.make('a', 1, { roomId: 'r1' }), fake.make('b', 2, { roomId: 'r2' })]);
    fake.api.records = [fake.make('a', 1, { roomId: 'r1' }), fake.make('c', 3, { roomId: 'r2' })];
    return fake;
  };

  it('proves the whole stream if the rooms cover it, and finds deleted rows', async () => {
    const fake = inTwoRooms();
    expect(await readRooms(fake.session(), { ids: ['r1', 'r2'], areAll: true }, DOUBTS)).toEqual({
      doubts: [],
      unseen: ['r2/b'],
      met: 2,
      byRoom: true,
      isWhole: true,
      isListed: true,
    });
    expect(fake.held()).toContain('r2/c');
  });

  it.each(['one', 'two'])('finds which of two records with one id went: %s', async (gone) => {
    const fake = fakeStream('recordings');
    fake.listRooms(TWO);
    const [one, two] = ['one', 'two'].map((note) => fake.make('a', 1, { roomId: 'r1', note }));
    fake.api.records = [one ?? {}, two ?? {}, fake.make('b', 2, { roomId: 'r2' })];
    await syncStream(fake.context, fake.stream);
    expect(fake.held()).toEqual(['r1/a', 'r1/a#2', 'r2/b']);
    const left = fake.session();
    fake.api.records = fake.api.records.filter((record) => record !== (gone === 'one' ? one : two));
    const { unseen, met } = await readRooms(left, { ids: ['r1', 'r2'], areAll: true }, DOUBTS);
    expect(met).toBe(2);
    expect(unseen.filter((key) => !left.sink.seen.has(key))).toHaveLength(1);
  });

  it('counts a record in the answers of two rooms once', async () => {
    const fake = inTwoRooms();
    fake.api.change = leaking(fake.make('a', 1, { roomId: 'r1' }), 'r2');
    const { met, unseen } = await readRooms(fake.session(), { ids: ['r1', 'r2'], areAll: true }, DOUBTS);
    expect({ met, unseen, held: fake.held() }).toEqual({ met: 2, unseen: ['r2/b'], held: ['r1/a', 'r2/b', 'r2/c'] });
  });

  it('keeps the doubt and misses no row if the rooms may not cover everything', async () => {
    const fake = inTwoRooms();
    expect(await readRooms(fake.session(), { ids: ['r1', 'r2'], areAll: false }, DOUBTS)).toEqual({
      doubts: DOUBTS,
      unseen: [],
    });
  });

  it.each<[string, (fake: FakeStream) => void]>([
    ['opened', (fake) => (fake.api.rooms = [...fake.api.rooms, { id: 'r3' }])],
    ['took the place of another', (fake) => (fake.api.rooms = [{ id: 'r1' }, { id: 'r3' }])],
  ])(
    'keeps the doubt if a room %s since they were listed, as its records would be in no answer',
    async (_, happens) => {
      const fake = inTwoRooms();
      happens(fake);
      expect(await readRooms(fake.session(), { ids: ['r1', 'r2'], areAll: true }, DOUBTS)).toEqual({
        doubts: DOUBTS,
        unseen: [],
      });
    },
  );

  it.each([
    [2, []],
    [3, DOUBTS],
  ])('asks the experiment how many rooms it has if its record is not held: %i', async (roomCount, doubts) => {
    const fake = inTwoRooms({ isHeld: false });
    fake.api.experiment = { id: 'exp_1', roomCount };
    const reading = await readRooms(fake.session(), { ids: ['r1', 'r2'], areAll: true }, DOUBTS);
    expect(reading.doubts).toEqual(doubts);
  });

  it('keeps the doubt and misses no row if the answer for one room is doubtful as well', async () => {
    const fake = inTwoRooms();
    fake.api.change = (answer, { room }) => (room === 'r1' ? warned(answer) : answer);
    const { doubts, unseen, byRoom } = await readRooms(fake.session(), { ids: ['r1', 'r2'], areAll: true }, DOUBTS);
    expect(doubts.map(({ kind }) => kind)).toEqual(['warned', 'warned']);
    expect([unseen, byRoom]).toEqual([[], undefined]);
  });
});

describe('a room whose answer is cut although it says that it is complete', () => {
  const cutDown = () => {
    const fake = fakeStream('recordings');
    fake.listRooms({ r1: {} });
    fake.api.records = fake.series(1, 10, { roomId: 'r1' });
    fake.hold(fake.series(1, 10, { roomId: 'r1' }));
    fake.api.change = (answer) => {
      const data = answer.data.slice(0, 3);
      return { ...answer, data, pagination: { total: data.length, returned: data.length, hasMore: false } };
    };
    return fake;
  };

  // Nothing shows that the last page of a room is the last, and no account is taken of what the rooms came to.
  it('does not lose a row', async () => {
    const fake = cutDown();
    expect((await readRooms(fake.session(), { ids: ['r1'], areAll: true }, DOUBTS)).unseen).toEqual([]);
  });
});

const ENDED = { status: 'completed', endedAt: formatTime(at(60)) };

/** Thirty recordings in three rooms, of which two were over long ago. */
function threeRooms(): FakeStream {
  const fake = fakeStream('recordings');
  fake.listRooms({ r1: ENDED, r2: ENDED, r3: { status: 'active' } });
  fake.api.records = [
    ...fake.series(1, 10, { roomId: 'r1' }),
    ...fake.series(11, 20, { roomId: 'r2' }),
    ...fake.series(21, 30, { roomId: 'r3' }),
  ];
  fake.hold(fake.api.records as JsonObject[]);
  return fake;
}

const roomsAsked = ({ api }: FakeStream) => new Set(api.asked.map(({ room }) => room));

describe('a large listing', () => {
  /** One that was read once, so that the finished rooms are known. */
  const readOnce = async () => {
    const fake = threeRooms();
    await readLiveRooms(fake.session(), 30);
    fake.api.asked = [];
    return fake;
  };

  it('is read by room, and finished rooms that were read whole are remembered', async () => {
    const fake = threeRooms();
    expect(await readLiveRooms(fake.session(), 30)).toMatchObject({ doubts: [], unseen: [], total: 30, isShown: true });
    expect(verifiedRooms(fake.warehouse.db, fake.stream)).toEqual(new Set(['r1', 'r2']));
  });

  it('skips the finished rooms, and finds new and deleted records in the live ones', async () => {
    const fake = await readOnce();
    fake.api.records = [...fake.api.records.slice(0, 29), fake.make('new', 31, { roomId: 'r3' })];
    expect(await readLiveRooms(fake.session(), 30)).toMatchObject({ doubts: [], unseen: ['r3/r30'], total: 30 });
    expect(roomsAsked(fake)).toEqual(new Set(['r3']));
    expect(fake.held()).toContain('r3/new');
  });

  it.each(['r1', 'r3'])('counts a record of room %s once if a live room has it as well', async (room) => {
    const fake = threeRooms();
    fake.listRooms({ r1: ENDED, r2: ENDED, r3: { status: 'active' }, r4: { status: 'active' } });
    await readLiveRooms(fake.session(), 30);
    fake.api.asked = [];
    fake.api.change = leaking(
      room === 'r1' ? fake.make('r1', 1, { roomId: 'r1' }) : fake.make('r21', 21, { roomId: 'r3' }),
      'r4',
    );
    expect(await readLiveRooms(fake.session(), 30)).toMatchObject({ doubts: [], unseen: [], total: 30, isShown: true });
    expect(roomsAsked(fake)).toEqual(new Set(['r3', 'r4']));
  });

  it.each<[string, (fake: FakeStream) => void]>([
    ['came', ({ api, make }) => (api.records = [...api.records, make('late', 5.5, { roomId: 'r1' })])],
    ['was deleted', ({ api }) => (api.records = api.records.slice(1))],
  ])('is read whole if the counts show that a row %s in a finished room', async (_what, change) => {
    const fake = await readOnce();
    change(fake);
    expect(await readLiveRooms(fake.session(), fake.api.records.length)).toBeUndefined();
  });

  it('does not attribute a row that came while the live rooms were read to the finished rooms', async () => {
    const fake = await readOnce();
    fake.api.records = [...fake.api.records, fake.make('new', 31, { roomId: 'r3' })];
    expect(await readLiveRooms(fake.session(), 30)).toMatchObject({ doubts: [], total: 31 });
  });

  it.each<[string, (fake: FakeStream) => void, number | undefined]>([
    ['it fits five pages', () => undefined, 20],
    ['the API does not count it', () => undefined, undefined],
    ['it was never read whole', (fake) => fake.hold([], { backfilled: false }), 30],
    ['the rooms may not be all', (fake) => fake.listRooms({}, { roomCount: 4 }), 30],
    [
      'a live room is in doubt',
      ({ api }) => (api.change = (answer, { room }) => (room === 'r3' ? warned(answer) : answer)),
      30,
    ],
    [
      'the rooms are as many as its pages',
      (fake) => fake.listRooms(Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`more${i}`, {}]))),
      30,
    ],
  ])('is read whole if %s', async (_what, change, total) => {
    const fake = threeRooms();
    change(fake);
    expect(await readLiveRooms(fake.session(), total)).toBeUndefined();
  });
});

describe('a room', () => {
  it.each([
    [true, 'ended longer ago than the lookback', { endedAt: formatTime(at(600) - HOUR - 1) }],
    [false, 'ended within the lookback', { endedAt: formatTime(at(600) - HOUR) }],
    [false, 'has not ended', { status: 'active' }],
    [false, 'was only just seen to be over', { status: 'completed' }],
  ])('is over: %s, if it %s', (expected, _what, room) => {
    const fake = fakeStream('recordings');
    fake.listRooms({ r1: room });
    expect(isOver(fake.session(), 'r1')).toBe(expected);
  });
});
