import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { startSimulator, type Fault } from '../../src/simulator/server.ts';
import { startFastDaemon } from '../support/daemon.ts';
import { timeAt } from '../support/fast-clock.mjs';
import { HOUR, START, temporaryFolder } from '../support/lab.ts';
import { startMailServer } from '../support/mail-server.ts';
import { startReceiver } from '../support/receiver.ts';

const KEY = `hst_test_${'a1B2'.repeat(16)}`;
const TOKEN = 'tokenToken"Token-1';
const HOOK = '/services/T0/B0/hookHookHook';
const OTHER_HOOK = '/services/T0/B0/laterLaterLater';
const PASSWORD = 'passPass"word\\1';
const WRONG_TOKEN = 'wrongWrongWrongWrong';
/** How each of them looks in whatever form it may be written down. */
const SECRETS = [KEY, TOKEN, HOOK, OTHER_HOOK, PASSWORD, WRONG_TOKEN].flatMap((secret) => [
  secret,
  JSON.stringify(secret).slice(1, -1),
  encodeURIComponent(secret),
  Buffer.from(secret).toString('base64').slice(0, -4),
]);

function expectNoSecret(where: string, text: string): void {
  for (const secret of SECRETS) expect(text.includes(secret), `${secret} in ${where}`).toBe(false);
}

/** An API whose errors repeat what they were sent. */
function tellingAll(told: { isRefused: boolean; message: string }): () => Fault | undefined {
  return () => {
    const error = { code: 'UNAUTHORIZED', message: told.message };
    const body = JSON.stringify({ status: 'error', error });
    const headers = { 'content-type': 'application/json', 'x-request-id': KEY };
    return told.isRefused ? { kind: 'reply', reply: { status: 401, headers, body } } : undefined;
  };
}

/** A daemon that holds every kind of secret, logs all it can, and meets servers that repeat what they hear. */
async function lab() {
  const pace = { start: START + 3 * HOUR, from: Date.now(), speed: 100 };
  const api = { isRefused: false, message: `no ${KEY}, ${encodeURIComponent(KEY)}` };
  const simulator = await startSimulator({
    keys: [{ key: KEY, scopes: ['*'] }],
    limits: { perHour: 1e6, perEndpointPerMinute: 1e6 },
    world: { experiments: 1 },
    now: () => timeAt(pace),
    meterNow: Date.now,
    fault: tellingAll(api),
  });
  onTestFinished(() => simulator.close());
  const receiver = await startReceiver(HOOK);
  receiver.answer.status = 500;
  const mail = await startMailServer({ login: { user: 'lab', password: 'another password' } });
  const cwd = temporaryFolder();
  const keep = (name: string, text: string) => writeFileSync(join(cwd, name), text, { mode: 0o600 });
  keep('key', KEY);
  keep('token', TOKEN);
  keep('password', PASSWORD);
  const config = join(cwd, 'config.yaml');
  const write = (url: string, more = '') =>
    writeFileSync(
      config,
      [
        `api: { baseUrl: "${simulator.url}", keyFile: ./key, limits: { perHour: 100000, perEndpointPerMinute: 10000 } }`,
        'warehouse: { path: ./w.db }',
        'http: { port: 0, tokenFile: ./token }',
        'data: [rooms, chat]',
        'experiments: [{ all: true }]',
        'log: { level: trace }',
        'alerts:',
        '  diskFree: 0%',
        `  webhook: { url: "${url}" }`,
        `  smtp: { host: 127.0.0.1, port: ${mail.port}, user: lab, passwordFile: ./password, from: a@b.c, to: [a@b.c] }`,
        more,
      ].join('\n'),
    );
  write(receiver.url);
  chmodSync(config, 0o644);
  const daemon = await startFastDaemon(cwd, pace);
  const get = async (path: string, token: string | undefined) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const answer = await fetch(`${daemon.http ?? ''}${path}`, { headers, redirect: 'manual' });
    return { status: answer.status, text: `${JSON.stringify([...answer.headers])}${await answer.text()}` };
  };
  return { ...daemon, api, cwd, config, write, receiver, get };
}

it('a running daemon shows no secret anywhere, whatever fails', async () => {
  const { api, cwd, config, write, receiver, get, child, ended, log, shown } = await lab();
  const until = (words: string) => vi.waitFor(() => expect(log()).toContain(words), { timeout: 10_000, interval: 20 });
  const warning = `${config} holds alerts.webhook.url, and others can read it. Run: ch`;
  expect(log().split(warning)).toHaveLength(2);
  await until('synced chat');

  api.isRefused = true;
  await until('The API refuses the key');
  await until('An alert was not delivered: the webhook answered with HTTP 500');
  await until('An alert was not delivered: the mail server did not accept the user name and password');
  expect(receiver.received.length).toBeGreaterThan(0);
  expectNoSecret('a message', JSON.stringify(receiver.received).replaceAll(HOOK, ''));

  // A mistake beside the secrets, then secrets that were not known at the start.
  write(receiver.url, `lokback: "${HOOK}"`);
  child.kill('SIGHUP');
  await until('unknown key \\"lokback\\"');
  write(receiver.url.replace(HOOK, OTHER_HOOK));
  child.kill('SIGHUP');
  await until('the configuration was read again');
  await until('the webhook answered with HTTP 404');

  for (const path of ['/', '/api/status', '/metrics', '/readyz', '/nowhere', '/healthz']) {
    for (const token of [undefined, WRONG_TOKEN, TOKEN]) {
      const { status, text } = await get(path, token);
      if (path === '/') expect(status).toBe(token === TOKEN ? 200 : 401);
      expectNoSecret(path, text);
    }
    expectNoSecret(path, (await get(`${path}?token=${WRONG_TOKEN}`, undefined)).text);
    expectNoSecret(path, (await get(`${path}?token=${encodeURIComponent(TOKEN)}`, undefined)).text);
  }
  expect((await get('/', TOKEN)).text).toContain('refuses the key');
  expect(log()).toContain('refused a wrong token');
  for (const name of ['w.db', 'w.db-wal']) expectNoSecret(name, readFileSync(join(cwd, name), 'latin1'));
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(readFileSync(join(cwd, 'w.db'), 'latin1')).toContain('key-refused');
  expectNoSecret('the database', readFileSync(join(cwd, 'w.db'), 'latin1'));
  expectNoSecret('the log', log());
  expectNoSecret('stdout', shown());
});
