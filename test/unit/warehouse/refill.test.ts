import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defineDataset, type Dataset } from '../../../src/datasets/define.ts';
import { normalise, type Row } from '../../../src/datasets/normalise.ts';
import { derivedValues } from '../../../src/datasets/derived.ts';
import { DATASETS, datasetNamed } from '../../../src/datasets/registry.ts';
import { fallbackValues } from '../../../src/datasets/fallbacks.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import { parseJson, type JsonObject } from '../../../src/shared/json.ts';
import type { SqlValue } from '../../../src/shared/sqlite.ts';
import { heldIn, heldNames } from '../../../src/warehouse/held.ts';
import { refill } from '../../../src/warehouse/refill.ts';
import { migrate, openEmpty, requireMigrated } from '../../../src/warehouse/migrate.ts';
import type { Db } from '../../../src/warehouse/open.ts';
import { records } from '../../../src/warehouse/records.ts';
import { prepareUpsert } from '../../../src/warehouse/upsert.ts';
import { openWarehouse } from '../../../src/warehouse/warehouse.ts';
import { temporaryFolder } from '../../support/lab.ts';

const events = datasetNamed('events');
const recordings = datasetNamed('recordings');
const NEW = new Set(['deploymentId', 'value', 'data']);

/** The data type as it was before it had these fields. */
function without(dataset: Dataset, fields: ReadonlySet<string>): Dataset {
  const kept = Object.entries(dataset.fields).filter(([field]) => !fields.has(field));
  return defineDataset({ ...dataset, fields: Object.fromEntries(kept) });
}

function rowOf(dataset: Dataset, record: JsonObject): Row {
  const row = normalise(dataset, record, { experimentId: 'e', fill: fallbackValues(dataset, record) });
  if ('reason' in row) throw new Error(row.reason);
  return row;
}

/** A warehouse in memory with a record as an earlier version stored it, brought up to this version. */
function carried(dataset: Dataset, before: Dataset, record: JsonObject, db: Db = openEmpty()) {
  db.exec(`DELETE FROM "${dataset.table}"; DELETE FROM _state`);
  prepareUpsert(db, before)('e', rowOf(before, record), '2026-01-01T00:00:00.000Z');
  refill(db, 0);
  const row = db.prepare<[], Record<string, SqlValue>>(`SELECT * FROM "${dataset.table}"`).get() ?? {};
  return { ...heldIn(heldNames(dataset).map((name) => row[name] ?? null)), key: row['key'], db };
}

describe('a field that gets a column in a later version', () => {
  it('is stored as a fresh reading of the same record would store it', () => {
    const db = openEmpty();
    // As an answer brings them: JSON of JavaScript's own numbers has no negative zero.
    const value = fc.jsonValue({ maxDepth: 2 }).map((sent) => parseJson(JSON.stringify(sent)));
    const member = fc.constantFrom(
      'deploymentId',
      'value',
      'data',
      'roomId',
      'sessionId',
      'onset',
      'timestamp',
      'note',
    );
    fc.assert(
      fc.property(fc.dictionary(member, value), (members) => {
        const record = { id: 'a', ...members };
        const { values, extra, key } = carried(events, without(events, NEW), record, db);
        const fresh = rowOf(events, record);
        const [now, then] = [extra, fresh.extra].map((text) => (text === null ? null : parseJson(text)));
        expect([values, now, key]).toEqual([fresh.values, then, fresh.key]);
      }),
      { numRuns: 200 },
    );
  });

  it('keeps the record and what was known from its request', () => {
    const before = without(events, NEW);
    const db = openEmpty();
    const record = { id: 'a', value: { answer: 3 }, data: 'no object', deploymentId: 'dep_1' };
    const row = normalise(before, record, { experimentId: 'e', fill: { roomId: 'room_1' } });
    if ('reason' in row) throw new Error(row.reason);
    prepareUpsert(db, before)('e', row, '2026-01-01T00:00:00.000Z');
    refill(db, 0);
    expect(db.prepare('SELECT room_id, deployment_id, value, data, extra FROM events').get()).toEqual({
      room_id: 'room_1',
      deployment_id: 'dep_1',
      value: '{"answer":3}',
      data: null,
      extra: '{"data":"no object","$absent":["roomId","experimentId"]}',
    });
    expect([...records(db, events)]).toEqual([{ experimentId: 'e', record }]);
  });

  it('fills the room of a recording from where the record names it', () => {
    const record = { recordingId: 'EG_1', metadata: { roomName: 'room_1' } };
    const before = defineDataset({
      ...recordings,
      fields: { ...recordings.fields, roomId: { kind: 'text', about: '', privacy: 'indirect' } },
    });
    const { values, extra, db } = carried(recordings, before, record);
    const fresh = rowOf(recordings, record);
    expect([values, extra]).toEqual([fresh.values, fresh.extra]);
    expect(db.prepare('SELECT room_id FROM recordings').pluck().get()).toBe('room_1');
    expect([...records(db, recordings)]).toEqual([{ experimentId: 'e', record }]);
  });

  it('is carried over once: a second opening reads no row', () => {
    const { db } = carried(events, without(events, NEW), { id: 'a', value: { answer: 1 } });
    db.exec(`UPDATE events SET value = NULL, extra = '{"value":{"answer":1}}'`);
    refill(db, 0);
    expect(db.prepare('SELECT value FROM events').pluck().get()).toBeNull();
  });

  it('is carried over from version 0.1.0 without history, and keeps its name in the view', () => {
    const path = join(temporaryFolder(), 'w.db');
    writeFileSync(path, gunzipSync(readFileSync('test/fixtures/warehouse-0.1.0.db.gz')));
    const earlier = new Database(path);
    const count = earlier.prepare('SELECT count(*) FROM _history').pluck();
    const before = count.get();
    earlier
      .prepare(
        "INSERT INTO agent_runs (experiment_id, key, totals, first_seen_at, synced_at) VALUES ('e', 'run', ?, '', '')",
      )
      .run('{"decisions":12,"cost":0.1}');
    earlier
      .prepare('UPDATE events SET extra = ? WHERE rowid = (SELECT max(rowid) FROM events)')
      .run('{"deploymentId":"dep_1","value":{"answer":"ja"}}');
    earlier.exec(
      "INSERT OR IGNORE INTO _seen_keys VALUES ('events', 'extra', 'deploymentId'), ('events', 'extra', 'value')",
    );
    earlier.close();
    const warehouse = openWarehouse(path, { clock: systemClock, history: true });
    const { db } = warehouse;
    expect(db.prepare('SELECT count(*) FROM _history').pluck().get()).toBe(before);
    expect(
      db.prepare('SELECT deployment_id, value_answer_text FROM events_all WHERE deployment_id IS NOT NULL').all(),
    ).toEqual([{ deployment_id: 'dep_1', value_answer_text: 'ja' }]);
    expect(db.prepare('SELECT totals FROM agent_runs_all').pluck().all()).toEqual(['{"decisions":12,"cost":0.1}']);
    warehouse.close();
  });
});

it('rows with times in seconds since 1970 get the time that an earlier version did not read', () => {
  const db = openEmpty();
  const record = { id: 'a', timestamp: 1767323045.5 };
  prepareUpsert(db, events)('e', rowOf(events, record), '2026-01-01T00:00:00.000Z');
  db.exec('UPDATE events SET timestamp = NULL');
  refill(db, 0);
  expect(db.prepare('SELECT timestamp FROM events').pluck().get()).toBe('2026-01-02T03:04:05.500Z');
  expect([...records(db, events)].map(({ record: back }) => back)).toEqual([record]);
});

const FIXTURE = gunzipSync(readFileSync('test/fixtures/warehouse-0.1.0.db.gz'));

/** A file of version 0.1.0, with this many messages more. */
function earlierFile(messages = 0): string {
  const path = join(temporaryFolder(), 'w.db');
  writeFileSync(path, FIXTURE);
  const db = new Database(path);
  db.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${messages})
    INSERT INTO chat (experiment_id, key, message_id, sender_id, timestamp, onset, first_seen_at, synced_at)
    SELECT 'e', 'm' || i, 'm' || i, 'p', '2026-01-02T03:04:05.678Z', i, '', '' FROM n WHERE ${messages} > 0`);
  db.close();
  return path;
}

const open = (path: string) => openWarehouse(path, { clock: systemClock, history: true });

/** Rows whose derived columns are not what a fresh reading would write. */
function unfilled(db: Db): unknown[] {
  return DATASETS.flatMap((dataset) => {
    const { table, columns, derived } = dataset;
    const rows = db.prepare<[], Record<string, string | number | null>>(`SELECT * FROM "${table}"`).all();
    return rows.flatMap((row) => {
      const expected = derivedValues(
        derived,
        columns.map(({ name }) => row[name] ?? null),
      );
      return derived.filter(({ name }, i) => row[name] !== expected[i]).map(({ name }) => [table, row['key'], name]);
    });
  });
}

describe('a column that follows from others', () => {
  it('is filled in every row of an earlier file', () => {
    const warehouse = open(earlierFile());
    expect(warehouse.db.prepare('SELECT count(timestamp_unix) FROM chat').pluck().get()).toBeGreaterThan(0);
    expect(unfilled(warehouse.db)).toEqual([]);
    warehouse.close();
  });

  it('is filled to the end by the next opening after a kill, while commands that only read refuse the file', () => {
    const path = earlierFile(5000);
    const killed = new Database(path);
    migrate(killed);
    killed.exec(`CREATE TEMP TRIGGER full BEFORE UPDATE ON chat WHEN OLD.key = 'm4500'
      BEGIN SELECT raise(ABORT, 'killed'); END`);
    expect(() => refill(killed, 0)).toThrow('killed');
    const filled = killed.prepare("SELECT count(timestamp_unix) FROM chat WHERE experiment_id = 'e'").pluck();
    expect(filled.get()).toBeGreaterThan(1900);
    expect(filled.get()).toBeLessThan(4500);
    expect(() => requireMigrated(killed)).toThrow(expect.objectContaining({ code: 'WAREHOUSE_OLDER' }) as Error);
    killed.exec("DROP TRIGGER full; UPDATE chat SET onset_s = -1 WHERE key = 'm1'");
    killed.close();
    const warehouse = open(path);
    // What was done before is not done again.
    expect(unfilled(warehouse.db)).toEqual([['chat', 'm1', 'onset_s']]);
    expect(() => requireMigrated(warehouse.db)).not.toThrow();
    warehouse.close();
  });
});

it('values that an earlier version kept in one column for all types are typed, and each record stays as it was', () => {
  const path = earlierFile();
  const db = new Database(path);
  db.exec('DELETE FROM variables; DELETE FROM agent_runs; DELETE FROM _streams');
  const values = [939286, 7.5, '7', 0, true, [1, 'a'], { a: 1 }, null];
  const insert = db.prepare(
    "INSERT INTO variables (experiment_id, key, variable, value, extra, first_seen_at, synced_at) VALUES ('e', ?, ?, ?, ?, '', '')",
  );
  values.forEach((value, i) => {
    const isPlain = typeof value === 'number' || typeof value === 'string';
    const extra = { $absent: ['experimentId'], ...(isPlain ? {} : { value }) };
    insert.run(`/v${i}/`, `v${i}`, isPlain ? value : null, JSON.stringify(extra));
  });
  const seeds = [12, 0.5, 'abc'];
  const run = db.prepare(
    "INSERT INTO agent_runs (experiment_id, key, id, seed, extra, first_seen_at, synced_at) VALUES ('e', ?, ?, ?, ?, '', '')",
  );
  seeds.forEach((seed, i) => run.run(`r${i}`, `r${i}`, seed, '{"$absent":["experimentId"]}'));
  db.close();
  const warehouse = open(path);
  const read = (data: string) => [...records(warehouse.db, datasetNamed(data))].map(({ record }) => record);
  expect(read('variables')).toEqual(values.map((value, i) => ({ variable: `v${i}`, value })));
  expect(read('agent-runs')).toEqual(seeds.map((seed, i) => ({ id: `r${i}`, seed })));
  const sql = 'SELECT value_type, value_number, value_text, value_json FROM variables ORDER BY key';
  expect(warehouse.db.prepare(sql).raw().all()).toEqual([
    ['integer', 939286, null, null],
    ['number', 7.5, null, null],
    ['text', null, '7', null],
    ['integer', 0, null, null],
    ['boolean', 1, null, null],
    ['list', null, null, '[1,"a"]'],
    ['object', null, null, '{"a":1}'],
    [null, null, null, null],
  ]);
  const seed = warehouse.db.prepare("SELECT seed, typeof(seed), extra ->> '$.seed' FROM agent_runs ORDER BY key");
  expect(seed.raw().all()).toEqual([
    [12, 'integer', null],
    [null, 'null', 0.5],
    [null, 'null', 'abc'],
  ]);
  warehouse.close();
});
