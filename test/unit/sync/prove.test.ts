import { describe, expect, it } from 'vitest';
import { experiments } from '../../../src/datasets/experiments.ts';
import { told, warned } from '../../support/fake-api.ts';
import { at, DAY, fakeStream, HOUR, MINUTE } from '../../support/fake-stream.ts';
import { deletedIn, drop, proven, sync } from '../../support/proven-stream.ts';

describe('a stream whose records are all accounted for', () => {
  it('is complete, and stores what the API counts, how far it was read and when', async () => {
    const fake = await proven();
    fake.api.records = fake.series(1, 22);
    const { position, kinds, requests } = await sync(fake);
    expect(kinds).toEqual([]);
    expect(requests).toBe(1);
    expect(position).toMatchObject({
      doubts: [],
      lastStatus: 'ok',
      lastError: undefined,
      apiTotal: 22,
      accountedAt: fake.now,
      dataAsOf: fake.now,
      backfilled: true,
      watermark: at(22),
      withheldRows: 0,
      datedAheadRows: 0,
    });
    expect(position.verifiedAt).toBeUndefined();
  });

  it('is verified by a reading of the whole stream', async () => {
    const fake = await proven('participants');
    expect((await sync(fake)).position.verifiedAt).toBeUndefined();
    fake.now += DAY;
    expect((await sync(fake)).position).toMatchObject({ verifiedAt: fake.now, listedAt: fake.now });
  });

  // A listing counts as whole although it ended in a doubt, which the count of the records settles.
  it('is not verified by a listing of some of its records', async () => {
    const fake = await proven('participants');
    const { verifiedAt } = fake.position();
    fake.api.ignores = ['offset'];
    fake.now += DAY;
    expect((await sync(fake)).reading.met).toBe(4);
    expect(fake.position().verifiedAt).toBe(verifiedAt);
  });

  it('finds late rows at any depth', async () => {
    const fake = await proven();
    fake.api.records = [...fake.api.records, fake.make('late', 1.5)];
    expect((await sync(fake)).kinds).toEqual([]);
    expect(fake.held()).toContain('late');
  });

  it('finds rows without a time by a listing', async () => {
    const fake = await proven();
    fake.api.records = [...fake.api.records, { id: 'timeless' }];
    expect((await sync(fake)).kinds).toEqual([]);
    expect(fake.held()).toContain('timeless');
  });

  // A time filter leaves them out, so that all pages but the first one lack them.
  it.each([
    ['a first read', false, false],
    ['a first read where nothing is counted', false, true],
    ['a full sync', true, false],
    ['a full sync where nothing is counted', true, true],
  ])('misses no record without a readable time in %s', async (_, full, isUncounted) => {
    const fake = fakeStream('events');
    if (full) fake.hold(fake.series(1, 10));
    fake.api.records = [...fake.series(1, 10), { ...fake.make('none', 5), timestamp: 'about noon' }];
    if (isUncounted) fake.api.change = (answer) => ({ ...answer, pagination: undefined });
    const { kinds } = await sync(fake, { full });
    expect(fake.held()).toContain('none');
    expect(kinds).toEqual([]);
  });

  it('stores rows that moved in their new place, and misses none of them', async () => {
    const fake = await proven();
    drop(fake, 'e19');
    fake.api.records = [...fake.api.records, fake.make('e19', 2.5)];
    expect((await sync(fake)).kinds).toEqual([]);
    expect(fake.position().missingRows).toBe(0);
    expect(fake.held()).toHaveLength(20);
    expect(deletedIn(fake)).toBe(0);
  });

  it('drops the doubt about a contradiction that the count settles', async () => {
    const fake = fakeStream('events');
    fake.api.records = fake.series(1, 10);
    fake.api.change = (answer, { startTime }) => (startTime === undefined ? answer : told(answer, { returned: 99 }));
    const { reading, kinds } = await sync(fake);
    expect(reading.doubts.map(({ kind }) => kind)).toContain('contradiction');
    expect(kinds).not.toContain('lacking');
    expect(kinds).not.toContain('contradiction');
  });
});

describe('a doubt about a reading', () => {
  it('keeps the watermark and leaves the first read unfinished if the API warned', async () => {
    const fake = fakeStream('events');
    fake.api.records = fake.series(1, 3);
    fake.api.change = warned;
    const { position, kinds } = await sync(fake);
    expect(kinds).toEqual(['warned']);
    expect(fake.position()).toMatchObject({ watermark: undefined, backfilled: false, complete: false });
    expect(position).not.toHaveProperty('dataAsOf');
  });

  it('keeps the watermark of a later reading that was warned', async () => {
    const fake = await proven();
    fake.api.records = fake.series(1, 22);
    fake.api.change = warned;
    await sync(fake);
    expect(fake.position()).toMatchObject({ watermark: at(20), dataAsOf: fake.now - HOUR, complete: false });
  });

  it('names malformed records, which count as held', async () => {
    const fake = await proven();
    fake.api.records = [...fake.api.records, 'no object'];
    expect((await sync(fake)).doubts).toMatchObject([{ kind: 'quarantined', count: 1 }]);
  });

  // prove.ts words it for several records only.
  it('uses the singular for one malformed record', async () => {
    const fake = await proven();
    fake.api.records = [...fake.api.records, 'no object'];
    expect((await sync(fake)).doubts).toMatchObject([
      { text: '1 record could not be stored as a row and is kept in _quarantine' },
    ]);
  });

  it('says that the experiment is gone if its own record is', async () => {
    const fake = await proven();
    const own = { experimentId: 'exp_1', dataset: experiments, scope: { kind: 'experiment' as const } };
    const gone = { kind: 'gone', text: 'exp_1 is no longer in the API' } as const;
    fake.warehouse.commit(own, { rows: [], position: { doubts: [gone, { kind: 'failed', text: 'a test' }] } });
    expect(await sync(fake)).toMatchObject({ doubts: [gone], position: { lastStatus: 'incomplete' } });
  });
});

describe('a note about a complete stream', () => {
  it('says how many rows are dated ahead, and the watermark does not move to them', async () => {
    const fake = await proven();
    const ahead = (ms: number) => (fake.now - at(0) + ms) / MINUTE;
    fake.api.records = [...fake.api.records, fake.make('fast', ahead(30_000)), fake.make('ahead', ahead(DAY))];
    const { doubts, position } = await sync(fake);
    expect(doubts).toEqual([
      { kind: 'dated-ahead', text: '1 row is dated in the future (after 2026-01-12T20:00Z)', count: 1 },
    ]);
    expect(position).toMatchObject({ datedAheadRows: 1, lastStatus: 'ok', watermark: at(20) });
    fake.now += 2 * DAY;
    expect((await sync(fake)).kinds).toEqual([]);
  });

  it('says how many records have the id of another one', async () => {
    const fake = await proven();
    fake.api.records = [...fake.api.records, fake.make('e20', 19.5, { content: 'another' })];
    expect(await sync(fake)).toMatchObject({
      doubts: [{ kind: 'shared-id', text: '1 record shares its id with another one; all are stored', count: 1 }],
      position: { lastStatus: 'ok' },
    });
    expect(fake.held()).toHaveLength(21);
    expect((await sync(fake)).kinds).toEqual(['shared-id']);
  });

  it('says how many records have the id of another one even if none of them came', async () => {
    const fake = await proven();
    fake.api.records = [...fake.api.records, fake.make('e3', 3.5)];
    expect((await sync(fake)).kinds).toEqual(['shared-id']);
    const { requests, doubts } = await sync(fake);
    expect(requests).toBe(1);
    expect(doubts).toMatchObject([{ kind: 'shared-id', count: 1 }]);
  });

  // The record that is left keeps its ordinal, by which prove.ts takes it for one of two.
  it('does not mention a shared id any more once the other record is gone', async () => {
    const fake = await proven();
    fake.api.records = [...fake.series(1, 20), fake.make('e20', 19.5, { content: 'another' })];
    await sync(fake);
    fake.api.records = fake.series(1, 20);
    for (let times = 0; times < 3; times++) {
      fake.now += HOUR;
      await sync(fake);
    }
    expect(fake.held()).toHaveLength(20);
    expect(fake.position().doubts).toEqual([]);
  });
});

describe('a watermark that an earlier version put ahead of the clock', () => {
  it('is moved back', async () => {
    const fake = await proven();
    fake.hold([], { watermark: fake.now + DAY });
    await sync(fake);
    expect(fake.position().watermark).toBe(at(20));
  });

  // walkOn in incremental.ts goes on from it, and gives it as the time up to which it read.
  it('is moved back by a first read that continues as well', async () => {
    const fake = fakeStream('events');
    fake.hold(fake.series(1, 20), { backfilled: false, watermark: fake.now + DAY });
    fake.api.records = fake.series(1, 21);
    await sync(fake);
    expect(fake.position().watermark).toBe(at(21));
  });
});
