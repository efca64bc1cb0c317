import { describe, expect, it } from 'vitest';
import { readIncremental } from '../../../src/sync/incremental.ts';
import { prove } from '../../../src/sync/prove.ts';
import { warned } from '../../support/fake-api.ts';
import { fakeStream, MINUTE, type FakeStream } from '../../support/fake-stream.ts';
import type { JsonObject } from '../../../src/shared/json.ts';

/** Polls a stream, accounts for it, and keeps what is known of it then. */
async function sync(fake: FakeStream) {
  const session = fake.session();
  const proof = await prove(session, await readIncremental(session), false);
  session.sink.note(proof.position);
  return proof;
}

/** A stream that holds so many records; the API has the same ones, without some, and others. */
function changed(
  data: string,
  without: readonly number[],
  more: (fake: FakeStream) => JsonObject[],
  pageSize = 4,
): FakeStream {
  const fake = fakeStream(data, {}, pageSize);
  const records = fake.series(1, 12);
  fake.hold(records);
  fake.api.records = [...records.filter((_, i) => !without.includes(i + 1)), ...more(fake)];
  return fake;
}

const kindsOf = ({ doubts }: { doubts: readonly { kind: string }[] }) => doubts.map(({ kind }) => kind);
const asksFor = (fake: FakeStream) => fake.api.asked.filter(({ startTime }) => startTime !== undefined).length;

describe('a record that comes with an id that is held at an earlier time', () => {
  it.each(['events', 'chat', 'sync'])(
    'does not take the place of a record that is still there, although an old row went, so that the count is equal (%s)',
    async (data) => {
      const [letter = ''] = data;
      const fake = changed(data, [5], ({ make }) => [make(`${letter}2`, 20, { note: 'another' })]);
      await sync(fake);
      expect(fake.held()).toEqual(expect.arrayContaining([`${letter}2`, `${letter}2#2`]));
      // The row that went shows as soon as the count is not made up any more.
      const proof = await sync(fake);
      expect(kindsOf(proof)).toContain('missing-upstream');
    },
  );

  it('does so as well between the watermark and the newest page', async () => {
    const fake = changed('events', [5], ({ make, series }) => [make('e2', 20, { note: 'another' }), ...series(21, 30)]);
    await sync(fake);
    expect(fake.held()).toEqual(expect.arrayContaining(['e2', 'e2#2', 'e30']));
  });

  it('is written in its place if it moved, for one request, and not one more in the next sync', async () => {
    const fake = changed('events', [2], ({ make }) => [make('e2', 20)]);
    await sync(fake);
    expect(fake.held()).toHaveLength(12);
    expect(fake.held()).not.toContain('e2#2');
    expect(asksFor(fake)).toBe(1);
    fake.api.asked = [];
    expect(kindsOf(await sync(fake))).toEqual([]);
    expect(fake.api.asked).toHaveLength(1);
  });

  it('leaves a doubt if the answer for its former time is warned', async () => {
    const fake = changed('events', [5], ({ make }) => [make('e2', 20, { note: 'another' })]);
    fake.api.change = (answer, { startTime }) => (startTime === undefined ? answer : warned({ ...answer, data: [] }));
    expect(kindsOf(await sync(fake))).toContain('warned');
  });

  it('is looked for at five of the times if more moved at once', async () => {
    const moved = ({ make }: FakeStream) => [1, 2, 3, 4, 5, 6, 7].map((n) => make(`e${n}`, 20 + n));
    const fake = changed('events', [1, 2, 3, 4, 5, 6, 7], moved, 9);
    await readIncremental(fake.session());
    expect(asksFor(fake)).toBe(5);
    expect(fake.held()).toHaveLength(12);
  });

  it('takes the place of none if one of many is still there, and those that did move are found as missing', async () => {
    const seven = [1, 2, 3, 4, 5, 6, 7];
    const again = ({ make }: FakeStream) => seven.map((n) => make(`e${n}`, 20 + n, { note: 'another' }));
    const fake = changed('events', [3, 9], again, 9);
    const proof = await sync(fake);
    expect(fake.held()).toEqual(expect.arrayContaining(seven.flatMap((n) => [`e${n}`, `e${n}#2`])));
    expect(kindsOf(proof)).toContain('missing-upstream');
  });

  it('does not take the place of a third one that is still there', async () => {
    const fake = changed('events', [], ({ make }) => [make('e2', 13, { note: 'second' })]);
    await sync(fake);
    expect(fake.held()).toEqual(expect.arrayContaining(['e2', 'e2#2']));
    const more = [21, 22, 23, 24, 25, 26].map((n) => fake.make(`e${n}`, n));
    const others = ['third', 'fourth'].map((note, i) => fake.make('e2', 27 + i, { note }));
    fake.api.records = [...fake.api.records, ...more];
    await sync(fake);
    fake.api.records = [...fake.api.records.filter((_, i) => i !== 4 && i !== 5), ...others];
    await sync(fake);
    expect(fake.held()).toEqual(expect.arrayContaining(['e2', 'e2#2', 'e2#3', 'e2#4']));
    fake.now += 2 * MINUTE;
    expect(kindsOf(await sync(fake))).toEqual(['shared-id']);
    expect(fake.held()).toHaveLength(fake.api.records.length);
    fake.api.asked = [];
    await sync(fake);
    expect(fake.api.asked).toHaveLength(1);
  });

  it('is looked for as well where the newest records do not come first', async () => {
    const fake = changed('events', [5], ({ make }) => [make('e2', 20, { note: 'another' })]);
    fake.api.ignores = ['order', 'sort'];
    await sync(fake);
    expect(fake.held()).toEqual(expect.arrayContaining(['e2', 'e2#2']));
  });
});
