import { describe, expect, it } from 'vitest';
import { NOTHING_READ, type Reading } from '../../../src/read/session.ts';
import { repeatDoubts, withAwaited } from '../../../src/sync/repeats.ts';
import { repeatedDoubt } from '../../../src/warehouse/doubts.ts';
import { fakeStream } from '../../support/fake-stream.ts';

/** A stream that holds a record and its exact repeat, which waits for a second reading. */
function repeated(data = 'events', doubts = [repeatedDoubt(1)]) {
  const fake = fakeStream(data);
  const [letter = ''] = data;
  const records = [...fake.series(1, 9), fake.make(`${letter}2`, 2)];
  fake.hold(records, { doubts });
  fake.api.records = records;
  const session = fake.session();
  const before = fake.position();
  return {
    fake,
    session,
    read: (reading: Reading = NOTHING_READ) => withAwaited(session, reading, before),
    doubts: () => repeatDoubts(session, before).map(({ kind, count }) => [kind, count]),
  };
}

describe('an exact repeat that waits for a second reading', () => {
  it('is read again at its time where the API filters by time', async () => {
    const { fake, read, doubts } = repeated();
    expect(doubts()).toEqual([['repeated', 1]]);
    await read();
    expect(fake.api.asked.every(({ startTime }) => startTime !== undefined)).toBe(true);
    expect(doubts()).toEqual([]);
  });

  it('is looked for in the whole list where the API does not filter by time', async () => {
    const { read, session, doubts } = repeated('participants');
    expect(await read()).toMatchObject({ isWhole: true });
    expect(session.sink.seen.has('p9')).toBe(true);
    expect(doubts()).toEqual([]);
  });

  it('is looked for in the whole list if the endpoint turns out to ignore the time filter', async () => {
    const { fake, read, doubts } = repeated();
    fake.api.ignores = ['startTime', 'endTime'];
    expect(await read()).toMatchObject({ isWhole: true });
    expect(fake.api.asked.at(-1)?.['startTime']).toBeUndefined();
    expect(doubts()).toEqual([]);
  });

  it('is missing like any other row, without a listing, where the API has the record once', async () => {
    const { fake, read } = repeated();
    fake.api.records = fake.series(1, 9);
    expect((await read()).unseen).toEqual(['e2#2']);
    expect(fake.api.asked.every(({ startTime }) => startTime !== undefined)).toBe(true);
  });

  it.each<[string, Reading]>([
    ['has read everything', { ...NOTHING_READ, isWhole: true }],
    ['is in doubt', { ...NOTHING_READ, doubts: [{ kind: 'warned', text: 'the API warns' }] }],
  ])('costs no request after a reading that %s', async (_what, reading) => {
    const { fake, read } = repeated();
    expect(await read(reading)).toBe(reading);
    expect(fake.api.asked).toEqual([]);
  });

  it('costs no request once it has been shown twice', async () => {
    const { fake, read, doubts } = repeated('events', []);
    await read();
    expect([fake.api.asked, doubts()]).toEqual([[], []]);
  });
});
