import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished, vi } from 'vitest';
import { startSimulator } from '../../src/simulator/server.ts';
import { startFastDaemon } from '../support/daemon.ts';
import { timeAt } from '../support/fast-clock.mjs';
import { HOUR, START, temporaryFolder } from '../support/lab.ts';
import { startReceiver } from '../support/receiver.ts';
import { DAY_MS as DAY } from '../../src/shared/time.ts';

/** A minute lasts 0.2 s. */
const SPEED = 300;

/** A simulated HyperStudy and a running daemon on one fast clock, and a web server that takes its alerts. */
async function lab() {
  const pace = { start: START + 3 * HOUR, from: Date.now(), speed: SPEED };
  const now = () => timeAt(pace);
  const key = { key: `hst_test_${'a'.repeat(64)}`, scopes: ['*'], revoked: false };
  const limits = { perHour: 1e6, perEndpointPerMinute: 1e6 };
  const network = { isAway: false };
  const simulator = await startSimulator({
    keys: [key],
    limits,
    world: { experiments: 1 },
    now,
    meterNow: Date.now,
    fault: () => (network.isAway ? { kind: 'reset' } : undefined),
  });
  onTestFinished(() => simulator.close());
  const receiver = await startReceiver('/services/T0/B0/sEcReT');
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'key'), key.key, { mode: 0o600 });
  writeFileSync(join(cwd, 'hook'), receiver.url, { mode: 0o600 });
  const write = (keyExpires: string) =>
    writeFileSync(
      join(cwd, 'config.yaml'),
      [
        `api: { baseUrl: "${simulator.url}", keyFile: ./key, keyExpires: ${keyExpires}, limits: { perHour: 100000, perEndpointPerMinute: 10000 } }`,
        'warehouse: { path: ./w.db }',
        'http: { port: 0 }',
        'data: [rooms, chat]',
        'experiments: [{ all: true }]',
        'alerts: { after: 1h, diskFree: 0%, webhook: { urlFile: ./hook } }',
      ].join('\n'),
    );
  write('never');
  const daemon = await startFastDaemon(cwd, pace);
  const minutes = (count: number) => delay((count * 60_000) / SPEED);
  /** What a page of the daemon says. */
  const page = async (path: string) => {
    const authorization = `Bearer ${readFileSync(join(cwd, 'w.db.http-token'), 'utf8').trim()}`;
    const answer = await fetch(`${daemon.http ?? ''}${path}`, { headers: { authorization } });
    return { status: answer.status, text: await answer.text() };
  };
  return { ...daemon, key, network, receiver, write, now, minutes, page };
}

it('a running daemon notifies a webhook once of what is wrong, and once that it is over', async () => {
  const { key, receiver, write, now, minutes, child, ended, log } = await lab();
  const isTold = (kind: string, told: readonly string[]) =>
    vi.waitFor(() => expect(receiver.of(kind), log()).toEqual(told), { timeout: 10_000, interval: 20 });
  await vi.waitFor(() => expect(log()).toContain('synced chat'), { timeout: 10_000, interval: 20 });
  await minutes(3);
  expect(receiver.of('key-refused')).toEqual([]);

  const refused = 'problem: The API refuses the key';
  key.revoked = true;
  await isTold('key-refused', [refused]);
  expect(receiver.received.at(-1)?.text).toContain('Invalid or expired');
  // It was refused again meanwhile, as it is tried every ten minutes.
  await minutes(12);
  expect(receiver.of('key-refused')).toEqual([refused]);
  key.revoked = false;
  const over = expect.stringMatching(/^recovered: The API accepts the key again, after \d+ (h|min)/) as string;
  await isTold('key-refused', [refused, over]);

  const date = (days: number) => new Date(now() + days * DAY).toISOString().slice(0, 16);
  write(date(3));
  await isTold('key-expiring', ['problem: The API key expires soon']);
  await minutes(6);
  write(date(300));
  const later = expect.stringMatching(/^recovered: The API key no longer expires soon/) as string;
  await isTold('key-expiring', ['problem: The API key expires soon', later]);
  await minutes(6);
  expect(receiver.of('key-refused')).toHaveLength(2);
  expect(receiver.of('key-expiring')).toHaveLength(2);
  child.kill('SIGTERM');
  expect(await ended, log()).toBe(0);
  expect(log()).not.toContain('not delivered');
});

it(
  'a network that is away asks for no restart, and is told of once it has been so for the set time',
  { timeout: 120_000 },
  async () => {
    const { network, receiver, minutes, page, child, ended, log } = await lab();
    const until = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 20_000, interval: 20 });
    await until(() => expect(log()).toContain('synced chat'));
    network.isAway = true;
    const words = 'The API cannot be reached';
    await until(async () => expect((await page('/')).text).toContain(words));
    await minutes(20);
    expect(receiver.received).toEqual([]);
    const away = 'problem: The API cannot be reached';
    await until(() => expect(receiver.of('halted'), log()).toEqual([away]));
    // By now every stream is overdue, and has been for long.
    await minutes(90);
    // On a busy machine the daemon may come to nothing for minutes of its clock, but not for ever.
    await until(async () => expect(await page('/healthz')).toMatchObject({ status: 200 }));
    expect((await page('/')).text).toContain(words);
    expect((await page('/metrics')).text).toContain('hyperstudy_warehouse_api_reachable 0');

    network.isAway = false;
    const back = expect.stringMatching(/^recovered: The API can be reached again, after \d+ h/) as string;
    await until(() => expect(receiver.of('halted'), log()).toEqual([away, back]));
    expect((await page('/')).text).not.toContain(words);
    await until(async () => expect(await page('/healthz')).toMatchObject({ status: 200 }));
    expect(receiver.received).toHaveLength(2);
    child.kill('SIGTERM');
    expect(await ended, log()).toBe(0);
  },
);
