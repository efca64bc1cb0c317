import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { hsw } from '../support/command.ts';
import { lab, start, until } from '../support/daemon-lab.ts';
import { temporaryFolder } from '../support/lab.ts';
import { installReaders, lacksInR, READER_PYTHON } from '../support/readers.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const SCRIPTS = [
  'clients/python/hyperstudy_warehouse.py',
  'clients/r/hyperstudy_warehouse.R',
  'test/interop/read_all.py',
  'test/interop/read_all.R',
];
/** A user who may write nothing. */
const OTHER = 65534;

const noPython = installReaders();
const noR = lacksInR('RSQLite');
const noDplyr = noR ?? lacksInR('dplyr', 'dbplyr');
for (const missing of new Set([noPython, noR, noDplyr])) if (missing !== undefined) console.log(`skipped: ${missing}`);

const PYTHON_TOOLS = ['pandas', 'polars', 'connectorx', 'adbc', 'duckdb', 'datasette', 'client'];
const R_TOOLS = [...(noR === undefined ? ['rsqlite', 'rclient'] : []), ...(noDplyr === undefined ? ['dplyr'] : [])];

/** A folder with the scripts that every user may read. */
function scripts(): string {
  const folder = temporaryFolder();
  chmodSync(folder, 0o755);
  for (const path of SCRIPTS) {
    const copy = join(folder, path.split('/').at(-1) ?? '');
    copyFileSync(join(ROOT, path), copy);
    chmodSync(copy, 0o644);
  }
  return folder;
}

function runAs(uid: number | undefined, cwd: string, command: string, args: readonly string[]) {
  const user = uid === undefined ? {} : { uid, gid: uid };
  const env = { PATH: process.env['PATH'], LANG: 'C.UTF-8', PYTHONDONTWRITEBYTECODE: '1', HOME: cwd };
  return spawnSync(command, args, { cwd, encoding: 'utf8', env, maxBuffer: 2 ** 26, ...user });
}

/** Reads everything with every tool, and returns what they read otherwise than sqlite3. */
function readAll(path: string, uid?: number): string[] {
  const folder = scripts();
  const fromR = mkdtempSync(join(folder, 'r-'));
  chmodSync(fromR, 0o777);
  if (R_TOOLS.length > 0) {
    const client = join(folder, 'hyperstudy_warehouse.R');
    const ran = runAs(uid, folder, 'Rscript', [join(folder, 'read_all.R'), path, R_TOOLS.join(','), fromR, client]);
    expect(ran.status, ran.stderr).toBe(0);
  }
  const tools = [...PYTHON_TOOLS, ...R_TOOLS].join(',');
  const ran = runAs(uid, folder, READER_PYTHON, [join(folder, 'read_all.py'), path, tools, fromR]);
  expect(ran.status, ran.error?.message ?? ran.stderr).toBe(0);
  const { relations, differences } = JSON.parse(ran.stdout) as { relations: number; differences: string[] };
  expect(relations).toBeGreaterThan(50);
  return differences;
}

/** Opens a file with our clients, and returns what they say. */
function opened(path: string, uid?: number): string[] {
  const folder = scripts();
  const python = `from hyperstudy_warehouse import *; print(len(hsw_read(hsw_open('${path}'), 'people', as_='rows')))`;
  const r = `source('hyperstudy_warehouse.R'); cat(nrow(hsw_read(hsw_open('${path}'), 'people')))`;
  const ran = [
    runAs(uid, folder, READER_PYTHON, ['-c', python]),
    ...(noR === undefined ? [runAs(uid, folder, 'Rscript', ['-e', r])] : []),
  ];
  return ran.map(({ status, stdout, stderr }) => (status === 0 ? stdout.trim() : stderr));
}

/** Lets others read a warehouse, and write nothing. */
function share(db: string): void {
  chmodSync(dirname(db), 0o755);
  for (const name of readdirSync(dirname(db))) if (name.startsWith('w.db')) chmodSync(join(dirname(db), name), 0o644);
}

const WORLD = { world: { experiments: 2, roomsPerExperiment: 2, seed: 7 } };

async function daemonAtWork() {
  const { cwd, db } = await lab(WORLD);
  const daemon = await start(cwd);
  await until(
    'everything is complete',
    () => {
      const reader = new Database(db, { readonly: true });
      const sql = 'SELECT count(*) > 30 AND sum(complete) = count(*) FROM _freshness';
      const isComplete = reader.prepare(sql).pluck().get() === 1;
      reader.close();
      return isComplete;
    },
    120_000,
  );
  return { cwd, db, daemon };
}

/** What a daemon goes on writing while there is nothing new. */
const ITS_OWN = / (_freshness|_runs|_run_streams) /;
const isRoot = process.getuid?.() === 0;

describe.skipIf(noPython !== undefined)(
  'every table and view, read by other programs cell by cell as by sqlite3',
  () => {
    it('while a daemon writes, as another user too, and after it was killed', async () => {
      const { db, daemon } = await daemonAtWork();
      expect(readAll(db).filter((text) => !ITS_OWN.test(text))).toEqual([]);
      share(db);
      if (isRoot) expect(readAll(db, OTHER).filter((text) => !ITS_OWN.test(text))).toEqual([]);
      daemon.child.kill('SIGKILL');
      await daemon.ended;
      expect(statSync(`${db}-wal`).size).toBeGreaterThan(0);
      if (isRoot) expect(readAll(db, OTHER)).toEqual([]);
      expect(readAll(db)).toEqual([]);
    }, 600_000);

    it('in a copy on a read-only medium', async () => {
      const { cwd, db } = await lab(WORLD);
      expect((await hsw(['sync', 'now'], { cwd })).status).toBe(0);
      const copy = join(temporaryFolder(), 'w.db');
      new Database(db).exec(`VACUUM INTO '${copy}'`).close();
      share(copy);
      chmodSync(dirname(copy), 0o555);
      expect(readAll(copy, isRoot ? OTHER : undefined)).toEqual([]);
    }, 600_000);
  },
);

describe.skipIf(noPython !== undefined)('Datasette with the metadata of the codebook', () => {
  it('shows what is for readers with its meaning, and hides what is internal', async () => {
    const { cwd, db } = await lab(WORLD);
    expect((await hsw(['sync', 'now'], { cwd })).status).toBe(0);
    const metadata = join(cwd, 'metadata.json');
    expect((await hsw(['codebook', '--format', 'datasette', '--out', metadata], { cwd })).status).toBe(0);
    const ran = runAs(undefined, cwd, READER_PYTHON, [join(import.meta.dirname, 'read_datasette.py'), db, metadata]);
    expect(ran.status, ran.stderr).toBe(0);
    const page = JSON.parse(ran.stdout) as { hidden: string[]; shown: string[]; people: string };
    const reader = new Database(db, { readonly: true });
    expect(page.shown.sort()).toEqual(reader.prepare('SELECT name FROM _tables ORDER BY name').pluck().all());
    reader.close();
    expect(page.hidden).toEqual(expect.arrayContaining(['_ledger', '_streams', '_wide_columns']));
    expect(page.people).toContain('A row is a participation');
    expect(page.people).toContain('ids are unique within a room only');
  });
});

describe.skipIf(noPython !== undefined || !isRoot)('our clients, as a user who may only read', () => {
  it('open a closed warehouse, and refuse a copy without its log and a log that they cannot read', async () => {
    const { cwd, db } = await lab(WORLD);
    expect((await hsw(['sync', 'now'], { cwd })).status).toBe(0);
    // Any program that may write removes the log as it closes the file.
    new Database(db).exec('BEGIN IMMEDIATE; COMMIT').close();
    expect(existsSync(`${db}-shm`)).toBe(false);
    share(db);
    for (const text of opened(db, OTHER)) expect(text).toMatch(/^\d+$/);

    const copy = join(temporaryFolder(), 'w.db');
    copyFileSync(db, copy);
    share(copy);
    for (const text of opened(copy, OTHER)) expect(text).toMatch(/is a copy without its log.*VACUUM INTO/s);

    const writer = new Database(db);
    writer.exec("UPDATE _about SET value = 'x' WHERE name = 'cite'");
    const folder = join(temporaryFolder(), 'both');
    mkdirSync(folder);
    for (const end of ['', '-wal']) copyFileSync(db + end, join(folder, `w.db${end}`));
    writer.close();
    share(join(folder, 'w.db'));
    chmodSync(dirname(folder), 0o755);
    for (const text of opened(join(folder, 'w.db'), OTHER)) expect(text).toMatch(/has rows in its log.*VACUUM INTO/s);
  });
});
