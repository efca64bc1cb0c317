import { join } from 'node:path';
import { onTestFinished, describe, expect, it } from 'vitest';
import { normalise, type Row } from '../../../src/datasets/normalise.ts';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import type { JsonObject } from '../../../src/shared/json.ts';
import { numbered } from '../../../src/read/ordinals.ts';
import { matchDoubles } from '../../../src/warehouse/doubles.ts';
import { openWarehouse } from '../../../src/warehouse/warehouse.ts';
import { temporaryFolder } from '../../support/lab.ts';

const chat = datasetNamed('chat');
const stream = { experimentId: 'e', dataset: chat, scope: { kind: 'experiment' as const } };

const at = (second: number) => `2026-01-02T03:04:0${second}.000Z`;
const message = (content: string, second: number, more: JsonObject = {}): JsonObject => ({
  messageId: 'm',
  content,
  timestamp: at(second),
  ...more,
});

function rowsOf(...records: JsonObject[]): readonly Row[] {
  return numbered(
    records.map((record) => {
      const row = normalise(chat, record, { experimentId: 'e' });
      if ('reason' in row) throw new Error(row.reason);
      return row;
    }),
  ).rows;
}

/** A warehouse that holds two records of one id, and what a reading of some records does to it. */
function holdingTwo() {
  const warehouse = openWarehouse(join(temporaryFolder(), 'w.db'), { clock: systemClock, history: true });
  onTestFinished(() => {
    warehouse.close();
  });
  const read = (...records: JsonObject[]) =>
    warehouse.commit(stream, { rows: matchDoubles(warehouse.db, stream, rowsOf(...records)) });
  const held = () => warehouse.db.prepare<[], string>('SELECT content FROM chat ORDER BY content').pluck().all();
  read(message('one', 1), message('two', 2), { messageId: 'other', content: 'x' });
  return { warehouse, read, held };
}

describe('an id with two stored records', () => {
  it.each([
    ['both, in any order', [message('two', 2), message('one', 1)]],
    ['the first', [message('one', 1)]],
    ['the second', [message('two', 2)]],
  ])('is unchanged by an answer with %s', (_which, records) => {
    const { read, held } = holdingTwo();
    expect(read(...records)).toMatchObject({ inserted: 0, updated: 0, unchanged: records.length });
    expect(held()).toEqual(['one', 'two', 'x']);
  });

  it.each([
    ['alone', [message('edited', 2)]],
    ['beside the other', [message('edited', 2), message('one', 1)]],
  ])('has the changed record updated in place, if it comes %s', (_how, records) => {
    const { read, held } = holdingTwo();
    expect(read(...records)).toMatchObject({ inserted: 0, updated: 1 });
    expect(held()).toEqual(['edited', 'one', 'x']);
  });

  it('has the remaining record updated, if as many come as are stored', () => {
    const { read, held } = holdingTwo();
    expect(read(message('one', 1), message('moved', 7))).toMatchObject({ inserted: 0, updated: 1 });
    expect(held()).toEqual(['moved', 'one', 'x']);
  });

  it('keeps both records if a third one may have come', () => {
    const { read, held } = holdingTwo();
    expect(read(message('three', 3))).toMatchObject({ inserted: 1, updated: 0 });
    expect(held()).toEqual(['one', 'three', 'two', 'x']);
  });

  it('is found by a listing with the two records on different pages', () => {
    const { warehouse, held } = holdingTwo();
    const list = (...pages: JsonObject[]) => {
      const met = new Set<string>();
      return pages.map((page) => {
        const rows = matchDoubles(warehouse.db, stream, rowsOf(page), (key) => met.has(key));
        for (const { key } of rows) met.add(key);
        const { inserted, updated } = warehouse.commit(stream, { rows });
        return { inserted, updated };
      });
    };
    const pages = [1, 2, 3].map((second) => ({ messageId: 'n', content: `page ${second}`, timestamp: at(second) }));
    const inserts = { inserted: 1, updated: 0 };
    expect(list(...pages)).toEqual([inserts, inserts, inserts]);
    const nothing = { inserted: 0, updated: 0 };
    expect(list(...pages)).toEqual([nothing, nothing, nothing]);
    expect(list(...pages, ...pages)).toEqual(Array.from({ length: 6 }, () => nothing));
    expect(held()).toEqual(['one', 'page 1', 'page 2', 'page 3', 'two', 'x']);
  });

  it('does not affect other rows', () => {
    const { read } = holdingTwo();
    expect(read({ messageId: 'other', content: 'y' }, { messageId: 'm2', content: 'z' })).toMatchObject({
      inserted: 1,
      updated: 1,
    });
  });
});
