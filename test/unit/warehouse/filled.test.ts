import { describe, expect, it } from 'vitest';
import { normalise, type Row } from '../../../src/datasets/normalise.ts';
import { canonicalJson, type JsonObject } from '../../../src/shared/json.ts';
import { committing, comparing } from '../../../src/read/sink.ts';
import { records } from '../../../src/warehouse/records.ts';
import { fakeStream } from '../../support/fake-stream.ts';

/** Sparse ratings as published name no room: what a request for the experiment or for a room makes of one. */
function ratings() {
  const fake = fakeStream('ratings/sparse');
  const { stream, warehouse } = fake;
  const rowOf = (record: JsonObject, room?: string): Row => {
    const fill = room === undefined ? {} : { roomId: room };
    const row = normalise(stream.dataset, record, { experimentId: 'exp_1', fill });
    if ('reason' in row) throw new Error(row.reason);
    return row;
  };
  const room = () => warehouse.db.prepare('SELECT room_id FROM ratings_sparse').pluck().get();
  return {
    fake,
    rowOf,
    /** Reads a record in the answer for a room, or for the experiment; gives its room as it is held then. */
    read: (record: JsonObject, inRoom?: string) => {
      const sink = committing(warehouse, stream);
      const taken = sink.take({ rows: [rowOf(record, inRoom)] });
      sink.close();
      return { room: room(), ...taken };
    },
    history: () => warehouse.db.prepare('SELECT count(*) FROM _history').pluck().get(),
    back: () => [...records(warehouse.db, stream.dataset)].map(({ record }) => canonicalJson(record)),
  };
}

const UNCHANGED = { inserted: 0, updated: 0, unchanged: 1 };

describe('the room of a record that does not name it', () => {
  it('stays known once a room was requested, and reading the same record is not a change', () => {
    const { fake, read, history, back, rowOf } = ratings();
    const rating = fake.make('one', 1, { value: 5 });
    expect(read(rating)).toMatchObject({ room: null, inserted: 1 });
    expect(read(rating, 'r1')).toMatchObject({ room: 'r1', updated: 1 });
    const before = history();
    for (const room of [undefined, 'r1', undefined, 'r2', 'r1', 'r2'])
      expect(read(rating, room)).toMatchObject({ room: 'r1', ...UNCHANGED });
    expect(history()).toBe(before);
    expect(back()).toEqual([canonicalJson(rating)]);
    const sink = comparing(fake.warehouse, fake.stream);
    expect(sink.take({ rows: [rowOf(rating)] })).toMatchObject(UNCHANGED);
    sink.close();
  });

  it('stays known if the record changes', () => {
    const { fake, read, back } = ratings();
    read(fake.make('one', 1, { value: 5 }), 'r1');
    const changed = fake.make('one', 1, { value: 6 });
    expect(read(changed)).toMatchObject({ room: 'r1', updated: 1 });
    expect(back()).toEqual([canonicalJson(changed)]);
  });

  it('is taken from the record as soon as the record names it', () => {
    const { fake, read } = ratings();
    read(fake.make('one', 1, { value: 5 }), 'r1');
    const { rowOf } = ratings();
    expect(rowOf(fake.make('one', 1, { roomId: null })).unnamed).toEqual(['participantId']);
    expect(read(fake.make('one', 1, { value: 5, roomId: null }))).toMatchObject({ room: null, updated: 1 });
  });
});
