/**
 * `node bench/same-tables.ts FOLDER [FOLDER]`: whether two built checkouts make the same tables of the same answers; by
 * default the second is this one. Each reads the simulator's experiments, and again a day later; the contents of every table without
 * bookkeeping are compared by their hash.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import Database from 'better-sqlite3';
import { DEMO_KEY, startSimulator } from '../src/simulator/server.ts';
import { HOUR_MS } from '../src/shared/time.ts';
import { measure } from './measure.ts';

const START = Date.parse('2026-01-12T09:00:00.000Z');
/** What says when and by which run a row was written. */
const BOOKKEEPING = new Set(['first_seen_at', 'synced_at', 'synced_run']);

const [before, after = join(import.meta.dirname, '..')] = process.argv.slice(2);
if (before === undefined) throw new Error('Name the folder of a built checkout.');
const top = mkdtempSync(join(tmpdir(), 'hsw-'));
let now = START + 2 * HOUR_MS;
const simulator = await startSimulator({
  now: () => now,
  meterNow: Date.now,
  limits: { perHour: 1e6, perEndpointPerMinute: 1e6 },
  world: { seed: 7, start: START, experiments: 3, roomsPerExperiment: 8, participantsPerRoom: 3, videoSeconds: 120 },
});
try {
  const folders = [before, after].map((checkout, i) => ({
    main: join(resolve(checkout), 'dist/main.js'),
    at: join(top, `${i}.db`),
  }));
  for (const hours of [2, 26]) {
    now = START + hours * HOUR_MS;
    for (const { main, at } of folders) await sync(main, at);
    const [old = new Map<string, string>(), made = new Map<string, string>()] = folders.map(({ at }) => hashes(at));
    const names = [...new Set([...old.keys(), ...made.keys()])].sort();
    for (const name of names) {
      const isSame = old.get(name) === made.get(name);
      if (!isSame) process.exitCode = 1;
      process.stdout.write(`${hours} h  ${isSame ? 'same     ' : 'DIFFERENT'}  ${name}  ${made.get(name) ?? 'none'}\n`);
    }
  }
} finally {
  await simulator.close();
  rmSync(top, { recursive: true, force: true });
}

async function sync(main: string, path: string): Promise<void> {
  const config = `${path}.yaml`;
  writeFileSync(
    config,
    `api: { baseUrl: "${simulator.url}", limits: { perHour: 100000, perEndpointPerMinute: 10000, reserve: 0 } }\n` +
      `warehouse: { path: ${path} }\nhttp: false\nexperiments: [{ all: true }]\n`,
  );
  const run = [process.execPath, main, '--config', config, 'sync', 'now'] as const;
  await measure({ run, cwd: top, env: { HYPERSTUDY_API_KEY: DEMO_KEY }, statuses: [1] });
}

/** The rows of each table, and their hash. */
function hashes(path: string): Map<string, string> {
  const db = new Database(path, { readonly: true });
  const tables = db
    .prepare<[], string>(
      String.raw`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\_%' ESCAPE '\' AND name NOT LIKE 'sqlite%'`,
    )
    .pluck()
    .all();
  const found = tables.map((table): [string, string] => {
    const columns = db.prepare<[string], string>('SELECT name FROM pragma_table_info(?)').pluck().all(table);
    const shown = columns.filter((name) => !BOOKKEEPING.has(name)).map((name) => `"${name}"`);
    const rows = db
      .prepare<[], unknown[]>(`SELECT ${shown.join(', ')} FROM "${table}"`)
      .raw()
      .all();
    const lines = rows.map((row) => JSON.stringify(row)).sort();
    const hash = createHash('sha256')
      .update([shown.join(), ...lines].join('\n'))
      .digest('hex')
      .slice(0, 16);
    return [table, `${rows.length} rows, ${hash}`];
  });
  db.close();
  return new Map(found);
}
