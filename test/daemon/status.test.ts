import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { VERSION } from '../../src/shared/version.ts';
import type { SimulatorOptions } from '../../src/simulator/server.ts';
import { openWarehouse } from '../../src/warehouse/warehouse.ts';
import { rememberRefusal } from '../../src/warehouse/refusal.ts';
import { keyIdOf } from '../../src/budget/key-id.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { hsw } from '../support/command.ts';
import { listFault } from '../support/list.ts';
import { isReady, lab, shows, start, until } from '../support/daemon-lab.ts';

const Status = z.object({
  daemon: z.object({
    running: z.boolean().nullable(),
    since: z.string().nullable(),
    version: z.string().nullable(),
    dashboard: z.string().nullable(),
  }),
  refused: z.object({ at: z.string(), endpoint: z.string(), waitMs: z.number() }).nullable(),
});

const Streams = z.object({
  streams: z.array(
    z.object({ data: z.string(), standing: z.string(), doubts: z.array(z.object({ kind: z.string() })) }),
  ),
});

async function status(cwd: string, as: { uid?: number; gid?: number } = {}) {
  const { stdout } = await hsw(['status'], { cwd, ...as });
  return { text: stdout, json: Status.parse(JSON.parse((await hsw(['status', '--json'], { cwd, ...as })).stdout)) };
}

/** Refuses the first request for that data type with 429 each time it is armed. */
function refusing(path: string) {
  const state = { left: 0 };
  const fault: SimulatorOptions['fault'] = (request) =>
    request.path.startsWith(path) && state.left-- > 0
      ? { kind: 'reply', reply: { status: 429, headers: { 'retry-after': '1' }, body: '{}' } }
      : undefined;
  return { state, fault };
}

const NO_DAEMON = { running: false, since: null, version: null, dashboard: null };

describe('hsw status', () => {
  it('says whether a daemon is running, since when, and where its dashboard is', async () => {
    const { cwd } = await lab({}, 'data: [rooms, chat]\n');
    const before = Date.now();
    const daemon = await start(cwd);
    await until('ready', () => isReady(daemon));
    const running = await status(cwd);
    const { since, dashboard, ...rest } = running.json.daemon;
    expect(rest).toEqual({ running: true, version: VERSION });
    expect(Date.parse(since ?? '')).toBeGreaterThanOrEqual(before);
    expect(Date.parse(since ?? '')).toBeLessThanOrEqual(Date.now());
    expect((await fetch(`${dashboard ?? ''}/healthz`)).status).toBe(200);
    expect(running.text).toMatch(
      /^A daemon has kept it fresh since \d{4}-\d\d-\d\d \d\d:\d\d UTC \(.*\)\. Its dashboard: http:/m,
    );
    expect(running.text).toContain(dashboard);
    expect(running.json.refused).toBeNull();

    daemon.child.kill('SIGTERM');
    await daemon.ended;
    const stopped = await status(cwd);
    expect(stopped.json.daemon).toEqual(NO_DAEMON);
    expect(stopped.text).toMatch(/^No daemon is running: `hsw daemon` keeps the warehouse fresh/m);
  });

  it('knows a killed daemon from a running one, and one of another version or user for what it is', async () => {
    const { cwd, db } = await lab({}, 'data: [rooms]\n');
    const daemon = await start(cwd);
    await until('ready', () => isReady(daemon));
    daemon.child.kill('SIGKILL');
    await daemon.ended;
    expect((await status(cwd)).json.daemon).toEqual(NO_DAEMON);

    rmSync(`${db}.run/socket`, { force: true });
    const former = createServer((socket) => void socket.end('{"error":{"code":"USAGE","message":"What?"}}\n'));
    onTestFinished(() => void former.close());
    await new Promise<void>((resolve) => former.listen(`${db}.run/socket`, resolve));
    const other = await status(cwd);
    expect(other.json.daemon).toEqual({ ...NO_DAEMON, running: true });
    expect(other.text).toContain('busy, or has another version');
  });

  it.runIf(process.getuid?.() === 0)("says that only its own user can ask another user's daemon", async () => {
    const { cwd, db } = await lab({}, 'data: [rooms]\n');
    const daemon = await start(cwd);
    await until('ready', () => isReady(daemon));
    const nobody = Number(spawnSync('id', ['-u', 'nobody'], { encoding: 'utf8' }).stdout);
    chmodSync(cwd, 0o755);
    for (const file of [db, `${db}-wal`, `${db}-shm`]) chmodSync(file, 0o644);
    chownSync(`${cwd}/key`, nobody, nobody);
    const foreign = await status(cwd, { uid: nobody, gid: nobody });
    expect(foreign.json.daemon).toEqual({ ...NO_DAEMON, running: null });
    expect(foreign.text).toContain('only that user can query it');
    const asked = await hsw(['verify'], { cwd, uid: nobody, gid: nobody });
    expect([4, 5]).toContain(asked.status);
    expect(readFileSync(db).length).toBeGreaterThan(0);
  });

  it('says what keeps a running daemon from reading anything', async () => {
    const state = { isRefused: false };
    const refusal = { status: 'error', error: { code: 'UNAUTHORIZED', message: 'It has expired.' } };
    const fault: SimulatorOptions['fault'] = () =>
      state.isRefused
        ? { kind: 'reply', reply: { status: 401, headers: {}, body: JSON.stringify(refusal) } }
        : undefined;
    const { cwd } = await lab({ fault }, 'data: [rooms]\n');
    const daemon = await start(cwd);
    await until('ready', () => isReady(daemon));
    state.isRefused = true;
    expect((await hsw(['sync', 'now'], { cwd })).status).toBe(3);
    const told = await hsw(['status'], { cwd });
    expect(told.stdout).toMatch(
      /^✗ The API refuses the key\n {2}The API refuses the key: It has expired\. .*\n {2}Create a new/m,
    );
    expect([told.status, told.stdout.split('\n')[0]]).toEqual([
      1,
      '✗ Nothing new can be read; all 2 streams were complete before.',
    ]);
    // A stopped daemon leaves behind what it met.
    daemon.child.kill('SIGTERM');
    await daemon.ended;
    expect((await hsw(['status'], { cwd })).stdout).toMatch(/^✗ The API refuses the key$/m);
  });

  it.each([
    [
      'refused the key',
      401,
      '{"status":"error","error":{"code":"UNAUTHORIZED","message":"It has expired."}}',
      3,
      /^✗ The API refuses the key\n {2}The API refuses the key: It has expired\. /m,
    ],
    [
      'could not be reached',
      407,
      '',
      1,
      /^✗ The last sync could not reach the API\n {2}The API cannot be reached for the list of experiments: /m,
    ],
  ])(
    'says without a daemon that the API %s in the last sync, until one succeeds',
    async (_what, code, body, exit, says) => {
      const state = { isDown: false };
      const fault: SimulatorOptions['fault'] = () =>
        state.isDown ? { kind: 'reply', reply: { status: code, headers: {}, body } } : undefined;
      const { cwd } = await lab({ fault, world: { experiments: 1 } }, 'data: [rooms]\n');
      expect((await hsw(['sync', 'now'], { cwd })).status).toBe(0);
      state.isDown = true;
      expect((await hsw(['sync', 'now'], { cwd })).status).toBe(exit);
      const told = await hsw(['status'], { cwd });
      expect(told.stdout).toMatch(says);
      expect(told.status).toBe(1);
      state.isDown = false;
      expect((await hsw(['sync', 'now'], { cwd })).status).toBe(0);
      const after = await hsw(['status'], { cwd });
      expect([after.status, after.stdout.split('\n')[0]]).toEqual([0, '✓ Complete: the only stream.']);
    },
  );

  it('counts everything that is configured: what was never read is not complete, and exits with 1', async () => {
    const { cwd } = await lab({ world: { experiments: 1 } }, 'data: [rooms, chat, events]\n');
    expect((await hsw(['sync', 'now', '--data', 'chat'], { cwd })).status).toBe(0);
    const narrowed = await hsw(['status'], { cwd });
    expect(narrowed.status).toBe(1);
    expect(narrowed.stdout).toMatch(/^✗ Not complete: 2 of 3 streams never read\.\n/);
    expect((await hsw(['sync', 'now'], { cwd })).status).toBe(0);
    const all = await hsw(['status'], { cwd });
    expect([all.status, all.stdout.split('\n')[0]]).toEqual([0, '✓ Complete: all 3 streams.']);
  });

  it('counts what was configured since the last sync, and says apart what no longer is', async () => {
    const { cwd, write } = await lab({ world: { experiments: 1 } }, 'data: [rooms, chat]\n');
    await hsw(['sync', 'now'], { cwd });
    write('data: [rooms, events]\n');
    const { status: exit, stdout } = await hsw(['status'], { cwd });
    expect([exit, stdout.split('\n')[0]]).toEqual([1, '✗ Not complete: 1 of 2 streams never read.']);
    expect(stdout).toMatch(
      /^· Some data of exp_\w+ are no longer configured\n {2}They are no longer read; their [\d,]+ rows are kept\.\n {2}Affected: chat\.$/m,
    );
    expect((await hsw(['sync', 'now'], { cwd })).status).toBe(0);
    const after = await hsw(['status'], { cwd });
    expect([after.status, after.stdout.split('\n')[0]]).toEqual([0, '✓ Complete: all 2 streams.']);
    expect(after.stdout).toContain('no longer configured');
    const { streams } = Streams.parse(JSON.parse((await hsw(['status', '--json'], { cwd })).stdout));
    expect(streams.map(({ data, standing }) => [data, standing])).toEqual([
      ['chat', 'unconfigured'],
      ['events', 'complete'],
      ['rooms', 'complete'],
    ]);
    expect(streams.find(({ data }) => data === 'chat')?.doubts).toMatchObject([{ kind: 'unconfigured' }]);
  });

  it('and the sync say of an experiment that has left the list that it is gone, in one line, and exit with 1', async () => {
    const list = listFault();
    const { cwd, simulator } = await lab({ fault: list.fault }, 'data: [rooms, chat]\n');
    await hsw(['sync', 'now'], { cwd });
    const [id = ''] = simulator.world.experimentIds;
    list.hidden = [id];
    const synced = await hsw(['sync', 'now'], { cwd });
    expect(synced.status).toBe(1);
    expect(synced.stdout).toMatch(/^✗ Done, but not everything was read: 2 streams/);
    const said = `✗ ${id} is no longer in the list of experiments that the key can see: deleted, or no longer shared.`;
    expect(synced.stdout.split(said)).toHaveLength(2);
    const seen = await hsw(['status'], { cwd });
    expect([seen.status, seen.stdout.split('\n')[0]]).toEqual([1, '✗ Not complete: 2 of 4 streams gone.']);
    expect(seen.stdout.split('is no longer in the list of experiments')).toHaveLength(2);
    expect(seen.stdout).toContain(`✗ ${id} can no longer be found with this key (2 streams)\n`);
    expect((await hsw(['verify'], { cwd })).status).toBe(1);
    list.hidden = 'all';
    const empty = await hsw(['sync', 'now'], { cwd });
    expect(empty.status).toBe(1);
    expect(empty.stdout).toMatch(/^✗ Nothing was read: 0 streams.*\n {2}✗ The key cannot see any experiment/);
    expect(empty.stdout).not.toContain('Up to date');
    list.hidden = [];
    expect((await hsw(['sync', 'now'], { cwd })).status).toBe(0);
    expect((await hsw(['status'], { cwd })).status).toBe(0);
  });

  it('tells what readers should know of streams that are complete', async () => {
    const { cwd, db } = await lab({ world: { experiments: 1 } }, 'data: [rooms, chat]\n');
    await hsw(['sync', 'now'], { cwd });
    const warehouse = openWarehouse(db, { clock: systemClock, history: true });
    warehouse.db
      .prepare("UPDATE _streams SET doubts = ?, dated_ahead_rows = 3 WHERE data = 'chat'")
      .run(JSON.stringify([{ kind: 'dated-ahead', text: '3 rows are dated in the future', count: 3 }]));
    warehouse.close();
    const { status: exit, stdout } = await hsw(['status'], { cwd });
    expect([exit, stdout.split('\n')[0]]).toEqual([0, '✓ Complete: all 2 streams.']);
    expect(stdout).toMatch(
      /^· Some rows of exp_\w+ are dated in the future\n.*\n {2}Affected: chat: 3 rows are dated in the future\.$/m,
    );
  });

  it('says which streams nothing has compared whole for long, and what compares them', async () => {
    const { cwd, db } = await lab({}, 'data: [rooms, chat]\n');
    expect((await hsw(['sync', 'now'], { cwd })).status).toBe(0);
    const verified = (daysAgo: number) => {
      const warehouse = openWarehouse(db, { clock: systemClock, history: true });
      const at = new Date(Date.now() - daysAgo * 86_400_000).toISOString();
      warehouse.db.prepare("UPDATE _streams SET verified_at = ? WHERE data = 'chat'").run(at);
      warehouse.close();
    };
    verified(57);
    expect((await status(cwd)).text).not.toContain('compared whole');
    verified(61);
    expect((await status(cwd)).text).toMatch(
      /^! 2 streams were last fully compared .* 60 days ago\n {2}The oldest is chat of exp_\w+: .* UTC\..*\n {2}Only the daemon .*: hsw verify --deep --repair$/m,
    );
    expect((await hsw(['verify', '--deep', '--repair'], { cwd })).status).toBe(0);
    expect((await status(cwd)).text).not.toContain('compared whole');
  });

  it('says for a day that another program uses the key, whichever command met it', { timeout: 240_000 }, async () => {
    const { state, fault } = refusing('/data/chat');
    // Without a reserve nothing waits longer than the API asks.
    const api = 'timeout: 20s, limits: { reserve: 0 }';
    const { simulator, cwd, db, writeKey } = await lab({ fault }, 'data: [rooms, chat]\n', api);
    expect((await hsw(['sync', 'now'], { cwd })).status).toBe(0);
    expect((await status(cwd)).json.refused).toBeNull();
    const told =
      /^! Another program uses the same key\n {2}The API refused a request for chat at .* ago\), although we kept within our limits\.\n {2}Give the warehouse a key of its own, .* api\.limits\.reserve in the config \(now 0\)\.$/m;
    let latest = 0;
    const meet = async (command: string[]) => {
      state.left = 1;
      expect((await hsw(command, { cwd })).status).toBe(0);
      expect(state.left).toBeLessThanOrEqual(0);
      const { text, json } = await status(cwd);
      expect(text).toMatch(told);
      expect(json.refused).toMatchObject({ endpoint: 'chat', waitMs: 1000 });
      const at = Date.parse(json.refused?.at ?? '');
      expect(at).toBeGreaterThan(latest);
      latest = at;
    };
    await meet(['sync', 'now']);
    await meet(['verify']);
    const daemon = await start(cwd);
    await until('ready', () => isReady(daemon));
    await meet(['verify']);
    await shows(daemon, '/api/status', `"refusedAt":"${new Date(latest).toISOString()}"`);
    daemon.child.kill('SIGTERM');
    await daemon.ended;

    writeKey(`hst_test_${'o'.repeat(64)}`);
    expect((await status(cwd)).json.refused).toBeNull();
    writeKey(simulator.key);
    const warehouse = openWarehouse(db, { clock: systemClock, history: true });
    const yesterday = Date.now() - 25 * 3_600_000;
    rememberRefusal(warehouse.db, { at: yesterday, endpoint: 'chat', waitMs: 1, keyId: keyIdOf(simulator.key) });
    warehouse.close();
    const over = await status(cwd);
    expect(over.json.refused).toBeNull();
    expect(over.text).not.toContain('Another program');
  });
});
