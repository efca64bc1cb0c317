import { describe, expect, it } from 'vitest';
import { parseTime } from '../../../src/shared/time.ts';
import { readNarrower } from '../../../src/read/retry-narrower.ts';
import type { Reading } from '../../../src/read/session.ts';
import { warned } from '../../support/fake-api.ts';
import { at, DAY, fakeStream, HOUR, MINUTE, type FakeStream } from '../../support/fake-stream.ts';

const WARNED: Reading = { doubts: [{ kind: 'warned', text: 'the API warned' }], unseen: [] };

/** Messages c1 to c64, of which the warehouse holds all and the API lacks none. */
function holding(position = {}, pageSize = 4): FakeStream {
  const fake = fakeStream('chat', { lookbackMs: 31.5 * MINUTE }, pageSize);
  fake.hold(fake.series(1, 64, { roomId: 'r1' }), position);
  fake.api.records = fake.series(1, 64, { roomId: 'r1' });
  return fake;
}

const firstStart = ({ api }: FakeStream) => parseTime(String(api.asked[0]?.['startTime'] ?? ''));

describe('a reading that the API did not call incomplete', () => {
  it.each(['contradiction', 'unproven', 'unstable', 'endless'] as const)(
    'is not repeated in parts, although it ended with the doubt %s',
    async (kind) => {
      const fake = holding();
      const reading: Reading = { doubts: [{ kind, text: 'a test' }], unseen: [] };
      expect(await readNarrower(fake.session(), reading)).toBe(reading);
      expect(fake.api.asked).toEqual([]);
    },
  );
});

describe('a reading that was warned or cut', () => {
  it.each(['warned', 'cut'] as const)('is replaced by its parts if these are complete (%s)', async (kind) => {
    const fake = holding();
    fake.api.records = [...fake.api.records.slice(0, 60), fake.make('new', 64.5, { roomId: 'r1' })];
    const reading: Reading = { doubts: [{ kind, text: 'a test' }], unseen: [] };
    expect(await readNarrower(fake.session(), reading)).toMatchObject({
      doubts: [],
      unseen: ['r1/c61', 'r1/c62', 'r1/c63', 'r1/c64'],
      upTo: at(64.5),
    });
    expect(fake.held()).toContain('r1/new');
  });

  it('is repeated in eight parts of equally many rows', async () => {
    const fake = holding({ backfilled: false, watermark: undefined }, 1000);
    await readNarrower(fake.session(), WARNED);
    expect(fake.api.asked.map(({ startTime = '' }) => parseTime(String(startTime)))).toEqual([
      undefined,
      ...[9, 17, 25, 33, 41, 49, 57].map((minute) => at(minute) - 1),
    ]);
  });

  it('is read once in its parts, except for the rows at their ends', async () => {
    const fake = holding({}, 4);
    const session = fake.session({ full: true });
    await readNarrower(session, WARNED);
    // Each part of eight rows takes three or four pages of four, as the last row of a page begins the next.
    expect(session.meter.cost().requests).toBeLessThanOrEqual(8 * 4);
  });

  it.each([
    ['from the lookback on', {}, false, at(64 - 31.5) - 1],
    ['from its watermark in a first read', { backfilled: false, watermark: at(50) }, false, at(50) - 1],
    ['from the beginning in a full read', {}, true, undefined],
    ['from the beginning if it has no watermark', { watermark: undefined }, false, undefined],
  ])('is repeated %s', async (_what, position, full, start) => {
    const fake = holding(position);
    await readNarrower(fake.session({ full }), WARNED);
    expect(firstStart(fake)).toBe(start);
  });

  it('is read by room once a part is warned as well', async () => {
    const fake = holding({}, 1000);
    fake.listRooms({ r1: {} }, { roomCount: 1 });
    fake.api.change = (answer, { room }) => (room === undefined ? warned(answer) : answer);
    expect(await readNarrower(fake.session(), WARNED)).toMatchObject({ doubts: [], byRoom: true, met: 64 });
    expect([...new Set(fake.api.asked.map(({ room }) => room))]).toEqual([undefined, 'r1']);
  });

  it('stays in doubt if the rooms may not cover everything', async () => {
    const fake = holding();
    fake.listRooms({ r1: {} }, { roomCount: 2 });
    fake.api.change = (answer, { room }) => (room === undefined ? warned(answer) : answer);
    const session = fake.session();
    expect(await readNarrower(session, WARNED)).toEqual(WARNED);
    expect(session.traits.known).toMatchObject({ narrowerMissed: true });
  });

  it('is read by room again at the next sync if it stayed in doubt once', async () => {
    const fake = holding({}, 1000);
    fake.listRooms({ r1: {} }, { roomCount: 1 });
    fake.api.change = warned;
    expect((await readNarrower(fake.session(), WARNED)).doubts).not.toEqual([]);
    fake.api.change = (answer, { room }) => (room === undefined ? warned(answer) : answer);
    expect(await readNarrower(fake.session(), WARNED)).toMatchObject({ doubts: [], byRoom: true, met: 64 });
  });

  it('stays in doubt if no narrower request was complete, and is repeated in parts once within a day', async () => {
    const fake = holding();
    fake.api.change = warned;
    for (let times = 0; times < 2; times++) expect(await readNarrower(fake.session(), WARNED)).toBe(WARNED);
    const tried = fake.api.asked.length;
    expect(tried).toBeGreaterThan(0);
    fake.now += DAY - HOUR;
    expect(await readNarrower(fake.session(), WARNED)).toBe(WARNED);
    expect(fake.api.asked).toHaveLength(tried);
    fake.now += 2 * HOUR;
    await readNarrower(fake.session(), WARNED);
    expect(fake.api.asked.length).toBeGreaterThan(tried);
  });
});
