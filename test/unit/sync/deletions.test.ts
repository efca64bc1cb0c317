import { describe, expect, it } from 'vitest';
import { WarehouseError } from '../../../src/shared/errors.ts';
import { settleGone } from '../../../src/sync/deletions.ts';
import { DAY, fakeStream, MINUTE, type FakeStream, type SessionChange } from '../../support/fake-stream.ts';

const keys = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => `p${first + i}`);

/** Participants p1 to so many. */
function holding(last: number): FakeStream {
  const fake = fakeStream('participants');
  fake.hold(fake.series(1, last));
  return fake;
}

/** One reading at that time which misses these rows. */
async function miss(fake: FakeStream, gone: readonly string[], change: SessionChange = {}) {
  const session = fake.session(change);
  const deletion = await settleGone(session, gone);
  return { ...deletion, requests: session.meter.cost().requests };
}

/** A minute after a reading ended, whose end is later than its start. */
const A_MINUTE_LATER = MINUTE + 1000;

/** Two readings, a minute apart, that miss these rows. */
async function missTwice(fake: FakeStream, gone: readonly string[]) {
  await miss(fake, gone);
  fake.now += A_MINUTE_LATER;
  return miss(fake, gone);
}

const deletedIn = ({ warehouse }: FakeStream) =>
  warehouse.db.prepare<[], number>("SELECT count(*) FROM _history WHERE what = 'deleted'").pluck().get();

const kindsOf = ({ doubts }: { doubts: readonly { kind: string }[] }) => doubts.map(({ kind }) => kind);

describe('a row that a reading misses', () => {
  it('is marked as missing and kept', async () => {
    const fake = holding(10);
    expect(await miss(fake, ['p3'])).toMatchObject({
      doubts: [
        {
          kind: 'missing-upstream',
          count: 1,
          text: expect.stringContaining('1 row is no longer in the API') as string,
        },
      ],
      withheld: 0,
      requests: 0,
    });
    expect(fake.held()).toHaveLength(10);
    expect(fake.position().missingRows).toBe(1);
  });

  it('is deleted by a second reading a minute later, and kept in the history', async () => {
    const fake = holding(10);
    expect(await missTwice(fake, ['p3'])).toMatchObject({ doubts: [], withheld: 0 });
    expect(fake.held()).not.toContain('p3');
    expect(fake.position()).toMatchObject({ missingRows: 0, rows: 9 });
    expect(deletedIn(fake)).toBe(1);
  });

  it('is kept by further readings within the minute, which counts from the first one', async () => {
    const fake = holding(10);
    await miss(fake, ['p3']);
    for (const wait of [20_000, 39_000]) {
      fake.now += wait;
      expect(kindsOf(await miss(fake, ['p3']))).toEqual(['missing-upstream']);
    }
    fake.now += 2000;
    expect(kindsOf(await miss(fake, ['p3']))).toEqual([]);
    expect(fake.held()).toHaveLength(9);
  });

  it('is no longer missing once it comes again', async () => {
    const fake = holding(10);
    await miss(fake, ['p3', 'p4']);
    fake.hold([fake.make('p3', 3)]);
    expect(fake.position().missingRows).toBe(1);
    fake.now += A_MINUTE_LATER;
    expect(await miss(fake, ['p3', 'p4'])).toMatchObject({ doubts: [{ kind: 'missing-upstream', count: 1 }] });
    expect(fake.held()).toContain('p3');
    expect(fake.held()).not.toContain('p4');
  });
});

describe('the delete guard', () => {
  it.each([
    ['allows half of a stream to be deleted if half may be', 10, 5, false],
    ['withholds more rows than the configured share', 10, 6, true],
    ['withholds all of a stream', 10, 10, true],
    ['withholds the only row', 1, 1, true],
    ['withholds both rows of two', 2, 2, true],
  ])('%s', async (_what, rows, gone, isWithheld) => {
    const fake = holding(rows);
    const deletion = await missTwice(fake, keys(1, gone));
    expect(kindsOf(deletion)).toEqual(isWithheld ? ['withheld'] : []);
    expect(deletion.withheld).toBe(isWithheld ? gone : 0);
    expect(fake.held()).toHaveLength(isWithheld ? rows : rows - gone);
  });

  it('allows a single row to be deleted, however large its share of the stream is', async () => {
    const fake = holding(3);
    await miss(fake, ['p1'], { config: { deletes: { maxShare: 0.1 } } });
    fake.now += A_MINUTE_LATER;
    await miss(fake, ['p1'], { config: { deletes: { maxShare: 0.1 } } });
    expect(fake.held()).toHaveLength(2);
  });

  it('adds up the rows deleted within a day, in any number of steps', async () => {
    const fake = holding(10);
    for (const [first, last] of [
      [1, 2],
      [3, 5],
    ] as const)
      expect(kindsOf(await missTwice(fake, keys(first, last)))).toEqual([]);
    expect(await missTwice(fake, ['p6'])).toMatchObject({ doubts: [{ kind: 'withheld', count: 1 }], withheld: 1 });
    expect(fake.held()).toHaveLength(5);
    fake.now += DAY;
    expect(kindsOf(await miss(fake, ['p6']))).toEqual([]);
    expect(fake.held()).toHaveLength(4);
  });

  it('allows a deletion that the user accepted once an earlier reading missed the rows', async () => {
    const fake = holding(10);
    expect(kindsOf(await miss(fake, keys(1, 10), { acceptDeletes: true }))).toEqual(['missing-upstream']);
    expect(kindsOf(await miss(fake, keys(1, 10), { acceptDeletes: true }))).toEqual([]);
    expect(fake.held()).toEqual([]);
  });

  it('says how to delete the withheld rows, and checks once whether the key may still see the experiment', async () => {
    const fake = holding(10);
    const { doubts, requests } = await missTwice(fake, keys(1, 10));
    expect(doubts).toEqual([
      {
        kind: 'withheld',
        count: 10,
        text: expect.stringMatching(/^10 of 10 rows are no longer .*hsw sync now --accept-deletes/) as string,
      },
    ]);
    expect(requests).toBe(1);
  });

  // deletions.ts words it for several rows only.
  it('uses the singular if it withholds a single row', async () => {
    const { doubts } = await missTwice(holding(1), ['p1']);
    expect(doubts[0]?.text).toMatch(/^1 of 1 row is no longer in the API and is withheld /);
  });

  it.each<[string, FakeStream['api']['canView']]>([
    ['says no', false],
    ['does not know the experiment', new WarehouseError('NOT_FOUND', 'no such experiment')],
    ['is refused', new WarehouseError('SCOPE_MISSING', 'the key may not')],
  ])('deletes nothing and treats the experiment as gone if check-access %s', async (_what, canView) => {
    const fake = holding(10);
    fake.api.canView = canView;
    expect(await missTwice(fake, keys(1, 10))).toMatchObject({
      doubts: [{ kind: 'gone', text: expect.stringContaining('exp_1 is no longer shown to this key') as string }],
      withheld: 0,
    });
    expect(fake.held()).toHaveLength(10);
  });

  it.each(['SERVER_FAILED', 'SERVER_UNREACHABLE', 'PARAMETER_REFUSED'] as const)(
    'withholds the rows if check-access fails with %s',
    async (code) => {
      const fake = holding(10);
      fake.api.canView = new WarehouseError(code, 'no answer');
      expect(await missTwice(fake, keys(1, 10))).toMatchObject({ doubts: [{ kind: 'withheld' }], withheld: 10 });
    },
  );

  it.each(['KEY_REFUSED', 'INTERRUPTED'] as const)('ends the sync if check-access fails with %s', async (code) => {
    const fake = holding(10);
    fake.api.canView = new WarehouseError(code, 'the end');
    await expect(missTwice(fake, keys(1, 10))).rejects.toMatchObject({ code });
    expect(fake.held()).toHaveLength(10);
  });
});

describe('rows that a reading misses while a malformed record came', () => {
  it.each([
    [1, /^1 row did not come and may be a malformed record that came instead, so that it is withheld/],
    [
      3,
      /^3 rows did not come, and 1 of them may be a malformed record .* all are withheld from deletion \(delete with: hsw sync now --accept-deletes\)$/,
    ],
  ])('are withheld, and the text says how many may be it: %i', async (rows, text) => {
    const fake = holding(100);
    await miss(fake, keys(1, rows));
    fake.session().sink.take({ rows: [], bad: [{ reason: 'not an object', text: 'null' }] });
    fake.now += A_MINUTE_LATER;
    const { doubts, withheld } = await miss(fake, keys(1, rows));
    expect(doubts).toMatchObject([{ kind: 'withheld', count: rows, text: expect.stringMatching(text) as string }]);
    expect(withheld).toBe(rows);
    expect(fake.held()).toHaveLength(100);
    expect(await miss(fake, keys(1, rows), { acceptDeletes: true })).toMatchObject({ doubts: [], withheld: 0 });
    expect(fake.held()).toHaveLength(100 - rows);
  });
});
