import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { normalise } from '../../../src/datasets/normalise.ts';
import { DATASETS, datasetNamed } from '../../../src/datasets/registry.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import { parseJson, type Json, type JsonObject } from '../../../src/shared/json.ts';
import { columnNames, isColumn, releaseNames } from '../../../src/warehouse/column-names.ts';
import { MOST_COLUMNS } from '../../../src/warehouse/members.ts';
import { refill } from '../../../src/warehouse/refill.ts';
import { openWarehouse } from '../../../src/warehouse/warehouse.ts';
import { temporaryFolder } from '../../support/lab.ts';

const events = datasetNamed('events');
const stream = { experimentId: 'e', dataset: events, scope: { kind: 'experiment' as const } };

function rowOf(record: JsonObject) {
  const row = normalise(events, record, { experimentId: 'e' });
  if ('reason' in row) throw new Error(row.reason);
  return row;
}

function open(path = join(temporaryFolder(), 'w.db')) {
  const warehouse = openWarehouse(path, { clock: systemClock, history: true });
  onTestFinished(() => {
    if (warehouse.db.open) warehouse.close();
  });
  const { db } = warehouse;
  return {
    db,
    path,
    close: () => warehouse.close(),
    write: (...records: JsonObject[]) =>
      warehouse.commit(stream, { rows: records.map((record, i) => rowOf({ id: `evt_${i}`, ...record })) }),
    read: (columns: string) => db.prepare(`SELECT ${columns} FROM events_all ORDER BY id`).raw().all(),
    columns: () => db.prepare<[], string>("SELECT name FROM pragma_table_info('events_all')").pluck().all(),
    type: (column: string) =>
      db.prepare<[string], string>("SELECT type FROM pragma_table_info('events') WHERE name = ?").pluck().get(column),
    explained: (column: string) =>
      db
        .prepare("SELECT type, unit, is_boolean FROM _data_dictionary WHERE table_name = 'events' AND column_name = ?")
        .raw()
        .get(column),
  };
}

describe('a member of a JSON column, or an unknown field', () => {
  it('may have half a character in its name, again and again', () => {
    const path = join(temporaryFolder(), 'w.db');
    const record = parseJson('{"\\ud800":1,"\\udc00":2,"a\\udc00\\ud800":{"\\ud800":"\\ud800"}}') as JsonObject;
    for (let times = 0; times < 2; times++) {
      const { write, db, close } = open(path);
      write(record, { ...record, more: times });
      expect(db.prepare('SELECT extra FROM events').pluck().get()).toContain(JSON.stringify(record).slice(0, -1));
      close();
    }
  });

  it('has a real column of the type of its first value, and one for each type that follows', () => {
    const { write, read, type, explained } = open();
    write({ response: { x: 1.5, ok: true, list: [1] } }, { response: { x: 'late', ok: 2, list: 'none' } });
    expect(
      read('response_x, response_x_text, response_ok, response_ok_number, response_list, response_list_text'),
    ).toEqual([
      [1.5, null, 1, null, '[1]', null],
      [null, 'late', null, 2, null, 'none'],
    ]);
    expect(['response_x', 'response_x_text', 'response_ok', 'response_list'].map(type)).toEqual([
      'REAL',
      'TEXT',
      'INTEGER',
      'TEXT',
    ]);
    expect(explained('response_ok')).toEqual(['INTEGER', '0 or 1', 1]);
    expect(explained('response_x')).toEqual(['REAL', 'as the API sends it', 0]);
    expect(explained('response_x_text')).toEqual(['TEXT', null, 0]);
  });

  it('has a column for each type from the start where it is known to be mixed', () => {
    const { write, read } = open();
    const columns = 'response_value_type, response_value_number, response_value_text, response_value_json';
    expect(read(columns)).toEqual([]);
    write({ response: { value: 3 } }, { response: { value: 'x' } }, { response: { value: ['a'] } }, { response: {} });
    expect(read(columns)).toEqual([
      ['integer', 3, null, null],
      ['text', null, 'x', null],
      ['list', null, null, '["a"]'],
      [null, null, null, null],
    ]);
  });

  it('keeps its name, to which no other member comes, whatever follows it', () => {
    const { write, read, columns, path, close } = open();
    write({ response: { Score: 1 } });
    const before = columns();
    write({ id: 'evt_1', response: { score: 2, a: 1 }, response_score: 'own' });
    expect(columns().slice(0, before.length)).toEqual(before);
    expect(columns().slice(before.length)).toEqual(['response_score_2', 'response_a', 'response_score_3']);
    expect(read('response_score, response_score_2, response_score_3')).toEqual([
      [1, null, null],
      [null, 2, 'own'],
    ]);
    close();
    expect(open(path).columns()).toEqual([...before, 'response_score_2', 'response_a', 'response_score_3']);
  });

  it('changes with the record, and is not what tells whether the record has changed', () => {
    const { write, read, db } = open();
    write({ response: { x: 1 } });
    db.exec('UPDATE events SET response_x = 99');
    db.exec('DELETE FROM _history');
    expect(write({ response: { x: 1 } })).toMatchObject({ unchanged: 1 });
    expect(write({ response: { x: 2 } })).toMatchObject({ updated: 1 });
    expect(read('response_x')).toEqual([[2]]);
    const [former] = db.prepare<[], string>('SELECT record FROM _history').pluck().all();
    expect(JSON.parse(former ?? '')).not.toHaveProperty('response_x');
  });

  it('has no column after a transaction that failed, and gets one in the next', () => {
    const { write, read, db, columns } = open();
    const before = columns();
    db.exec(
      `CREATE TEMP TRIGGER fails BEFORE INSERT ON events WHEN NEW.id = 'evt_1' BEGIN SELECT raise(ABORT, 'no'); END`,
    );
    expect(() => write({ response: { x: 1 } }, {})).toThrow('no');
    expect(columns()).toEqual(before);
    db.exec('DROP TRIGGER fails');
    write({ response: { y: 'a', x: 1 } });
    expect(read('response_y, response_x')).toEqual([['a', 1]]);
  });

  it('has no column beyond the most, which the dictionary says', () => {
    const { write, columns, db } = open();
    write({ response: Object.fromEntries(Array.from({ length: MOST_COLUMNS + 5 }, (_, i) => [`m${i}`, i])), 'a"b': 1 });
    expect(columns().filter((name) => name.startsWith('response_m'))).toHaveLength(MOST_COLUMNS - 8);
    const leftOut = "SELECT column_name FROM _data_dictionary WHERE table_name = 'events' AND type = 'none' ORDER BY 1";
    const named = db.prepare<[], string>(leftOut).pluck().all();
    expect(named).toHaveLength(14);
    expect(named).toEqual(expect.arrayContaining(['extra.a"b', `response.m${MOST_COLUMNS + 4}`]));
  });

  it('has the same values when all rows are filled again', () => {
    const { write, db } = open();
    const value = fc.jsonValue({ maxDepth: 1 }) as fc.Arbitrary<Json>;
    const object = fc.dictionary(fc.constantFrom('a', 'A', 'b', 'value', '$absent'), value);
    const key = fc.constantFrom('response', 'value', 'data', 'onset', 'timestamp', 'note', 'note_text', 'sessionId');
    const all = () => db.prepare('SELECT * FROM events ORDER BY key').all();
    fc.assert(
      fc.property(fc.array(fc.dictionary(key, fc.oneof(value, object)), { maxLength: 4 }), (records) => {
        db.exec('DELETE FROM events');
        write(...records);
        const before = all();
        const names = columnNames(db, 'events').filter(isColumn);
        if (before.length > 0)
          db.exec(`UPDATE events SET ${names.map(({ column }) => `"${column ?? ''}" = NULL`).join(', ')}`);
        db.exec("DELETE FROM _state WHERE name = 'rows'");
        refill(db, 0);
        expect(all()).toEqual(before);
      }),
      { numRuns: 100 },
    );
  });
});

describe('the views of a file of an earlier version', () => {
  it('have the columns that they had, but for those whose values may be of several types', () => {
    const path = join(temporaryFolder(), 'w.db');
    writeFileSync(path, gunzipSync(readFileSync('test/fixtures/warehouse-0.1.0.db.gz')));
    const columnsOf = (db: InstanceType<typeof Database>, view: string) =>
      db.prepare<[string], string>('SELECT name FROM pragma_table_info(?)').pluck().all(view);
    const earlier = new Database(path, { readonly: true });
    const before = DATASETS.map(({ table }) => [table, columnsOf(earlier, `${table}_all`)] as const);
    earlier.close();
    const { db } = open(path);
    const lost = before.flatMap(([table, names]) => {
      const now = new Set(columnsOf(db, `${table}_all`));
      return names.filter((name) => !now.has(name)).map((name) => `${table} ${name}`);
    });
    expect(before.flatMap(([, names]) => names).length).toBeGreaterThan(200);
    expect(lost.sort()).toEqual([
      'agent_decisions value',
      'agent_runs totals',
      'events response_value',
      // It was null in every record.
      'experiment_configs runtime',
      'ratings_sparse state_start_time',
      'variables value',
    ]);
  });
});

it('a field that gets a column of its own takes the name that it had as an unknown one', () => {
  const { path, close } = open();
  close();
  const db = new Database(path);
  const chat = datasetNamed('chat');
  db.exec(`INSERT INTO _column_names (relation, path, "column", type) VALUES
    ('chat', 'extra.messageType', 'message_type', 'text'), ('chat', 'extra.messageType', 'message_type_number', 'number');
    ALTER TABLE chat ADD COLUMN message_type_number REAL`);
  // So the file is as a version leaves it that does not know the field: the migration can add the column.
  releaseNames(db, [chat]);
  expect(db.prepare("SELECT 1 FROM pragma_table_info('chat') WHERE name = 'message_type'").all()).toEqual([]);
  expect(columnNames(db, 'chat').map(({ column }) => column)).toEqual(['message_type_number']);
  db.close();
});
