import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createNotifier, watchdogMs } from '../../../src/daemon/systemd.ts';
import { temporaryFolder } from '../../support/lab.ts';

const RECEIVER = join(import.meta.dirname, '..', '..', 'support', 'notify_socket.py');
const PATH = process.env['PATH'];

const missing = ['systemd-notify', 'python3'].filter(
  (command) => spawnSync(command, ['--version']).error !== undefined,
);
if (missing.length > 0)
  console.warn(`SKIPPED: messages to systemd over a real socket, as ${missing.join(' and ')} is missing.`);

/** A real datagram socket in the place of systemd's. */
async function receiver() {
  const path = join(temporaryFolder(), 'notify');
  const child = spawn('python3', [RECEIVER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const messages: string[] = [];
  const lines = createInterface(child.stdout);
  const bound = new Promise((resolve) => lines.once('line', resolve));
  lines.on('line', (line) => messages.push(JSON.parse(line) as string));
  await bound;
  // systemd-notify ends its messages with a barrier, by which it waits until they were read.
  return { path, messages: () => messages.filter((text) => text !== 'bound' && !text.startsWith('BARRIER=')) };
}

describe.skipIf(missing.length > 0)('the notifier, with a real socket and the real systemd-notify', () => {
  it('tells systemd, in order, that it is ready, reloads, works and stops', async () => {
    const { path, messages } = await receiver();
    const notifier = createNotifier({ NOTIFY_SOCKET: path, PATH });
    const before = process.hrtime.bigint() / 1000n;
    notifier.ready('Serving 3 experiments');
    notifier.status('Syncing\nREADY=0');
    notifier.reloading();
    notifier.ready('Read the configuration again');
    notifier.watchdog();
    notifier.stopping();
    await notifier.settled();
    await expect.poll(() => messages().length).toBe(6);
    const reloading = /^RELOADING=1\nMONOTONIC_USEC=(\d+)$/.exec(messages()[2] ?? '');
    expect(messages()).toEqual([
      'READY=1\nSTATUS=Serving 3 experiments',
      'STATUS=Syncing READY=0',
      expect.stringMatching(/^RELOADING=1/),
      'READY=1\nSTATUS=Read the configuration again',
      'WATCHDOG=1',
      'STOPPING=1\nSTATUS=Stopping',
    ]);
    const told = BigInt(reloading?.[1] ?? 0);
    expect(told >= before && told <= process.hrtime.bigint() / 1000n).toBe(true);
    // The clock that systemd compares with: CLOCK_MONOTONIC.
    const python = spawnSync('python3', ['-c', 'import time; print(time.monotonic_ns() // 1000)'], {
      encoding: 'utf8',
    });
    expect(Math.abs(Number(python.stdout) - Number(told))).toBeLessThan(10_000_000);
  });

  it('continues when systemd does not listen', async () => {
    const notifier = createNotifier({ NOTIFY_SOCKET: join(temporaryFolder(), 'nobody'), PATH });
    notifier.ready('x');
    notifier.watchdog();
    await notifier.settled();
  });
});

describe('the notifier', () => {
  it('starts nothing without systemd', async () => {
    const ran: (readonly string[])[] = [];
    for (const env of [{}, { NOTIFY_SOCKET: '' }]) {
      const notifier = createNotifier(env, (args) => Promise.resolve(void ran.push(args)));
      notifier.ready('x');
      notifier.watchdog();
      notifier.stopping();
      await notifier.settled();
    }
    expect(ran).toEqual([]);
  });

  it('continues without systemd-notify, and when it fails', async () => {
    const absent = createNotifier({ NOTIFY_SOCKET: '/nowhere', PATH: temporaryFolder() });
    absent.ready('x');
    await absent.settled();
    const ran: (readonly string[])[] = [];
    const failing = createNotifier({ NOTIFY_SOCKET: '/nowhere' }, (args) => {
      ran.push(args);
      return Promise.reject(new Error('failed'));
    });
    failing.status('one');
    failing.status('two');
    await failing.settled();
    expect(ran).toEqual([['STATUS=one'], ['STATUS=two']]);
  });

  it('gives systemd-notify the socket and no secret', async () => {
    const folder = temporaryFolder();
    const seen = join(folder, 'seen');
    writeFileSync(join(folder, 'systemd-notify'), `#!/bin/sh\n/usr/bin/env > ${seen}; printf '%s|' "$@" >> ${seen}\n`);
    chmodSync(join(folder, 'systemd-notify'), 0o755);
    const key = `hst_test_${'k'.repeat(64)}`;
    const notifier = createNotifier({ NOTIFY_SOCKET: '/run/x', PATH: folder, HYPERSTUDY_API_KEY: key });
    notifier.status('$(touch /x) `y` "z"');
    await notifier.settled();
    const text = readFileSync(seen, 'utf8');
    expect(text).toContain('NOTIFY_SOCKET=/run/x\n');
    expect(text).toContain('STATUS=$(touch /x) `y` "z"|');
    expect(text).not.toContain('hst_');
  });

  it('feeds the watchdog once at a time, however much progress there is', async () => {
    const waiting: (() => void)[] = [];
    const notifier = createNotifier(
      { NOTIFY_SOCKET: '/run/x' },
      () => new Promise<void>((resolve) => waiting.push(resolve)),
    );
    for (let i = 0; i < 50; i++) notifier.watchdog();
    await expect.poll(() => waiting.length).toBe(1);
    waiting[0]?.();
    await notifier.settled();
    notifier.watchdog();
    await expect.poll(() => waiting.length).toBe(2);
    waiting[1]?.();
  });
});

describe("the watchdog's interval", () => {
  it.each([
    [{}, undefined],
    [{ WATCHDOG_USEC: '600000000' }, 600_000],
    [{ WATCHDOG_USEC: '600000000', WATCHDOG_PID: '42' }, 600_000],
    [{ WATCHDOG_USEC: '600000000', WATCHDOG_PID: '43' }, undefined],
    [{ WATCHDOG_USEC: '0' }, undefined],
    [{ WATCHDOG_USEC: 'soon' }, undefined],
    [{ WATCHDOG_USEC: '' }, undefined],
  ])('of %j is %j for process 42', (env, ms) => {
    expect(watchdogMs(env, 42)).toBe(ms);
  });
});
