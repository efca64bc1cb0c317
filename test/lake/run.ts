/**
 * `npm run lake-test [-- ROWS]`: a lake of a warehouse with so many ratings, in a folder and on a real S3 server (moto), which
 * DuckDB, polars and Spark read; publications that are killed, and two at once. It says what it measured.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';

const ROWS = Number(process.argv[2] ?? 1_000_000);
const TOP = join(import.meta.dirname, '..', '..');
const VENV = join(tmpdir(), 'hyperstudy-warehouse-lake-1');
const PYTHON = join(VENV, 'bin', 'python');
const PACKAGES = ['moto[server]==5.2.5', 'boto3==1.44.8', 'duckdb==2.0.1', 'polars==2.1.0', 'pyspark==4.3.0'];
const PORT = 5599;
const S3 = {
  AWS_ENDPOINT_URL: `http://127.0.0.1:${PORT}`,
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_REGION: 'us-east-1',
};
const say = (line: string) => process.stdout.write(`${line}\n`);
const folder = mkdtempSync(join(tmpdir(), 'hsw-lake-'));
const warehouse = join(folder, 'w.db');

function install(): string | undefined {
  try {
    if (!existsSync(PYTHON)) {
      execFileSync('python3', ['-m', 'venv', VENV]);
      execFileSync(PYTHON, ['-m', 'pip', 'install', '--quiet', ...PACKAGES]);
    }
    return undefined;
  } catch {
    rmSync(VENV, { recursive: true, force: true });
    return `python3 with venv and ${PACKAGES.join(', ')} from PyPI cannot be installed`;
  }
}

/** The demo's warehouse, with copies of its ratings, each a while later than the one before. */
function makeWarehouse(): void {
  execFileSync(process.execPath, [join(TOP, 'dist/main.js'), 'demo', '--out', warehouse], { stdio: 'ignore' });
  const db = new Database(warehouse);
  const [first, ...columns] = db
    .prepare<[], string>("SELECT name FROM pragma_table_info('ratings_continuous')")
    .pluck()
    .all();
  const held = db.prepare<[], number>('SELECT count(*) FROM ratings_continuous').pluck().get() ?? 1;
  const names = [first, ...columns].map((name) => `"${name ?? ''}"`);
  const changed = names.map((name) => {
    if (name === '"key"') return `r.key || '~' || n.value`;
    if (name === '"timestamp"') return `strftime('%Y-%m-%dT%H:%M:%fZ', r.timestamp, '+' || n.value || ' minutes')`;
    return name === '"value"' ? 'round(r.value + (n.value * 7 + r.rowid) % 100, 1)' : `r.${name}`;
  });
  db.exec(`INSERT INTO ratings_continuous (${names.join(', ')}) SELECT ${changed.join(', ')} FROM ratings_continuous r,
    (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < ${Math.ceil(ROWS / held) - 1}) SELECT value FROM n) n`);
  db.close();
}

interface Ran {
  readonly status: number | null;
  readonly seconds: number;
  readonly rss: number;
  readonly out: string;
}

function start(to: string): ChildProcess {
  const args = [join(TOP, 'dist/main.js'), 'publish', '--warehouse', warehouse, '--to', to, '--lab', 'ours', '--json'];
  return spawn(process.execPath, args, { env: { ...process.env, ...S3 }, stdio: ['ignore', 'pipe', 'inherit'] });
}

async function publish(to: string): Promise<Ran> {
  const began = performance.now();
  const child = start(to);
  let [out, rss] = ['', 0];
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()));
  const look = setInterval(() => (rss = Math.max(rss, peakOf(child.pid ?? 0))), 50);
  await once(child, 'close');
  clearInterval(look);
  return { status: child.exitCode, seconds: (performance.now() - began) / 1000, rss, out };
}

function peakOf(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1000;
  } catch {
    return 0;
  }
}

const figures = ({ seconds, rss, out }: Ran) =>
  `${seconds.toFixed(1)} s, ${rss.toFixed(0)} MB RSS, ${/"files": \d+/.exec(out)?.[0] ?? ''}, ${/"bytes": \d+/.exec(out)?.[0] ?? ''}`;

function answerOf(args: readonly string[]): string {
  const env = { ...process.env, ...S3 };
  return execFileSync(PYTHON, args, { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'ignore'] });
}

function read(lake: string, engine: string): string {
  const args = [join(import.meta.dirname, 'read.py'), lake, 'ours', warehouse, engine];
  const { found, seconds } = JSON.parse(answerOf(args).trim().split('\n').at(-1) ?? '') as {
    found: unknown;
    seconds: number;
  };
  say(`${engine} (${lake.startsWith('s3') ? 'S3' : 'folder'}): ${JSON.stringify(found)} in ${seconds} s`);
  return JSON.stringify(found);
}

function check(isRight: boolean, what: string): void {
  say(`${isRight ? '✓' : '✗'} ${what}`);
  if (!isRight) process.exitCode = 1;
}

async function inBucket(truth: string): Promise<void> {
  const moto = spawn(join(VENV, 'bin', 'moto_server'), ['-H', '127.0.0.1', '-p', String(PORT)], { stdio: 'ignore' });
  try {
    await delay(5000);
    const make =
      "import boto3, os; boto3.client('s3', endpoint_url=os.environ['AWS_ENDPOINT_URL']).create_bucket(Bucket='lake')";
    execFileSync(PYTHON, ['-c', make], { env: { ...process.env, ...S3 } });
    const place = 's3://lake/hyperstudy';
    let kills = 0;
    for (const ms of [700, 2000, 5000, 9000]) {
      const child = start(place);
      await Promise.race([delay(ms), once(child, 'close')]);
      if (child.kill('SIGKILL')) kills += 1;
    }
    const both = await Promise.all([publish(place), publish(place)]);
    check(
      both.every(({ status }) => status === 0),
      `two publications at once, after ${kills} kills: ${figures(both[0])}`,
    );
    const again = await publish(place);
    check(again.out.includes('"isNew": false'), `a repeat writes nothing: ${figures(again)}`);
    check(read(place, 'polars') === truth, 'polars reads the same from S3');
  } finally {
    moto.kill();
  }
}

const lacking = install();
if (lacking !== undefined) say(`skipped: ${lacking}`);
else {
  try {
    makeWarehouse();
    const lake = join(folder, 'lake');
    const first = await publish(lake);
    check(first.status === 0, `published ${ROWS} ratings and all else of the demo: ${figures(first)}`);
    const truth = read(lake, 'sqlite');
    for (const engine of ['duckdb', 'polars', 'spark']) check(read(lake, engine) === truth, `${engine} reads the same`);
    await inBucket(truth);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
