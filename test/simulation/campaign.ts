import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { DATASETS, datasetNamed } from '../../src/datasets/registry.ts';
import { canonicalJson, type Json } from '../../src/shared/json.ts';
import { createRandom, type Random } from '../../src/simulator/random.ts';
import { startSimulator } from '../../src/simulator/server.ts';
import { EXIT } from '../../src/shared/errors.ts';
import { records } from '../../src/warehouse/records.ts';
import { setBack } from './set-back.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'main.js');
const PAGE = 50;
const BACKFILL_PAGES = 10;

export interface CampaignResult {
  readonly cycles: number;
  /** Kills by what they struck. */
  readonly kills: Readonly<Record<Struck, number>>;
  readonly beforeFirstRow: number;
  readonly finished: number;
  readonly rows: number;
  readonly mostRepeated: number;
  readonly violations: readonly string[];
  readonly durationMs: number;
}

/** What a process is killed at. */
type Struck = 'sync' | 'full sync' | 'repair' | 'migration';

const COMMANDS: Readonly<Record<Struck, readonly string[]>> = {
  sync: ['sync', 'now', '--json'],
  'full sync': ['sync', 'now', '--json', '--full'],
  repair: ['verify', '--repair', '--deep', '--json'],
  migration: ['sync', 'now', '--json'],
};

/**
 * Syncs over and over in real processes and kills each at a random instant. Every few cycles the world has grown, rows
 * were damaged for a repair to correct, the file is set back to the first version's tables, or it is thrown away so that
 * the first read is struck as well.
 */
export async function killCampaign({ cycles, seed }: { cycles: number; seed: number }): Promise<CampaignResult> {
  const random = createRandom(seed);
  const folder = mkdtempSync(join(tmpdir(), 'hsw-kill-'));
  const start = Date.parse('2026-01-12T09:00:00.000Z');
  let now = start + 3_600_000;
  const world = {
    seed,
    start,
    experiments: 1,
    roomsPerExperiment: 200,
    participantsPerRoom: 2,
    videoSeconds: 60,
    roomEveryMs: 3_600_000,
  };
  const limits = { perHour: 1e9, perEndpointPerMinute: 1e9 };
  const simulator = await startSimulator({ world, now: () => now, meterNow: Date.now, limits });
  const path = join(folder, 'w.db');
  writeFileSync(join(folder, 'config.yaml'), configYaml(simulator.url));
  const violations: string[] = [];
  const kills: Record<Struck, number> = { sync: 0, 'full sync': 0, repair: 0, migration: 0 };
  const tally = { beforeFirstRow: 0, finished: 0, mostRepeated: 0 };
  const began = Date.now();
  const run = (struck: Struck, killAfterMs: number) => runKilled(COMMANDS[struck], folder, simulator.key, killAfterMs);
  try {
    for (let cycle = 0; cycle < cycles; cycle++) {
      if (cycle % 25 === 0) for (const suffix of ['', '-wal', '-shm', '.lock']) rmSync(path + suffix, { force: true });
      if (cycle % 5 === 0) now += random.int(1, 5) * 1_800_000;
      let struck = random.pick<Struck>(['sync', 'sync', 'full sync', 'repair', 'migration']);
      if (struck === 'repair' && !damage(path, random)) struck = 'sync';
      if (struck === 'migration' && (check(path) === 'empty' || !setBack(path))) struck = 'sync';
      const before = watermark(path);
      const asked = simulator.requests.length;
      const end = await run(struck, struck === 'migration' ? random.int(150, 900) : random.int(300, 2500));
      if (end === 'killed') kills[struck]++;
      else tally.finished++;
      if (typeof end === 'object') violations.push(`cycle ${cycle}: a ${struck} ended with ${end.said}`);
      const problem = check(path);
      if (problem === 'empty') tally.beforeFirstRow++;
      else if (problem !== undefined) violations.push(`cycle ${cycle}: ${problem}`);
      if (struck === 'sync' && before !== undefined) {
        const again = repeated(simulator.requests.slice(asked), before);
        tally.mostRepeated = Math.max(tally.mostRepeated, again);
        if (again > BACKFILL_PAGES + 1) violations.push(`cycle ${cycle}: ${again} pages were read again`);
      }
    }
    // Records without an id whose fields the first version had no columns for have other keys: its rows go once a second
    // reading lacks them, for which a user need not wait who accepts it.
    await run('full sync', 1_200_000);
    const accepting = [...COMMANDS['full sync'], '--accept-deletes'];
    const last = await runKilled(accepting, folder, simulator.key, 1_200_000);
    if (last !== 'complete') violations.push(`the last sync ended with ${JSON.stringify(last)}`);
    const db = new Database(path, { readonly: true });
    const [id = ''] = simulator.world.experimentIds;
    let rows = 0;
    for (const { name } of DATASETS) {
      if (name === 'experiments') continue;
      const mirrored = [...records(db, datasetNamed(name))].map(({ record }) => canonicalJson(record)).sort();
      const truth = simulator.world
        .records(name, id, now)
        .map((record) => canonicalJson(record as Json))
        .sort();
      rows += mirrored.length;
      if (mirrored.join('\n') !== truth.join('\n'))
        violations.push(`${name}: ${mirrored.length} rows for ${truth.length} records`);
    }
    db.close();
    return { cycles, kills, ...tally, rows, violations, durationMs: Date.now() - began };
  } finally {
    await simulator.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function configYaml(url: string): string {
  return `api:
  baseUrl: ${url}
  pageSize: ${PAGE}
  limits: { perHour: 100000, perEndpointPerMinute: 10000, reserve: 0 }
warehouse: { path: ./w.db }
experiments: [{ all: true }]
options: { agent-decisions: { detail: true } }
deletes: { maxShare: 1 }
log: { level: error }
`;
}

/** How a command ended: killed, with everything complete or not, or else with what it said. */
type End = 'killed' | 'complete' | 'incomplete' | { readonly said: string };

/** Runs the real command and kills it after a while, unless it has ended. */
function runKilled(args: readonly string[], cwd: string, key: string, killAfterMs: number): Promise<End> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: process.env['PATH'], HYPERSTUDY_API_KEY: key },
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const timer = setTimeout(() => child.kill('SIGKILL'), killAfterMs);
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      const isMistake = said.includes('Internal error');
      if (signal === 'SIGKILL') resolve('killed');
      else if (status === EXIT.ok) resolve('complete');
      else if (status === EXIT.partial && !isMistake) resolve('incomplete');
      else resolve({ said: `${String(status)}: ${said.slice(0, 200)}` });
    });
  });
}

/** Takes and changes rows behind the warehouse's back; false while there is nothing to damage. */
function damage(path: string, random: Random): boolean {
  return withTables(path, (db) => {
    const { changes } = db
      .prepare('DELETE FROM events WHERE rowid IN (SELECT rowid FROM events ORDER BY random() LIMIT ?)')
      .run(random.int(1, 20));
    db.prepare("UPDATE _streams SET rows = rows - ? WHERE data = 'events'").run(changes);
    db.exec("UPDATE chat SET content = 'damaged' WHERE rowid IN (SELECT rowid FROM chat ORDER BY random() LIMIT 5)");
  });
}

function withTables(path: string, change: (db: Database.Database) => void): boolean {
  if (check(path) === 'empty') return false;
  const db = new Database(path, { fileMustExist: true });
  try {
    change(db);
    return true;
  } finally {
    db.close();
  }
}

/** What is wrong with the file after a kill; `empty` when it has no tables yet. */
function check(path: string): string | undefined {
  let db: Database.Database;
  try {
    db = new Database(path, { fileMustExist: true });
  } catch {
    return 'empty';
  }
  try {
    const integrity = db.pragma('integrity_check', { simple: true });
    if (integrity !== 'ok') return `integrity_check: ${String(integrity)}`;
    if (db.prepare("SELECT 1 FROM sqlite_schema WHERE name = '_streams'").get() === undefined) return 'empty';
    for (const { data, rows, watermark } of db
      .prepare<[], { data: string; rows: number; watermark: string | null }>(
        'SELECT data, sum(rows) AS rows, max(watermark) AS watermark FROM _streams GROUP BY data',
      )
      .all()) {
      const { table, timeColumn } = datasetNamed(data);
      const held = db
        .prepare<[], { n: number; newest: string | null }>(
          `SELECT count(*) AS n, ${timeColumn === undefined ? 'NULL' : `max("${timeColumn}")`} AS newest FROM "${table}"`,
        )
        .get();
      if (held?.n !== rows) return `${data}: the position says ${rows} rows, the table holds ${String(held?.n)}`;
      if (watermark !== null && (held.newest === null || watermark > held.newest))
        return `${data}: the watermark ${watermark} is ahead of the rows`;
    }
    return undefined;
  } finally {
    db.close();
  }
}

/** The watermark of the largest stream, while its first read is under way. */
function watermark(path: string): string | undefined {
  try {
    const db = new Database(path, { readonly: true, fileMustExist: true });
    try {
      return db
        .prepare<[], string>("SELECT watermark FROM _streams WHERE data = 'ratings/continuous' AND backfilled = 0")
        .pluck()
        .get();
    } finally {
      db.close();
    }
  } catch {
    return undefined;
  }
}

/** How many pages of that stream began before the watermark that was stored when the process started. */
function repeated(requests: readonly { path: string; query: string }[], before: string): number {
  return requests.filter(({ path, query }) => {
    if (!path.includes('/ratings/continuous/')) return false;
    const from = new URLSearchParams(query).get('startTime');
    return from === null || Date.parse(from) < Date.parse(before) - 1;
  }).length;
}
