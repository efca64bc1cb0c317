import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { hsw } from '../support/command.ts';
import { isMirror, isReady, lab, shows, start, until } from '../support/daemon-lab.ts';
import { HOUR } from '../support/lab.ts';

const KEYS = ['a', 'b'].map((letter) => `hst_test_${letter.repeat(64)}`);

describe('the daemon', () => {
  it('reads everything, is ready then, runs sync now, and stops cleanly on SIGTERM', async () => {
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

    daemon.child.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
    expect(daemon.log()).toContain('stopped');
    expect(daemon.log()).not.toContain(simulator.key);
  });

  it('stops within ten seconds although the server hangs, and continues later', { timeout: 90_000 }, async () => {
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
    await shows(daemon, '/', 'unknown data type');
    expect(daemon.child.exitCode).toBeNull();
    write('data: [rooms, chat]\n');
    const file = join(cwd, 'config.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace('port: 0', 'port: 1'));
    daemon.child.kill('SIGHUP');
    await until('it says what needs a restart', () => daemon.log().includes('but a change of http needs a restart'));
    write('data: [rooms, chat, events]\n');
    daemon.child.kill('SIGHUP');
    await until('the new data type is there', () => isMirror(db, simulator, time.now, ['events']));
  });

  it('reports at SIGHUP which changes need a restart, and refuses a command that has another configuration', async () => {
    const { simulator, cwd, time, db, write } = await lab({}, 'data: [rooms, chat]\n');
    const daemon = await start(cwd);
    await until('ready', () => isReady(daemon));
    write('data: [rooms, chat, events]\nlog: { level: debug }\n');
    const refused = await hsw(['sync', 'now'], { cwd });
    expect(refused).toMatchObject({ status: 2, stdout: '' });
    expect(refused.stderr).toContain('with a configuration that reads other data than this one. Nothing was done.');
    expect((await hsw(['verify'], { cwd })).status).toBe(2);
    daemon.child.kill('SIGHUP');
    await until('it says so', () => daemon.log().includes('but a change of log needs a restart'));
    await shows(daemon, '/', 'Restart the daemon to use the new settings.');
    const done = await hsw(['sync', 'now'], { cwd });
    expect(done.status, done.stderr).toBe(0);
    expect(isMirror(db, simulator, time.now, ['events'])).toBe(true);
  });

  it('never sends a key that was written for another server to the one in use', async () => {
    const keys = KEYS.map((key) => ({ key, scopes: ['*'], revoked: false }));
    const { simulator, cwd, writeKey } = await lab({ keys });
    // It looks for a new key every few seconds.
    const daemon = await start(cwd, { speed: 20 });
    await until('ready', () => isReady(daemon));
    const config = join(cwd, 'config.yaml');
    writeFileSync(config, readFileSync(config, 'utf8').replace(simulator.url, 'http://127.0.0.1:9/api/v3'));
    writeKey(KEYS[1] ?? '');
    await delay(2000);
    expect(simulator.requests.filter(({ key }) => key === KEYS[1])).toEqual([]);
    expect(daemon.log()).not.toContain('the API key has changed');
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
    const daemon = await start(cwd, { speed: 20 });
    await until('ready', () => isReady(daemon));
    isAway = true;
    time.now += HOUR;
    expect((await hsw(['sync', 'now', '--data', 'chat'], { cwd })).status).toBe(1);
    await delay(3000);
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
