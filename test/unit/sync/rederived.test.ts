import { describe, expect, it } from 'vitest';
import { rederivation } from '../../../src/sync/rederived.ts';
import { reconcile } from '../../../src/sync/rolling.ts';
import type { Session } from '../../../src/read/session.ts';
import { syncStream } from '../../../src/sync/stream.ts';
import { verifyStream } from '../../../src/sync/verify.ts';
import { warned } from '../../support/fake-api.ts';
import { at, DAY, fakeStream, type FakeStream, type SessionChange } from '../../support/fake-stream.ts';

/** So many rows as a sync that is over left them. */
function holding(rows: number, data = 'events'): FakeStream {
  const fake = fakeStream(data, {}, 1000);
  fake.hold(fake.series(1, rows));
  return fake;
}

/** A reading that meets so many of the known rows, of which the server changed some. */
async function meet(fake: FakeStream, met: number, changed: number, change: SessionChange = {}): Promise<Session> {
  const more = fake.stream.dataset.name === 'events' ? { stateName: 'renamed' } : { role: 'renamed' };
  fake.api.records = [...fake.series(1, changed, more), ...fake.series(changed + 1, met)];
  const session = fake.session(change);
  const { rows } = await session.reader.page({ limit: 1000 });
  session.sink.take({ rows });
  return session;
}

/** A reading of a part, and one of everything. */
const PART = { doubts: [], unseen: [] } as const;
const WHOLE = { ...PART, isWhole: true } as const;

const after = async (fake: FakeStream, met: number, changed: number) =>
  rederivation(await meet(fake, met, changed), fake.position(), PART);

describe('known rows that changed', () => {
  it.each([
    [false, 100, 4],
    [true, 100, 5],
    [false, 251, 5],
    [true, 250, 5],
    [false, 300, 0],
  ])('make the whole stream be read again: %s, if of %i in the reading %i changed', async (isReread, met, changed) => {
    const { rereadReason, doubts } = await after(holding(300), met, changed);
    expect(rereadReason).toBe(isReread ? `the server changed state_name of ${changed} rows` : undefined);
    expect(doubts.map(({ kind }) => kind)).toEqual(isReread ? ['reread'] : []);
  });

  it('are known to the next sync if this one is killed before it concludes', async () => {
    const fake = holding(30);
    const session = await meet(fake, 20, 20);
    fake.api.records = fake.series(1, 30, { stateName: 'renamed' });
    session.sink.close();
    expect(fake.position()).toMatchObject({ complete: false, rereadReason: 'the server changed many rows at once' });
    await syncStream(fake.context, fake.stream);
    const { complete, rereadReason, doubts } = fake.position();
    expect({ complete, rereadReason }).toEqual({ complete: true, rereadReason: undefined });
    expect(doubts).toMatchObject([{ kind: 'rederived', count: 30 }]);
  });

  it('do not make lists be read again, because these are always read whole', async () => {
    expect(await after(holding(10, 'participants'), 10, 10)).toEqual({ doubts: [], rereadReason: undefined });
  });

  it('do not make a stream be read again in its first read', async () => {
    const fake = holding(10);
    fake.hold([], { backfilled: false });
    expect(await after(fake, 10, 10)).toEqual({ doubts: [], rereadReason: undefined });
  });

  it('are reported by the three columns that changed most', async () => {
    const fake = holding(10);
    const changes = { stateName: 'a', category: 'b', duration: 1 };
    fake.api.records = [
      ...fake.series(1, 4, { ...changes, content: 'c' }),
      ...fake.series(5, 5, changes),
      ...fake.series(6, 6, { stateName: 'a', category: 'b' }),
      ...fake.series(7, 7, { stateName: 'a' }),
    ];
    const session = fake.session();
    session.sink.take({ rows: (await session.reader.page({ limit: 1000 })).rows });
    expect(rederivation(session, fake.position(), PART).rereadReason).toBe(
      'the server changed state_name of 7 rows, category of 6 rows, duration of 5 rows',
    );
  });

  // rederived.ts names the rows of each column as if they were several.
  it('are reported in the singular if one column changed in a single row', async () => {
    const fake = holding(10);
    fake.api.records = [
      ...fake.series(1, 1, { stateName: 'a', category: 'b' }),
      ...fake.series(2, 5, { stateName: 'a' }),
    ];
    const session = fake.session();
    session.sink.take({ rows: (await session.reader.page({ limit: 1000 })).rows });
    expect(rederivation(session, fake.position(), PART).rereadReason).toBe(
      'the server changed state_name of 5 rows, category of 1 row',
    );
  });

  it('still have to be read again, whatever the next reading brings', async () => {
    const fake = holding(100);
    fake.hold([], { rereadReason: 'the server changed onset of 9 rows' });
    expect(await after(fake, 100, 0)).toEqual({
      doubts: [{ kind: 'reread', text: 'everything is to be read again: the server changed onset of 9 rows' }],
      rereadReason: 'the server changed onset of 9 rows',
    });
  });
});

describe('the server’s basis of processing', () => {
  /** What a reading says of the basis, after so much was known of it. */
  const told = async (fake: FakeStream, before: unknown, now: FakeStream['api']['basis']) => {
    fake.api.basis = now;
    fake.hold([], { serverBasis: before === undefined ? undefined : JSON.stringify(before) });
    return (await after(fake, 1, 0)).rereadReason;
  };

  it.each([
    ['is unchanged if it is said for the first time', undefined, ['v2', 'monday'], undefined],
    ['is unchanged if it is the same', ['v2', 'monday'], ['v2', 'monday'], undefined],
    ['is unchanged if it is no longer said', ['v2', 'monday'], undefined, undefined],
    ['is unchanged if only one of two answers names a version', [null, 'monday'], ['v2', 'monday'], undefined],
    ['is unchanged if only one of two answers names a start', ['v2', null], ['v2', 'monday'], undefined],
    [
      'makes the stream be read again if its version changes',
      ['v1', 'monday'],
      ['v2', 'monday'],
      "the server's processing changed from version v1 to v2",
    ],
    [
      "has everything read again when the experiment's start is another",
      ['v2', 'monday'],
      ['v2', 'tuesday'],
      "the experiment's start moved from monday to tuesday",
    ],
  ] as const)('%s', async (_what, before, now, reason) => {
    expect(await told(holding(10), before, now)).toBe(reason);
  });

  it('is not a reason to read again in a first read', async () => {
    const fake = holding(10);
    fake.api.basis = ['v2', null];
    fake.hold([], { serverBasis: '["v1",null]', backfilled: false });
    expect((await after(fake, 1, 0)).rereadReason).toBeUndefined();
  });

  it('counts as a moved start once a week, because the start may depend on the request', async () => {
    const fake = holding(10);
    expect(await told(fake, [null, 'monday'], [null, 'tuesday'])).toBeDefined();
    expect(await told(fake, [null, 'tuesday'], [null, 'monday'])).toBeUndefined();
    expect(await told(fake, ['v1', 'tuesday'], ['v2', 'monday'])).toContain('version');
    fake.now += 8 * DAY;
    expect(await told(fake, [null, 'tuesday'], [null, 'monday'])).toContain('start moved');
  });

  it('counts as a changed version once a day, and one that did not count is noticed later', async () => {
    const fake = holding(10);
    expect(await told(fake, ['v1', null], ['v2', null])).toContain('from version v1 to v2');
    expect(await told(fake, ['v2', null], ['v1', null])).toBeUndefined();
    fake.hold([], { serverBasis: '["v2",null]' });
    expect(await after(fake, 1, 0)).toMatchObject({ basis: '["v2",null]' });
    expect(await told(fake, ['v2', null], ['v3', null])).toContain('from version v2 to v3');
    fake.now += 2 * DAY;
    expect(await told(fake, ['v2', null], ['v1', null])).toContain('from version v2 to v1');
  });

  it('is not believed to change with every answer', async () => {
    const fake = holding(10);
    for (let n = 1; n <= 3; n++) await told(fake, [`v${n}`, null], [`v${n + 1}`, null]);
    expect(await told(fake, ['v4', null], ['v5', null])).toBeUndefined();
  });
});

describe('a reading of everything', () => {
  const NOTE = {
    kind: 'rederived',
    text: 'onset changed in 9 rows, as read on 2026-01-05',
    count: 9,
  } as const;

  it('reports what changed and when, and leaves nothing to read again', async () => {
    const fake = holding(100);
    fake.hold([], { rereadReason: 'the server changed state_name of 5 rows', doubts: [NOTE] });
    expect(rederivation(await meet(fake, 100, 60, { full: true }), fake.position(), WHOLE)).toEqual({
      doubts: [{ kind: 'rederived', text: 'state_name changed in 60 rows, as read on 2026-01-12', count: 60 }],
      rereadReason: undefined,
    });
  });

  it.each([
    ['that was requested without a reason', undefined, 4],
    ['in which only a few rows differ', "the experiment's start moved", 4],
  ])('%s keeps the note of an earlier reading', async (_what, rereadReason, changed) => {
    const fake = holding(100);
    fake.hold([], { rereadReason, doubts: [NOTE] });
    expect(rederivation(await meet(fake, 100, changed, { full: true }), fake.position(), WHOLE)).toEqual({
      doubts: [NOTE],
      rereadReason: undefined,
    });
  });

  it('leaves a note that later readings keep', async () => {
    const fake = holding(10);
    fake.hold([], { doubts: [NOTE], watermark: at(10) });
    expect(await after(fake, 10, 0)).toEqual({ doubts: [NOTE], rereadReason: undefined });
  });
});

describe('a stream that is to be read again', () => {
  const REASON = 'the server changed onset of 9 rows';

  /** Twenty events of which the API has another onset by now. */
  const waiting = () => {
    const fake = fakeStream('events');
    fake.hold(fake.series(1, 20), { rereadReason: REASON });
    fake.api.records = fake.series(1, 20, { onset: 7 });
    return fake;
  };
  const updatedIn = ({ warehouse }: FakeStream) =>
    warehouse.db.prepare<[], number>('SELECT count(*) FROM events WHERE onset = 7').pluck().get();

  it('is read whole by the next sync', async () => {
    const fake = waiting();
    expect(await syncStream(fake.context, fake.stream)).toMatchObject({ status: 'ok', updated: 20 });
    expect(fake.position()).toMatchObject({ rereadReason: undefined, doubts: [{ kind: 'rederived', count: 20 }] });
  });

  // rederived.ts takes every full session for a reading of everything, whatever it read.
  it('still has to be read again if the answers lack records', async () => {
    const fake = waiting();
    fake.api.change = (answer) =>
      warned({ ...answer, data: [], pagination: { total: 0, returned: 0, hasMore: false } });
    await syncStream(fake.context, fake.stream);
    expect(updatedIn(fake)).toBe(0);
    expect(fake.position().rereadReason).toBe(REASON);
  });

  it('still has to be read again if only counts were verified', async () => {
    const fake = waiting();
    await verifyStream(fake.context, fake.stream, { deep: false, repair: true });
    expect(updatedIn(fake)).toBe(0);
    expect(fake.position().rereadReason).toBe(REASON);
  });

  it('still has to be read again if the nightly run read a part of it', async () => {
    const fake = waiting();
    await reconcile(fake.context, [fake.stream], 100);
    expect(updatedIn(fake)).toBeLessThan(20);
    expect(fake.position().rereadReason).toBe(REASON);
  });
});
