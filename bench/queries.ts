/**
 * `npm run bench-queries [-- --rows 1000000 --out bench/results]`: every query of README.md and docs/querying.md on a
 * warehouse with that many ratings, with and without the query indexes. Writes `queries.json` and `queries.md`.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Database from 'better-sqlite3';
import { codeBlocks } from '../scripts/markdown.ts';
import { queryIndexesOf } from '../src/datasets/define.ts';
import { normalise, type Row } from '../src/datasets/normalise.ts';
import { DATASETS, datasetNamed } from '../src/datasets/registry.ts';
import { systemClock } from '../src/shared/clock.ts';
import type { Json } from '../src/shared/json.ts';
import { openWarehouse, type Warehouse } from '../src/warehouse/warehouse.ts';
import { MAIN } from './contenders.ts';
import { commit, machine, ownVersions } from './machine.ts';
import { measure } from './measure.ts';
import { rating } from './ratings.ts';
import { reportQueries } from './report-queries.ts';
import { median, type QueryResults } from './results.ts';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    out: { type: 'string', default: join(import.meta.dirname, 'results') },
  },
});
const ROWS = Number(values.rows);
const RATINGS_AN_EVENT = 50;
const ROWS_A_COMMIT = 20_000;
const EXPERIMENT = 'exp_1';
const WARM_RUNS = 2;
const RUNS = 5;
const PAGES = ['README.md', 'docs/querying.md'];

const folder = mkdtempSync(join(tmpdir(), 'hsw-queries-'));
try {
  // The other tables are those of the demo.
  await measure({ run: [process.execPath, MAIN, 'demo', '--out', 'w.db'], cwd: folder });
  const path = join(folder, 'w.db');
  const warehouse = openWarehouse(path, { clock: systemClock, history: true });
  fill(warehouse);
  warehouse.tendForReaders();
  const results = measureQueries(warehouse.db);
  warehouse.close();
  mkdirSync(values.out, { recursive: true });
  writeFileSync(join(values.out, 'queries.json'), `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(join(values.out, 'queries.md'), reportQueries(results));
  process.stdout.write(reportQueries(results));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Adds an experiment with many ratings, of five components, and an event in their rooms now and then. */
function fill(warehouse: Warehouse): void {
  const start = Date.parse('2026-01-01T00:00:00.000Z');
  const ratings = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => ({
      ...rating({ experimentId: EXPERIMENT, start }, from + i),
      componentId: `cmp_${Math.floor((from + i) / 1000) % 5}`,
    }));
  const events = (from: number, to: number) =>
    ratings(from, to)
      .filter((_, i) => i % RATINGS_AN_EVENT === from % 7)
      .map(({ ratingId, experimentId, roomId, participantId, componentId, timestamp, onset }) => {
        const id = ratingId.replace('rat_', 'evt_');
        return { id, experimentId, roomId, participantId, componentId, timestamp, onset, eventType: 'state.enter' };
      });
  for (let from = 0; from < ROWS; from += ROWS_A_COMMIT) {
    const to = Math.min(ROWS, from + ROWS_A_COMMIT);
    for (const [name, records] of [
      ['ratings/continuous', ratings(from, to)],
      ['events', events(from, to)],
    ] as const) {
      const dataset = datasetNamed(name);
      const rows = records.map((record: Json): Row => {
        const row = normalise(dataset, record, { experimentId: EXPERIMENT });
        if ('reason' in row) throw new Error(row.reason);
        return row;
      });
      const stream = { experimentId: EXPERIMENT, dataset, scope: { kind: 'experiment' } } as const;
      warehouse.commit(stream, { rows, position: { backfilled: to === ROWS } });
    }
  }
}

function measureQueries(db: Database.Database): QueryResults {
  const queries = PAGES.flatMap(queriesOf);
  const indexes = DATASETS.flatMap((dataset) =>
    queryIndexesOf(dataset).map((one) => ({ ...one, table: dataset.table })),
  );
  const pageSize = Number(db.pragma('page_size', { simple: true }));
  const mb = (sql: string, ...of: string[]) =>
    Number(
      db
        .prepare(sql)
        .pluck()
        .get(...of),
    ) /
    1024 ** 2;
  const sizes = indexes.map(({ name }) => mb('SELECT sum(pgsize) FROM dbstat WHERE name = ?', name));
  const reader = openReader(db.name);
  const found = queries.map(({ sql }) => ({ ms: warmMs(reader, sql), plan: planOf(reader, sql) }));
  for (const { name } of indexes) db.exec(`DROP INDEX ${name}`);
  const without = queries.map(({ sql }) => warmMs(reader, sql));
  reader.close();
  const buildMs = indexes.map(({ name, table, columns }) => {
    const began = performance.now();
    db.exec(`CREATE INDEX ${name} ON ${table} (${columns.join(', ')})`);
    return performance.now() - began;
  });
  return {
    date: new Date().toISOString(),
    rows: ROWS,
    commit: commit(),
    versions: ownVersions(),
    machine: machine(folder),
    fileMb: (Number(db.pragma('page_count', { simple: true })) * pageSize) / 1024 ** 2,
    indexes: indexes.map(({ name }, i) => ({ name, mb: sizes[i] ?? NaN, buildMs: buildMs[i] ?? NaN })),
    queries: queries.map(({ source, sql }, i) => ({
      source,
      sql,
      ms: found[i]?.ms ?? NaN,
      withoutMs: without[i] ?? NaN,
      plan: found[i]?.plan ?? '',
    })),
  };
}

/** A connection like that of `hsw_open`. */
function openReader(path: string): Database.Database {
  const reader = new Database(path, { readonly: true });
  reader.pragma('cache_size = -65536');
  return reader;
}

/** The SQL of a page's code blocks, in whichever language it stands. */
function queriesOf(page: string): { source: string; sql: string }[] {
  const text = readFileSync(join(import.meta.dirname, '..', page), 'utf8');
  const inQuotes = /"""([\s\S]*?)"""|"([^"]*)"|'((?:SELECT|WITH)[^']*)'/g;
  return codeBlocks(text).flatMap(({ line, language, text: code }) => {
    const found =
      language === 'sql'
        ? [code]
        : [...code.matchAll(inQuotes)].map(([, long, double, single]) => long ?? double ?? single ?? '');
    return found
      .map((sql) => sql.trim().replaceAll(/\s+/g, ' '))
      .filter((sql) => /^(SELECT|WITH)\b/.test(sql))
      .map((sql) => ({ source: `${page}:${line} (${language})`, sql }));
  });
}

function warmMs(db: Database.Database, sql: string): number {
  const statement = db.prepare(sql);
  const times = Array.from({ length: WARM_RUNS + RUNS }, () => {
    const began = performance.now();
    statement.all();
    return performance.now() - began;
  });
  return median(times.slice(WARM_RUNS));
}

function planOf(db: Database.Database, sql: string): string {
  const steps = db.prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`).all();
  return steps.map(({ detail }) => detail).join('; ');
}
