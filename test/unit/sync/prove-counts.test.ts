import { describe, expect, it } from 'vitest';
import { told, warned } from '../../support/fake-api.ts';
import { fakeStream, HOUR, type FakeStream } from '../../support/fake-stream.ts';
import { deletedIn, drop, proven, sync } from '../../support/proven-stream.ts';

/** Has the API count so many records more than it lists. */
const countMore = (fake: FakeStream, more: number) => {
  fake.api.change = (answer) => told(answer, { total: (answer.pagination?.total ?? 0) + more });
};

describe('a stream that lacks records', () => {
  it('says how many it lacks', async () => {
    const fake = await proven();
    countMore(fake, 2);
    const { doubts, position } = await sync(fake);
    expect(doubts).toContainEqual({
      kind: 'lacking',
      text: 'the API counts 22 records, but only 20 could be read',
      count: 2,
    });
    expect(position).toMatchObject({ lastStatus: 'incomplete', apiTotal: 22 });
  });

  it('is not searched again within a day, because that would not help', async () => {
    const fake = await proven();
    countMore(fake, 2);
    for (let times = 0; times < 2; times++) {
      expect((await sync(fake)).requests).toBeGreaterThan(5);
      fake.now += HOUR;
    }
    fake.now += 22 * HOUR;
    const left = await sync(fake);
    expect(left.kinds).toContain('lacking');
    expect(left.requests).toBeLessThanOrEqual(2);
    fake.now += 2 * HOUR;
    expect((await sync(fake)).requests).toBeGreaterThan(5);
  });

  it('remembers no difference after a single search, because a record may have come in the meantime', async () => {
    const fake = await proven();
    countMore(fake, 1);
    expect((await sync(fake)).kinds).toContain('lacking');
    fake.api.change = (answer) => answer;
    fake.now += HOUR;
    expect((await sync(fake)).kinds).toEqual([]);
    fake.api.records = [fake.make('late', 1.5), ...fake.api.records];
    fake.now += HOUR;
    expect((await sync(fake)).kinds).toEqual([]);
    expect(fake.held()).toContain('late');
    countMore(fake, 1);
    fake.now += HOUR;
    await sync(fake);
    fake.now += HOUR;
    expect((await sync(fake)).requests).toBeGreaterThan(5);
  });

  it.each([{ strayCounts: [-3, -3] }, { unsettled: -3 }])(
    'is searched at once if there are records behind as many as are held, whatever the count did before (%j)',
    async (known) => {
      const fake = await proven('components');
      fake.session().traits.learn(known, 'a test');
      fake.api.records = [...fake.api.records, ...fake.series(21, 23)];
      expect(await sync(fake)).toMatchObject({ kinds: [] });
      expect(fake.held()).toHaveLength(23);
    },
  );

  it('is searched at once if it lacks another number of records', async () => {
    const fake = await proven();
    countMore(fake, 2);
    await sync(fake);
    fake.api.records = [...fake.api.records, fake.make('late', 1.5)];
    const { requests, doubts } = await sync(fake);
    expect(requests).toBeGreaterThan(2);
    expect(fake.held()).toContain('late');
    expect(doubts).toContainEqual(expect.objectContaining({ kind: 'lacking', count: 2 }));
  });

  it.each([
    ['rooms', 'roomCount'],
    ['participants', 'participantCount'],
  ])('is reported if the experiment counts more %s than could be listed', async (data, count) => {
    const fake = await proven(data, 3);
    fake.listRooms({}, { [count]: 5 });
    expect((await sync(fake)).doubts).toEqual([
      { kind: 'lacking', text: `the experiment counts 5 ${data}, but only 3 could be listed`, count: 2 },
    ]);
    fake.listRooms({}, { [count]: 3 });
    expect((await sync(fake)).kinds).toEqual([]);
  });
});

describe('a stream that holds more than the API counts', () => {
  it('says how many are surplus if it cannot find which ones are gone', async () => {
    const fake = fakeStream('participants');
    fake.hold(fake.series(1, 12));
    fake.api.records = fake.series(1, 10);
    fake.api.ignores = ['offset'];
    const { doubts } = await sync(fake);
    expect(doubts).toContainEqual({
      kind: 'surplus',
      text: 'the API counts 10 records, but 12 are held; it is not certain which ones are gone',
      count: 2,
    });
    expect(fake.held()).toHaveLength(12);
    expect(fake.position().missingRows).toBe(0);
  });

  it('marks the rows that are gone, and is complete once a second reading agrees', async () => {
    const fake = await proven();
    drop(fake, 'e3', 'e4');
    const first = await sync(fake);
    expect(first.doubts).toEqual([
      {
        kind: 'missing-upstream',
        text: '2 rows are no longer in the API; a second reading, a minute later or more, decides whether they are deleted here',
        count: 2,
      },
    ]);
    expect(first.position.lastStatus).toBe('incomplete');
    expect(fake.held()).toHaveLength(20);
    fake.now += HOUR;
    const second = await sync(fake);
    expect(second.kinds).toEqual([]);
    expect(second.position).toMatchObject({ lastStatus: 'ok', apiTotal: 18 });
    expect(fake.held()).toHaveLength(18);
    expect(deletedIn(fake)).toBe(2);
  });

  it('does not search for rows that it missed a moment ago, and still reports them', async () => {
    const fake = await proven();
    drop(fake, 'e3');
    await sync(fake);
    fake.now += 30_000;
    const { requests, kinds } = await sync(fake);
    expect(kinds).toEqual(['missing-upstream']);
    expect(requests).toBeLessThanOrEqual(2);
    expect(fake.held()).toContain('e3');
  });

  // Each sync renews accountedAt, by which prove.ts tells how long ago the row was missed.
  it('deletes a row that is gone even if the stream is read every half minute', async () => {
    const fake = await proven();
    drop(fake, 'e3');
    for (let times = 0; times < 10; times++) {
      await sync(fake);
      fake.now += 30_000;
    }
    expect(fake.held()).not.toContain('e3');
  });

  it.each([1, 8])('no longer misses %i rows that come back outside the newest page', async (rows) => {
    const fake = await proven();
    const all = fake.api.records;
    drop(fake, ...Array.from({ length: rows }, (_, i) => `e${3 + i}`));
    expect((await sync(fake)).kinds).toEqual(['missing-upstream']);
    fake.api.records = all;
    fake.now += HOUR;
    const { kinds, requests, position } = await sync(fake);
    expect({ kinds, missing: fake.position().missingRows, status: position.lastStatus }).toEqual({
      kinds: [],
      missing: 0,
      status: 'ok',
    });
    expect(requests).toBeLessThanOrEqual(6);
    fake.now += HOUR;
    expect((await sync(fake)).requests).toBe(1);
  });

  it('searches for a row that it missed if another row came', async () => {
    const fake = await proven();
    drop(fake, 'e3');
    await sync(fake);
    fake.api.records = [...fake.api.records, fake.make('late', 1.5)];
    fake.now += HOUR;
    for (let times = 0; times < 2; times++) {
      await sync(fake);
      fake.now += HOUR;
    }
    expect(fake.held()).toContain('late');
    expect(fake.held()).not.toContain('e3');
    expect(fake.position().complete).toBe(true);
  });

  it('searches at once if yet another row is gone', async () => {
    const fake = await proven();
    drop(fake, 'e3');
    await sync(fake);
    fake.now += 30_000;
    drop(fake, 'e5');
    expect((await sync(fake)).doubts).toMatchObject([{ kind: 'missing-upstream', count: 2 }]);
  });

  it('reports withheld rows until they come back', async () => {
    const fake = await proven('participants', 3);
    const all = fake.api.records;
    fake.api.records = [];
    await sync(fake);
    fake.now += HOUR;
    expect(await sync(fake)).toMatchObject({ kinds: ['withheld'], position: { withheldRows: 3 } });
    fake.now += HOUR;
    expect(await sync(fake)).toMatchObject({ kinds: ['withheld'] });
    expect(fake.held()).toHaveLength(3);
    fake.api.records = all;
    fake.now += HOUR;
    expect(await sync(fake)).toMatchObject({ kinds: [], position: { withheldRows: 0 } });
  });

  it('misses no row if the API counts as many as before', async () => {
    const fake = await proven();
    fake.session().traits.learn({ offsetIgnored: true }, 'a test');
    drop(fake, 'e19');
    fake.api.change = (answer, { startTime, limit }) =>
      startTime === undefined && limit !== 1 ? told(answer, { total: 20 }) : answer;
    expect((await sync(fake)).doubts).toEqual([
      {
        kind: 'contradiction',
        text: '1 row did not come, although the API counts as many records as before',
        count: 1,
      },
    ]);
    expect(fake.position().missingRows).toBe(0);
  });

  it('reports withheld rows even if it does not search for them', async () => {
    const fake = await proven();
    fake.api.records = fake.series(16, 20);
    await sync(fake);
    fake.now += HOUR;
    await sync(fake);
    fake.now += 30_000;
    const { requests, kinds, position } = await sync(fake);
    expect({ kinds, withheld: position.withheldRows }).toEqual({ kinds: ['withheld'], withheld: 15 });
    expect(requests).toBeLessThanOrEqual(2);
  });

  // A contradiction keeps gone rows from being settled, and is then taken for settled by the count itself.
  it('is not complete if it holds a deleted row that it has not marked', async () => {
    const fake = await proven();
    drop(fake, 'e3');
    fake.api.change = (answer, { order, limit }) =>
      order === 'desc' && limit !== 1 ? told(answer, { returned: 99 }) : answer;
    const { kinds } = await sync(fake);
    expect(fake.held()).toContain('e3');
    expect(kinds).not.toEqual([]);
  });

  it('misses no row because of warned answers', async () => {
    const fake = await proven();
    drop(fake, 'e3', 'e19');
    fake.api.change = warned;
    expect((await sync(fake)).kinds).toEqual(['warned']);
    expect(fake.position().missingRows).toBe(0);
  });
});
