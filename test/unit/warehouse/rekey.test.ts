import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { normalise } from '../../../src/datasets/normalise.ts';
import { defineDataset, snakeCase, type Dataset, type FieldSpec } from '../../../src/datasets/define.ts';
import { DATASETS, datasetNamed } from '../../../src/datasets/registry.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import { canonicalJson } from '../../../src/shared/json.ts';
import { numbered } from '../../../src/read/ordinals.ts';
import { markCutTexts, streamsWithCutTexts } from '../../../src/warehouse/cut-texts.ts';
import type { Db } from '../../../src/warehouse/open.ts';
import { migrate } from '../../../src/warehouse/migrate.ts';
import { rekey } from '../../../src/warehouse/rekey.ts';
import { records } from '../../../src/warehouse/records.ts';
import { openWarehouse } from '../../../src/warehouse/warehouse.ts';
import { temporaryFolder } from '../../support/lab.ts';

/** A warehouse that version 0.1.0 made; see test/fixtures/make-warehouse-0.1.0.mjs. */
function earlier(): string {
  const path = join(temporaryFolder(), 'w.db');
  writeFileSync(path, gunzipSync(readFileSync('test/fixtures/warehouse-0.1.0.db.gz')));
  return path;
}

const open = (path: string) => openWarehouse(path, { clock: systemClock, history: true });

/** What is said of a stream's completeness, which follows from its doubts now. */
const SAID = new Set(['complete', 'reason']);

/** The data types with the columns that a file has of them. */
function datasetsIn(db: Db): Dataset[] {
  const columns = db.prepare<[string], string>('SELECT name FROM pragma_table_info(?)').pluck();
  return DATASETS.flatMap((dataset) => {
    const names = new Set(columns.all(dataset.table));
    const fields = new Map(
      Object.entries(dataset.fields).flatMap(([field, spec]): [string, FieldSpec][] => {
        if (spec.kind === 'any' && names.has(`${snakeCase(field)}_type`)) return [[field, spec]];
        if (field !== 'experimentId' && !names.has(snakeCase(field))) return [];
        // What may be of any type was in one column, as it came.
        return [[field, spec.kind === 'any' ? { ...spec, kind: 'real' } : spec]];
      }),
    );
    if (names.has('totals')) fields.set('totals', { kind: 'json', about: '', privacy: 'none' });
    return names.size === 0 ? [] : [defineDataset({ ...dataset, fields: Object.fromEntries(fields) })];
  });
}

/** Every record of every table, by what it says. */
function held(db: Db): string[] {
  return datasetsIn(db)
    .flatMap((dataset) =>
      [...records(db, dataset)].map(
        ({ experimentId, record }) => `${dataset.name} ${experimentId} ${canonicalJson(record)}`,
      ),
    )
    .sort();
}

/** The same of a file of an earlier version, of which a copy gets the tables of this one. */
function heldBefore(path: string): string[] {
  copyFileSync(path, `${path}.copy`);
  const copy = new Database(`${path}.copy`);
  migrate(copy);
  const records = held(copy);
  copy.close();
  return records;
}

/** The columns of the tables whose rows may change in nothing but their keys. */
function columnsIn(db: Db): Map<string, Set<string>> {
  const tables = [
    ...datasetsIn(db).map(({ table }) => table),
    '_history',
    '_streams',
    '_quarantine',
    '_verified_rooms',
  ];
  const names = db.prepare<[string], string>('SELECT name FROM pragma_table_info(?)').pluck();
  return new Map(tables.map((table) => [table, new Set(names.all(table))]));
}

/** What a file has in these columns, without keys, notes and `extra`, as some fields had no column, or have none any more. */
function contents(db: Db, columns: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const isLeftOut = (table: string, name: string) =>
    name === 'key' ||
    (table === '_streams' && SAID.has(name)) ||
    ['totals', 'extra', 'null_fields', 'value', 'state_start_time'].includes(name);
  return [...columns].flatMap(([table, names]) =>
    db
      .prepare<[], Record<string, unknown>>(`SELECT * FROM "${table}"`)
      .all()
      .map((row) => Object.entries(row).filter(([name]) => names.has(name) && !isLeftOut(table, name)))
      .map((row) => `${table} ${JSON.stringify(Object.fromEntries(row))}`)
      .sort(),
  );
}

function keysOf(db: Db): string[] {
  return [...DATASETS.map(({ table }) => table), '_history'].flatMap((table) =>
    db.prepare<[], string>(`SELECT key FROM "${table}" ORDER BY rowid`).pluck().all(),
  );
}

/** The keys that a reading of what the table holds would give. */
function expectKeysOfAReading(db: Db): void {
  for (const dataset of DATASETS) {
    const experiments = db.prepare<[], string>(`SELECT DISTINCT experiment_id FROM "${dataset.table}"`).pluck().all();
    for (const experimentId of experiments) {
      const single = dataset.read === 'single' ? { key: experimentId } : {};
      const read = [...records(db, dataset, [experimentId])].map(({ record }) => {
        const row = normalise(dataset, record, { experimentId, ...single });
        if ('reason' in row) throw new Error(row.reason);
        return row;
      });
      const stored = db
        .prepare<[string], string>(`SELECT key FROM "${dataset.table}" WHERE experiment_id = ? ORDER BY key`)
        .pluck()
        .all(experimentId);
      const made = numbered(read).rows.map(({ key }) => key);
      expect(made.sort(), dataset.name).toEqual(stored.sort());
    }
  }
}

describe('a warehouse of version 0.1.0', () => {
  it('has the same records under the keys of this version, without history', () => {
    const path = earlier();
    const before = new Database(path, { readonly: true });
    const columns = columnsIn(before);
    const contained = contents(before, columns);
    before.close();
    const was = heldBefore(path);
    expect(was.length).toBeGreaterThan(500);
    const warehouse = open(path);
    expect(held(warehouse.db)).toEqual(was);
    expect(contents(warehouse.db, columns)).toEqual(contained);
    expectKeysOfAReading(warehouse.db);
    warehouse.close();
  });

  it('has unusual records under readable keys', () => {
    const warehouse = open(earlier());
    const { db } = warehouse;
    const keys = (sql: string) => db.prepare<[], string>(sql).pluck().all();
    const [first = '', second = ''] = keys('SELECT id FROM rooms ORDER BY created_at');
    expect(keys("SELECT key FROM events WHERE room_id = 'odd/room #1' ORDER BY key")).toEqual([
      'odd%2Froom %231/72',
      'odd%2Froom %231/number:71',
    ]);
    expect(keys("SELECT key FROM chat WHERE message_id IN ('x/1', 'a#2', 'half 50%2F') ORDER BY message_id")).toEqual([
      `${second}/a%232`,
      'half 50%252F',
      `${first}/x%2F1`,
    ]);
    const name = `${second}/p/c%2Fd/s%231/number:5`;
    expect(keys("SELECT key FROM components WHERE component_id = 'c/d' ORDER BY key")).toEqual([
      `${second}/p/c%2Fd//`,
      name,
      `${name}#2`,
      `${name}#3`,
    ]);
    expect(keys("SELECT key FROM recordings WHERE recording_id = 'sha256:x'")).toEqual([`${first}/sha256%3Ax`]);
    warehouse.close();
  });

  it('keeps the former versions of each row with it', () => {
    const warehouse = open(earlier());
    const { db } = warehouse;
    const changed = db.prepare<[], string>(
      "SELECT h.what FROM _history h JOIN events e USING (experiment_id, key) WHERE table_name = 'events'",
    );
    expect(changed.pluck().all()).toEqual(['changed']);
    const component = db.prepare<[], string>(
      `SELECT c.extra FROM _history h JOIN components c USING (experiment_id, key) WHERE table_name = 'components'`,
    );
    expect(component.pluck().all()).toEqual(['{"novelField":true}', '{"novelField":true}']);
    warehouse.close();
  });

  it('is not changed by a second opening, nor by one that finds some tables done', () => {
    const path = earlier();
    open(path).close();
    copyFileSync(path, `${path}.once`);
    const warehouse = open(path);
    const { db } = warehouse;
    const once = new Database(`${path}.once`, { readonly: true });
    const keys = keysOf(once);
    once.close();
    expect(keysOf(db)).toEqual(keys);
    const changes = db.prepare<[], number>('SELECT total_changes()').pluck();
    const before = changes.get();
    rekey(db, 0);
    expect(changes.get()).toBe(before);
    db.exec(
      `UPDATE _state SET value = json_replace(value, '$.tables', json('["events", "chat"]')) WHERE name = 'keys'`,
    );
    rekey(db, 0);
    expect(keysOf(db)).toEqual(keys);
    warehouse.close();
  });

  it('continues with the table at which it was interrupted, which was not changed', () => {
    const path = earlier();
    const db = new Database(path);
    migrate(db);
    db.exec(`CREATE TEMP TRIGGER ends BEFORE UPDATE OF key ON main.variables WHEN NEW.key LIKE '%choice%'
      BEGIN SELECT RAISE(ABORT, 'ended'); END`);
    const variables = () => db.prepare<[], string>('SELECT key FROM variables ORDER BY rowid').pluck().all();
    const before = variables();
    expect(() => rekey(db, 0)).toThrow('ended');
    expect(variables()).toEqual(before);
    expect(db.prepare<[], string>("SELECT value FROM _state WHERE name = 'keys'").pluck().get()).toContain(
      'components',
    );
    db.exec('DROP TRIGGER ends');
    rekey(db, 0);
    expectKeysOfAReading(db);
    db.close();
  });

  it('marks the streams whose texts may have been cut', () => {
    const warehouse = open(earlier());
    expect(streamsWithCutTexts(warehouse.db).map(({ data }) => data)).toEqual([
      'events',
      'chat',
      'eyetracking',
      'components',
    ]);
    warehouse.close();
  });

  it('has those streams read whole again, once', () => {
    const db = new Database(earlier());
    migrate(db);
    const marked = db.prepare<[], string>('SELECT data FROM _streams WHERE reread_reason IS NOT NULL ORDER BY data');
    markCutTexts(db, 0);
    expect(marked.pluck().all()).toEqual(['chat', 'components', 'events', 'eyetracking']);
    db.exec('UPDATE _streams SET reread_reason = NULL');
    markCutTexts(db, 0);
    expect(marked.all()).toEqual([]);
    db.close();
  });
});

describe('new keys that meet old ones', () => {
  it('take their places, even in a circle', () => {
    const warehouse = open(join(temporaryFolder(), 'w.db'));
    const { db } = warehouse;
    const stream = { experimentId: 'e', dataset: datasetNamed('chat'), scope: { kind: 'experiment' as const } };
    const rows = ['a', 'b', 'c'].map((messageId) => normalise(stream.dataset, { messageId }, { experimentId: 'e' }));
    warehouse.commit(stream, { rows: rows.filter((row) => 'key' in row) });
    db.exec("UPDATE chat SET key = '#' || message_id");
    db.exec("UPDATE chat SET key = CASE message_id WHEN 'a' THEN 'b' WHEN 'b' THEN 'c' ELSE 'a' END");
    db.exec("DELETE FROM _state WHERE name = 'keys'");
    rekey(db, 0);
    expect(db.prepare('SELECT key FROM chat WHERE key IS NOT message_id').all()).toEqual([]);
    warehouse.close();
  });
});
