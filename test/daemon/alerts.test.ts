import type { Issue } from '../../src/status/issue.ts';
import { spawn } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import pino from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { SmtpConfig } from '../../src/config/alerts.ts';
import type { Message } from '../../src/alerts/incidents.ts';
import type { Channel } from '../../src/alerts/channel.ts';
import { sendAlerts } from '../../src/alerts/deliver.ts';
import { mailChannel } from '../../src/alerts/mail.ts';
import { webhookChannel } from '../../src/alerts/webhook.ts';
import { silentLog } from '../../src/shared/log.ts';
import { temporaryFolder } from '../support/lab.ts';
import { CERTIFICATE, startMailServer } from '../support/mail-server.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'main.js');
const NOW = Date.parse('2026-01-12T09:00:00.000Z');
const SOURCE = 'hyperstudy-warehouse on lab-pc';
const SECRET = 'sEcReT/sEcReT';
const PASSWORD = 'hunter2-hunter2';
const never = new AbortController().signal;

const MESSAGE: Message = {
  alert: 'key-refused',
  state: 'problem',
  kind: 'key-refused',
  subject: 'The API refuses the key',
  text: 'Grüße <b>& more</b>.\n.\nA line that begins with a dot.',
  hint: 'Create a new key.',
  at: NOW,
};

const KEY_REFUSED: Issue = {
  id: 'key-refused',
  code: 'KEY_REFUSED',
  severity: 'error',
  since: undefined,
  scope: {},
  subject: 'The API refuses the key',
  text: `It said so of hst_live_${'a1B2'.repeat(16)}.`,
  hint: 'Create a new key.',
  ended: 'The API accepts the key again',
  alert: 'at once',
};

/** A web server that keeps what it is sent, and answers as told. */
async function startHook(answer: (response: ServerResponse, n: number) => void = (response) => response.end('ok')) {
  const bodies: Record<string, unknown>[] = [];
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      requests.push(request);
      bodies.push(JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>);
      answer(response, requests.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/${SECRET}`;
  return { url, bodies, requests };
}

/** A port of this computer on which nothing listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** As patient as on a busy machine it has to be; where a server hangs, the test says how long. */
const PATIENT_MS = 20_000;

const hookChannel = (url: string, deadlineMs = PATIENT_MS) =>
  webhookChannel({ url, format: 'json' }, SOURCE, deadlineMs);

function mailTo(port: number, change: Partial<SmtpConfig> = {}, deadlineMs = PATIENT_MS): Channel {
  const from = 'The lab <lab@example.org>';
  const to = ['me@example.org', 'you@example.org'];
  const smtp = { host: '127.0.0.1', port, secure: false, login: undefined, from, to, ...change };
  return mailChannel(smtp, SOURCE, deadlineMs);
}

/** A service whose checks the test makes one by one. */
function service(channels: readonly Channel[], firstState?: string) {
  let stored = firstState;
  let lines = '';
  const waits: number[] = [];
  const at = { now: NOW };
  const log = pino({}, { write: (line: string) => (lines += line) });
  return {
    at,
    waits,
    get log() {
      return lines;
    },
    get stored() {
      return stored;
    },
    check: (conditions: readonly Issue[], signal = never) =>
      sendAlerts(conditions, {
        channels,
        store: { load: () => stored, save: (text) => (stored = text) },
        clock: { now: () => at.now, sleep: (ms) => Promise.resolve(void waits.push(ms)) },
        log,
        signal,
        afterMs: 0,
      }),
  };
}

describe('a webhook', () => {
  it('is posted each part by itself', async () => {
    const hook = await startHook();
    expect(await hookChannel(hook.url).send(MESSAGE, never)).toBeUndefined();
    expect(hook.requests[0]?.method).toBe('POST');
    expect(hook.requests[0]?.headers['content-type']).toBe('application/json');
    const { kind, subject, text, hint, state } = MESSAGE;
    expect(hook.bodies).toEqual([{ source: SOURCE, at: '2026-01-12T09:00:00.000Z', kind, subject, text, hint, state }]);
  });

  it('is posted one text for Slack, in which nothing is taken for markup', async () => {
    const hook = await startHook();
    await webhookChannel({ url: hook.url, format: 'slack' }, SOURCE).send(MESSAGE, never);
    expect(Object.keys(hook.bodies[0] ?? {})).toEqual(['text']);
    expect(hook.bodies[0]?.['text']).toContain('*The API refuses the key*\nGrüße &lt;b&gt;&amp; more&lt;/b&gt;.');
  });

  it.each([
    [404, 'HTTP 404', false],
    [410, 'HTTP 410', false],
    [429, 'HTTP 429', true],
    [503, 'HTTP 503', true],
  ])('that answers with %i is a failure', async (status, words, passing) => {
    const hook = await startHook((response) => response.writeHead(status).end(SECRET));
    const failure = await hookChannel(hook.url).send(MESSAGE, never);
    expect(failure).toMatchObject({ passing });
    expect(failure?.problem).toContain(words);
  });

  it('is not followed elsewhere', async () => {
    const other = await startHook();
    const hook = await startHook((response) => response.writeHead(307, { location: other.url }).end());
    const failure = await hookChannel(hook.url).send(MESSAGE, never);
    expect(failure?.problem).toBe('the webhook redirects to another URL');
    expect(other.requests).toEqual([]);
  });

  it('that hangs, is gone or breaks off fails in time', async () => {
    const hanging = await startHook(() => undefined);
    expect((await hookChannel(hanging.url, 200).send(MESSAGE, never))?.problem).toContain('no answer within 0.2 s');
    const broken = await startHook((response) => response.socket?.resetAndDestroy());
    expect((await hookChannel(broken.url).send(MESSAGE, never))?.problem).toContain('broke off');
    const gone = await hookChannel(`http://127.0.0.1:${await closedPort()}/`).send(MESSAGE, never);
    expect(gone).toMatchObject({
      problem: 'the webhook cannot be reached: nothing listens at that address',
      passing: true,
    });
  });

  it('is given up when the service is stopped', async () => {
    const hanging = await startHook(() => undefined);
    const stop = new AbortController();
    const check = service([hookChannel(hanging.url, 60_000)]).check([KEY_REFUSED], stop.signal);
    setTimeout(() => stop.abort(new Error('stopped')), 100);
    await expect(check).rejects.toThrow('stopped');
  });
});

describe('a mail', () => {
  it('goes to every recipient, unencrypted to this computer', async () => {
    const server = await startMailServer({ login: { user: 'lab', password: PASSWORD } });
    const channel = mailTo(server.port, { login: { user: 'lab', password: PASSWORD } });
    expect(await channel.send(MESSAGE, never)).toBeUndefined();
    const [mail, ...others] = server.mails;
    expect(others).toEqual([]);
    expect(mail).toMatchObject({ from: 'lab@example.org', to: ['me@example.org', 'you@example.org'] });
    expect(mail?.text).toMatch(/^Subject: \[hyperstudy-warehouse\] Problem: The API refuses the key$/m);
    expect(mail?.text).toContain('Auto-Submitted: auto-generated');
    expect(mail?.text).toContain('\n.\nA line that begins with a dot.');
    expect(mail?.text).toContain('Create a new key.');
  });

  it('is not sent over a TLS connection whose certificate is not trusted', async () => {
    const server = await startMailServer({ tls: 'always' });
    const failure = await mailTo(server.port, { secure: true }).send(MESSAGE, never);
    expect(failure?.problem).toBe('the mail server cannot be used: its certificate is not trusted by this computer');
    expect(server.mails).toEqual([]);
  });

  // 0.0.0.0 leads here as well, but is none of the addresses that are sure to stay on this computer.
  it.each([
    ['that offers no TLS', undefined],
    ['whose certificate is not trusted', 'starttls' as const],
  ])('sends another computer nothing unencrypted %s', async (_what, offers) => {
    const login = { user: 'lab', password: PASSWORD };
    const server = await startMailServer({ login, ...(offers === undefined ? {} : { tls: offers }) });
    const failure = await mailTo(server.port, { host: '0.0.0.0', login }).send(MESSAGE, never);
    expect(failure).toBeDefined();
    expect(server.inPlain).toMatch(/^EHLO .*\r\nSTARTTLS\r\n/);
    expect(server.inPlain).not.toContain('AUTH');
    expect(server.mails).toEqual([]);
  });

  it('fails in words of ours when the password is wrong or the server refuses it', async () => {
    const server = await startMailServer({ login: { user: 'lab', password: 'another one' } });
    const failure = await mailTo(server.port, { login: { user: 'lab', password: PASSWORD } }).send(MESSAGE, never);
    expect(failure).toMatchObject({
      problem: 'the mail server did not accept the user name and password (it answered with 535)',
      passing: false,
    });
    expect((await mailTo(server.port).send(MESSAGE, never))?.problem).toBe(
      'the mail server did not accept the message (it answered with 530)',
    );
  });

  it('is not sent again when some addresses are refused, which is said', async () => {
    const server = await startMailServer({ refused: ['you@example.org'] });
    const { check, ...lab } = service([mailTo(server.port)]);
    await check([KEY_REFUSED]);
    await check([KEY_REFUSED]);
    expect(server.mails.map(({ to }) => to)).toEqual([['me@example.org']]);
    expect(lab.waits).toEqual([]);
    const failure = await mailTo(server.port).send(MESSAGE, never);
    expect(failure).toMatchObject({ partly: true });
    expect(failure?.problem).toContain('refused 1 of 2 addresses');
  });

  it.each(['silent', 'endless'] as const)('to a server that is %s fails in time', async (mood) => {
    const server = await startMailServer({ mood });
    const failure = await mailTo(server.port, {}, 500).send(MESSAGE, never);
    expect(failure).toMatchObject({ passing: true });
    expect(failure?.problem).toContain('no answer within 0.5 s');
  });

  it('to a server that is gone fails', async () => {
    expect((await mailTo(await closedPort()).send(MESSAGE, never))?.problem).toContain(
      'nothing listens at that address',
    );
  });
});

describe('a check', () => {
  it('tries a passing failure a few times, with growing waits', async () => {
    const hook = await startHook((response, n) => response.writeHead(n < 3 ? 503 : 200).end());
    const lab = service([hookChannel(hook.url)]);
    await lab.check([KEY_REFUSED]);
    expect(hook.bodies).toHaveLength(3);
    expect(lab.waits).toEqual([2000, 10_000]);
    expect(lab.log).toBe('');
    await lab.check([KEY_REFUSED]);
    expect(hook.bodies).toHaveLength(3);
  });

  it('that delivers nothing says so in the log, and the next one tries again', async () => {
    let status = 500;
    const hook = await startHook((response) => response.writeHead(status).end());
    const lab = service([hookChannel(hook.url)]);
    await lab.check([KEY_REFUSED]);
    expect(hook.bodies).toHaveLength(3);
    expect(lab.log.split('\n').filter((line) => line !== '')).toHaveLength(1);
    expect(lab.log).toContain('An alert was not delivered: the webhook answered with HTTP 500.');
    status = 404;
    await lab.check([KEY_REFUSED]);
    expect(hook.bodies).toHaveLength(4);
    status = 200;
    await lab.check([KEY_REFUSED]);
    await lab.check([KEY_REFUSED]);
    expect(hook.bodies.map(({ state }) => state)).toEqual(Array(5).fill('problem'));
  });

  it('tells a channel that works nothing twice while another fails', async () => {
    const hook = await startHook();
    const lab = service([hookChannel(hook.url), mailTo(await closedPort())]);
    for (let i = 0; i < 3; i++) {
      await lab.check([KEY_REFUSED]);
      lab.at.now += 60_000;
    }
    expect(hook.bodies).toHaveLength(1);
    const server = await startMailServer();
    const repaired = service([hookChannel(hook.url), mailTo(server.port)], lab.stored);
    await repaired.check([KEY_REFUSED]);
    expect(hook.bodies).toHaveLength(1);
    expect(server.mails).toHaveLength(1);
    repaired.at.now = NOW + 3_600_000;
    await repaired.check([]);
    repaired.at.now += 5 * 60_000;
    await repaired.check([]);
    expect(hook.bodies.map(({ state, subject }) => [state, subject])).toEqual([
      ['problem', 'The API refuses the key'],
      ['recovered', 'The API accepts the key again, after 1 h'],
    ]);
    expect(server.mails[1]?.text).toContain('Over: The API accepts the key again');
  });

  it('does not let one message that is refused stand before the others', async () => {
    const hook = await startHook((response, n) => response.writeHead(n === 1 ? 400 : 200).end());
    const lab = service([hookChannel(hook.url)]);
    await lab.check([KEY_REFUSED, { ...KEY_REFUSED, id: 'disk', code: 'DISK_LOW' }]);
    expect(hook.bodies.map(({ kind }) => kind)).toEqual(['key-refused', 'disk']);
    await lab.check([KEY_REFUSED, { ...KEY_REFUSED, id: 'disk', code: 'DISK_LOW' }]);
    expect(hook.bodies.map(({ kind }) => kind)).toEqual(['key-refused', 'disk', 'key-refused']);
  });

  it('starts over with a broken state, and stores nothing when nothing changes', async () => {
    const hook = await startHook();
    const lab = service([hookChannel(hook.url)], '{"channels": 7');
    await lab.check([KEY_REFUSED]);
    expect(hook.bodies).toHaveLength(1);
    const { stored } = lab;
    await lab.check([KEY_REFUSED]);
    expect(hook.bodies).toHaveLength(1);
    expect(lab.stored).toBe(stored);
  });

  it('never tells a secret to the log, the state or the message, however it fails', async () => {
    const wrong = await startMailServer({ login: { user: 'lab', password: 'another one' } });
    const closed = await startMailServer({ tls: 'always' });
    const login = { user: 'lab', password: PASSWORD };
    const answers = [400, 404, 500, 307].map((status) =>
      startHook((response) => response.writeHead(status, { location: `/${SECRET}` }).end(SECRET)),
    );
    const hooks = await Promise.all(answers);
    const hanging = await startHook(() => undefined);
    const reset = await startHook((response) => response.socket?.resetAndDestroy());
    const channels = [
      ...hooks.map(({ url }) => hookChannel(url)),
      hookChannel(hanging.url, 100),
      hookChannel(reset.url),
      hookChannel(`http://127.0.0.1:${await closedPort()}/${SECRET}`),
      hookChannel(`https://sEcReT.invalid/${SECRET}`),
      mailTo(wrong.port, { login }),
      mailTo(closed.port, { secure: true, login }),
      mailTo(await closedPort(), { login }),
    ];
    let all = '';
    for (const channel of channels) {
      const lab = service([channel]);
      await lab.check([KEY_REFUSED]);
      expect(lab.log).toContain('An alert was not delivered');
      all += `${lab.log}${lab.stored ?? ''}`;
    }
    for (const secret of ['sEcReT', PASSWORD, Buffer.from(`\0lab\0${PASSWORD}`).toString('base64')])
      expect(all.toLowerCase()).not.toContain(secret.toLowerCase());
    expect(JSON.stringify(hooks.map(({ bodies }) => bodies))).not.toContain('a1B2');
  });

  it('sends and waits for nothing when no channel is configured', async () => {
    await sendAlerts([KEY_REFUSED], {
      channels: [],
      store: { load: () => undefined, save: () => undefined },
      clock: { now: () => NOW, sleep: () => Promise.reject(new Error('waited')) },
      log: silentLog,
      signal: never,
      afterMs: 0,
    });
  });
});

describe('hsw alerts test', () => {
  /** Runs the real command in a real process, in a folder with that configuration. */
  async function run(alerts: string, args: readonly string[] = [], env: Record<string, string> = {}) {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'config.yaml'), `experiments: [{ all: true }]\n${alerts}`);
    writeFileSync(join(cwd, 'password'), PASSWORD);
    chmodSync(join(cwd, 'password'), 0o600);
    const child = spawn(process.execPath, [MAIN, 'alerts', ...args], {
      cwd,
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const status = await new Promise((resolve) => child.on('close', resolve));
    expect(`${stdout}${stderr}`).not.toContain('sEcReT');
    expect(`${stdout}${stderr}`).not.toContain(PASSWORD);
    return { status, stdout, stderr };
  }

  const mailYaml = (port: number, more: string) =>
    `smtp: { host: 127.0.0.1, port: ${port}, from: lab@example.org, to: [me@example.org], user: lab, passwordFile: password, ${more} }`;

  it('sends a test message through every channel, by TLS with a certificate that is vouched for', async () => {
    const hook = await startHook();
    const login = { user: 'lab', password: PASSWORD };
    const server = await startMailServer({ tls: 'always', login });
    const { status, stdout, stderr } = await run(
      `alerts:\n  webhook: { url: "\${HOOK}" }\n  ${mailYaml(server.port, 'secure: true')}\n`,
      ['test'],
      { HOOK: hook.url, NODE_EXTRA_CA_CERTS: CERTIFICATE },
    );
    expect(status, `${stdout}${stderr}`).toBe(0);
    expect(stdout.split('\n').filter((line) => line.startsWith('✓'))).toHaveLength(2);
    expect(hook.bodies).toMatchObject([{ state: 'test', kind: 'test', subject: 'Test of the alerts' }]);
    expect(server.mails).toMatchObject([{ from: 'lab@example.org', to: ['me@example.org'] }]);
  });

  it('upgrades to TLS before it logs in at another computer', async () => {
    const login = { user: 'lab', password: PASSWORD };
    const server = await startMailServer({ tls: 'starttls', login });
    const yaml = mailYaml(server.port, 'secure: false').replace('127.0.0.1', '0.0.0.0');
    const { status, stdout } = await run(`alerts:\n  ${yaml}\n`, ['test'], { NODE_EXTRA_CA_CERTS: CERTIFICATE });
    expect(status, stdout).toBe(0);
    expect(server.inPlain).not.toContain('AUTH');
    expect(server.mails).toHaveLength(1);
  });

  it('says ✗ and what to do for each that fails, and exits with 1', async () => {
    const hook = await startHook();
    const yaml = `alerts:\n  webhook: { url: ${hook.url} }\n  ${mailYaml(await closedPort(), 'secure: false')}\n`;
    const { status, stdout } = await run(yaml, ['test']);
    expect(status).toBe(1);
    expect(stdout).toContain('✓ webhook');
    expect(stdout).toMatch(
      /✗ smtp: the mail server cannot be used: nothing listens at that address\. Check alerts\.smtp\.host/,
    );
    const json = await run(yaml, ['test', '--json']);
    expect(json.status).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: false,
      channels: [
        { channel: 'webhook', ok: true },
        { channel: 'smtp', ok: false, problem: 'the mail server cannot be used: nothing listens at that address' },
      ],
    });
    expect(hook.bodies).toHaveLength(2);
  });

  it('exits with 2 when no channel is configured, for a mistake in the configuration, and for what it does not know', async () => {
    const nobody = await run('alerts: { after: 1h }\n', ['test']);
    expect(nobody.status).toBe(2);
    expect(nobody.stderr).toContain('has neither alerts.webhook nor alerts.smtp');
    const json = await run('', ['test', '--json']);
    expect(json.status).toBe(2);
    expect(JSON.parse(json.stdout)).toMatchObject({ error: { code: 'USAGE' } });
    const wrong = await run(`alerts:\n  webhook: { url: "http://example.org/${SECRET}" }\n`, ['test']);
    expect(wrong.status).toBe(2);
    expect(wrong.stderr).toContain('config.yaml:3: alerts.webhook.url');
    expect((await run('', ['tset'])).status).toBe(2);
    expect((await run('')).status).toBe(2);
    const help = await run('', ['--help']);
    expect(help.status).toBe(0);
    expect(help.stdout).toMatch(/Examples:/);
  });
});
