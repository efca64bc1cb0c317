import { describe, expect, it } from 'vitest';
import { proven, sync } from '../../support/proven-stream.ts';
import type { Answer } from '../../../src/api/client.ts';
import { readSnapshot } from '../../../src/sync/snapshot.ts';
import { markVerified } from '../../../src/warehouse/verified-rooms.ts';
import { told, warned } from '../../support/fake-api.ts';
import { DAY, fakeStream, HOUR, type FakeStream } from '../../support/fake-stream.ts';

/** Participants p1 to so many, who were listed a moment ago and are all in the API. */
function listed(last: number): FakeStream {
  const fake = fakeStream('participants');
  fake.hold(fake.series(1, last));
  fake.api.records = fake.series(1, last);
  return fake;
}

const FIRST_PAGE = { limit: 4, offset: 0, sort: 'joinedAt', order: 'asc' };
/** What was listed a moment ago and is longer than a page is looked at from its newest records on. */
const NEWEST_PAGE = { ...FIRST_PAGE, order: 'desc' };

describe('a listing', () => {
  // The rooms that may still change have neither, and the count is as before.
  it('shows that a record on the newest page is another one than the old one with its id', async () => {
    const fake = fakeStream('ratings/continuous');
    const inRoom = { roomId: 'r1' };
    const records = fake.series(1, 30, inRoom);
    fake.session().traits.learn({ startTimeIgnored: true }, 'a test');
    fake.listRooms({ r1: {} }, { roomCount: 1 });
    markVerified(fake.warehouse.db, fake.stream, 'r1', fake.now);
    fake.api.ignores = ['startTime'];
    fake.api.records = records;
    await sync(fake);
    fake.now += HOUR;
    await sync(fake);
    fake.api.records = [...records.filter((_, i) => i !== 6), fake.make('r3', 50, { ...inRoom, note: 'another' })];
    fake.now += HOUR;
    await sync(fake);
    expect(fake.held()).toEqual(expect.arrayContaining(['r1/r3', 'r1/r3#2']));
  });

  it('costs one request if the API counts as many as are held and the newest page brings nothing new', async () => {
    const fake = listed(10);
    expect(await readSnapshot(fake.session())).toEqual({ doubts: [], unseen: [], total: 10, isShown: true });
    expect(fake.api.asked).toEqual([NEWEST_PAGE]);
  });

  it('costs one request if it fits a page that says that it is complete', async () => {
    const fake = listed(3);
    expect(await readSnapshot(fake.session())).toMatchObject({ doubts: [], unseen: [], met: 3, isWhole: true });
    expect(fake.api.asked).toEqual([FIRST_PAGE]);
  });

  it.each<[string, (fake: FakeStream) => void, string[]]>([
    [
      'a row of the newest page changed',
      ({ api, make, series }) => (api.records = [...series(1, 9), make('p10', 10, { role: 'host' })]),
      [],
    ],
    ['a row of the newest page is new', ({ api, series }) => (api.records = series(2, 11)), ['p1']],
  ])('is read whole if %s', async (_what, change, gone) => {
    const fake = listed(10);
    change(fake);
    const reading = await readSnapshot(fake.session());
    expect(reading).toMatchObject({ isWhole: true, met: 10, doubts: [], unseen: gone });
  });

  it('finds deleted and new records if the counts differ', async () => {
    const fake = listed(10);
    fake.api.records = [...fake.series(1, 6), ...fake.series(9, 11)];
    expect(await readSnapshot(fake.session())).toMatchObject({ unseen: ['p7', 'p8'], met: 9, isWhole: true });
    expect(fake.held()).toContain('p11');
  });

  it.each<[string, (fake: FakeStream) => void]>([
    ['a day after it was last listed', (fake) => (fake.now += DAY)],
    ['if the clock was set back before its last listing', (fake) => (fake.now -= DAY)],
    ['if its last listing ended in doubt', (fake) => fake.hold([], { doubts: [{ kind: 'unstable', text: '' }] })],
    ['if it was never listed', (fake) => fake.hold([], { listedAt: undefined })],
  ])('is read whole although its count is the same, %s', async (_when, change) => {
    const fake = listed(10);
    change(fake);
    expect(await readSnapshot(fake.session())).toMatchObject({ isWhole: true, met: 10 });
    expect(fake.api.asked.length).toBeGreaterThan(2);
  });

  it('is read whole if a full read is requested', async () => {
    const fake = listed(10);
    expect(await readSnapshot(fake.session({ full: true }))).toMatchObject({ isWhole: true, met: 10 });
  });

  it('names no order if the API refuses one, and does not try one again', async () => {
    const fake = listed(10);
    fake.api.refuses = ['sort'];
    const session = fake.session();
    expect(await readSnapshot(session)).toMatchObject({ doubts: [], total: 10 });
    expect(session.traits.known).toMatchObject({ sortRefused: true });
    await readSnapshot(fake.session({ full: true }));
    expect(fake.api.asked.filter((asked) => 'sort' in asked)).toHaveLength(1);
  });
});

/** How many answers still contradict themselves. */
const contradicting =
  (times: number, words: Answer['pagination']) =>
  (answer: Answer): Answer =>
    times-- > 0 ? told(answer, words) : answer;

describe('a first page that contradicts itself', () => {
  it('is requested again, and the second answer counts', async () => {
    const fake = listed(10);
    fake.api.change = contradicting(1, { returned: 0 });
    expect(await readSnapshot(fake.session())).toEqual({ doubts: [], unseen: [], total: 10, isShown: true });
    expect(fake.api.asked).toEqual([NEWEST_PAGE, NEWEST_PAGE]);
  });

  it('twice is not believed: everything is listed from the start, and the proven total is forgotten', async () => {
    const fake = listed(9);
    fake.api.change = contradicting(2, { returned: 0 });
    const session = fake.session();
    session.traits.learn({ totalProven: 9 }, 'a test');
    expect(await readSnapshot(session)).toMatchObject({ isWhole: true, met: 9, doubts: [], unseen: [] });
    expect(fake.api.asked[2]).toEqual(FIRST_PAGE);
    expect(session.traits.known.totalProven).toBeUndefined();
  });

  it('misses no row if the listing contradicts itself as well', async () => {
    const fake = listed(10);
    fake.api.records = fake.series(1, 6);
    fake.api.change = (answer) => told(answer, { hasMore: false });
    const reading = await readSnapshot(fake.session());
    expect(reading.doubts).toContainEqual(expect.objectContaining({ kind: 'contradiction' }));
    expect(reading.unseen).toEqual([]);
  });
});

describe('a listing that is cut or warned', () => {
  it('is read by room, and its own rows are not written first', async () => {
    const fake = fakeStream('recordings');
    fake.listRooms({ r1: {}, r2: {} }, { roomCount: 2 });
    fake.api.records = [...fake.series(1, 3, { roomId: 'r1' }), ...fake.series(4, 6, { roomId: 'r2' })];
    const nulled = { participantName: null };
    fake.api.change = (answer, { room }) =>
      room === undefined ? warned({ ...answer, data: fake.series(1, 2, { roomId: 'r1', ...nulled }) }) : answer;
    expect(await readSnapshot(fake.session())).toMatchObject({ doubts: [], byRoom: true, isWhole: true, met: 6 });
    expect(fake.api.asked.map(({ room }) => room)).toContain('r2');
    expect(fake.taken.flatMap(({ rows }) => rows.map(({ key }) => key)).sort()).toEqual(fake.held());
  });

  it('keeps its rows, the doubt and every stored row if no room is known', async () => {
    const fake = listed(3);
    fake.api.records = fake.series(4, 5);
    fake.api.change = warned;
    expect(await readSnapshot(fake.session())).toEqual({
      doubts: [{ kind: 'warned', text: 'the API warned: MISSING_INDEX' }],
      unseen: [],
    });
    expect(fake.held()).toEqual(['p1', 'p2', 'p3', 'p4', 'p5']);
    expect(fake.api.asked).toHaveLength(1);
  });

  it('stores no record without an id, because its ordinal would be a guess', async () => {
    const fake = fakeStream('components');
    fake.api.records = fake.series(1, 2);
    fake.api.change = warned;
    await readSnapshot(fake.session());
    expect(fake.held()).toEqual([]);
  });

  it('is first requested with a larger limit if the endpoint has no pages', async () => {
    const fake = fakeStream('agent-decisions');
    fake.api.records = fake.series(1, 6);
    fake.api.change = (answer, { limit }) =>
      limit === undefined ? { ...answer, data: answer.data.slice(0, 2), truncated: true } : answer;
    expect(await readSnapshot(fake.session())).toMatchObject({ doubts: [], met: 6, isWhole: true });
    expect(fake.api.asked[1]).toMatchObject({ limit: 1_000_000 });
    expect(fake.held()).toHaveLength(6);
  });
});

it('a listing that the API does not count costs two requests if nothing changed, and notices every change', async () => {
  const fake = await proven('participants');
  fake.api.change = (answer) => ({ ...answer, pagination: undefined });
  await sync(fake);
  fake.now += HOUR;
  expect(await sync(fake)).toMatchObject({ requests: 2, kinds: [] });
  fake.api.records = [...fake.api.records, fake.make('late', 1.5)];
  fake.now += HOUR;
  await sync(fake);
  expect(fake.held()).toContain('late');
  fake.api.records = fake.api.records.slice(1);
  for (let times = 0; times < 2; times++) {
    fake.now += HOUR;
    await sync(fake);
  }
  expect(fake.held()).toHaveLength(20);
});
