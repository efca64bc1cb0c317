import { execFile, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startSimulator, type SimulatorOptions } from '../../src/simulator/server.ts';
import { createWorld } from '../../src/simulator/world.ts';
import { hsw } from '../support/command.ts';
import { listFault } from '../support/list.ts';
import { START, HOUR, temporaryFolder } from '../support/lab.ts';

const SMALL = {
  seed: 1,
  start: START,
  roomsPerExperiment: 1,
  participantsPerRoom: 1,
  videoSeconds: 10,
  roomEveryMs: HOUR,
};

const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'main.js');

/** A simulator and a folder with a configuration for it. */
async function lab(options: SimulatorOptions = {}, yaml = 'experiments: [{ all: true }]\n') {
  const simulator = await startSimulator({ now: () => START + 3 * HOUR, meterNow: Date.now, ...options });
  onTestFinished(() => simulator.close());
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'config.yaml'), yaml);
  return { simulator, cwd, env: { HYPERSTUDY_API_KEY: simulator.key, HYPERSTUDY_BASE_URL: simulator.url } };
}

describe('hsw', () => {
  it('syncs, shows the status, and exports records as the API sent them', async () => {
    const { simulator, ...at } = await lab();
    const synced = await hsw(['sync', 'now', '--json'], at);
    expect(synced.status, synced.stderr).toBe(0);
    const result = JSON.parse(synced.stdout) as { status: string; streams: { data: string; complete: boolean }[] };
    expect(result.status).toBe('ok');
    expect(result.streams.every(({ complete }) => complete)).toBe(true);
    const [id = ''] = simulator.world.experimentIds;
    const status = await hsw(['status'], at);
    expect([status.status, status.stdout]).toEqual([
      0,
      expect.stringMatching(/^ .* {4}yes {9}\S+ \S+ ago $/m) as string,
    ]);
    const streams = await hsw(['status', '--streams', '--experiment', id], at);
    expect(streams.stdout).toMatch(new RegExp(`^ ${id} +ratings/continuous .* yes`, 'm'));
    expect((await hsw(['status', '--problems'], at)).stdout).toContain('\nEvery stream is complete.\n');
    expect(await hsw(['status', '--experiment', 'exp_nobody'], at)).toMatchObject({ status: 2, stdout: '' });
    const watched = await hsw(['status', '--watch'], {
      ...at,
      onStart: (child) => child.stdout?.once('data', () => child.kill('SIGINT')),
    });
    expect([watched.status, watched.stdout]).toEqual([0, expect.stringContaining('Complete: all') as string]);
    for (const planning of [['plan'], ['sync', 'now', '--dry-run']]) {
      const refused = await hsw([...planning, '--experiment', 'exp_nobody'], at);
      expect([refused.status, refused.stdout, refused.stderr]).toEqual([2, '', expect.stringContaining(id) as string]);
    }
    const exported = await hsw(['export', '--data', 'chat', '--experiment', id], at);
    const sort = (lines: unknown[]) =>
      lines.map((line) => JSON.stringify(Object.entries(line as object).sort())).sort();
    expect(
      sort(
        exported.stdout
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as unknown),
      ),
    ).toEqual(sort(simulator.world.records('chat', id, simulator.now())));
    for (const [words, said] of [
      [['--out', './nowhere/chat.ndjson'], './nowhere/chat.ndjson could not be written completely'],
      [['--out', '/dev/full'], '/dev/full could not be written completely'],
      [['--experiment', 'exp_nobody'], 'The warehouse has no experiment exp_nobody.'],
    ] as const)
      expect(await hsw(['export', '--data', 'chat', ...words], at)).toMatchObject({
        status: 2,
        stderr: expect.stringContaining(said) as string,
      });
    const csv = await hsw(['export', '--data', 'events', '--format', 'csv'], at);
    expect(csv.stdout.split('\r\n')[0]).toContain('response_value_number');
    const everything = `${synced.stdout}${synced.stderr}${status.stdout}${readFileSync(join(at.cwd, 'data', 'hyperstudy.db'), 'latin1')}`;
    expect(everything).not.toContain(simulator.key);
    expect(new Set(simulator.requests.map(({ key }) => key))).toEqual(new Set([simulator.key]));
  });

  it('runs from cron by the lines of the docs, and prints something only when it failed', async () => {
    const { simulator, cwd } = await lab();
    const settings = (file: string) =>
      `api: { baseUrl: "${simulator.url}", keyFile: ./${file} }\nexperiments: [{ all: true }]\ndata: [rooms]\n`;
    writeFileSync(join(cwd, 'config.yaml'), settings('key'));
    writeFileSync(join(cwd, 'key'), simulator.key, { mode: 0o600 });
    writeFileSync(join(cwd, 'wrong'), `${simulator.key.slice(0, -4)}0000`, { mode: 0o600 });
    symlinkSync(join(MAIN, '..', '..', 'hsw'), join(cwd, 'hsw'));
    const page = readFileSync(join(MAIN, '..', '..', 'docs', 'getting-started.md'), 'utf8');
    const lines = [...page.matchAll(/^`\*\/15 \* \* \* \* (.*)`$/gm)].map(([, line = '']) => line);
    expect(lines).toHaveLength(2);
    // As crontab(5) says, nothing else is in the environment.
    const env = { HOME: cwd, LOGNAME: 'lab', SHELL: '/bin/sh', PATH: '/usr/bin:/bin' };
    const cron = (line: string) =>
      promisify(execFile)('/bin/sh', ['-c', line.replace('/srv/hyperstudy', cwd).replace('/usr/local/bin', cwd)], {
        env,
      });
    for (const line of lines) expect(await cron(line)).toEqual({ stdout: '', stderr: '' });
    expect(existsSync(join(cwd, 'data', 'hyperstudy.db'))).toBe(true);
    writeFileSync(join(cwd, 'config.yaml'), settings('wrong'));
    for (const line of lines) expect((await cron(line)).stdout).toContain('✗ ');
  });

  it('takes an experiment by its name, and says which ones share one', async () => {
    const { simulator, ...at } = await lab();
    const [first = '', second = ''] = simulator.world.experimentIds;
    await hsw(['sync', 'now', '--data', 'experiments', '--data', 'rooms'], at);
    const db = new Database(join(at.cwd, 'data', 'hyperstudy.db'));
    db.prepare('UPDATE experiments SET name = ? WHERE experiment_id = ?').run('Étude un', first);
    const streamsOf = async (args: readonly string[]) => {
      const { stdout, stderr } = await hsw([...args, '--experiment', 'étude  UN', '--data', 'rooms', '--json'], at);
      expect(stdout, stderr).toMatch(/^\{/);
      const { streams } = JSON.parse(stdout) as { streams: { experiment?: string; stream?: string }[] };
      return streams.map(({ experiment, stream = '' }) => experiment ?? stream.split('/')[0]);
    };
    for (const args of [['plan'], ['sync', 'now', '--dry-run']])
      expect([args, (await streamsOf(args)).every((stream) => stream?.includes(first))]).toEqual([args, true]);
    for (const args of [['verify'], ['sync', 'now']]) expect([args, await streamsOf(args)]).toEqual([args, [first]]);
    const unknown = await hsw(['sync', 'now', '--experiment', 'Étude deux'], at);
    expect([unknown.status, unknown.stderr]).toEqual([
      2,
      expect.stringContaining('Did you mean "Étude un"?') as string,
    ]);

    db.prepare('UPDATE experiments SET name = ? WHERE experiment_id = ?').run('Étude un', second);
    db.close();
    for (const args of [['plan'], ['sync', 'now'], ['certify', '--out', 'certificates']]) {
      const refused = await hsw([...args, '--experiment', 'Étude un'], at);
      expect([args, refused.status, refused.stderr.split('\n').slice(-3)]).toEqual([
        args,
        2,
        ['✗ 2 experiments are called Étude un.', expect.stringContaining(`${first} (Étude un)`) as string, ''],
      ]);
    }
  });

  it('tells before a sync what it would cost, asking and writing nothing', async () => {
    const { simulator, ...at } = await lab({}, 'experiments: [{ id: exp_x }]\n');
    const ran = await hsw(['sync', 'now', '--dry-run'], at);
    expect(ran.status, ran.stderr).toBe(0);
    expect(ran.stdout).toContain('first read');
    expect(simulator.requests).toEqual([]);
    expect(existsSync(join(at.cwd, 'data'))).toBe(false);
  });

  it('reports every mistake in the configuration and exits with 2', async () => {
    const at = await lab({}, 'experiments: [{ id: exp_1, dta: [chat] }]\nlogg: {}\n');
    const ran = await hsw(['sync', 'now'], at);
    expect(ran.status).toBe(2);
    expect(ran.stderr).toContain('did you mean "data"');
    expect(ran.stderr).toContain('unknown key "logg", did you mean "log"');
    expect(ran.stderr).not.toContain('    at ');
  });

  it('exits with 3 for a refused key, 1 for a missing scope that was asked for, 1 for a server that is down, 5 beside another writer', async () => {
    const { cwd, env } = await lab({
      keys: [{ key: `hst_test_${'k'.repeat(64)}`, scopes: ['read:events', 'read:experiments'] }],
    });
    const at = { cwd, env };
    const refused = await hsw(['sync', 'now'], {
      ...at,
      env: { ...at.env, HYPERSTUDY_API_KEY: `hst_test_${'x'.repeat(64)}` },
    });
    expect(refused).toMatchObject({ status: 3 });
    expect(refused.stderr).toContain('The API refuses the key');
    const scope = await hsw(['sync', 'now', '--data', 'chat'], at);
    expect(scope).toMatchObject({ status: 1 });
    expect(scope.stdout).toContain('read:chat');
    const down = await hsw(['sync', 'now'], {
      ...at,
      env: { ...at.env, HYPERSTUDY_BASE_URL: 'http://127.0.0.1:9/api/v3' },
    });
    expect(down).toMatchObject({ status: 1 });
    expect(down.stderr).toContain('nothing listens at that address');
    const lock = new Database(join(at.cwd, 'data', 'hyperstudy.db.lock'));
    lock.exec('BEGIN EXCLUSIVE');
    const busy = await hsw(['sync', 'now'], at);
    expect(busy).toMatchObject({ status: 5 });
    expect(busy.stderr).toContain('Another hyperstudy-warehouse is writing');
    lock.close();
  });

  it('stops at SIGINT with 130, keeping what was committed', async () => {
    const { simulator, ...at } = await lab({ latencyMs: 50 });
    const child = spawn(process.execPath, [MAIN, 'sync', 'now'], {
      cwd: at.cwd,
      env: { PATH: process.env['PATH'], ...at.env },
    });
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    while (simulator.requests.length < 12) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    const db = new Database(join(at.cwd, 'data', 'hyperstudy.db'), { readonly: true });
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
    expect(db.prepare('SELECT count(*) FROM _streams WHERE complete = 1').pluck().get()).toBeGreaterThan(0);
    db.close();
    expect((await hsw(['sync', 'now'], at)).status).toBe(0);
  });

  it('makes a configuration that works, and never overwrites one', async () => {
    const { simulator, env } = await lab();
    const cwd = temporaryFolder();
    const made = await hsw(['init', '--yes', '--all'], { cwd, env });
    expect(made.status, made.stderr).toBe(0);
    expect(made.stdout).toContain('Now run: hsw sync now');
    for (const id of simulator.world.experimentIds) expect(made.stdout).toContain(id);
    const file = join(cwd, 'config.yaml');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).not.toContain(simulator.key);
    expect(
      (await hsw(['sync', 'now', '--data', 'rooms'], { cwd, env: { HYPERSTUDY_API_KEY: simulator.key } })).status,
    ).toBe(0);
    const again = await hsw(['init', '--yes', '--all'], { cwd, env });
    expect(again).toMatchObject({ status: 2 });
    expect(again.stderr).toContain('already exists');
    const byNpx = { cwd: temporaryFolder(), env: { ...env, npm_command: 'exec' } };
    expect((await hsw(['init', '--yes', '--all'], byNpx)).stdout).toContain('Now run: npx hsw sync now');
  });

  it('writes no configuration when the key is refused or an experiment is unknown', async () => {
    const { env } = await lab();
    const cwd = temporaryFolder();
    expect(
      (
        await hsw(['init', '--yes', '--all'], {
          cwd,
          env: { ...env, HYPERSTUDY_API_KEY: `hst_test_${'x'.repeat(64)}` },
        })
      ).status,
    ).toBe(3);
    expect((await hsw(['init', '--yes', '--experiment', 'exp_none'], { cwd, env })).status).toBe(2);
    expect(existsSync(join(cwd, 'config.yaml'))).toBe(false);
  });

  it('diagnoses a good setup with ✓ and a bad one with ✗ and what to do', async () => {
    const { simulator, ...at } = await lab({ now: Date.now });
    const good = await hsw(['doctor'], at);
    expect(good.status, good.stdout).toBe(0);
    expect(good.stdout).not.toContain('✗');
    const bad = await hsw(['doctor'], { ...at, env: { ...at.env, HYPERSTUDY_API_KEY: `hst_test_${'x'.repeat(64)}` } });
    expect(bad.status).toBe(1);
    expect(bad.stdout).toContain('✗ key: The API refuses the key');
    expect(bad.stdout).not.toContain(simulator.key);
  });

  it('asks for the organization that init was given, and says in doctor that another is unknown', async () => {
    const { simulator, env } = await lab({
      now: Date.now,
      sharing: { organizations: ['org_lab'] },
      world: { experiments: 1 },
    });
    const at = { cwd: temporaryFolder(), env };
    const made = await hsw(['init', '--yes', '--all', '--organization', 'org_lab'], at);
    expect(made.status, made.stderr).toBe(0);
    const good = await hsw(['doctor'], at);
    expect(good.status, good.stdout).toBe(0);
    expect(good.stdout).toContain('✓ organization: the API answers requests for org_lab');
    expect(new Set(simulator.requests.map(({ organization }) => organization))).toEqual(new Set(['org_lab']));
    const other = { ...at, env: { ...env, HYPERSTUDY_ORGANIZATION_ID: 'org_other' } };
    const bad = await hsw(['doctor'], other);
    expect(bad.status).toBe(1);
    expect(bad.stdout).toContain('✓ key: ');
    expect(bad.stdout.match(/✗.*/g)).toEqual([
      expect.stringContaining('✗ organization: The API refuses requests for org_other: it does not exist') as string,
    ]);
    const synced = await hsw(['sync', 'now'], other);
    expect(synced.status).toBe(1);
    expect(synced.stderr).toContain('asked for the organization org_other (api.organization)');
  });

  it('lists in init what others share, and tries the key in doctor on that where it sees nothing else', async () => {
    const world = createWorld({ ...SMALL, experiments: 1 });
    const [id = ''] = world.experimentIds;
    const { env } = await lab({ now: Date.now, world, sharing: { experiments: [id], viewOnly: [id] } });
    const at = { cwd: temporaryFolder(), env };
    const made = await hsw(['init', '--yes', '--all', '--organization', 'org_lab'], at);
    expect(made.stdout).toMatch(/ shared *\n/);
    expect(made.stdout).toMatch(new RegExp(`^ *${id} .* yes *$`, 'm'));
    const doctor = await hsw(['doctor'], at);
    expect(doctor.status).toBe(1);
    expect(doctor.stdout.match(/✗.*/g)).toEqual([
      expect.stringContaining(`✗ rights: The key may see ${id}, but not export its data`) as string,
    ]);
    expect(doctor.stdout).toContain('✓ events: allowed');
  });

  it('tries the key in doctor on a deployment where it is given no more', async () => {
    const world = createWorld({ ...SMALL, experiments: 1 });
    const at = await lab({ now: Date.now, world, sharing: { deploymentsOf: world.experimentIds } });
    const doctor = await hsw(['doctor'], at);
    expect(doctor.status, doctor.stdout).toBe(0);
    expect(doctor.stdout).toContain('✓ events: allowed');
  });

  it('says in doctor that a wrong path is not the API, also where its health check answers', async () => {
    const { simulator, cwd, env } = await lab({
      fault: ({ path }) =>
        path === '/experiments'
          ? {
              kind: 'reply',
              reply: { status: 404, headers: {}, body: '{"status":"error","error":{"code":"NOT_FOUND"}}' },
            }
          : undefined,
    });
    const says = /^✗ network: The address answers, but not as HyperStudy's API: (.*) Check api\.baseUrl/m;
    const half = await hsw(['doctor'], { cwd, env });
    expect([half.status, says.exec(half.stdout)?.[1]]).toEqual([1, 'it has no list of experiments there.']);
    const HYPERSTUDY_BASE_URL = simulator.url.replace('/v3', '/v2');
    const wrong = await hsw(['doctor'], { cwd, env: { ...env, HYPERSTUDY_BASE_URL } });
    expect([wrong.status, says.exec(wrong.stdout)?.[1]]).toEqual([1, 'it has no health check there (HTTP 404).']);
  });
  it('says in doctor that the key sees no experiment, and what to do', async () => {
    const list = listFault();
    list.hidden = 'all';
    const at = await lab({ fault: list.fault });
    const doctor = await hsw(['doctor'], at);
    expect(doctor.status).toBe(1);
    expect(doctor.stdout).toMatch(
      /^✗ experiments: The key cannot see any experiment: .* Check in HyperStudy that the key/m,
    );
  });

  it('asks no further in doctor and init once the limits of the key are reached', async () => {
    const full = { status: 429, headers: { 'retry-after': '1800' }, body: '{}' };
    const { simulator, ...at } = await lab({
      now: Date.now,
      fault: ({ path }) => (path === '/health' ? undefined : { kind: 'reply', reply: full }),
    });
    const doctor = await hsw(['doctor'], at);
    expect(doctor.status).toBe(1);
    expect(doctor.stdout).toContain('✗ limits: ');
    expect(simulator.requests.length).toBe(2);
    const init = await hsw(['init', '--yes', '--all'], { cwd: temporaryFolder(), env: at.env });
    expect(init.status).not.toBe(0);
    expect(init.stderr).toContain('limits were reached');
    expect(simulator.requests.length).toBe(3);
  });

  it('says in doctor who can read secrets in the configuration, and the data, and how to end it', async () => {
    const yaml = 'http: { token: a-token-of-the-lab }\nexperiments: [{ all: true }]\n';
    const { cwd, env } = await lab({ now: Date.now, world: { experiments: 1 } }, yaml);
    const doctor = (...flags: string[]) => hsw(['doctor', ...flags], { cwd, env });
    const config = join(cwd, 'config.yaml');
    chmodSync(cwd, 0o755);
    chmodSync(join(cwd, 'config.yaml'), 0o644);
    expect((await hsw(['sync', 'now', '--data', 'rooms'], { cwd, env })).status).toBe(0);
    const data = join(cwd, 'data', 'hyperstudy.db');
    chmodSync(config, 0o600);
    chmodSync(dirname(data), 0o755);
    const made = await doctor();
    expect(made.status, made.stdout).toBe(0);
    chmodSync(config, 0o644);
    for (const file of [data, `${data}-wal`]) chmodSync(file, 0o644);
    const open = await doctor();
    expect(open.status).toBe(1);
    expect(open.stdout).not.toContain('a-token-of-the-lab');
    expect(open.stdout).toContain(`✗ config file: ${config} holds http.token, and others can read it. Run: ch`);
    expect(open.stdout).toContain(
      `✗ warehouse folder: everyone on this computer can read the data. Run: chmod o-r ${data}*`,
    );
    const closed = await doctor('--fix');
    expect(closed.status, closed.stdout).toBe(0);
    expect(closed.stdout.match(/✓ fixed: .*/g)).toHaveLength(3);
    const modes = [config, data, `${data}-wal`].map((file) => statSync(file).mode & 0o777);
    expect(modes).toEqual([0o600, 0o600, 0o600]);
    const again = await hsw(['--json', 'doctor', '--fix'], { cwd, env });
    expect(JSON.parse(again.stdout)).toMatchObject({ ok: true, fixed: [] });
    expect(closed.stdout).toMatch(/✓ config file: .*\n✓ warehouse folder: /);
  });

  it('says a week before that the key expires, when it has, and when the date is that of a former key', async () => {
    const at = await lab({ now: Date.now, world: { experiments: 1 } });
    const write = (ms: number) => {
      const date = new Date(ms).toISOString().slice(0, 10);
      writeFileSync(
        join(at.cwd, 'config.yaml'),
        `api: { keyExpires: ${date} }\ndata: [chat]\nexperiments: [{ all: true }]\n`,
      );
      return date;
    };
    const far = write(Date.now() + 30 * 24 * HOUR);
    expect((await hsw(['sync', 'now', '--data', 'chat'], at)).status).toBe(0);
    expect((await hsw(['status'], at)).stdout).not.toContain(far);
    expect((await hsw(['doctor'], at)).stdout).toContain(`✓ key expiry: the key expires at ${far} 00:00 UTC`);

    const near = write(Date.now() + 4 * 24 * HOUR);
    const status = await hsw(['status'], at);
    expect(status.stdout).toContain(`! The API key expires soon\n  The key expires at ${near} 00:00 UTC, in `);
    expect(status.status).toBe(0);
    const json = JSON.parse((await hsw(['status', '--json'], at)).stdout) as unknown;
    expect(json).toMatchObject({ keyExpires: { at: `${near}T00:00:00.000Z`, state: 'near' } });
    const doctor = await hsw(['doctor'], at);
    expect(doctor.status).toBe(1);
    expect(doctor.stdout).toContain(`✗ key expiry: The key expires at ${near}`);

    const past = write(Date.now() - 10 * 24 * HOUR);
    const outlived = `According to api.keyExpires the key expired at ${past} 00:00 UTC, but it still works.`;
    expect((await hsw(['status'], at)).stdout).toContain(outlived);
    expect((await hsw(['doctor'], at)).stdout).toContain(`✗ key expiry: ${outlived}`);
    const env = { ...at.env, HYPERSTUDY_API_KEY: `hst_test_${'x'.repeat(64)}` };
    expect((await hsw(['doctor'], { ...at, env })).stdout).toContain(
      '✗ key expiry: According to api.keyExpires the key expired',
    );
  });

  it('writes the end of the key into the configuration that init makes, and says where it belongs', async () => {
    const { cwd, env } = await lab();
    const init = (...more: string[]) =>
      hsw(['--config', `${more.length}.yaml`, 'init', '--yes', '--all', ...more], { cwd, env });
    const read = (name: string) => readFileSync(join(cwd, name), 'utf8');
    const plain = await init();
    expect(plain.stdout).toContain('set api.keyExpires there to its expiry date');
    expect(read('0.yaml')).toContain('  # keyExpires: 2027-05-01 #');
    const dated = await init('--key-expires', '2027-05-01');
    expect(dated.stdout).not.toContain('keyExpires');
    expect(read('2.yaml')).toContain('  keyExpires: 2027-05-01\n');
    const wrong = await hsw(['--config', 'w.yaml', 'init', '--yes', '--all', '--key-expires', 'soon'], { cwd, env });
    expect(wrong.status).toBe(2);
    expect(wrong.stderr).toContain('--key-expires must be a date such as 2027-05-01');
    expect(existsSync(join(cwd, 'w.yaml'))).toBe(false);
  });

  it('shows help with examples for each command, and exits with 2 for what it does not know', async () => {
    const cwd = temporaryFolder();
    for (const command of ['init', 'doctor', 'sync', 'status', 'export', 'demo', 'simulator']) {
      const ran = await hsw([command, '--help'], { cwd });
      expect(ran.status).toBe(0);
      expect(ran.stdout).toMatch(/Examples?:/);
    }
    expect((await hsw(['snyc'], { cwd })).status).toBe(2);
    expect((await hsw(['sync', 'later'], { cwd })).status).toBe(2);
    const missing = await hsw(['status'], { cwd });
    expect(missing.status).toBe(2);
    expect(missing.stderr).toContain('hsw init');
  });

  it('says in a sentence that Node is too old, before anything native loads', () => {
    const old = ['/usr/bin/node', '/usr/local/bin/node'].find((path) => {
      const found = existsSync(path)
        ? /^v(\d+)\.(\d+)/.exec(spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout)
        : null;
      return found !== null && (Number(found[1]) < 22 || (Number(found[1]) === 22 && Number(found[2]) < 19));
    });
    // Where there is no old Node, this one is made to look like it.
    const shim = join(temporaryFolder(), 'old.cjs');
    writeFileSync(
      shim,
      "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } });",
    );
    chmodSync(shim, 0o644);
    const ran =
      old === undefined
        ? spawnSync(process.execPath, ['--require', shim, MAIN, 'status'], { encoding: 'utf8' })
        : spawnSync(old, [MAIN, 'status'], { encoding: 'utf8' });
    expect(ran.status).toBe(2);
    expect(ran.stderr).toMatch(/^✗ hyperstudy-warehouse needs Node\.js 22\.19 or newer.*\n$/);
  });
});
