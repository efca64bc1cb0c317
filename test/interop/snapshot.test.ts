import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readManifest, tablesOfFile } from '../../src/export/snapshot/manifest.ts';
import { startSimulator } from '../../src/simulator/server.ts';
import { hsw } from '../support/command.ts';
import { checkPackage, installFrictionless } from '../support/frictionless.ts';
import { installReaders, lacksInR, READER_PYTHON } from '../support/readers.ts';

const noReaders = installReaders();
const noFrictionless = installFrictionless();
const noR = lacksInR('RSQLite');
for (const missing of [noReaders, noFrictionless, noR]) if (missing !== undefined) console.log(`skipped: ${missing}`);

const FORMATS = {
  plain: [],
  csv: ['--format', 'csv'],
  excel: ['--format', 'csv', '--excel'],
  parquet: ['--format', 'parquet'],
} as const;

/** A snapshot of one small experiment in every format. */
let cwd = '';
beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'hsw-'));
  const simulator = await startSimulator({ world: { experiments: 1, roomsPerExperiment: 1, seed: 7 } });
  const yaml = `api: { baseUrl: "${simulator.url}" }\nwarehouse: { path: w.db }\nexperiments: [{ all: true }]\n`;
  writeFileSync(join(cwd, 'config.yaml'), yaml);
  await hsw(['sync', 'now'], { cwd, env: { HYPERSTUDY_API_KEY: simulator.key } });
  await simulator.close();
  for (const [name, flags] of Object.entries(FORMATS))
    expect((await hsw(['snapshot', name, ...flags], { cwd })).status).toBe(0);
  return () => rmSync(cwd, { recursive: true, force: true });
});

describe('a snapshot, read by other programs', () => {
  it.skipIf(noFrictionless !== undefined)('is a valid Frictionless data package, cell by cell', () => {
    // To read Parquet it needs packages of its own; pandas, polars and DuckDB do so below.
    for (const name of ['plain', 'csv', 'excel']) {
      const { valid, errors, tasks } = checkPackage(join(cwd, name, 'datapackage.json'));
      expect([name, valid, errors, tasks.flatMap((task) => task.errors)]).toEqual([name, true, [], []]);
    }
    // It would notice a cell of another type, and other bytes.
    const path = join(cwd, 'csv', 'rooms.csv');
    const before = readFileSync(path, 'utf8');
    writeFileSync(path, before.replace(/\d{4}-\d\d-\d\dT/, 'yesterday'));
    expect(checkPackage(join(cwd, 'csv', 'datapackage.json')).valid).toBe(false);
    writeFileSync(path, before);
  });

  it.skipIf(noReaders !== undefined)('has the same cells in pandas, polars and DuckDB', () => {
    const script = join(import.meta.dirname, 'read_snapshot.py');
    for (const name of ['csv', 'parquet']) {
      const ran = spawnSync(READER_PYTHON, [script, join(cwd, 'plain', 'plain.sqlite'), join(cwd, name)], {
        encoding: 'utf8',
      });
      expect(ran.status, ran.stderr).toBe(0);
      const { tables, cells, differences } = JSON.parse(ran.stdout) as Record<string, unknown>;
      expect([differences, Number(tables) > 30, Number(cells) > 10_000]).toEqual([[], true, true]);
    }
  });

  it.skipIf(noR !== undefined)('opens in R where nothing can be written', () => {
    const path = join(cwd, 'plain', 'plain.sqlite');
    const r = `d <- DBI::dbConnect(RSQLite::SQLite(), "file:${path}?immutable=1", flags = RSQLite::SQLITE_RO);
      cat(nrow(DBI::dbReadTable(d, "events")), nrow(DBI::dbReadTable(d, "session_timeline")) > 0)`;
    const { stdout, stderr } = spawnSync('Rscript', ['-e', r], { encoding: 'utf8' });
    const tables = readManifest(join(cwd, 'plain')).resources.flatMap(tablesOfFile);
    const rows = tables.find(({ name }) => name === 'events')?.rows;
    expect([stdout, stderr]).toEqual([`${String(rows)} TRUE`, '']);
  });
});
