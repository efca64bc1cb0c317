import { join } from 'node:path';
import { onTestFinished, describe, expect, it } from 'vitest';
import { normalise, type Row } from '../../../src/datasets/normalise.ts';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import type { JsonObject } from '../../../src/shared/json.ts';
import { numbered } from '../../../src/read/ordinals.ts';
import { heldRepeats, matchDoubles, newRepeats } from '../../../src/warehouse/doubles.ts';
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

/** The contents of records that are new or held repeats, as the keys say. */
function repeatsIn(...held: JsonObject[]) {
  const warehouse = openWarehouse(join(temporaryFolder(), 'w.db'), { clock: systemClock, history: true });
  onTestFinished(() => {
    warehouse.close();
  });
  warehouse.commit(stream, { rows: rowsOf(...held) });
  return {
    held: () => heldRepeats(warehouse.db, stream),
    after: (...records: JsonObject[]) => newRepeats(warehouse.db, stream, rowsOf(...records)),
  };
}

describe('an exact repeat', () => {
  const one = message('one', 1);
  const two = message('two', 2);
  it.each<[string, JsonObject[], JsonObject[], number]>([
    ['a record that came once', [], [one], 0],
    ['a record that came twice', [], [one, one], 1],
    ['a record that came three times', [], [one, one, one], 2],
    ['two records of one id that differ', [], [one, two], 0],
    ['a record that came once and twice', [one], [one, one], 1],
    ['a record that came twice both times', [one, one], [one, one], 0],
    ['a record that came twice and three times', [one, one], [one, one, one], 1],
    ['a record that came twice and once', [one, one], [one], 0],
    ['a record beside an edit that says what it says', [one, two], [one, one], 1],
    ['a repeat of another record of that id', [one, two], [one, two, two], 1],
  ])('is counted in %s', (_what, held, came, expected) => {
    expect(repeatsIn(...held).after(...came)).toHaveLength(expected);
  });

  it.each<[string, JsonObject[], string[]]>([
    ['none, if all differ', [one, two, { messageId: 'n', content: 'one', timestamp: at(1) }], []],
    ['all but the first of those that say the same', [one, one, one, two], ['m#2', 'm#3']],
    ['those of each id', [one, one, { messageId: 'n' }, { messageId: 'n' }], ['m#2', 'n#2']],
  ])('is held: %s', (_which, held, expected) => {
    expect(
      repeatsIn(...held)
        .held()
        .map((key) => key.replace(/^.*?([mn]#\d)$/, '$1')),
    ).toEqual(expected);
  });

  it('is counted in records without an id', () => {
    const nameless = { content: 'x', timestamp: at(1), senderId: 'p' };
    expect(repeatsIn(nameless).after(nameless, nameless)).toHaveLength(1);
  });
});

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
        const rows = matchDoubles(warehouse.db, stream, rowsOf(page), { isMet: (key) => met.has(key) });
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

  it.each<[string, JsonObject[], string[]]>([
    ['an edit of either of them', [message('edited', 2)], ['one', 'two', 'x']],
    ['an edit of one beside another edit', [message('a', 1), message('b', 2)], ['one', 'two', 'x']],
    ['one of them and another record', [message('one', 1), message('three', 3)], ['one', 'two', 'x']],
    ['both and a third one', [message('one', 1), message('two', 2), message('three', 3)], ['one', 'three', 'two', 'x']],
  ])('is not changed by an answer that lacks records and has %s', (_which, records, expected) => {
    const { warehouse, held } = holdingTwo();
    const rows = matchDoubles(warehouse.db, stream, rowsOf(...records), { isPartial: true });
    expect(warehouse.commit(stream, { rows }).updated).toBe(0);
    expect(held()).toEqual(expected);
  });

  it('does not affect other rows', () => {
    const { read } = holdingTwo();
    expect(read({ messageId: 'other', content: 'y' }, { messageId: 'm2', content: 'z' })).toMatchObject({
      inserted: 1,
      updated: 1,
    });
  });
});
