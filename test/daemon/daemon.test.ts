import { spawn } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { datasetNamed } from '../../src/datasets/registry.ts';
import { canonicalJson, type Json } from '../../src/shared/json.ts';
import { startSimulator, type Simulator, type SimulatorOptions } from '../../src/simulator/server.ts';
import { records } from '../../src/warehouse/rows.ts';
import { hsw } from '../support/command.ts';
import { HOUR, MIRRORED, START, temporaryFolder } from '../support/lab.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'main.js');
const KEYS = ['a', 'b'].map((letter) => `hst_test_${letter.repeat(64)}`);

/** A simulated HyperStudy at a time that the test sets, and a folder with a configuration for it. */
async function lab(options: SimulatorOptions = {}, yaml = '') {
  const time = { now: START + 3 * HOUR };
  const limits = { perHour: 1e6, perEndpointPerMinute: 1e6 };
  const world = { experiments: 2, ...(options.world as object | undefined) };
  const simulator = await startSimulator({ limits, ...options, world, now: () => time.now, meterNow: Date.now });
  onTestFinished(() => simulator.close());
  const cwd = temporaryFolder();
  const write = (text: string) => {
    writeFileSync(
      join(cwd, 'config.yaml'),
      `api: { baseUrl: "${simulator.url}", keyFile: ./key, timeout: 20s }\nwarehouse: { path: ./w.db }\nhttp: { port: 0 }\nexperiments: [{ all: true }]\noptions: { agent-decisions: { detail: true } }\n${text}`,
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

/** Starts a real daemon; it is ready when this resolves. */
async function start(cwd: string) {
  const child = spawn(process.execPath, [MAIN, 'daemon', '--json'], {
    cwd,
    env: { PATH: process.env['PATH'] },
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
    const answer = await fetch(`${url}${path}`);
    return { status: answer.status, text: await answer.text() };
  };
  return { child, ended, get, log: () => log };
}

/** Waits until something holds. */
async function until(what: string, holds: () => Promise<boolean> | boolean, longestMs = 40_000): Promise<void> {
  const began = Date.now();
  while (!(await holds())) {
    if (Date.now() - began > longestMs) throw new Error(`it never came to this: ${what}`);
    await delay(100);
  }
}

function isMirror(path: string, { world }: Simulator, now: number, data = MIRRORED): boolean {
  const db = new Database(path, { readonly: true });
  try {
    return world.experimentIds.every((id) =>
      data.every((name) => {
        const held = [...records(db, datasetNamed(name), { experimentIds: [id] })];
        const mirrored = held.map(({ record }) => canonicalJson(record)).sort();
        const truth = world.records(name, id, now).map((record) => canonicalJson(record as Json));
        return mirrored.join('\n') === truth.sort().join('\n');
      }),
    );
  } finally {
    db.close();
  }
}

const isReady = async (daemon: Awaited<ReturnType<typeof start>>) => (await daemon.get('/readyz')).status === 200;

describe('the daemon', () => {
  it('reads everything, is ready then, does what sync now asks for, and ends well when told to', async () => {
    const { simulator, cwd, time, db } = await lab();
    const daemon = await start(cwd);
    await until('ready', () => isReady(daemon));
    await until('every table equals the API', () => isMirror(db, simulator, time.now));

    time.now += HOUR;
    const asked = await hsw(['sync', 'now', '--data', 'chat', '--json'], { cwd });
    expect(asked.status, asked.stderr).toBe(0);
    const result = JSON.parse(asked.stdout) as { status: string; streams: { data: string }[] };
    expect(result.streams.map(({ data }) => data)).toEqual(['chat', 'chat']);
    expect(isMirror(db, simulator, time.now, ['chat'])).toBe(true);
    const told = await hsw(['sync', 'now', '--experiment', 'exp_nobody'], { cwd });
    expect(told).toMatchObject({ status: 2 });
    expect(told.stderr).toContain('The configuration does not name the experiment exp_nobody.');
    expect((await hsw(['status'], { cwd })).status).toBe(0);
    expect((await hsw(['verify', '--data', 'chat'], { cwd })).status).toBe(5);
    expect((await hsw(['daemon'], { cwd })).status).toBe(5);

    daemon.child.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
    expect(daemon.log()).toContain('stopped');
    expect(daemon.log()).not.toContain(simulator.key);
  });

  it('stops within ten seconds although the server hangs, and goes on later', { timeout: 90_000 }, async () => {
    let isHanging = false;
    const { simulator, cwd, time, db } = await lab({ fault: () => (isHanging ? { kind: 'hang' } : undefined) });
    const daemon = await start(cwd);
    await until('ready', () => isReady(daemon));
    isHanging = true;
    time.now += HOUR;
    const before = simulator.requests.length;
    const asking = hsw(['sync', 'now'], { cwd });
    await until('a request hangs', () => simulator.requests.length > before);
    const began = Date.now();
    daemon.child.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
    expect(Date.now() - began).toBeLessThan(10_000);
    expect((await asking).status).toBe(130);
    isHanging = false;
    const again = await start(cwd);
    await until('caught up', () => isMirror(db, simulator, time.now, ['chat', 'events']), 60_000);
    again.child.kill('SIGTERM');
    expect(await again.ended).toBe(0);
  });

  it('reads its configuration again at SIGHUP, and keeps the former one when the new one is wrong', async () => {
    const { simulator, cwd, time, db, write } = await lab({}, 'data: [rooms, chat]\n');
    const daemon = await start(cwd);
    await until('ready', () => isReady(daemon));
    write('data: [rooms, chats]\n');
    daemon.child.kill('SIGHUP');
    await until('it says why', () => daemon.log().includes('did you mean \\"chat\\"?'));
    expect((await daemon.get('/')).text).toContain('unknown data type');
    expect(daemon.child.exitCode).toBeNull();
    write('data: [rooms, chat, events]\n');
    daemon.child.kill('SIGHUP');
    await until('the new data type is there', () => isMirror(db, simulator, time.now, ['events']));
  });

  it('ends what it reads on the former connection before it closes that', { timeout: 60_000 }, async () => {
    const { cwd, simulator, time, db } = await lab({ latencyMs: 150 }, 'data: [rooms, chat, events]\n');
    const daemon = await start(cwd);
    for (let i = 0; i < 8; i++) {
      await delay(200);
      daemon.child.kill('SIGHUP');
    }
    await until('ready', () => isReady(daemon));
    expect(isMirror(db, simulator, time.now, ['chat', 'events'])).toBe(true);
    const lines = daemon.log().trim().split('\n');
    expect(lines.filter((line) => line.includes('read again')).length).toBeGreaterThan(5);
    expect(lines.filter((line) => !line.includes('"level":30'))).toEqual([]);
    daemon.child.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
  });

  it(
    'stops asking with a refused key, says so, and uses a new one without a restart',
    { timeout: 90_000 },
    async () => {
      const keys = KEYS.map((key) => ({ key, scopes: ['*'], revoked: false }));
      const { simulator, cwd, time, db, writeKey } = await lab({ keys });
      const daemon = await start(cwd);
      await until('ready', () => isReady(daemon));
      const [first] = keys;
      if (first !== undefined) first.revoked = true;
      expect((await hsw(['sync', 'now', '--data', 'chat'], { cwd })).status).toBe(3);
      await until('it says so', async () => (await daemon.get('/readyz')).text.includes('refuses the key'), 70_000);
      const before = simulator.requests.length;
      await delay(3000);
      expect(simulator.requests.length).toBe(before);
      expect((await daemon.get('/healthz')).status).toBe(200);
      time.now += HOUR;
      writeKey(KEYS[1] ?? '');
      await until('ready again', () => isReady(daemon));
      await hsw(['sync', 'now', '--data', 'chat'], { cwd });
      expect(isMirror(db, simulator, time.now, ['chat'])).toBe(true);
      for (const key of KEYS) expect(daemon.log()).not.toContain(key);
    },
  );

  it('waits quietly while the server is away, and catches up', { timeout: 120_000 }, async () => {
    let isAway = false;
    const { simulator, cwd, time, db } = await lab({
      fault: () => (isAway ? { kind: 'reset' } : undefined),
    });
    const daemon = await start(cwd);
    await until('ready', () => isReady(daemon));
    isAway = true;
    time.now += HOUR;
    expect((await hsw(['sync', 'now', '--data', 'chat'], { cwd })).status).toBe(1);
    await delay(15_000);
    const lines = daemon
      .log()
      .split('\n')
      .filter((line) => line.includes('cannot be reached'));
    expect(lines.length).toBeLessThan(10);
    expect((await daemon.get('/healthz')).status).toBe(200);
    isAway = false;
    const done = await hsw(['sync', 'now', '--data', 'chat'], { cwd });
    expect(done.status, done.stderr).toBe(0);
    expect(isMirror(db, simulator, time.now, ['chat'])).toBe(true);
  });
});
