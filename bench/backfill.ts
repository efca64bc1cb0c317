/** `npm run bench -- [rows]`: the first read of one large stream by the real command, its speed and its memory over time. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { answerRatings } from './ratings.ts';

const ROWS = Number(process.argv[2] ?? 1_000_000);
const START = Date.parse('2026-01-01T00:00:00.000Z');
const KEY = `hst_test_${'b'.repeat(64)}`;

const ratings = { experimentId: 'exp_1', rows: ROWS, start: START, mostPage: Infinity };
const server = createServer((message, response) => {
  response.end(answerRatings(ratings, new URL(message.url ?? '/', 'http://bench').searchParams));
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const address = server.address();
const port = typeof address === 'object' && address !== null ? address.port : 0;

const folder = mkdtempSync(join(tmpdir(), 'hsw-bench-'));
writeFileSync(
  join(folder, 'config.yaml'),
  `api: { baseUrl: "http://127.0.0.1:${port}/api/v3", limits: { perHour: 100000, perEndpointPerMinute: 10000, reserve: 0 } }\nwarehouse: { path: ./w.db }\nexperiments: [{ id: exp_1, data: [ratings/continuous] }]\n`,
);
const began = Date.now();
const child = spawn(process.execPath, [join(import.meta.dirname, '..', 'dist', 'main.js'), 'sync', 'now'], {
  cwd: folder,
  stdio: ['ignore', 'ignore', 'inherit'],
  env: { PATH: process.env['PATH'], HYPERSTUDY_API_KEY: KEY, NODE_OPTIONS: process.env['NODE_OPTIONS'] },
});
const samples: number[] = [];
const timer = setInterval(() => {
  const rss = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1];
  if (rss !== undefined) samples.push(Number(rss) / 1024);
}, 500);
const status = await new Promise<number | null>((resolve) => child.on('exit', resolve));
clearInterval(timer);
server.close();
const seconds = (Date.now() - began) / 1000;
const db = new Database(join(folder, 'w.db'), { readonly: true });
const rows = Number(db.prepare('SELECT count(*) FROM ratings_continuous').pluck().get());
db.close();
const at = (share: number) =>
  samples[Math.min(samples.length - 1, Math.floor(samples.length * share))]?.toFixed(0) ?? '?';
console.log(
  `exit ${String(status)}: ${rows.toLocaleString('en-US')} rows in ${seconds.toFixed(0)} s (${Math.round(rows / seconds).toLocaleString('en-US')} a second); ` +
    `memory (RSS) after a quarter ${at(0.25)} MB, half ${at(0.5)} MB, at the end ${at(1)} MB, most ${Math.max(...samples).toFixed(0)} MB; file ${(statSync(join(folder, 'w.db')).size / 1024 ** 2).toFixed(0)} MB`,
);
rmSync(folder, { recursive: true, force: true });
