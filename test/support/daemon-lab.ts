import { spawn } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { onTestFinished } from 'vitest';
import { datasetNamed } from '../../src/datasets/registry.ts';
import { canonicalJson, type Json } from '../../src/shared/json.ts';
import { startSimulator, type Simulator, type SimulatorOptions } from '../../src/simulator/server.ts';
import { records } from '../../src/warehouse/records.ts';
import { PROCESS } from './command.ts';
import { ENVIRONMENT, type Pace } from './fast-clock.mjs';
import { HOUR, MIRRORED, START, temporaryFolder } from './lab.ts';

const CLOCK = join(import.meta.dirname, 'fast-clock-of-daemon.mjs');
const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'main.js');

/** A simulated HyperStudy at a time that the test sets, and a folder with a configuration for it. */
export async function lab(options: SimulatorOptions = {}, yaml = '', api = 'timeout: 20s') {
  const time = { now: START + 3 * HOUR };
  const limits = { perHour: 1e6, perEndpointPerMinute: 1e6 };
  const world = { experiments: 2, ...(options.world as object | undefined) };
  const simulator = await startSimulator({ limits, ...options, world, now: () => time.now, meterNow: Date.now });
  onTestFinished(() => simulator.close());
  const cwd = temporaryFolder();
  const write = (text: string) => {
    writeFileSync(
      join(cwd, 'config.yaml'),
      `api: { baseUrl: "${simulator.url}", keyFile: ./key, ${api} }\nwarehouse: { path: ./w.db }\nhttp: { port: 0 }\n${/^experiments:/m.test(text) ? '' : 'experiments: [{ all: true }]\n'}options: { agent-decisions: { detail: true } }\n${text}`,
    );
  };
  const writeKey = (key: string) => {
    writeFileSync(join(cwd, 'key'), key);
    chmodSync(join(cwd, 'key'), 0o600);
  };
  write(yaml);
  writeKey(simulator.key);
  return { simulator, cwd, time, write, writeKey, db: join(cwd, 'w.db') };
}

/**
 * Starts a real daemon; it is ready when this resolves.
 * @param speed how many seconds by its clock pass in one.
 */
export async function start(cwd: string, { speed = 1 } = {}) {
  const now = Date.now();
  const pace: Pace = { start: now, from: now, speed };
  const child = spawn(process.execPath, [...(speed === 1 ? [] : ['--import', CLOCK]), MAIN, 'daemon', '--json'], {
    cwd,
    env: { ...PROCESS, [ENVIRONMENT]: JSON.stringify(pace) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  onTestFinished(() => void child.kill('SIGKILL'));
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => resolve((JSON.parse(chunk.toString()) as { http: string }).http));
    void ended.then((status) => reject(new Error(`the daemon ended with ${String(status)}: ${log}`)));
  });
  const get = async (path: string) => {
    const token = readFileSync(join(cwd, 'w.db.http-token'), 'utf8').trim();
    const answer = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } });
    return { status: answer.status, text: await answer.text() };
  };
  return { child, ended, get, log: () => log };
}

/** Waits until something holds. */
export async function until(what: string, holds: () => Promise<boolean> | boolean, longestMs = 40_000): Promise<void> {
  const began = Date.now();
  while (!(await holds())) {
    if (Date.now() - began > longestMs) throw new Error(`it never came to this: ${what}`);
    await delay(100);
  }
}

export function isMirror(
  path: string,
  { world }: Simulator,
  now: number,
  data = MIRRORED,
  experiments = world.experimentIds,
): boolean {
  const db = new Database(path, { readonly: true });
  try {
    return experiments.every((id) =>
      data.every((name) => {
        const held = [...records(db, datasetNamed(name), [id])];
        const mirrored = held.map(({ record }) => canonicalJson(record)).sort();
        const truth = world.records(name, id, now).map((record) => canonicalJson(record as Json));
        return mirrored.join('\n') === truth.sort().join('\n');
      }),
    );
  } finally {
    db.close();
  }
}

export type Daemon = Awaited<ReturnType<typeof start>>;

/** Waits until a page of the daemon holds a text; it makes them once a second at most. */
export const shows = (daemon: Daemon, page: string, text: string) =>
  until(`${page} shows ${text}`, async () => (await daemon.get(page)).text.includes(text));

export const isReady = async (daemon: Daemon) => (await daemon.get('/readyz')).status === 200;
