import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { DATASETS, datasetNamed } from '../../src/datasets/registry.ts';
import { canonicalJson, type Json } from '../../src/shared/json.ts';
import { createRandom, type Random } from '../../src/simulator/random.ts';
import { startSimulator } from '../../src/simulator/server.ts';
import { records } from '../../src/warehouse/records.ts';

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
 * were damaged for a repair to mend, the file is set back to the first version's tables, or it is thrown away so that
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
      if (struck === 'migration' && !setBack(path)) struck = 'sync';
      const before = watermark(path);
      const asked = simulator.requests.length;
      const end = await run(struck, struck === 'migration' ? random.int(150, 900) : random.int(300, 2500));
      if (end === 'killed') kills[struck]++;
      else tally.finished++;
      const problem = check(path);
      if (problem === 'empty') tally.beforeFirstRow++;
      else if (problem !== undefined) violations.push(`cycle ${cycle}: ${problem}`);
      if (struck === 'sync' && before !== undefined) {
        const again = repeated(simulator.requests.slice(asked), before);
        tally.mostRepeated = Math.max(tally.mostRepeated, again);
        if (again > BACKFILL_PAGES + 1) violations.push(`cycle ${cycle}: ${again} pages were read again`);
      }
    }
    const last = await run('full sync', 1_200_000);
    if (last !== 0) violations.push(`the last sync ended with ${String(last)}`);
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

/** Runs the real command and kills it after a while, unless it has ended. */
function runKilled(
  args: readonly string[],
  cwd: string,
  key: string,
  killAfterMs: number,
): Promise<number | null | 'killed'> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd,
      stdio: 'ignore',
      env: { PATH: process.env['PATH'], HYPERSTUDY_API_KEY: key },
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), killAfterMs);
    child.on('exit', (status, signal) => {
      clearTimeout(timer);
      resolve(signal === 'SIGKILL' ? 'killed' : status);
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

/** Sets the file back to the tables of the first version; false while it has none. */
function setBack(path: string): boolean {
  return withTables(path, (db) => {
    const later = db.prepare('SELECT count(*) FROM __drizzle_migrations').pluck().get();
    if (later === 1) return;
    db.exec(`
      BEGIN IMMEDIATE;
      DROP VIEW IF EXISTS _freshness;
      DROP TABLE _growth;
      DROP TABLE _state;
      DROP TABLE _verified_rooms;
      DROP TABLE _missing_rows;
      ALTER TABLE _quarantine DROP COLUMN last_seen_at;
      ALTER TABLE _streams DROP COLUMN doubts;
      ALTER TABLE _streams DROP COLUMN api_total;
      ALTER TABLE _streams DROP COLUMN accounted_at;
      ALTER TABLE _streams DROP COLUMN quarantined_records;
      ALTER TABLE _streams DROP COLUMN withheld_rows;
      ALTER TABLE _streams DROP COLUMN missing_rows;
      ALTER TABLE _streams DROP COLUMN dated_ahead_rows;
      ALTER TABLE _streams DROP COLUMN deleted_rows;
      ALTER TABLE _streams DROP COLUMN deleted_from;
      ALTER TABLE _streams DROP COLUMN reread_reason;
      ALTER TABLE _streams DROP COLUMN server_basis;
      UPDATE _ledger SET endpoint = CASE kind WHEN 'request' THEN endpoint ELSE kind || ':' || coalesce(endpoint, '') END;
      ALTER TABLE _ledger DROP COLUMN kind;
      ALTER TABLE _ledger DROP COLUMN priority;
      ALTER TABLE _quarantine DROP COLUMN scope;
      ALTER TABLE _streams DROP COLUMN listed_at;
      ALTER TABLE _streams DROP COLUMN counted_at;
      ALTER TABLE _streams DROP COLUMN reread_began;
      ALTER TABLE _streams DROP COLUMN reread_to;
      DELETE FROM __drizzle_migrations WHERE created_at <> (SELECT min(created_at) FROM __drizzle_migrations);
      COMMIT`);
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
