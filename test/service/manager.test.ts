import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorReply } from '../../src/simulator/reply.ts';
import { startSimulator, type Fault, type Simulator } from '../../src/simulator/server.ts';
import { CHECKOUT, startManager, type Manager } from '../support/service-manager.ts';

const REPOSITORY = join(import.meta.dirname, '..', '..');
const UNIT = 'hyperstudy-warehouse';
const CONFIG = `/etc/${UNIT}/config.yaml`;
const DATA = `/var/lib/${UNIT}`;
const WATCHDOG_S = 8;

const folder = mkdtempSync(join(tmpdir(), 'hsw-manager-'));
const started = await startManager(folder, REPOSITORY);
if ('missing' in started) {
  console.warn(`SKIPPED: the units under a real systemd, as ${started.missing}`);
  rmSync(folder, { recursive: true, force: true });
}

/** The lines of a section of docs/service.md that a person pastes, where hsw and npm are at hand already. */
function pasted(after: string): string {
  const [, lines = ''] =
    new RegExp(`## ${after}\\n[\\s\\S]*?\`\`\`sh root\\n([\\s\\S]*?)\`\`\``).exec(
      readFileSync(join(REPOSITORY, 'docs', 'service.md'), 'utf8'),
    ) ?? [];
  if (lines === '') throw new Error(`docs/service.md has no lines to paste under ${after}`);
  const rest = lines.replace(/^cp -r .*\n/, '').replaceAll('./hsw', 'hsw');
  return `set -e
cd ${CHECKOUT}
hsw() { node_modules/.bin/node dist/main.js "$@"; }
C=${CONFIG}
${rest}`;
}

describe.skipIf('missing' in started)('under a real systemd', () => {
  const manager = started as Manager;
  let simulator: Simulator;
  let fault: Fault | undefined;

  const run = async (script: string, input?: string) => {
    const ran = await manager.run(script, input);
    if (ran.status !== 0) {
      const { stdout } = await manager.run('journalctl -o cat --no-pager -n 30');
      throw new Error(`${script}\n${ran.stdout}${ran.stderr}${stdout}`);
    }
    return ran.stdout;
  };
  const state = (unit = UNIT) =>
    manager.show(unit, 'ActiveState', 'SubState', 'Result', 'MainPID', 'NRestarts', 'ExecMainStatus', 'StatusText');
  const log = () => run(`journalctl -u ${UNIT} -o cat --no-pager`);
  const becomes = (what: Partial<Awaited<ReturnType<typeof state>>>, timeout = 40_000) =>
    expect.poll(() => state(), { timeout, interval: 300 }).toMatchObject(what);
  const syncAsRoot = () =>
    manager.run(`cd ${CHECKOUT} && HYPERSTUDY_API_KEY="$(cat /etc/${UNIT}/key)" \
      node_modules/.bin/node dist/main.js --config ${CONFIG} sync now`);
  const configure = (yaml: string) => run(`cat >>${CONFIG}`, yaml);

  beforeAll(async () => {
    simulator = await startSimulator({ meterNow: Date.now, fault: () => fault });
  });
  afterAll(async () => {
    await manager.stop();
    await simulator.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('the lines of docs/service.md start the daemon, with the key that only root can read', async () => {
    const lines = pasted('Install').replace(/^C=.*$/m, `$&\nexport HYPERSTUDY_BASE_URL=${simulator.url}`);
    // Any free port; and a shorter watchdog than the ten minutes.
    const changes = `echo 'http: { port: 0 }' >>$C; install -d /etc/systemd/system/${UNIT}.service.d
printf '[Service]\\nWatchdogSec=${WATCHDOG_S}\\nRestartSec=1\\n' >/etc/systemd/system/${UNIT}.service.d/test.conf\n`;
    await run(lines.replace(/^systemctl daemon-reload/m, `${changes}$&`), `${simulator.key}\n`);
    expect(await state()).toMatchObject({ ActiveState: 'active', StatusText: 'Keeping the warehouse fresh' });
    expect(await run(`stat -c %a%U /etc/${UNIT}/key`)).toBe('600root\n');
    await expect.poll(log, { timeout: 30_000 }).toContain('"status":"ok"');
    expect(await log()).not.toContain('hst_');
  });

  it('lets members of the group read while it writes, and no other user', async () => {
    await run(
      `useradd --no-create-home colleague && usermod -aG ${UNIT} colleague && useradd --no-create-home stranger`,
    );
    const read = (user: string) =>
      manager.run(`cd ${CHECKOUT} && setpriv --reuid=${user} --regid=${user} --init-groups node_modules/.bin/node -e \
        "console.log(new (require('better-sqlite3'))('${DATA}/hyperstudy.db', { readonly: true }).prepare('SELECT count(*) > 0 FROM rooms').pluck().get())"`);
    await expect.poll(async () => (await read('colleague')).stdout, { timeout: 30_000 }).toBe('1\n');
    expect((await read('stranger')).stderr).toContain('unable to open database file');
  });

  it('feeds the watchdog, which ends and restarts it when it hangs', { timeout: 120_000 }, async () => {
    const { MainPID } = await state();
    await delay(2.5 * WATCHDOG_S * 1000);
    expect(await state()).toMatchObject({ MainPID, NRestarts: '0', ActiveState: 'active' });
    await run(`kill -STOP ${MainPID}`);
    await becomes({ NRestarts: '1', ActiveState: 'active' }, 60_000);
    expect((await state()).MainPID).not.toBe(MainPID);
    expect(await log()).toContain('Watchdog timeout');
  });

  it('reads its configuration again when it is told to, and keeps the former one when the new one is wrong', async () => {
    const { MainPID } = await state();
    await run(`systemctl reload ${UNIT}`);
    await expect.poll(log).toContain('the configuration was read again');
    await run(`cp ${CONFIG} /tmp/right`);
    await configure('nonsense: 1\n');
    await run(`systemctl reload ${UNIT}`);
    await expect.poll(log).toContain('the previous configuration stays in use');
    await becomes({ MainPID, ActiveState: 'active' });
    await run(`cp /tmp/right ${CONFIG}`);
  });

  it('says in systemctl status what is wrong, and stops in time while the server is silent', async () => {
    fault = { kind: 'reply', reply: errorReply(401, 'Invalid or expired API key') };
    expect((await syncAsRoot()).status).toBe(3);
    await becomes({ StatusText: expect.stringContaining('The API refuses the key') as string });
    fault = undefined;
    expect((await syncAsRoot()).status).toBe(0);
    await becomes({ StatusText: 'Keeping the warehouse fresh' });
    fault = { kind: 'hang' };
    const asked = syncAsRoot();
    await expect.poll(() => simulator.requests.at(-1)?.status, { timeout: 30_000 }).toBeUndefined();
    const told = performance.now();
    await run(`systemctl stop ${UNIT}`);
    expect(performance.now() - told).toBeLessThan(10_000);
    expect(await state()).toMatchObject({ ActiveState: 'inactive', Result: 'success' });
    expect((await asked).status).not.toBe(0);
    fault = undefined;
  });

  it('is restarted after a failure, but not for a mistake in the configuration or without its key', async () => {
    await configure('nonsense: 1\n');
    await manager.run(`systemctl start ${UNIT}`);
    await delay(2500);
    expect(await state()).toMatchObject({ SubState: 'failed', NRestarts: '0', ExecMainStatus: '2' });
    await run(`cp /tmp/right ${CONFIG} && mv /etc/${UNIT}/key /tmp/key`);
    const without = await manager.run(`systemctl start ${UNIT}`);
    expect(without.stderr).toContain(`Assertion failed on job for ${UNIT}.service`);
    await run(`mv /tmp/key /etc/${UNIT}/key && chown root ${DATA}/hyperstudy.db`);
    await manager.run(`systemctl start ${UNIT}`);
    await becomes({ ExecMainStatus: '4' });
    await run(`chown ${UNIT} ${DATA}/hyperstudy.db`);
    await becomes({ ActiveState: 'active' });
  });

  it('runs one sync by the timer, also beside what root has synced by hand', async () => {
    await run(`systemctl disable --now ${UNIT}`);
    await run(pasted('Without a daemon'));
    expect(await manager.show(`${UNIT}-sync.timer`, 'ActiveState')).toEqual({ ActiveState: 'active' });
    expect((await syncAsRoot()).status).toBe(0);
    await run(`systemctl start ${UNIT}-sync.service`);
    expect(await state(`${UNIT}-sync.service`)).toMatchObject({ Result: 'success', ExecMainStatus: '0' });
  });

  it('keeps the data of several labs, each by its own user, and a mistake in one stops that one only', async () => {
    const [once, each] = ['```sh root\n(cd [\\s\\S]*?)```', '```sh root\n(LAB=[\\s\\S]*?)```'].map(
      (block) => new RegExp(block).exec(readFileSync(join(REPOSITORY, 'docs', 'service.md'), 'utf8'))?.[1] ?? '',
    );
    const here = `set -e
hsw() { node_modules/.bin/node dist/main.js "$@"; }
export HYPERSTUDY_BASE_URL=${simulator.url}\n`;
    const lines = (text = '') =>
      text.replaceAll('./hsw', 'hsw').replace('cd /opt/hyperstudy-warehouse', `cd ${CHECKOUT}`);
    await run(`${here}${lines(once)}`);
    for (const lab of ['one', 'two']) {
      const own = lines(each).replace('LAB=first PORT=8788', `cd ${CHECKOUT}; LAB=${lab} PORT=0`);
      await run(`${here}${own}`, `${simulator.key}\n`);
    }
    for (const lab of ['one', 'two']) expect(await state(`${UNIT}@${lab}`)).toMatchObject({ ActiveState: 'active' });
    expect(await run(`stat -c %U%a /var/lib/${UNIT}-one /var/lib/${UNIT}-two/hyperstudy.db`)).toBe(
      'hsw-one750\nhsw-two640\n',
    );
    const foreign = await manager.run(
      `setpriv --reuid hsw-one --regid hsw-one --clear-groups cat /var/lib/${UNIT}-two/hyperstudy.db`,
    );
    expect([foreign.status, foreign.stderr]).toEqual([1, expect.stringContaining('Permission denied') as string]);
    await run(`echo 'dtaa: all' >>/etc/${UNIT}/one/config.yaml; systemctl restart ${UNIT}@one || true`);
    await expect.poll(() => state(`${UNIT}@one`), { timeout: 20_000 }).toMatchObject({ ActiveState: 'failed' });
    expect(await state(`${UNIT}@two`)).toMatchObject({ ActiveState: 'active', NRestarts: '0' });
    await run(`systemctl stop ${UNIT}@two`);
  });
});
