import { describe, expect, it } from 'vitest';
import { list, type Listing } from '../../../src/read/full-listing.ts';
import { fakeStream, type FakeStream } from '../../support/fake-stream.ts';

function history({ warehouse: { db } }: FakeStream): number {
  return db.prepare<[], number>('SELECT count(*) FROM _history').pluck().get() ?? 0;
}

function listAll(fake: FakeStream, listing: Listing = {}) {
  return list(fake.session({ full: true }), listing, (_seen, { doubts, met }) => ({ doubts, met }));
}

describe('a listing', () => {
  it.each(['events', 'chat', 'participants'])(
    'holds both of two records with one id that come on different pages, each time in the same way (%s)',
    async (data) => {
      const fake = fakeStream(data);
      const records = fake.series(1, 12);
      const [id = ''] = Object.values(records[0] ?? {}).map(String);
      fake.api.records = [...records.slice(0, 9), fake.make(id, 9, { note: 'another' }), ...records.slice(9)];
      expect(await listAll(fake)).toEqual({ doubts: [], met: 13 });
      const held = fake.held();
      expect(held).toHaveLength(13);
      expect(held.filter((key) => key.endsWith('#2'))).toHaveLength(1);
      expect(await listAll(fake)).toEqual({ doubts: [], met: 13 });
      expect(fake.held()).toEqual(held);
      expect(history(fake)).toBe(0);
    },
  );
});
