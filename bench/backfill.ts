/** `npm run bench -- [rows]`: the first read of one large stream by the real command, its speed and its memory over time. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';

const ROWS = Number(process.argv[2] ?? 1_000_000);
const START = Date.parse('2026-01-01T00:00:00.000Z');
const EVERY_MS = 100;
const KEY = `hst_test_${'b'.repeat(64)}`;

/** The same rating for the same place, with an id that is not in order. */
function rating(i: number) {
  const id = ((i * 2_654_435_761) % 4_294_967_296).toString(36).padStart(7, '0');
  const value = (i * 7) % 101;
  return {
    ratingId: `rat_${id}${i.toString(36)}`,
    experimentId: 'exp_1',
    roomId: `room_${i % 50}`,
    participantId: `user_${i % 200}`,
    componentId: 'cmp_rating',
    timestamp: new Date(START + i * EVERY_MS).toISOString(),
    onset: i * EVERY_MS,
    value,
    normalizedValue: value / 100,
    rawValue: value,
    scaleMin: 0,
    scaleMax: 100,
  };
}

const server = createServer((message, response) => {
  const { searchParams } = new URL(message.url ?? '/', 'http://bench');
  const from = searchParams.get('startTime');
  const first =
    Math.max(0, from === null ? 0 : Math.ceil((Date.parse(from) - START) / EVERY_MS)) +
    Number(searchParams.get('offset') ?? 0);
  const last = Math.min(ROWS, first + Number(searchParams.get('limit') ?? 1000));
  const data = Array.from({ length: Math.max(0, last - first) }, (_, i) => rating(first + i));
  const pagination = { total: ROWS - first, returned: data.length, hasMore: last < ROWS };
  response.end(JSON.stringify({ status: 'success', data, metadata: { pagination } }));
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
