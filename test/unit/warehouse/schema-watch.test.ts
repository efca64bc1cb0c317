import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { normalise } from '../../../src/datasets/normalise.ts';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import type { Stream } from '../../../src/datasets/stream.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import type { Json, JsonObject } from '../../../src/shared/json.ts';
import { DAY_MS } from '../../../src/shared/time.ts';
import { readPosition } from '../../../src/warehouse/positions.ts';
import { acceptChanges, unacceptedChanges } from '../../../src/warehouse/schema-changes.ts';
import { LISTED_WITHIN_MS, MOST_LISTED } from '../../../src/warehouse/schema-watch.ts';
import { openWarehouse, type Warehouse } from '../../../src/warehouse/warehouse.ts';
import { temporaryFolder } from '../../support/lab.ts';

const SEEN = Date.parse('2026-03-04T10:00:00.000Z');

/** A warehouse at a time that the test sets, whose streams get records by the ids of their experiments. */
function openFile({ data = 'events', path = join(temporaryFolder(), 'w.db') } = {}) {
  const clock = { now: SEEN };
  const dataset = datasetNamed(data);
  const warehouse: Warehouse = openWarehouse(path, { clock: { ...systemClock, now: () => clock.now }, history: true });
  let isOpen = true;
  const close = () => {
    if (isOpen) warehouse.close();
    isOpen = false;
  };
  onTestFinished(close);
  const streamOf = (experimentId: string): Stream => ({ experimentId, dataset, scope: { kind: 'experiment' } });
  let last = 0;
  const bring = (experimentId: string, records: readonly JsonObject[], freezes = false, watermark?: number) => {
    const rows = records.map((record) => {
      const made = normalise(dataset, { id: `r${++last}`, ratingId: `r${last}`, ...record }, { experimentId });
      if ('reason' in made) throw new Error(made.reason);
      return made;
    });
    const position = watermark === undefined ? {} : { watermark };
    return warehouse.commit(streamOf(experimentId), { rows, freezes, position });
  };
  return {
    path,
    warehouse,
    clock,
    close,
    bring,
    stream: streamOf,
    /** A first read that is over. */
    first(experimentId: string, records: readonly JsonObject[]) {
      bring(experimentId, records);
      warehouse.commit(streamOf(experimentId), { rows: [], position: { backfilled: true, dataAsOf: clock.now } });
    },
    changes: () =>
      warehouse.db
        .prepare(
          'SELECT data, field, change, type_before, type_now, experiment_id, records, since, seen_at, accepted_at FROM _schema_changes ORDER BY id',
        )
        .all(),
  };
}

const at = (time: string, more: JsonObject = {}): JsonObject => ({ timestamp: time, ...more });
const T1 = '2026-03-03T08:00:00.000Z';
const T2 = '2026-03-03T09:00:00.000Z';

describe('a new field', () => {
  it('is listed with its type, its experiment, how many records have it and since when', () => {
    const file = openFile();
    file.first('e1', [at(T1, { content: null })]);
    file.bring('e1', [at(T2, { stimulusMeta: { secret: 1 } }), at(T1, { stimulusMeta: {} }), at(T1)]);
    expect(file.changes()).toEqual([
      {
        data: 'events',
        field: 'stimulusMeta',
        change: 'new field',
        type_before: null,
        type_now: 'object',
        experiment_id: 'e1',
        records: 2,
        since: T1,
        seen_at: expect.stringMatching(/^2026-03-04T10:00:00/) as string,
        accepted_at: expect.any(String) as string,
      },
    ]);
  });

  it('is listed without any of its values', () => {
    const file = openFile();
    file.first('e1', [at(T1)]);
    file.bring('e1', [at(T1, { novel: 'what Ada said' })]);
    expect(JSON.stringify(file.changes())).not.toContain('Ada');
  });

  it('is not a change in the first read of its data type', () => {
    const file = openFile();
    file.bring('e1', [at(T1, { a: 1 })]);
    file.first('e1', [at(T1, { b: 1 })]);
    file.bring('e1', [at(T1, { a: 2, b: 2 })]);
    expect(file.changes()).toEqual([]);
  });

  it('is a change in the first read of a second experiment', () => {
    const file = openFile();
    file.first('e1', [at(T1, { a: 1 })]);
    file.bring('e2', [at(T1, { a: 1, b: true })]);
    expect(file.changes()).toMatchObject([{ field: 'b', type_now: 'boolean', experiment_id: 'e2' }]);
  });

  it('is listed once, with a growing count', () => {
    const file = openFile();
    file.first('e1', [at(T2)]);
    file.bring('e1', [at(T2, { b: 1 })]);
    file.bring('e2', [at(T1, { b: 1 }), at(T2, { b: 1 })]);
    expect(file.changes()).toMatchObject([{ field: 'b', experiment_id: 'e1', records: 3, since: T1 }]);
  });

  it('is known to the next process as well', () => {
    const file = openFile();
    file.first('e1', [at(T2, { a: 1, n: null })]);
    file.bring('e1', [at(T2, { b: 1 })]);
    file.close();
    const next = openFile({ path: file.path });
    next.bring('e1', [at(T2, { id: 'x', a: 1, b: 1, n: null })]);
    expect(next.changes()).toMatchObject([{ field: 'b', records: 2 }]);
  });

  it('that is null at first gets its type later', () => {
    const file = openFile();
    file.first('e1', [at(T1)]);
    file.bring('e1', [at(T1, { b: null })]);
    expect(file.changes()).toMatchObject([{ field: 'b', type_now: 'null' }]);
    file.bring('e1', [at(T1, { b: [] })]);
    expect(file.changes()).toMatchObject([{ field: 'b', change: 'new field', type_now: 'list', records: 2 }]);
  });

  it('is not a change if the declaration has it under another name', () => {
    const file = openFile();
    file.first('e1', [at(T1)]);
    file.bring('e1', [at(T1, { sessionId: 's', experimentId: 'other', roomId: null })]);
    expect(file.changes()).toEqual([]);
  });

  it('is forgotten when its transaction is rolled back', () => {
    const file = openFile();
    file.first('e1', [at(T1)]);
    file.warehouse.db.exec(
      "CREATE TEMP TRIGGER full BEFORE UPDATE ON _streams BEGIN SELECT RAISE(ABORT, 'no room'); END",
    );
    expect(() => file.bring('e1', [at(T1, { b: 1 })])).toThrow('no room');
    expect(file.changes()).toEqual([]);
    file.warehouse.db.exec('DROP TRIGGER full');
    file.bring('e1', [at(T1, { b: 1 })]);
    expect(file.changes()).toMatchObject([{ field: 'b', records: 1 }]);
  });
});

describe('a changed type', () => {
  it.each<[data: string, field: string, before: Json, now: Json, words: [string, string]]>([
    ['ratings/continuous', 'value', 4, 'four', ['number', 'text']],
    ['ratings/sparse', 'stateStartTime', 4, 'four', ['number', 'text']],
    ['events', 'response', { a: 1 }, [1], ['object', 'list']],
    ['events', 'response', null, 'yes', ['object or list', 'text']],
    ['events', 'novel', 'x', 1, ['text', 'number']],
    ['events', 'timestamp', T1, 1_772_524_800_000, ['text', 'number']],
    ['events', 'content', 'x', { a: 1 }, ['text', 'object']],
  ])('of %s: %s that was %j and is %j is listed', (data, field, before, now, [was, is]) => {
    const file = openFile({ data });
    file.first('e1', [{ timestamp: T1, [field]: before }]);
    file.bring('e1', [
      { timestamp: T1, [field]: now },
      { timestamp: T1, [field]: now },
    ]);
    expect(file.changes()).toMatchObject([
      { data, field, change: 'changed type', type_before: was, type_now: is, records: 2 },
    ]);
  });

  it.each<[what: string, field: string, values: readonly Json[]]>([
    ['a null', 'content', ['x', null]],
    ['a number of another form', 'duration', [1, 1.5]],
    ['a time of another form', 'timestamp', [T1, '2026-03-03T09:00:00+01:00']],
    ['an integer with too many digits', 'duration', [1, -0]],
    ['what comes back', 'novel', [1, 2]],
  ])('is not listed: %s', (_what, field, [before = null, now = null]) => {
    const file = openFile();
    file.first('e1', [{ timestamp: T1, [field]: before }]);
    file.bring('e1', [{ timestamp: T1, [field]: now }]);
    expect(file.changes()).toEqual([]);
  });

  it('is listed for a field that was null before, in a later process as well', () => {
    const file = openFile();
    file.first('e1', [at(T1, { content: null })]);
    file.close();
    const next = openFile({ path: file.path });
    next.bring('e1', [at(T1, { id: 'x', content: 7 })]);
    expect(next.changes()).toMatchObject([{ field: 'content', type_before: 'text', type_now: 'number' }]);
  });

  it('is not listed for a field of an earlier version, which did not record types', () => {
    const file = openFile();
    file.first('e1', [at(T1, { novel: 1, content: 7 })]);
    file.warehouse.db.exec('DELETE FROM _field_types');
    file.close();
    const next = openFile({ path: file.path });
    next.bring('e1', [at(T1, { id: 'x', novel: 'one', content: 8 })]);
    expect(next.changes()).toEqual([]);
    next.bring('e1', [at(T1, { id: 'y', novel: 1 })]);
    expect(next.changes()).toMatchObject([{ field: 'novel', type_before: 'text', type_now: 'number' }]);
  });
});

describe('too many changes', () => {
  const names = (n: number, from = 0) =>
    Array.from({ length: n }, (_, i): JsonObject => at(T1, { [`f${from + i}`]: 1 }));

  it('are counted in one row', () => {
    const file = openFile();
    file.first('e1', [at(T1)]);
    file.bring('e1', names(10_000));
    file.bring('e1', names(100, 20_000));
    const changes = file.changes();
    expect(changes).toHaveLength(MOST_LISTED + 1);
    expect(changes.at(-1)).toMatchObject({ field: null, change: 'more', records: 10_000 + 100 - MOST_LISTED });
  });

  it('are listed again after 30 days', () => {
    const file = openFile();
    file.first('e1', [at(T1)]);
    file.bring('e1', names(MOST_LISTED + 1));
    file.clock.now += LISTED_WITHIN_MS + DAY_MS;
    file.bring('e1', [at(T1, { later: 1 })]);
    expect(file.changes().at(-1)).toMatchObject({ field: 'later' });
  });

  it('do not list an overlong name', () => {
    const file = openFile();
    file.first('e1', [at(T1)]);
    file.bring('e1', [at(T1, { ['x'.repeat(100_000)]: 1 })]);
    expect(file.changes()).toMatchObject([{ field: null, change: 'more', records: 1 }]);
  });

  it('in a first read store only a limited number of types', () => {
    const file = openFile();
    file.first('e1', names(10_000));
    const stored = file.warehouse.db.prepare('SELECT count(*) FROM _field_types').pluck().get();
    expect(stored).toBe(2000);
    expect(file.changes()).toEqual([]);
  });
});

describe('a stream whose schema is frozen', () => {
  it('stops at a new field, in the transaction of the records, which are stored', () => {
    const file = openFile();
    file.first('e1', [at(T1)]);
    file.bring('e1', [at(T1)], true, 1000);
    file.bring('e1', [at(T2, { stimulusMeta: {} })], true, 2000);
    file.bring('e1', [at(T2)], true, 3000);
    const { watermark, complete, reason, rows } = readPosition(file.warehouse.db, file.stream('e1'));
    expect({ watermark, complete, rows }).toEqual({ watermark: 1000, complete: false, rows: 4 });
    expect(reason).toContain(
      'records came with a new field stimulusMeta (object), and the stream is stopped until that',
    );
    expect(unacceptedChanges(file.warehouse.db, 'events')).toMatchObject([{ field: 'stimulusMeta' }]);
  });

  it('stops in another experiment as well, until the field is accepted', () => {
    const file = openFile();
    file.first('e1', [at(T1)]);
    file.first('e2', [at(T1)]);
    file.first('e3', [at(T1)]);
    file.bring('e1', [at(T2, { b: 1 })], true);
    file.bring('e2', [at(T2, { b: 1 })], true);
    file.bring('e3', [at(T2)], true);
    const isStopped = (id: string) =>
      readPosition(file.warehouse.db, file.stream(id)).doubts.some(({ kind }) => kind === 'schema');
    expect(['e1', 'e2', 'e3'].map(isStopped)).toEqual([true, true, false]);
    acceptChanges(file.warehouse.db, 'events', SEEN);
    file.bring('e3', [at(T2, { b: 1 })], true);
    expect(isStopped('e3')).toBe(false);
  });

  it('does not stop in the first read of its data type', () => {
    const file = openFile();
    file.bring('e1', [at(T1, { a: 1 })], true, 1000);
    expect(readPosition(file.warehouse.db, file.stream('e1')).watermark).toBe(1000);
  });

  it('names three changes and how many more there are, and shows no unreadable name', () => {
    const file = openFile();
    file.first('e1', [at(T1)]);
    file.bring('e1', [at(T1, { a: 1, 'ada@example.org': 1, c: 1, d: 1, e: 1 })], true);
    const { reason } = readPosition(file.warehouse.db, file.stream('e1'));
    expect(reason).toContain(
      'a new field a (number), a new field (see _schema_changes) (number), a new field c (number), and 2 other changes',
    );
  });
});
