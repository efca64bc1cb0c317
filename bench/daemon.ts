/** How responsive the daemon stays while it reads a large stream for the first time, within the API's own limits. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { MAIN } from './contenders.ts';
import { EXPERIMENT } from './server.ts';
import { median, type DaemonResults } from './results.ts';

const TOKEN = 'bench-token-of-32-characters-abc';
const ASKED_EVERY_MS = 100;

/** Starts a daemon that reads everything, asks for its page ten times a second, and stops it after some seconds. */
export async function measureDaemon(
  url: string,
  top: string,
  { key, seconds }: { key: string; seconds: number },
): Promise<DaemonResults> {
  const cwd = join(top, 'daemon');
  mkdirSync(cwd);
  writeFileSync(
    join(cwd, 'config.yaml'),
    `api: { baseUrl: "${url}" }\nwarehouse: { path: ./w.db }\nhttp: { port: 0, token: ${TOKEN} }\n` +
      `experiments: [{ id: ${EXPERIMENT}, data: [ratings/continuous] }]\n`,
  );
  const preload = join(import.meta.dirname, 'event-loop.ts');
  const child = spawn(process.execPath, ['--import', preload, MAIN, 'daemon', '--json'], {
    cwd,
    env: { PATH: process.env['PATH'], HOME: cwd, HYPERSTUDY_API_KEY: key },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  try {
    const page = await new Promise<string>((resolve, reject) => {
      child.stdout.once('data', (said: Buffer) => resolve((JSON.parse(said.toString()) as { http: string }).http));
      void ended.then((status) => reject(new Error(`the daemon ended with ${String(status)}`)));
    });
    // From here on, as starting up blocks the loop before anything is served.
    child.kill('SIGUSR2');
    const times = await askFor(page, seconds);
    child.kill('SIGTERM');
    await ended;
    const loop = JSON.parse(readFileSync(join(cwd, 'event-loop.json'), 'utf8')) as Omit<DaemonResults, 'page'>;
    return { ...loop, page: { medianMs: median(times), p99Ms: quantile(times, 0.99), maxMs: Math.max(...times) } };
  } finally {
    child.kill('SIGKILL');
  }
}

async function askFor(page: string, seconds: number): Promise<number[]> {
  const times: number[] = [];
  const until = performance.now() + seconds * 1000;
  while (performance.now() < until) {
    const began = performance.now();
    const answer = await fetch(page, { headers: { authorization: `Bearer ${TOKEN}` } });
    await answer.text();
    if (!answer.ok) throw new Error(`the page answered ${answer.status}`);
    times.push(performance.now() - began);
    await delay(ASKED_EVERY_MS);
  }
  return times;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}
