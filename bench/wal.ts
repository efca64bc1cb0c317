/**
 * `npm run wal-bench [-- --rows 1000000 --hold 300]`: the real daemon reads a large stream for the first time while another
 * process keeps a read transaction open. Says how large the write-ahead log and the daemon's memory became, how long new
 * rows of a running experiment took all the while, and what was left of the log when the reader had gone.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import Database from 'better-sqlite3';
import { startSimulator } from '../src/simulator/server.ts';
import { answerRatings } from './ratings.ts';
import { HOUR_MS as HOUR } from '../src/shared/time.ts';

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '1000000' }, hold: { type: 'string', default: '300' } },
});
const [rows, hold] = [Number(values.rows), Number(values.hold)];
const began = Date.now();

// A world in which a room opens every minute, and whose first experiment has a large stream besides.
const world = { start: began - HOUR, experiments: 1, roomsPerExperiment: 300, videoSeconds: 20, roomEveryMs: 60_000 };
const large = { rows, start: began - 400 * 24 * HOUR, mostPage: 1000 };
const simulator = await startSimulator({
  world,
  limits: { perHour: 1e9, perEndpointPerMinute: 1e9 },
  fault({ path, query }) {
    const [, experimentId] = /^\/data\/ratings\/continuous\/experiment\/(\w+)$/.exec(path) ?? [];
    if (experimentId === undefined) return undefined;
    return {
      kind: 'reply',
      reply: { status: 200, headers: {}, body: answerRatings({ ...large, experimentId }, query) },
    };
  },
});
const folder = mkdtempSync(join(tmpdir(), 'hsw-wal-'));
const path = join(folder, 'w.db');
writeFileSync(
  join(folder, 'config.yaml'),
  `api: { baseUrl: "${simulator.url}", limits: { perHour: 100000, perEndpointPerMinute: 10000, reserve: 0 } }\n` +
    `warehouse: { path: ./w.db }\nhttp: false\nexperiments: [{ all: true, data: [ratings/continuous, events, rooms] }]\n`,
);
const daemon = spawn(process.execPath, [join(import.meta.dirname, '../dist/main.js'), 'daemon', '--json'], {
  cwd: folder,
  stdio: ['ignore', 'pipe', 'pipe'],
  env: { PATH: process.env['PATH'], HYPERSTUDY_API_KEY: simulator.key, NODE_OPTIONS: process.env['NODE_OPTIONS'] },
});
const ended = new Promise<number | null>((resolve) => daemon.on('close', resolve));
let log = '';
daemon.stdout.on('data', (chunk: Buffer) => (log += chunk.toString()));
daemon.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
process.on('exit', () => daemon.kill('SIGKILL'));

/** Only looked at: this process never opens a file of the warehouse but through SQLite. */
const walMb = () => (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) / 1024 ** 2;
const rssMb = () =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
const most = { wal: 0, rss: 0 };
const sampling = setInterval(() => {
  if (daemon.exitCode !== null) return;
  most.wal = Math.max(most.wal, walMb());
  most.rss = Math.max(most.rss, rssMb());
}, 100);

/** What a reader who opens the file now sees. */
function ask(sql: string): number {
  const db = new Database(path, { readonly: true });
  try {
    return Number(db.prepare(sql).pluck().get());
  } finally {
    db.close();
  }
}
async function until(what: string, holds: () => boolean, longestMs = HOUR): Promise<void> {
  for (const since = Date.now(); !holds();) {
    await delay(200);
    if (daemon.exitCode !== null) throw new Error(`the daemon ended with ${String(await ended)}: ${log.slice(-2000)}`);
    if (Date.now() - since > longestMs) throw new Error(`it never came to this: ${what}\n${log.slice(-2000)}`);
  }
}
const told = () => log.split('\n').filter((line) => line.includes('First reads wait'));
const ratings = () => ask('SELECT count(*) FROM ratings_continuous');
const NEWEST = 'SELECT max(unixepoch(first_seen_at)) FROM events';
const mb = (size: number) => `${size.toFixed(0)} MB`;

await until('the first read has begun', () => log.includes('"synced') && ratings() > 0);
const reader = spawn(
  process.execPath,
  [
    '-e',
    `const db = new (require('better-sqlite3'))(process.argv[1], { readonly: true }); db.exec('BEGIN'); db.prepare('SELECT count(*) FROM rooms').get(); console.log('reading'); setInterval(() => undefined, 1e6)`,
    path,
  ],
  { cwd: join(import.meta.dirname, '..'), stdio: ['ignore', 'pipe', 'inherit'] },
);
process.on('exit', () => reader.kill('SIGKILL'));
await new Promise((resolve) => reader.stdout.once('data', resolve));
console.log(`a reader keeps its transaction open from ${ratings().toLocaleString('en-US')} rows on`);
await until('first reads wait', () => told().length > 0);
await delay(5000);
const held = ratings();
const stopped = { wal: walMb(), events: ask('SELECT count(*) FROM events'), requests: simulator.requests.length };
console.log(`first reads wait at ${held.toLocaleString('en-US')} rows, the log has ${mb(stopped.wal)}`);
let oldest = 0;
for (const since = Date.now(); Date.now() - since < hold * 1000;) {
  await delay(1000);
  oldest = Math.max(oldest, Date.now() / 1000 - ask(NEWEST));
}
const after = { wal: walMb(), rows: ratings(), events: ask('SELECT count(*) FROM events') };
const polls = simulator.requests.length - stopped.requests;
console.log(
  `${hold} s later: ${(after.rows - held).toLocaleString('en-US')} rows more of the first read, ${after.events - stopped.events} new events for new readers ` +
    `(never more than ${oldest.toFixed(0)} s without one), the log has ${mb(after.wal)}, ${(((after.wal - stopped.wal) * 1024) / polls).toFixed(0)} kB more for each of ${polls} requests; told ${told().length} time(s)`,
);
reader.kill('SIGKILL');
const left = Date.now();
await until('the log is emptied', () => walMb() <= 64);
const emptied = (Date.now() - left) / 1000;
await until('first reads go on', () => ratings() > after.rows);
const onward = (Date.now() - left) / 1000;
await until('everything is read', () => ratings() === rows);
await delay(1000);
console.log(
  `the reader has gone: the log was emptied after ${emptied.toFixed(0)} s, first reads went on after ${onward.toFixed(0)} s, all ${rows.toLocaleString('en-US')} rows after ${((Date.now() - left) / 1000).toFixed(0)} s; the log has ${mb(walMb())}`,
);
clearInterval(sampling);
daemon.kill('SIGTERM');
const status = await ended;
console.log(
  `write-ahead log at most ${mb(most.wal)}, memory (RSS) at most ${mb(most.rss)}; file ${mb(statSync(path).size / 1024 ** 2)}, log after the stop ${mb(walMb())}, exit ${String(status)}`,
);
await simulator.close();
rmSync(folder, { recursive: true, force: true });
