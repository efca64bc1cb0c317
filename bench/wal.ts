/**
 * `npm run wal-bench [-- rows]`: the real daemon in its first read of many rows while another program keeps a read
 * transaction open: how far the write-ahead log grows, and what becomes of it when the reader leaves.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { KEY, serveRatings } from './ratings-server.ts';

const ROWS = Number(process.argv[2] ?? 1_000_000);
/** Without a row more for so long, the first read is held back. */
const STILL_MS = 60_000;

const { url, close } = await serveRatings(ROWS);
const folder = mkdtempSync(join(tmpdir(), 'hsw-bench-'));
const path = join(folder, 'w.db');
writeFileSync(
  join(folder, 'config.yaml'),
  `api: { baseUrl: "${url}", limits: { perHour: 100000, perEndpointPerMinute: 10000, reserve: 0 } }\nwarehouse: { path: ./w.db }\nhttp: false\nlog: { level: warn }\nexperiments: [{ id: exp_1, data: [ratings/continuous] }]\n`,
);
const daemon = spawn(process.execPath, [join(import.meta.dirname, '..', 'dist', 'main.js'), 'daemon'], {
  cwd: folder,
  stdio: ['ignore', 'ignore', 'inherit'],
  env: { PATH: process.env['PATH'], HYPERSTUDY_API_KEY: KEY },
});
let [mostWal, mostRss] = [0, 0];
const megabytes = (bytes: number) => `${Math.round(bytes / 1024 ** 2)} MB`;
const walSize = () => statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
const timer = setInterval(() => {
  mostWal = Math.max(mostWal, walSize());
  const rss = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))?.[1];
  mostRss = Math.max(mostRss, Number(rss ?? 0) * 1024);
}, 200);
const rowsNow = () => {
  const db = new Database(path, { readonly: true });
  try {
    return Number(db.prepare('SELECT count(*) FROM ratings_continuous').pluck().get());
  } finally {
    db.close();
  }
};
/** Waits until no row has come for a while, or all are there; gives how many there are. */
async function untilStill(): Promise<number> {
  let [rows, since] = [rowsNow(), Date.now()];
  while (rows < ROWS && Date.now() - since < STILL_MS) {
    await delay(1000);
    const now = rowsNow();
    if (now !== rows) [rows, since] = [now, Date.now()];
  }
  return rows;
}

while (walSize() < 16 * 1024 ** 2) await delay(100);
const reader = new Database(path, { readonly: true });
reader.exec('BEGIN');
reader.prepare('SELECT count(*) FROM _streams').get();
const held = await untilStill();
console.log(
  `with a reader: ${held.toLocaleString('en-US')} of ${ROWS.toLocaleString('en-US')} rows, then the first read waited; write-ahead log at most ${megabytes(mostWal)}`,
);
reader.exec('COMMIT');
reader.close();
const most = mostWal;
const rows = await untilStill();
console.log(
  `without it: ${rows.toLocaleString('en-US')} rows, write-ahead log ${megabytes(walSize())}, since then at most ${megabytes(mostWal)}; memory (RSS) at most ${megabytes(mostRss)}`,
);
clearInterval(timer);
daemon.kill('SIGTERM');
await once(daemon, 'exit');
close();
rmSync(folder, { recursive: true, force: true });
process.exitCode = rows === ROWS && most < 512 * 1024 ** 2 ? 0 : 1;
