import { describe, expect, it } from 'vitest';
import { WarehouseError } from '../../../src/shared/errors.ts';
import { NotWalkable } from '../../../src/read/paginate.ts';
import { NOTHING_READ, type Reading } from '../../../src/read/session.ts';
import type { Account } from '../../../src/sync/account.ts';
import { ifByTime, readAt, searches } from '../../../src/sync/search.ts';
import { fakeStream, MINUTE } from '../../support/fake-stream.ts';

/** Nothing counts the records, and nothing says how many are held too many. */
const UNCOUNTED: Account = { held: 6, truth: undefined, total: undefined, isOff: 'lacking', doubts: [] };
const COUNTED: Account = { ...UNCOUNTED, truth: 7, total: 7, isOff: undefined };

/** A stream of which the API has one record more than is held. */
function differing(data = 'events') {
  const fake = fakeStream(data, { lookbackMs: 2 * MINUTE });
  fake.hold(fake.series(1, 6));
  fake.api.records = [...fake.series(1, 6), fake.make('late', 2.5)];
  const session = fake.session();
  /** How the first request of each search asks. */
  const ways = async (reading: Reading = NOTHING_READ, account = UNCOUNTED) => {
    const found: string[] = [];
    for (const search of searches(session, reading, account)) {
      const before = fake.api.asked.length;
      await search();
      const asked = fake.api.asked[before] ?? {};
      const isTimed = 'startTime' in asked || 'endTime' in asked;
      found.push(isTimed ? 'by time' : 'sort' in asked ? 'in order' : 'plain');
    }
    return found;
  };
  return { fake, session, ways };
}

describe('the search for a difference', () => {
  it('goes from a range of time to a listing in order, and then to one without an order', async () => {
    expect(await differing().ways()).toEqual(['by time', 'in order', 'plain']);
  });

  it('only lists what was read whole by time, as a filter may not see the rest', async () => {
    expect(await differing().ways({ ...NOTHING_READ, isWhole: true })).toEqual(['in order', 'plain']);
  });

  it('only lists where the endpoint does not filter by time', async () => {
    const { session, ways } = differing();
    session.traits.learn({ startTimeIgnored: true }, 'seen');
    expect(await ways()).toEqual(['in order', 'plain']);
  });

  it('lists nothing where the endpoint ignores offsets', () => {
    const { session } = differing();
    session.traits.learn({ offsetIgnored: true }, 'seen');
    expect(searches(session, NOTHING_READ, UNCOUNTED)).toHaveLength(2);
    expect(searches(session, { ...NOTHING_READ, isWhole: true }, UNCOUNTED)).toHaveLength(0);
  });

  it('is over where the rooms were read for the whole, or one answer has everything', () => {
    expect(searches(differing().session, { ...NOTHING_READ, byRoom: true }, UNCOUNTED)).toEqual([]);
    expect(searches(differing('agent-runs').session, NOTHING_READ, UNCOUNTED)).toEqual([]);
  });

  it('begins at the times of rows that an earlier reading missed', async () => {
    const { fake, session } = differing();
    session.sink.drop({ missing: ['e2'], deleted: [], missedAt: fake.now });
    await searches(session, NOTHING_READ, UNCOUNTED)[0]?.();
    expect(fake.api.asked).toHaveLength(1);
    expect(session.sink.seen.has('e2')).toBe(true);
    expect(session.sink.seen.has('e5')).toBe(false);
  });

  it('finds the late row by the counts of ranges where the API counts', async () => {
    const { fake, session } = differing();
    await searches(session, NOTHING_READ, COUNTED)[0]?.();
    expect(fake.held()).toContain('late');
  });
});

describe('a reading of some times', () => {
  it.each([
    [5, 5],
    [6, 1],
  ])('takes of %i rows %i ranges', async (rows, ranges) => {
    const { fake, session } = differing();
    fake.api.records = [];
    await readAt(
      session,
      fake.held().filter((_, i) => i < rows),
    );
    expect(fake.api.asked).toHaveLength(ranges);
  });
});

describe('a reading that an endpoint does not allow', () => {
  it('reads nothing, and that the time filter is ignored is learned', async () => {
    const { session } = differing();
    expect(await ifByTime(session, () => Promise.reject(new NotWalkable('startTime')))).toBe(NOTHING_READ);
    expect(session.traits.known.startTimeIgnored).toBe(true);
  });

  it('reads nothing if the time filter is refused, and fails for every other reason', async () => {
    const { session } = differing();
    const fail = (code: 'PARAMETER_REFUSED' | 'SERVER_UNREACHABLE') =>
      ifByTime(session, () => Promise.reject(new WarehouseError(code, 'no')));
    expect(await fail('PARAMETER_REFUSED')).toBe(NOTHING_READ);
    await expect(fail('SERVER_UNREACHABLE')).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE' });
  });
});
