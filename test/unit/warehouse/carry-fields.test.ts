import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defineDataset, type Dataset } from '../../../src/datasets/define.ts';
import { normalise, type Row } from '../../../src/datasets/normalise.ts';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import { fallbackValues } from '../../../src/datasets/fallbacks.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import type { Json, JsonObject } from '../../../src/shared/json.ts';
import { carryFields } from '../../../src/warehouse/carry-fields.ts';
import { openEmpty } from '../../../src/warehouse/migrate.ts';
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
  carryFields(db, 0);
  const row = db.prepare<[], Record<string, unknown>>(`SELECT * FROM "${dataset.table}"`).get() ?? {};
  return { values: dataset.columns.map(({ name }) => row[name]), extra: row['extra'], key: row['key'], db };
}

describe('a field that gets a column in a later version', () => {
  it('is stored as a fresh reading of the same record would store it', () => {
    const db = openEmpty();
    const value = fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>;
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
        expect([values, extra, key]).toEqual([fresh.values, fresh.extra, fresh.key]);
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
    carryFields(db, 0);
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
      fields: { ...recordings.fields, roomId: { kind: 'text', about: '' } },
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
    carryFields(db, 0);
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
      db.prepare('SELECT deployment_id, value_answer FROM events_all WHERE deployment_id IS NOT NULL').all(),
    ).toEqual([{ deployment_id: 'dep_1', value_answer: 'ja' }]);
    expect(db.prepare('SELECT totals FROM agent_runs_all').pluck().all()).toEqual(['{"decisions":12,"cost":0.1}']);
    warehouse.close();
  });
});

it('rows with times in seconds since 1970 get the time that an earlier version did not read', () => {
  const db = openEmpty();
  const record = { id: 'a', timestamp: 1767323045.5 };
  prepareUpsert(db, events)('e', rowOf(events, record), '2026-01-01T00:00:00.000Z');
  db.exec('UPDATE events SET timestamp = NULL');
  carryFields(db, 0);
  expect(db.prepare('SELECT timestamp FROM events').pluck().get()).toBe('2026-01-02T03:04:05.500Z');
  expect([...records(db, events)].map(({ record: back }) => back)).toEqual([record]);
});
