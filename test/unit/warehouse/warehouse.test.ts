import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { denormalise, normalise } from '../../../src/datasets/normalise.ts';
import { DATASETS, datasetNamed } from '../../../src/datasets/registry.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import { canonicalJson, parseJson, type Json } from '../../../src/shared/json.ts';
import { columnNames, isColumn } from '../../../src/warehouse/column-names.ts';
import { migrate } from '../../../src/warehouse/migrate.ts';
import { filesystemOf, openForReading, PRAGMAS, refuseSharedFilesystem } from '../../../src/warehouse/open.ts';
import { records } from '../../../src/warehouse/records.ts';
import { openWarehouse, type Warehouse } from '../../../src/warehouse/warehouse.ts';
import { temporaryFolder } from '../../support/lab.ts';

const events = datasetNamed('events');
const stream = { experimentId: 'e', dataset: events, scope: { kind: 'experiment' as const } };

function open(path = join(temporaryFolder(), 'w.db'), history = true): Warehouse {
  return openWarehouse(path, { clock: systemClock, history });
}
function row(record: Json, dataset = events) {
  const made = normalise(dataset, record, { experimentId: 'e' });
  if ('reason' in made) throw new Error(made.reason);
  return made;
}

describe('the warehouse', () => {
  it('has a STRICT table for each data type', () => {
    const warehouse = open();
    const tables = warehouse.db
      .prepare<[], { name: string; strict: number }>(
        "SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite%'",
      )
      .all();
    expect(tables.filter(({ strict, name }) => strict === 0 && name !== '__drizzle_migrations')).toEqual([]);
    const mixed = warehouse.db.prepare(
      "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE '\\_\\_%' ESCAPE '\\' AND c.type NOT IN ('TEXT', 'INTEGER', 'REAL')",
    );
    expect(mixed.raw().all(), 'columns of another kind').toEqual([]);
    expect(tables.map(({ name }) => name)).toEqual(expect.arrayContaining(DATASETS.map(({ table }) => table)));
    warehouse.close();
  });

  it('reports a full disk if its first migration fails because of it', () => {
    const db = new Database(join(temporaryFolder(), 'w.db'));
    db.pragma('max_page_count = 20');
    expect(() => migrate(db)).toThrow(expect.objectContaining({ code: 'SQLITE_FULL' }) as Error);
    db.close();
  });

  it('has the declared columns, indexes and types', () => {
    const warehouse = open();
    for (const { table, columns, derived } of DATASETS) {
      const found = warehouse.db.prepare<[string], string>('SELECT name FROM pragma_table_info(?)').pluck().all(table);
      // A column that a later version adds stands at the end.
      const common = ['experiment_id', 'key', 'extra', 'first_seen_at', 'synced_at', 'synced_run', 'null_fields'];
      const members = columnNames(warehouse.db, table)
        .filter(isColumn)
        .map(({ column }) => column);
      expect(found.toSorted(), table).toEqual(
        [...common, ...[...columns, ...derived].map(({ name }) => name), ...members].sort(),
      );
    }
    const plan = warehouse.db
      .prepare<[], { detail: string }>(
        "EXPLAIN QUERY PLAN SELECT * FROM events WHERE participant_id = 'p' ORDER BY timestamp",
      )
      .all();
    expect(plan.map(({ detail }) => detail).join()).toContain('events_by_participant_and_time');
    warehouse.close();
  });

  it('writes with the pragmas on which its promises depend', () => {
    const warehouse = open();
    for (const [name, value] of Object.entries(PRAGMAS))
      expect(warehouse.db.pragma(name, { simple: true }), name).toBe(value);
    warehouse.close();
  });

  it('keeps every record exactly as it came', () => {
    const warehouse = open();
    fc.assert(
      fc.property(
        fc.uniqueArray(
          fc.dictionary(
            fc.oneof(fc.constantFrom(...Object.keys(events.fields)), fc.string({ unit: 'binary' })),
            fc.jsonValue({ maxDepth: 2 }),
            { noNullPrototype: true, maxKeys: 8 },
          ),
          { selector: (record) => JSON.stringify(record), minLength: 1, maxLength: 8 },
        ),
        (batch) => {
          warehouse.db.exec('DELETE FROM events');
          const texts = batch.map((record, i) => JSON.stringify({ ...record, id: `evt_${i}` }));
          warehouse.commit(stream, { rows: texts.map((text) => row(parseJson(text))) });
          const back = [...records(warehouse.db, events)].map(({ record }) => canonicalJson(record)).sort();
          expect(back).toEqual(texts.map((text) => canonicalJson(parseJson(text))).sort());
        },
      ),
      { numRuns: 200 },
    );
    warehouse.close();
  });

  it('counts inserted, updated and unchanged rows, and keeps former versions', () => {
    const warehouse = open();
    const first = row({ id: 'a', content: 'one', duration: 0.1 + 0.2 });
    expect(warehouse.commit(stream, { rows: [first] })).toMatchObject({ inserted: 1, updated: 0, unchanged: 0 });
    expect(warehouse.commit(stream, { rows: [first] })).toMatchObject({ inserted: 0, updated: 0, unchanged: 1 });
    expect(warehouse.commit(stream, { rows: [row({ id: 'a', content: 'two' })] })).toMatchObject({
      inserted: 0,
      updated: 1,
      unchanged: 0,
    });
    expect(warehouse.commit(stream, { rows: [], deleted: ['a'] })).toMatchObject({ deleted: 1 });
    const kept = warehouse.db
      .prepare<[], { what: string; record: string }>('SELECT what, record FROM _history ORDER BY id')
      .all();
    expect(kept.map(({ what }) => what)).toEqual(['changed', 'deleted']);
    expect(JSON.parse(kept[0]?.record ?? '')).toMatchObject({ content: 'one', duration: 0.1 + 0.2 });
    warehouse.close();
  });

  it('keeps no history if it is turned off', () => {
    const warehouse = open(undefined, false);
    warehouse.commit(stream, { rows: [row({ id: 'a', content: 'one' })] });
    warehouse.commit(stream, { rows: [row({ id: 'a', content: 'two' })] });
    expect(warehouse.db.prepare('SELECT count(*) FROM _history').pluck().get()).toBe(0);
    warehouse.close();
  });

  it('commits rows and position together or not at all', () => {
    const warehouse = open();
    const broken = { ...row({ id: 'b' }), values: [Symbol('no SQL value') as never] };
    expect(() => warehouse.commit(stream, { rows: [row({ id: 'a' }), broken], position: { watermark: 1 } })).toThrow();
    expect(
      warehouse.db.prepare('SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM _streams)').pluck().get(),
    ).toBe(0);
    warehouse.close();
  });

  it('allows one writer at a time, and the next one after the first has closed', () => {
    const path = join(temporaryFolder(), 'w.db');
    const warehouse = open(path);
    expect(() => open(path)).toThrow(expect.objectContaining({ code: 'WAREHOUSE_BUSY', exitStatus: 5 }));
    expect(openForReading(path).prepare('SELECT count(*) FROM events').pluck().get()).toBe(0);
    warehouse.close();
    open(path).close();
  });

  it('shows unknown and nested fields as columns of a view', () => {
    const warehouse = open();
    warehouse.commit(stream, {
      rows: [
        row({
          id: 'a',
          response: { value: 3, responseTime: 12 },
          novelField: 'x',
          onset: 'late',
          "it's": 1,
          'a"b': 2,
          '\0': 3,
        }),
      ],
    });
    warehouse.tendForReaders();
    expect(
      warehouse.db
        .prepare(
          'SELECT response_value_number, response_response_time, novel_field, onset, onset_text, it_s FROM events_all',
        )
        .get(),
    ).toEqual({
      response_value_number: 3,
      response_response_time: 12,
      novel_field: 'x',
      onset: null,
      onset_text: 'late',
      it_s: 1,
    });
    warehouse.close();
  });

  it('explains no column that its table lost', () => {
    const path = join(temporaryFolder(), 'w.db');
    open(path).close();
    const db = new Database(path);
    db.exec(
      "INSERT INTO _data_dictionary (table_name, column_name, type, meaning, source) VALUES ('chat', 'gone', 'TEXT', '', '')",
    );
    db.close();
    const warehouse = open(path);
    expect(warehouse.db.prepare("SELECT 1 FROM _data_dictionary WHERE column_name = 'gone'").all()).toEqual([]);
    warehouse.close();
  });

  it('has numbers beside times and onsets, and the same things under the same names', () => {
    const warehouse = open();
    const chat = datasetNamed('chat');
    const write = (record: Json) => warehouse.commit({ ...stream, dataset: chat }, { rows: [row(record, chat)] });
    const read = () =>
      warehouse.db.prepare('SELECT timestamp_unix, onset, onset_s, sender_id, participant_id FROM chat_all').get();
    const message = { messageId: 'm', senderId: 'p', timestamp: '2026-01-02T03:04:05.678Z', onset: 1234 };
    write(message);
    const asRead = { timestamp_unix: 1767323045.678, onset: 1234, onset_s: 1.234, sender_id: 'p', participant_id: 'p' };
    expect(read()).toEqual(asRead);
    write({ ...message, onset: 2000 });
    expect(read()).toEqual({ ...asRead, onset: 2000, onset_s: 2 });
    expect(JSON.parse(String(warehouse.db.prepare('SELECT record FROM _history').pluck().get()))).not.toHaveProperty(
      'onset_s',
    );
    warehouse.close();
  });

  it('names the table beside the data type in _freshness', () => {
    const warehouse = open();
    for (const dataset of DATASETS) warehouse.commit({ ...stream, dataset }, { rows: [], position: { watermark: 1 } });
    expect(warehouse.db.prepare('SELECT data, table_name FROM _freshness ORDER BY data').raw().all()).toEqual(
      DATASETS.map(({ name, table }) => [name, table]).sort(),
    );
    warehouse.close();
  });

  it('keeps each malformed record in the quarantine once', () => {
    const warehouse = open();
    const bad = [{ reason: 'not an object', text: '"text"' }];
    warehouse.commit(stream, { rows: [], bad });
    warehouse.commit(stream, { rows: [], bad });
    expect(warehouse.db.prepare('SELECT reason, record FROM _quarantine').all()).toEqual([
      { reason: 'not an object', record: '"text"' },
    ]);
    warehouse.close();
  });

  it('refuses a file from a newer version, and one that is not a database, and changes neither', () => {
    const path = join(temporaryFolder(), 'w.db');
    const warehouse = open(path);
    warehouse.db.prepare('INSERT INTO __drizzle_migrations (hash, created_at) VALUES (?, ?)').run('future', 9e15);
    warehouse.close();
    expect(() => open(path)).toThrow(expect.objectContaining({ code: 'WAREHOUSE_NEWER', exitStatus: 4 }));
    const text = join(temporaryFolder(), 'text.db');
    writeFileSync(text, 'this is no database, only some text that was saved under that name');
    expect(() => open(text)).toThrow(expect.objectContaining({ code: 'WAREHOUSE_CORRUPT', exitStatus: 4 }));
  });

  it('gives a new file the tables and rows that its migrations make one after the other', () => {
    const single = join(temporaryFolder(), 'migrations');
    cpSync('migrations', single, { recursive: true });
    rmSync(join(single, 'whole.sql'));
    const [atOnce, inSteps] = [undefined, single].map((folder) => {
      const db = new Database(':memory:');
      expect(migrate(db, folder)).toEqual([]);
      const made = db.prepare('SELECT type, name, sql FROM sqlite_schema ORDER BY type, name').all();
      const applied = db.prepare('SELECT * FROM __drizzle_migrations ORDER BY created_at').all();
      db.close();
      return { made, applied };
    });
    expect(atOnce).toEqual(inSteps);
  });

  it('backs up a file with data before it changes tables', () => {
    const folder = temporaryFolder();
    const older = join(folder, 'migrations');
    cpSync('migrations', older, { recursive: true });
    const path = join(folder, 'w.db');
    const db = new Database(path);
    migrate(db, older);
    const journal = join(older, 'meta', '_journal.json');
    const entries = [{ idx: 0, version: '6', when: 9e14, tag: '0001_next', breakpoints: true }];
    writeFileSync(journal, JSON.stringify({ version: '7', dialect: 'sqlite', entries }));
    writeFileSync(join(older, '0001_next.sql'), 'CREATE TABLE `added` (`a` text) STRICT;');
    migrate(db, older);
    expect(db.prepare('SELECT count(*) FROM added').pluck().get()).toBe(0);
    expect(readdirSync(folder).filter((name) => name.includes('.before-'))).toEqual(['w.db.before-0001_next']);
    db.close();
  });

  it('detects and refuses a network filesystem', () => {
    const mounts = [
      { at: '/', type: 'ext4' },
      { at: '/tmp', type: 'nfs4' },
    ];
    expect(filesystemOf('/tmp/not/there/yet.db', mounts)).toBe('nfs4');
    expect(filesystemOf('/usr', mounts)).toBe('ext4');
    expect(() => refuseSharedFilesystem('/tmp/x.db', mounts)).toThrow(
      expect.objectContaining({ code: 'WAREHOUSE_FILESYSTEM' }),
    );
  });

  it.skipIf(process.getuid?.() !== 0)(
    'can be read by a member of its folder’s group who may write neither the folder nor the file',
    () => {
      const folder = temporaryFolder();
      chmodSync(folder, 0o750);
      chownSync(folder, 0, 65534);
      const path = join(folder, 'w.db');
      open(path).close();
      const script = `import sqlite3; print(sqlite3.connect("file:${path}?mode=ro", uri=True).execute("SELECT count(*) FROM events").fetchone()[0])`;
      const out = execFileSync('python3', ['-c', script], {
        uid: 65534,
        gid: 65534,
        encoding: 'utf8',
        env: { PATH: '/usr/bin:/bin' },
      });
      expect(out.trim()).toBe('0');
    },
  );

  it('reports a folder that cannot be written', () => {
    const file = join(temporaryFolder(), 'a-file');
    writeFileSync(file, '');
    expect(() => open(join(file, 'w.db'))).toThrow(
      expect.objectContaining({ code: 'WAREHOUSE_UNWRITABLE', exitStatus: 4 }),
    );
  });

  it('rolls back the transaction and reports it if the disk is full', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'x'));
    const warehouse = open(join(folder, 'x', 'w.db'));
    warehouse.db.pragma(`max_page_count = ${Number(warehouse.db.pragma('page_count', { simple: true })) + 2}`);
    const rows = Array.from({ length: 2000 }, (_, i) => row({ id: `evt_${i}`, content: 'x'.repeat(200) }));
    expect(() => warehouse.commit(stream, { rows })).toThrow(
      expect.objectContaining({ code: 'WAREHOUSE_FULL', exitStatus: 4 }),
    );
    expect(warehouse.db.prepare('SELECT count(*) FROM events').pluck().get()).toBe(0);
    warehouse.close();
  });

  it.each([
    ['moved away', false],
    ['replaced', true],
  ])('writes nothing more once its file was %s, and does not touch the new file', (_what, isReplaced) => {
    const path = join(temporaryFolder(), 'w.db');
    const warehouse = open(path);
    warehouse.commit(stream, { rows: [row({ id: 'evt_1' })] });
    renameSync(path, `${path}.former`);
    if (isReplaced) writeFileSync(path, 'a backup');
    expect(() => warehouse.commit(stream, { rows: [row({ id: 'evt_2' })] })).toThrow(
      expect.objectContaining({
        code: 'WAREHOUSE_CORRUPT',
        message: `The file ${path} was moved, deleted or replaced while it was open. Nothing more is written.`,
      }),
    );
    warehouse.close();
    expect(existsSync(path)).toBe(isReplaced);
    if (isReplaced) expect(readFileSync(path, 'utf8')).toBe('a backup');
    const former = new Database(`${path}.former`, { readonly: true });
    expect(former.prepare('SELECT id FROM events').pluck().all()).toEqual(['evt_1']);
    former.close();
  });

  it('restores a record that names another experiment', () => {
    const made = row({ id: 'a', experimentId: 'other' });
    expect(denormalise(events, { ...made, experimentId: 'e' })).toEqual({ id: 'a', experimentId: 'other' });
  });
});
