/**
 * `npm run day [-- --hours 24 --speed 60 --seed 1]`: the real `hsw daemon` for a day of a lab with 20 experiments and 12
 * data types, two of them in session by day, over real HTTP and by a clock that runs faster. Says how old rows were when
 * they reached the warehouse, whether any is missing, what it cost, and how the daemon's memory went.
 */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import Database from 'better-sqlite3';
import { z } from 'zod';
import { datasetNamed } from '../src/datasets/registry.ts';
import { visible } from '../src/simulator/world.ts';
import { ENVIRONMENT, timeAt } from '../test/support/fast-clock.mjs';
import { createStaleness } from '../test/simulation/freshness/measure.ts';
import { DAY_TYPES, dayWorld, livesOf } from './day/world.ts';
import { HOUR_MS as HOUR } from '../src/shared/time.ts';

const { values } = parseArgs({
  options: {
    hours: { type: 'string', default: '24' },
    from: { type: 'string', default: '6' },
    speed: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    thin: { type: 'string', default: '5' },
    /** Leaves the warehouse and the daemon's log where they are. */
    keep: { type: 'boolean', default: false },
  },
});
const [hours, from, speed, seed, thin] = [values.hours, values.from, values.speed, values.seed, values.thin].map(
  Number,
);
if (!hours || from === undefined || !speed || seed === undefined || !thin) throw new Error('a number is missing');
const midnight = Date.parse('2026-03-23T00:00:00.000Z');
const start = midnight + from * HOUR;
/** Real time until the API is up. */
const PREPARING_MS = 15_000;

const epoch = Date.now() + PREPARING_MS;
const pace = { start, from: epoch, speed };
const day = { seed, midnight, thin };
const here = import.meta.dirname;
const api = fork(join(here, 'day/api.ts'), [JSON.stringify({ pace, day })]);
const Made = z.object({ url: z.string(), key: z.string(), experiments: z.array(z.string()) });
const { url, key, experiments } = Made.parse((await once(api, 'message'))[0]);
const folder = mkdtempSync(join(tmpdir(), 'hsw-day-'));
writeFileSync(
  join(folder, 'config.yaml'),
  `api: { baseUrl: "${url}" }\nwarehouse: { path: ./w.db }\nhttp: false\nlog: { level: debug }\n` +
    `experiments:\n${experiments.map((id) => `  - { id: ${id}, data: [${DAY_TYPES.join(', ')}] }\n`).join('')}`,
);
if (Date.now() > epoch) throw new Error('the API took too long to start');
await delay(epoch - Date.now());
const log = openSync(join(folder, 'daemon.log'), 'w');
const daemon = spawn(
  process.execPath,
  ['--import', join(here, '../test/support/fast-clock-of-daemon.mjs'), join(here, '../dist/main.js'), 'daemon'],
  {
    cwd: folder,
    stdio: ['ignore', 'ignore', log],
    env: { PATH: process.env['PATH'], [ENVIRONMENT]: JSON.stringify(pace), HYPERSTUDY_API_KEY: key },
  },
);
const memory: number[] = [];
for (let hour = 1; hour <= hours && daemon.exitCode === null; hour++) {
  for (let part = 0; part < 12; part++) {
    await delay(Math.max(0, epoch + ((hour - 1 + (part + 1) / 12) * HOUR) / speed - Date.now()));
    memory.push(megabytes(daemon));
  }
  if (process.stderr.isTTY) process.stderr.write(`\r${hour} of ${hours} hours`);
}
daemon.kill('SIGTERM');
const stoppedAt = timeAt(pace);
await once(daemon, 'exit');
api.send('how many');
const Spent = z.object({ requests: z.number(), refused: z.number(), mostAnHour: z.number() });
const spent = Spent.parse((await once(api, 'message'))[0]);
api.kill();

const path = join(folder, 'w.db');
const db = new Database(path, { readonly: true });
const all = createStaleness();
console.log(`data type             rows   median     p90   within 60 s`);
for (const name of DAY_TYPES) {
  const ages = createStaleness();
  const rows = db
    .prepare<[], { age: number }>(
      `SELECT (julianday(first_seen_at) - 2440587.5) * 86400000.0 - json_extract(extra, '$.reachedAt') AS age FROM ${datasetNamed(name).table}`,
    )
    .all();
  for (const { age } of rows) {
    ages.add(age, 1);
    all.add(age, 1);
  }
  say(name, ages);
}
say('all', all);
const { held, lacking } = completeness();
db.close();
const size = statSync(path).size / 1024 ** 2;
if (values.keep) console.log(`kept: ${folder}`);
else rmSync(folder, { recursive: true, force: true });
console.log(
  `${hours} hours, ${speed} times as fast: ${held} rows held, ${lacking} lacking that the API had an hour before the end; ` +
    `${spent.requests} requests, at most ${spent.mostAnHour} in an hour, ${spent.refused} refused; file ${size.toFixed(0)} MB`,
);
const everyThree = Array.from({ length: Math.ceil(hours / 3) }, (_, i) => median(memory.slice(i * 36, i * 36 + 36)));
console.log(
  `memory (RSS), median of each three hours: ${everyThree.map((mb) => mb.toFixed(0)).join(', ')} MB; at most ${Math.max(...memory).toFixed(0)} MB`,
);
process.exitCode = lacking === 0 && spent.refused === 0 ? 0 : 1;

/** What the API had an hour before the end and the warehouse has not. */
function completeness(): { held: number; lacking: number } {
  const world = dayWorld(day);
  let [held, lacking] = [0, 0];
  for (const { dataType, experimentId, lives } of livesOf(world)) {
    const { table } = datasetNamed(dataType);
    const there = new Set(
      db
        .prepare<[string], string>(
          `SELECT json_extract(extra, '$.reachedAt') || ' ' || ${nameOf(dataType)} FROM ${table} WHERE experiment_id = ?`,
        )
        .pluck()
        .all(experimentId),
    );
    held += there.size;
    for (const life of lives) {
      const record = visible(life, stoppedAt - HOUR);
      if (record === undefined) continue;
      const name =
        record['note'] ??
        record['id'] ??
        record['messageId'] ??
        record['ratingId'] ??
        record['metricId'] ??
        record['recordingId'];
      if (there.has(`${String(record['reachedAt'])} ${String(name)}`)) continue;
      lacking++;
      console.log(`lacks ${dataType} ${String(name)}, which the API has had since ${at(Number(record['reachedAt']))}`);
    }
  }
  return { held, lacking };
}

function at(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19);
}

function nameOf(dataType: string): string {
  const { columns } = datasetNamed(dataType);
  const id = ['id', 'messageId', 'ratingId', 'metricId', 'recordingId'].find((field) =>
    columns.some((column) => column.field === field),
  );
  return columns.find(({ field }) => field === id)?.name ?? `json_extract(extra, '$.note')`;
}

function say(name: string, ages: ReturnType<typeof createStaleness>): void {
  const seconds = (share: number) => `${(ages.quantile(share) / 1000).toFixed(0)} s`;
  console.log(
    `${name.padEnd(18)}${String(ages.rows).padStart(8)}${seconds(0.5).padStart(9)}${seconds(0.9).padStart(8)}${`${(ages.within(60_000) * 100).toFixed(0)} %`.padStart(14)}`,
  );
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

function megabytes({ pid }: ChildProcess): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}
