import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { makeSnapshot } from '../../src/export/snapshot/make.ts';
import { readManifest, tablesOfFile } from '../../src/export/snapshot/manifest.ts';
import { startSimulator } from '../../src/simulator/server.ts';
import { hsw } from '../support/command.ts';

/** A warehouse of two experiments, made once. */
let cwd = '';
let ids: readonly string[] = [];
let db: Database.Database;

beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'hsw-'));
  const simulator = await startSimulator({ world: { experiments: 2, roomsPerExperiment: 1 } });
  ids = simulator.world.experimentIds;
  const yaml = `api: { baseUrl: "${simulator.url}" }\nwarehouse: { path: w.db }\nexperiments: [{ all: true }]\n`;
  writeFileSync(join(cwd, 'config.yaml'), yaml);
  const synced = await hsw(['sync', 'now'], { cwd, env: { HYPERSTUDY_API_KEY: simulator.key } });
  await simulator.close();
  expect(synced.status).toBe(0);
  // Texts that are hard to write.
  const strange = ['', '=1+1', 'a,b;"c"\r\nd', '-5', '\t@SUM(A1)', 'NA ä 🎓'];
  const writer = new Database(join(cwd, 'w.db'));
  const chat = writer.prepare('SELECT rowid FROM chat ORDER BY key').pluck().all();
  for (const [i, text] of strange.entries())
    writer.prepare('UPDATE chat SET content = ? WHERE rowid = ?').run(text, chat[i]);
  writer.close();
  db = new Database(join(cwd, 'w.db'), { readonly: true });
  return () => {
    db.close();
    rmSync(cwd, { recursive: true, force: true });
  };
});

/** Of a description in the words of schema.org. */
const Variable = z.object({ '@type': z.literal('PropertyValue'), name: z.string(), description: z.string().min(1) });

const snapshot = (...flags: readonly string[]) => hsw(['snapshot', ...flags], { cwd });
const inFolder = (...names: readonly string[]) => join(cwd, ...names);
const sorted = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).sort();
/** The rows of a table of the warehouse, in the columns' order. */
const held = (table: string, where = '') => db.prepare(`SELECT * FROM "${table}" ${where}`).raw().all();

/** The records of a CSV text; undefined for a cell that is empty and not in quotes. */
function parse(text: string, separator: string): (string | undefined)[][] {
  const rows: (string | undefined)[][] = [[]];
  const cell = new RegExp(`("(?:[^"]|"")*"|[^"${separator}\\r\\n]*)(${separator}|\\r\\n)`, 'gy');
  for (const [, value = '', end] of text.matchAll(cell)) {
    rows
      .at(-1)
      ?.push(value.startsWith('"') ? value.slice(1, -1).replaceAll('""', '"') : value === '' ? undefined : value);
    if (end === '\r\n') rows.push([]);
  }
  rows.pop();
  return rows;
}

describe('hsw snapshot', () => {
  it('writes an SQLite file with the same rows, columns and views, and without internal tables', async () => {
    const done = await snapshot('plain');
    expect(done).toMatchObject({ status: 0, stderr: '' });
    expect(done.stdout).toMatch(/plain: 2 experiments, \d+ tables, [\d,]+ rows, [\d.]+ MB, complete\.\n$/);
    const path = inFolder('plain', 'plain.sqlite');
    expect(readdirSync(inFolder('plain')).sort()).toEqual(['datapackage.json', 'manifest.json', 'plain.sqlite']);
    for (const name of readdirSync(inFolder('plain')))
      expect(statSync(inFolder('plain', name)).mode & 0o777).toBe(0o600);
    // Bytes 18 and 19 say whether a file needs a write-ahead log, which read-only media cannot have.
    expect([...readFileSync(path).subarray(18, 20)]).toEqual([1, 1]);
    const copy = new Database(path, { readonly: true });
    const relations = copy
      .prepare("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')")
      .pluck()
      .all()
      .map(String);
    expect(relations.filter((name) => name.startsWith('_')).sort()).toEqual([
      '_about',
      '_answer_metadata',
      '_data_dictionary',
      '_experiment_starts',
      '_freshness',
      '_tables',
      '_values',
    ]);
    const readable = db
      .prepare("SELECT name FROM _tables WHERE kind <> 'own' AND name <> '_values'")
      .pluck()
      .all()
      .map(String);
    expect(relations.filter((name) => !name.startsWith('_')).sort()).toEqual(readable.sort());
    for (const name of relations.filter((one) => one !== '_tables' && one !== '_data_dictionary')) {
      const rows = copy.prepare(`SELECT * FROM "${name}"`).raw().all();
      expect([name, sorted(rows)]).toEqual([name, sorted(held(name))]);
    }
    expect(
      copy.prepare('SELECT count(*) FROM _tables WHERE name NOT IN (SELECT name FROM sqlite_schema)').pluck().get(),
    ).toBe(0);
    expect(copy.pragma('integrity_check', { simple: true })).toBe('ok');
    copy.close();
  });

  it('writes CSV files whose cells are the values, and the same bytes each time', async () => {
    await snapshot('csv-1', '--format', 'csv');
    await snapshot('csv-2', '--format', 'csv');
    const { resources } = readManifest(inFolder('csv-1'));
    expect(resources.length).toBeGreaterThan(30);
    expect(readManifest(inFolder('csv-2')).resources).toEqual(resources);
    for (const { name, path, hash, bytes, ...rest } of resources) {
      const file = readFileSync(inFolder('csv-1', path));
      expect([hash, bytes]).toEqual([`sha256:${createHash('sha256').update(file).digest('hex')}`, file.length]);
      const [head, ...rows] = parse(file.toString(), ',');
      const [table] = tablesOfFile({ name, path, hash, bytes, ...rest });
      expect(head).toEqual(table?.schema.fields.map((field) => field.name));
      expect(rows.length).toBe(table?.rows);
      const values = held(name).map((row) =>
        (row as (string | number | null)[]).map((value) => (value === null ? undefined : String(value))),
      );
      if (!['_tables', '_data_dictionary'].includes(name)) expect([name, sorted(rows)]).toEqual([name, sorted(values)]);
    }
  });

  it('writes CSV files for Excel: with a byte-order mark, decimal commas, NA, and no formulas', async () => {
    await snapshot('excel', '--format', 'csv', '--excel');
    const text = readFileSync(inFolder('excel', 'chat.csv'), 'utf8');
    expect(text.startsWith('\uFEFFexperiment_id;key;')).toBe(true);
    const [head = [], ...rows] = parse(text.slice(1), ';');
    const content = rows.map((row) => row[head.indexOf('content')]);
    expect(content).toEqual(
      expect.arrayContaining([undefined, "'=1+1", 'a,b;"c"\r\nd', "'-5", "'\t@SUM(A1)", 'NA ä 🎓']),
    );
    const [names = [], ...ratings] = parse(
      readFileSync(inFolder('excel', 'ratings_continuous.csv'), 'utf8').slice(1),
      ';',
    );
    const [found] = db
      .prepare(
        'SELECT key, timestamp_unix FROM ratings_continuous WHERE timestamp_unix <> round(timestamp_unix) LIMIT 1',
      )
      .raw()
      .all() as [string, number][];
    const row = ratings.find((one) => one[names.indexOf('key')] === found?.[0]);
    expect(row?.[names.indexOf('timestamp_unix')]).toBe(String(found?.[1]).replace('.', ','));
    expect(ratings.flat().filter((cell) => cell === undefined)).toEqual([]);
    const wrong = await snapshot('excel', '--excel');
    expect([wrong.status, wrong.stderr]).toEqual([2, expect.stringContaining('--excel is for CSV files only')]);
  });

  it('writes a Psych-DS data set: files named by keywords, and a description of every column', async () => {
    expect((await snapshot('paper_1', '--format', 'psych-ds')).status).toBe(0);
    const folder = inFolder('paper_1');
    const files = readdirSync(join(folder, 'data'));
    // The rules of https://psychds-docs.readthedocs.io (read in November 2026).
    for (const name of files) expect(name).toMatch(/^([a-z]+-[a-zA-Z0-9]+)(_[a-z]+-[a-zA-Z0-9]+)*_data\.csv$/);
    const description: unknown = JSON.parse(readFileSync(join(folder, 'dataset_description.json'), 'utf8'));
    const measured = files.flatMap((name) => parse(readFileSync(join(folder, 'data', name), 'utf8'), ',')[0] ?? []);
    expect(description).toMatchObject({ '@context': 'https://schema.org', '@type': 'Dataset', name: 'paper_1' });
    const { variableMeasured } = z.object({ variableMeasured: z.array(Variable) }).parse(description);
    expect(variableMeasured.map(({ name }) => name).sort()).toEqual([...new Set(measured)].sort());
    const ratings = files.find((name) => name.includes('ratingsContinuous')) ?? '';
    expect(parse(readFileSync(join(folder, 'data', ratings), 'utf8'), ',').length - 1).toBe(
      held('ratings_continuous').length,
    );
    expect(readFileSync(join(folder, 'README.md'), 'utf8')).toContain(`data/${ratings}`);
    expect((await snapshot('verify', folder)).status).toBe(0);
    writeFileSync(join(folder, 'data', 'mine.csv'), 'x');
    expect((await snapshot('verify', folder)).stdout).toContain('data/mine.csv: the manifest does not name it.');
    expect((await snapshot('paper_1', '--format', 'psych-ds')).stderr).toContain('data/mine.csv');
    rmSync(join(folder, 'data', 'mine.csv'));
    expect((await snapshot('paper_1', '--format', 'psych-ds')).status).toBe(0);
  });

  it('holds only the experiments that are named, with or without a configuration', async () => {
    const [first = '', second = ''] = ids;
    await snapshot('one', '--experiment', first);
    const done = await hsw(['--json', 'snapshot', 'alone', '--warehouse', inFolder('w.db'), '--experiment', first], {
      cwd,
    });
    expect(JSON.parse(done.stdout)).toMatchObject({ complete: true, experiments: [first] });
    const [one, alone] = ['one', 'alone'].map((name) => readFileSync(inFolder(name, `${name}.sqlite`)));
    expect(alone?.equals(one ?? Buffer.alloc(0))).toBe(true);
    expect(one?.includes(first)).toBe(true);
    expect(one?.includes(second)).toBe(false);
    expect(readFileSync(inFolder('one', 'manifest.json')).includes(second)).toBe(false);
    expect(await snapshot('none', '--experiment', 'exp_none')).toMatchObject({ status: 2 });
  });

  it('describes each column as the dictionary does, and how the data were accounted for', () => {
    const { resources, hyperstudy } = readManifest(inFolder('csv-1'));
    const events = resources.find(({ name }) => name === 'events');
    const fields = events === undefined ? [] : (tablesOfFile(events)[0]?.schema.fields ?? []);
    const dictionary = db
      .prepare(
        "SELECT column_name, meaning, coalesce(unit, '') FROM _data_dictionary WHERE table_name = 'events' AND type <> 'none'",
      )
      .raw()
      .all();
    expect(sorted(fields.map(({ name, description, unit = '' }) => [name, description, unit]))).toEqual(
      sorted(dictionary),
    );
    expect(fields.find(({ name }) => name === 'timestamp')?.type).toBe('datetime');
    const totals = db
      .prepare('SELECT experiment_id, data, sum(rows), sum(api_total) FROM _freshness GROUP BY 1, 2')
      .raw()
      .all();
    expect(
      sorted(hyperstudy.accounting.map(({ experiment, data, rows, apiTotal }) => [experiment, data, rows, apiTotal])),
    ).toEqual(sorted(totals));
    expect(hyperstudy).toMatchObject({ complete: true, lacks: [], options: { format: 'csv', excel: false } });
  });

  it('refuses data that may be incomplete, and says so in the manifest where it may write them', async () => {
    copyFileSync(inFolder('w.db'), inFolder('holes.db'));
    const writer = new Database(inFolder('holes.db'));
    writer.exec(`UPDATE _streams SET complete = 0, reason = '3 rows are missing',
      doubts = '[{"kind":"missing-upstream","text":"3 rows are missing","count":3}]' WHERE data = 'chat'`);
    writer.close();
    const refused = await snapshot('holes', '--warehouse', 'holes.db');
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/^! .*of chat.*3 rows are missing.*\n(!.*\n)?✗ .* so no snapshot was made\./);
    expect(refused.stderr).toContain('--allow-incomplete');
    expect(readdirSync(cwd)).not.toContain('holes');
    const allowed = await snapshot('holes', '--warehouse', 'holes.db', '--allow-incomplete');
    expect([allowed.status, allowed.stdout, allowed.stderr]).toEqual([
      0,
      expect.stringContaining('may be incomplete'),
      expect.stringContaining('of chat'),
    ]);
    const { hyperstudy } = readManifest(inFolder('holes'));
    expect([hyperstudy.complete, hyperstudy.lacks.join()]).toEqual([
      false,
      expect.stringContaining('3 rows are missing'),
    ]);
  });

  it('leaves the former snapshot when it is interrupted, or when the file cannot be written', async () => {
    await snapshot('kept');
    const before = readFileSync(inFolder('kept', 'manifest.json'), 'utf8');
    const stop = new AbortController();
    const wanted = {
      name: 'kept',
      target: inFolder('kept'),
      format: 'csv',
      isForExcel: false,
      experiments: ids,
    } as const;
    const about = { lacks: [], isComplete: true, unreadable: [], created: '2026-01-12T09:00:00.000Z', options: {} };
    const rows = (table: string) => {
      if (table === 'events') stop.abort(new Error('stopped'));
    };
    await expect(makeSnapshot(db, { ...wanted, ...about }, { signal: stop.signal, rows })).rejects.toThrow('stopped');
    expect(readFileSync(inFolder('kept', 'manifest.json'), 'utf8')).toBe(before);
    for (const format of ['csv', 'sqlite', 'parquet']) {
      // The system refuses files above this size, as it would on a full disk.
      const script = `ulimit -f 100; exec "${process.execPath}" "${join(import.meta.dirname, '../../dist/main.js')}" snapshot kept --format ${format}`;
      const { status, stderr } = spawnSync('bash', ['-c', script], { cwd, encoding: 'utf8' });
      expect([format, status, stderr]).toEqual([format, 4, expect.stringContaining('kept is as it was before')]);
    }
    expect(readFileSync(inFolder('kept', 'manifest.json'), 'utf8')).toBe(before);
    expect(readdirSync(cwd).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('says which data the key may not read, in the manifest too', async () => {
    copyFileSync(inFolder('w.db'), inFolder('unreadable.db'));
    const doubts = JSON.stringify([{ kind: 'no-scope', text: 'the key lacks the scope read:eyetracking' }]);
    const copy = new Database(inFolder('unreadable.db'));
    copy
      .prepare(
        "UPDATE _streams SET complete = 0, last_status = 'skipped', data_as_of = NULL, doubts = ? WHERE data = 'eyetracking'",
      )
      .run(doubts);
    copy.close();
    const made = await snapshot('partly', '--warehouse', 'unreadable.db');
    expect([made.status, made.stderr]).toEqual([
      0,
      '! The key may not read eyetracking: the snapshot does not have them.\n',
    ]);
    expect(made.stdout).toContain('complete as far as the key may read.');
    expect(readManifest(inFolder('partly')).hyperstudy.unreadable).toEqual(['eyetracking']);
  });

  it('takes an experiment by its name', async () => {
    const [id = ''] = ids;
    const name = String(db.prepare('SELECT name FROM experiments WHERE experiment_id = ?').pluck().get(id));
    expect((await snapshot('named', '--experiment', name)).status).toBe(0);
    expect(readManifest(inFolder('named')).hyperstudy.experiments).toEqual([id]);
  });

  it('refuses names that lead elsewhere, and formats that there are not', async () => {
    for (const name of ['../up', 'a b', 'verify']) expect((await snapshot(name)).status).toBe(2);
    expect((await snapshot('a', '--format', 'xlsx')).stderr).toContain('There is no format xlsx');
  });
});

describe('hsw snapshot verify', () => {
  it('says that all is as the manifest says, or what is not, file by file', async () => {
    await snapshot('seen', '--format', 'csv');
    const good = await snapshot('verify', 'seen');
    expect([good.status, good.stdout]).toEqual([
      0,
      expect.stringMatching(/^seen: \d+ files with [\d,]+ rows, as the manifest says\.\n$/),
    ]);
    const chat = readFileSync(inFolder('seen', 'chat.csv'));
    chat[chat.length - 3] = (chat[chat.length - 3] ?? 0) ^ 1;
    writeFileSync(inFolder('seen', 'chat.csv'), chat);
    rmSync(inFolder('seen', 'rooms.csv'));
    writeFileSync(inFolder('seen', 'notes.txt'), 'mine');
    writeFileSync(inFolder('seen', 'events.csv'), 'a\r\n');
    const bad = await snapshot('verify', 'seen');
    expect(bad.status).toBe(1);
    for (const line of [
      /chat\.csv: has other bytes/,
      /rooms\.csv: is missing/,
      /notes\.txt: the manifest does not name it/,
      /events\.csv: has 3 bytes instead of/,
    ])
      expect(bad.stdout).toMatch(line);
    expect(await snapshot('verify', 'nothing')).toMatchObject({ status: 2 });
  });

  it('notices a manifest that was changed to fit other rows', async () => {
    await snapshot('forged');
    const path = inFolder('forged', 'forged.sqlite');
    const writer = new Database(path);
    writer.exec('DELETE FROM chat');
    writer.close();
    const bytes = readFileSync(path);
    for (const name of ['manifest.json', 'datapackage.json']) {
      const manifest = JSON.parse(readFileSync(inFolder('forged', name), 'utf8')) as {
        resources: { bytes: number; hash: string }[];
      };
      const [file] = manifest.resources;
      if (file !== undefined)
        Object.assign(file, {
          bytes: bytes.length,
          hash: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
        });
      writeFileSync(inFolder('forged', name), JSON.stringify(manifest));
    }
    const bad = await snapshot('verify', 'forged');
    expect([bad.status, bad.stdout]).toEqual([1, expect.stringMatching(/chat has 0 rows instead of/)]);
  });
});

describe('hsw diff', () => {
  it('says which rows were added, changed and removed, and in which columns', async () => {
    await snapshot('before');
    const diff = (...args: readonly string[]) => hsw(['diff', ...args], { cwd });
    const same = await diff('before', 'w.db');
    expect([same.status, same.stdout]).toEqual([0, expect.stringMatching(/^\d+ tables compared: no difference\.\n$/)]);
    copyFileSync(inFolder('w.db'), inFolder('after.db'));
    const writer = new Database(inFolder('after.db'));
    const [first, second, third] = writer.prepare('SELECT rowid FROM chat ORDER BY key').pluck().all();
    writer.prepare("UPDATE chat SET content = 'other', onset = 1 WHERE rowid = ?").run(first);
    writer.prepare('UPDATE chat SET content = NULL, synced_run = 99 WHERE rowid = ?').run(second);
    writer.prepare('DELETE FROM chat WHERE rowid = ?').run(third);
    writer.exec("INSERT INTO rooms (experiment_id, key, first_seen_at, synced_at) VALUES ('exp_x', 'k', '', '')");
    writer.exec('UPDATE rooms SET synced_run = 99');
    writer.exec('INSERT INTO answers SELECT * FROM answers LIMIT 2');
    writer.close();
    const found = await diff('before', 'after.db');
    expect(found.status).toBe(1);
    const lines = found.stdout.split('\n');
    expect(lines).toContain('chat: 1 row removed, 2 rows changed (content in 2, onset in 1)');
    expect(lines).toContain('rooms: 1 row added');
    expect(lines).toContain('answers: 2 rows added');
    expect(lines.length).toBe(5);
    const back = JSON.parse((await diff('after.db', 'before', '--json')).stdout) as { tables: { table: string }[] };
    expect(back.tables.find(({ table }) => table === 'answers')).toMatchObject({ added: 0, removed: 2 });
    const [id = ''] = ids;
    const held = new Database(inFolder('w.db'), { readonly: true });
    const name = String(held.prepare('SELECT name FROM experiments WHERE experiment_id = ?').pluck().get(id));
    held.close();
    expect((await diff('before', 'after.db', '--experiment', id)).stdout).not.toContain('rooms');
    expect((await diff('before', 'after.db', '--experiment', name)).stdout).not.toContain('rooms');
    expect(await diff('before', 'after.db', '--experiment', 'exp_nowhere')).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining('Neither file has an experiment exp_nowhere.') as string,
    });
    expect(await diff('before', 'csv-1')).toMatchObject({ status: 2 });
    expect(await diff('before', 'config.yaml')).toMatchObject({ status: 4 });
  });
});
