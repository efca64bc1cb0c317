import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { sendAlerts } from '../../src/alerts/deliver.ts';
import { mailChannel } from '../../src/alerts/mail.ts';
import { webhookChannel } from '../../src/alerts/webhook.ts';
import type { WebhookConfig } from '../../src/config/alerts.ts';
import { createNotifier } from '../../src/daemon/systemd.ts';
import { silentLog } from '../../src/shared/log.ts';
import { startSimulator, type SimulatorOptions } from '../../src/simulator/server.ts';
import type { Issue } from '../../src/status/issue.ts';
import { hsw } from '../support/command.ts';
import { startMailServer } from '../support/mail-server.ts';

/** Sets the clipboard and the colour, turns the direction, breaks the line in five ways, and calls everyone. */
const HOSTILE =
  'Lab\u001b]52;c;cm0gLXJm\u0007\u009b31m\u202egnp.\u2066x\u2069\u200f\u2028a\u2029b\r\n✓ forged\n✗ forged\u007f @channel <!here> **x** [y](http://z)';

// eslint-disable-next-line no-control-regex -- these are what it is about
const ACTIVE = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

/** Fails where a text acts, or where a part of it passes for a line of ours. */
function expectClean(text: string): void {
  expect(ACTIVE.exec(text)?.[0].charCodeAt(0).toString(16)).toBeUndefined();
  expect(text).not.toMatch(/^\s*[✓✗] forged/m);
}

const fault: SimulatorOptions['fault'] = ({ path }) => {
  if (path === '/experiments')
    return {
      kind: 'change',
      change(reply) {
        const body = JSON.parse(reply.body) as { data: Record<string, unknown>[] };
        const data = body.data.map((one, i) => ({ ...one, name: HOSTILE, ...(i === 0 ? { id: HOSTILE } : {}) }));
        return { ...reply, body: JSON.stringify({ ...body, data }) };
      },
    };
  if (!path.startsWith('/data/chat/')) return undefined;
  const error = { code: 'INVALID_PARAMETER', message: HOSTILE };
  return { kind: 'reply', reply: { status: 400, headers: {}, body: JSON.stringify({ status: 'error', error }) } };
};

describe('a text of the server that would act on a terminal', () => {
  let cwd = '';
  let env: Record<string, string> = {};
  beforeAll(async () => {
    const simulator = await startSimulator({ fault, world: { experiments: 2, roomsPerExperiment: 1 }, now: Date.now });
    cwd = mkdtempSync(join(tmpdir(), 'hsw-'));
    writeFileSync(join(cwd, 'config.yaml'), 'http: false\ndata: [rooms, chat]\nexperiments: [{ all: true }]\n');
    env = { HYPERSTUDY_BASE_URL: simulator.url, HYPERSTUDY_API_KEY: simulator.key };
    await hsw(['sync', 'now'], { cwd, env });
    return async () => {
      rmSync(cwd, { recursive: true });
      await simulator.close();
    };
  });

  it.each([
    ['sync', 'now'],
    ['plan'],
    ['status'],
    ['verify'],
    ['doctor'],
    ['export', '--data', 'chat'],
    ['sync', 'now', '--experiment', HOSTILE.slice(3)],
    ['init', '--config', 'new.yaml', '--experiment', 'unknown', '--yes'],
  ])('is inert in what `hsw %s %s` prints, and with --json exact', async (...words) => {
    const text = await hsw(words, { cwd, env });
    expectClean(text.stdout);
    expectClean(text.stderr);
    const json = await hsw(['--json', ...words], { cwd, env });
    expectClean(json.stdout);
    expectClean(json.stderr);
    if (json.stdout !== '' && words[0] !== 'export') JSON.parse(json.stdout);
  });

  it('comes back exact from --json', async () => {
    const { stdout } = await hsw(['--json', 'status'], { cwd, env });
    const { streams } = JSON.parse(stdout) as { streams: { experiment: string }[] };
    expect(streams.map(({ experiment }) => experiment)).toContain(HOSTILE);
  });

  it.each([true, false])('is inert in the log, pretty: %s', async (pretty) => {
    const script = `
      import { createLog } from ${JSON.stringify(join(import.meta.dirname, '..', '..', 'src', 'shared', 'log.ts'))};
      const log = createLog({ pretty: ${pretty} });
      const text = ${JSON.stringify(HOSTILE)};
      log.warn({ experiment: text, [text]: { nested: [text] }, err: new Error(text) }, 'about ' + text);`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { env: { NO_COLOR: '1' } });
    let written = '';
    child.stderr.on('data', (chunk: Buffer) => (written += chunk.toString()));
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0);
    expectClean(written);
    expect(written).toContain('about Lab');
    if (!pretty) expect((JSON.parse(written) as { experiment: string }).experiment).toBe(HOSTILE);
  });

  it('is inert in the message about a configuration that names it', async () => {
    writeFileSync(join(cwd, 'wrong.yaml'), `${JSON.stringify(HOSTILE)}: 1\ndata: [${JSON.stringify(HOSTILE)}]\n`);
    const { status, stderr } = await hsw(['--config', 'wrong.yaml', 'status'], { cwd });
    expect(status).toBe(2);
    expectClean(stderr);
  });

  it("is inert in systemd's status", async () => {
    const sent: string[] = [];
    const notifier = createNotifier({ NOTIFY_SOCKET: '/run/x' }, (args) => Promise.resolve(void sent.push(...args)));
    notifier.status(`About ${HOSTILE}`);
    await notifier.settled();
    expect(sent).toHaveLength(1);
    for (const line of sent) expectClean(line.replace('STATUS=', ''));
    expect(sent.join('')).not.toContain('\n');
  });
});

const ISSUE: Issue = {
  id: 'one',
  code: 'KEY_REFUSED',
  severity: 'error',
  since: undefined,
  scope: { streams: [{ id: 'a', name: HOSTILE, since: undefined }] },
  subject: `The API refuses ${HOSTILE}`,
  text: `It said ${HOSTILE}`,
  hint: `Look at ${HOSTILE}`,
  ended: 'over',
  alert: 'at once',
};

const alert = (channel: Parameters<typeof sendAlerts>[1]['channels'][number]) =>
  sendAlerts([ISSUE], {
    channels: [channel],
    store: { load: () => undefined, save: () => undefined },
    clock: { now: () => 0, sleep: () => Promise.resolve() },
    log: silentLog,
    signal: new AbortController().signal,
    afterMs: 0,
  });

describe('an alert about a text that would act on a terminal', () => {
  it.each([
    ['json', undefined],
    ['slack', /<!here>|<[^ ]*\|/],
    ['mattermost', /@channel|[^\\]\*\*x|[^\\]\[y/],
    ['ntfy', undefined],
  ] as const)('is nothing but text as %s', async (format: WebhookConfig['format'], markup) => {
    let body = '';
    const server = createServer((request, response) => {
      request.on('data', (chunk: Buffer) => (body += chunk.toString())).on('end', () => response.end());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    await alert(webhookChannel({ url, format }, 'hsw'));
    const said = format === 'ntfy' ? body : Object.values(JSON.parse(body) as Record<string, string>).join('\n');
    expect(said).toContain('The API refuses Lab');
    expectClean(said);
    if (markup !== undefined) expect(said).not.toMatch(markup);
  });

  it('is nothing but text in a mail, whose subject is one line', async () => {
    const server = await startMailServer();
    const smtp = { host: '127.0.0.1', port: server.port, secure: false, login: undefined };
    await alert(mailChannel({ ...smtp, from: 'lab@example.org', to: ['me@example.org'] }, 'hsw'));
    const [mail] = server.mails;
    const [head = '', body = ''] = (mail?.text ?? '').split(/\n\n(.*)/s);
    expect(head).toMatch(/^Subject: [^\n]*(\n [^\n]*)*\nDate: /m);
    const quoted = body
      .replaceAll('=\n', '')
      .replaceAll(/((=[0-9A-F]{2})+)/g, (hex) => decodeURIComponent(hex.replaceAll('=', '%')));
    expect(quoted).toContain('It said Lab');
    expectClean(quoted);
  });
});
