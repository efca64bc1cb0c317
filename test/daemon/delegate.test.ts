import { mkdirSync } from 'node:fs';
import type { ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { errorReply } from '../../src/simulator/reply.ts';
import type { Fault, SimulatorOptions } from '../../src/simulator/server.ts';
import { acquireWriterLock } from '../../src/warehouse/lock.ts';
import { hsw } from '../support/command.ts';
import { isMirror, isReady, lab, start, until } from '../support/daemon-lab.ts';
import { HOUR } from '../support/lab.ts';

interface Proven {
  readonly at: string;
  readonly requests: number;
  readonly durationMs: number;
  readonly streams: readonly { data: string; status: string; missing: string[]; changed: string[]; extra: string[] }[];
}

/** Runs SQL on the warehouse behind the daemon's back. */
function tamper(path: string, ...statements: string[]): void {
  const db = new Database(path);
  for (const statement of statements) db.exec(statement);
  db.close();
}

/** A warehouse that a daemon has read whole and keeps, in which the oldest event is missing and the next one is wrong. */
async function tampered() {
  const made = await lab();
  const daemon = await start(made.cwd);
  await until('ready', () => isReady(daemon));
  await until('every table equals the API', () => isMirror(made.db, made.simulator, made.time.now));
  const oldest = '(SELECT key FROM events ORDER BY timestamp, key LIMIT 1)';
  tamper(
    made.db,
    `UPDATE events SET content = 'tampered' WHERE key IN (SELECT key FROM events ORDER BY timestamp, key LIMIT 1 OFFSET 1)`,
    `DELETE FROM events WHERE key = ${oldest}`,
  );
  return { ...made, daemon };
}

const withoutTimes = (text: string) =>
  text.replace(/^As of .*: (\d+ streams? equal)/m, '$1').replace(/requests? in .*?\./, 'requests.');

it('a sync on request that succeeds ends the pause after a refused key', async () => {
  let fault: Fault | undefined;
  const { cwd } = await lab({ fault: () => fault });
  const daemon = await start(cwd);
  await until('ready', () => isReady(daemon));
  fault = { kind: 'reply', reply: errorReply(401, 'Invalid or expired API key') };
  expect(await hsw(['sync', 'now'], { cwd })).toMatchObject({ status: 3 });
  await until('not ready', async () => !(await isReady(daemon)));
  fault = undefined;
  expect(await hsw(['sync', 'now'], { cwd })).toMatchObject({ status: 0 });
  await until('ready again', () => isReady(daemon));
});

describe('hsw verify while a daemon runs', () => {
  it('finds, names and repairs what it would find without one, and ends in the same way', async () => {
    const { simulator, cwd, time, db, daemon } = await tampered();
    const asked = ['verify', '--deep', '--data', 'events'];
    const beside = await hsw(asked, { cwd });
    const besideJson = await hsw([...asked, '--json'], { cwd });
    daemon.child.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
    const alone = await hsw(asked, { cwd });
    const aloneJson = await hsw([...asked, '--json'], { cwd });
    expect(alone.status, alone.stdout).toBe(1);
    expect(alone.stdout).toContain('1 missing');
    expect(alone.stdout).toContain('1 changed');
    expect(beside).toEqual({ ...alone, stdout: beside.stdout });
    expect(withoutTimes(beside.stdout)).toBe(withoutTimes(alone.stdout));
    expect(besideJson.status).toBe(1);
    const [one, other] = [besideJson, aloneJson].map(({ stdout }) => JSON.parse(stdout) as Proven);
    expect(one).toEqual({ ...other, at: one?.at, durationMs: one?.durationMs });
    expect(one?.requests).toBeGreaterThan(1);

    const again = await start(cwd);
    await until('ready', () => isReady(again));
    const repaired = await hsw(['verify', '--repair', '--deep', '--data', 'events'], { cwd });
    expect(repaired.status, repaired.stderr).toBe(0);
    expect(repaired.stdout).toContain('1 missing');
    expect(repaired.stdout).toContain('; repaired');
    expect(isMirror(db, simulator, time.now, ['events'])).toBe(true);
    const nobody = await hsw(['verify', '--experiment', 'exp_nobody'], { cwd });
    expect(nobody).toMatchObject({ status: 2, stdout: '' });
    expect(nobody.stderr).toContain('The configuration does not name the experiment exp_nobody.');
  });

  it('lets the daemon go on with everything else meanwhile, and ends with 130 at Ctrl+C', async () => {
    let isHanging = false;
    const hang: SimulatorOptions['fault'] = ({ path }) =>
      isHanging && path.startsWith(`/data/components/experiment/${still}`) ? { kind: 'hang' } : undefined;
    const wide = 'limits: { perHour: 100000, perEndpointPerMinute: 10000 }';
    const { simulator, cwd, time, db, write } = await lab({ fault: hang }, '', wide);
    const [still = '', running = ''] = simulator.world.experimentIds;
    // Of the first experiment nothing is due for months: only a verification asks for it.
    write(`experiments: [{ id: ${still}, schedule: "0 0 1 1 *" }, { id: ${running}, schedule: "*/2 * * * * *" }]\n`);
    const daemon = await start(cwd);
    await until('ready', () => isReady(daemon));
    await until('every table equals the API', () => isMirror(db, simulator, time.now));
    isHanging = true;
    const verifying = ['verify', '--data', 'components', '--experiment', still];
    const child = Promise.withResolvers<ChildProcess>();
    const asking = hsw([...verifying, '--json'], { cwd, onStart: child.resolve });
    await until('its request hangs', () => simulator.requests.some(({ status }) => status === undefined));
    time.now += HOUR;
    await until('another experiment is read', () =>
      isMirror(db, simulator, time.now, ['events', 'chat', 'components'], [running]),
    );
    (await child.promise).kill('SIGINT');
    const interrupted = await asking;
    expect(interrupted.status).toBe(130);
    expect(JSON.parse(interrupted.stdout)).toMatchObject({ error: { code: 'INTERRUPTED' } });
    isHanging = false;
    // Nothing is left of it in the daemon.
    const again = await hsw([...verifying, '--repair'], { cwd });
    expect(again.status, again.stdout + again.stderr).toBe(0);
    expect(isMirror(db, simulator, time.now, ['components'], [still])).toBe(true);
    expect(daemon.log()).not.toContain('internal error');
  });

  it('says what it waits for', async () => {
    let refusals = 0;
    const { cwd } = await lab({
      fault: ({ path }) =>
        path.startsWith('/data/chat') && refusals-- > 0
          ? { kind: 'reply', reply: { status: 429, headers: { 'retry-after': '2' }, body: '{}' } }
          : undefined,
    });
    const daemon = await start(cwd);
    await until('ready', () => isReady(daemon));
    refusals = 1;
    const ran = await hsw(['verify', '--data', 'chat'], { cwd });
    expect(ran.status, ran.stderr).toBe(0);
    // Longer than the API asks: what is missing to the limit is others', and the reserve is left to them.
    expect(ran.stderr).toMatch(
      /^… waiting until \d\d:\d\d:\d\d for (the per-minute limit of chat|the delay that the API asked for) \([2-9] s\)\n/,
    );
  });
});

describe('other commands while a daemon runs', () => {
  it('hand over a full sync and the consent to rows that were deleted upstream', async () => {
    const { simulator, cwd, time, db } = await tampered();
    const full = await hsw(['sync', 'now', '--full', '--data', 'events'], { cwd });
    expect(full.status, full.stderr).toBe(0);
    expect(isMirror(db, simulator, time.now, ['events'])).toBe(true);
    const made = new Database(db);
    const columns = made.prepare<[], string>("SELECT name FROM pragma_table_info('events')").pluck().all();
    const copied = columns.map((name) => (name === 'key' ? "key || '-copy'" : `"${name}"`));
    made.exec(
      `INSERT INTO events (${columns.map((name) => `"${name}"`).join(', ')}) SELECT ${copied.join(', ')} FROM events`,
    );
    made.close();
    const withheld = await hsw(['sync', 'now', '--full', '--data', 'events'], { cwd });
    expect(withheld.status).toBe(1);
    expect(isMirror(db, simulator, time.now, ['events'])).toBe(false);
    const accepted = await hsw(['sync', 'now', '--full', '--data', 'events', '--accept-deletes'], { cwd });
    expect(accepted.status, accepted.stderr).toBe(0);
    expect(isMirror(db, simulator, time.now, ['events'])).toBe(true);
  });

  it('read beside it, or say what to do and leave the warehouse alone', async () => {
    const { simulator, cwd, time, db } = await lab();
    const daemon = await start(cwd);
    await until('ready', () => isReady(daemon));
    await until('every table equals the API', () => isMirror(db, simulator, time.now));
    for (const reading of [['status'], ['plan'], ['sync', 'now', '--dry-run'], ['export', '--data', 'chat']])
      expect(await hsw(reading, { cwd })).toMatchObject({ status: 0, stderr: '' });
    const second = await hsw(['daemon'], { cwd });
    expect(second.status).toBe(5);
    expect(second.stderr).toContain('A daemon is already running for the warehouse');
    expect(second.stderr).toContain('stop it first');
    const demo = await hsw(['demo', '--out', db], { cwd });
    expect(demo.status).toBe(5);
    expect(demo.stderr).toContain('Another hyperstudy-warehouse is writing');
    expect(isMirror(db, simulator, time.now)).toBe(true);
    expect((await hsw(['verify', '--data', 'chat'], { cwd })).status).toBe(0);
  });

  it('say busy beside a writer that is not a daemon, and what to do beside a daemon of an earlier version', async () => {
    const { cwd, db } = await lab();
    const lock = acquireWriterLock(db);
    onTestFinished(() => lock.release());
    for (const asked of [['verify'], ['sync', 'now'], ['daemon']]) {
      const busy = await hsw(asked, { cwd });
      expect(busy.status).toBe(5);
      expect(busy.stderr).toContain('Another hyperstudy-warehouse is writing');
    }
    const former = createServer((socket) => {
      const message = 'The running daemon did not understand what it was asked for.';
      const hint = 'It may be of another version: restart it.';
      socket.end(`${JSON.stringify({ error: { code: 'USAGE', message, hint } })}\n`);
    });
    onTestFinished(() => void former.close());
    mkdirSync(`${db}.run`, { mode: 0o700 });
    await new Promise<void>((resolve) => former.listen(`${db}.run/socket`, resolve));
    const ran = await hsw(['verify'], { cwd });
    expect(ran.status).toBe(2);
    expect(ran.stderr).toContain('It may be of another version: restart it.');
  });
});

describe('a sync of a range of time while a daemon runs', () => {
  it('is read by it, and by its dry run only compared', async () => {
    const { simulator, cwd, time, db } = await tampered();
    const asked = ['sync', 'now', '--from', '2026-01-01', '--to', '2026-02-01', '--data', 'events'];
    const dry = await hsw([...asked, '--dry-run'], { cwd });
    expect(dry).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('1 row would be new, 1 changed') as string,
    });
    expect(isMirror(db, simulator, time.now, ['events'])).toBe(false);
    const done = await hsw(asked, { cwd });
    expect(done).toMatchObject({ status: 0, stdout: expect.stringContaining('1 new row, 1 changed') as string });
    expect(isMirror(db, simulator, time.now, ['events'])).toBe(true);
    const held = new Database(db, { readonly: true });
    expect(held.prepare("SELECT inserted, updated, outcome FROM _runs WHERE kind = 'sync now'").all()).toEqual([
      { inserted: 1, updated: 1, outcome: 'complete' },
    ]);
    held.close();
  });
});
