import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { init } from '../../../src/cli/commands/init.ts';
import type { CommandContext } from '../../../src/cli/context.ts';
import { outputTo } from '../../../src/cli/terminal.ts';
import { WarehouseError } from '../../../src/shared/errors.ts';
import { temporaryFolder } from '../../support/lab.ts';

const MAIN = join(import.meta.dirname, '..', '..', '..', 'src', 'main.ts');
const KEY = `hst_test_${'a1B2'.repeat(16)}`;
const WRONG = `hst_test_${'x'.repeat(64)}`;

/** A server that knows one key and one experiment; gives its address and the paths asked for. */
async function server() {
  const asked: string[] = [];
  const http = createServer((request, response) => {
    asked.push(request.url ?? '');
    const known = request.headers['x-api-key'] === KEY;
    response.writeHead(known ? 200 : 401, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify(
        known
          ? { status: 'success', data: [{ id: 'exp_1', name: 'Trust', roomCount: 3 }], metadata: {} }
          : { status: 'error', error: { code: 'UNAUTHORIZED', message: 'Invalid or expired API key' } },
      ),
    );
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void http.close());
  return { baseUrl: `http://127.0.0.1:${(http.address() as AddressInfo).port}/api/v3`, asked };
}

/** Answers the questions as a person at a terminal would; the answer `\u0003` is Ctrl-C. */
async function atTerminal(
  folder: string,
  baseUrl: string,
  answers: readonly [asked: string, answer: string][],
  flags: { readonly all?: boolean; readonly experiment?: readonly string[] } = {},
  env: Readonly<Record<string, string>> = {},
) {
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined });
  let [shown, answeredAt] = ['', 0];
  const waiting = [...answers];
  const screen = new PassThrough().on('data', (chunk: Buffer) => {
    shown += chunk.toString();
    if (waiting[0] !== undefined && shown.includes(waiting[0][0], answeredAt)) {
      answeredAt = shown.length;
      const [, answer] = waiting.shift() ?? ['', ''];
      setImmediate(() => stdin.write(answer === '\u0003' || answer === '\u0004' ? answer : `${answer}\r`));
    }
  });
  const context = {
    json: false,
    configPath: join(folder, 'config.yaml'),
    env,
    stdin,
    stdout: outputTo(screen as unknown as NodeJS.WriteStream),
    stderr: outputTo(screen as unknown as NodeJS.WriteStream),
    signal: new AbortController().signal,
  } as unknown as CommandContext;
  const status = await init(context, { baseUrl, ...flags }).catch((error: unknown) => {
    if (error instanceof WarehouseError) return error;
    throw error;
  });
  return { status, shown, unasked: waiting.length };
}

const [KEY_QUESTION, ORGANIZATION, WHICH, WHERE, KEEP] = [
  'not shown while you type',
  'your organization',
  'Which experiments?',
  'SQLite file',
  'Store the key',
];

describe('hsw init at a terminal', () => {
  it('asks for all it needs, keeps the key in a private file of its own, and never shows it', async () => {
    const [folder, { baseUrl }] = [temporaryFolder(), await server()];
    const { status, shown } = await atTerminal(folder, `${baseUrl}/`, [
      [KEY_QUESTION, KEY],
      [ORGANIZATION, 'org_1'],
      [WHICH, 'exp_1'],
      [WHERE, ''],
      [KEEP, ''],
    ]);
    expect(status).toBe(0);
    expect(shown).toMatch(/exp_1 +Trust +3/);
    expect(shown).not.toContain(KEY);
    const yaml = readFileSync(join(folder, 'config.yaml'), 'utf8');
    expect(yaml).toContain('keyFile: ./hyperstudy.key');
    expect(yaml).toContain(`baseUrl: ${baseUrl}\n  organization: "org_1"\n`);
    expect(yaml).not.toContain(KEY);
    expect(readFileSync(join(folder, 'hyperstudy.key'), 'utf8').trim()).toBe(KEY);
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
  });

  it('leaves the key to the environment when asked to', async () => {
    const [folder, { baseUrl }] = [temporaryFolder(), await server()];
    const { status, shown } = await atTerminal(folder, baseUrl, [
      [KEY_QUESTION, KEY],
      [ORGANIZATION, ''],
      [WHICH, ''],
      [WHERE, ''],
      [KEEP, 'n'],
    ]);
    expect(status).toBe(0);
    expect(readdirSync(folder)).toEqual(['config.yaml']);
    expect(readFileSync(join(folder, 'config.yaml'), 'utf8')).toContain('key: ${HYPERSTUDY_API_KEY}');
    expect(shown).toContain('export HYPERSTUDY_API_KEY=…');
  });

  it('says what is wrong with an answer and asks that again, and no other', async () => {
    const [folder, { baseUrl }] = [temporaryFolder(), await server()];
    const { status, shown, unasked } = await atTerminal(folder, baseUrl, [
      [KEY_QUESTION, 'my-password'],
      [KEY_QUESTION, WRONG],
      [ORGANIZATION, 'not an id!'],
      [ORGANIZATION, ''],
      [KEY_QUESTION, KEY],
      [WHICH, 'exp_2'],
      [WHICH, 'exp_1'],
      [WHERE, ''],
      [KEEP, ''],
    ]);
    expect([status, unasked]).toEqual([0, 0]);
    expect(shown.match(/^✗ .*/gm)).toEqual([
      expect.stringContaining('What you typed') as string,
      expect.stringContaining('The organization') as string,
      expect.stringContaining('refuses the key') as string,
      expect.stringContaining('cannot see the experiment exp_2') as string,
    ]);
    for (const secret of [KEY, WRONG, 'my-password']) expect(shown).not.toContain(secret);
    expect(readFileSync(join(folder, 'config.yaml'), 'utf8')).toContain('- id: "exp_1"');
  });

  it('offers a file also for a key of the environment, which cron and a new terminal lack', async () => {
    const [folder, { baseUrl }] = [temporaryFolder(), await server()];
    const answers: [string, string][] = [
      [ORGANIZATION, ''],
      [WHERE, ''],
      [KEEP, ''],
    ];
    const { status, shown } = await atTerminal(folder, baseUrl, answers, { all: true }, { HYPERSTUDY_API_KEY: KEY });
    expect([status, shown.includes(KEY)]).toEqual([0, false]);
    expect(statSync(join(folder, 'hyperstudy.key')).mode & 0o777).toBe(0o600);
    const alone = await hsw(['plan'], folder, {});
    expect([alone.status, alone.stderr]).toEqual([0, '']);
  });

  it('leaves nothing behind after a refused key, so that the next try works', async () => {
    const [folder, { baseUrl }] = [temporaryFolder(), await server()];
    expect(
      await atTerminal(folder, baseUrl, [
        [KEY_QUESTION, WRONG],
        [ORGANIZATION, ''],
        [KEY_QUESTION, WRONG],
        [KEY_QUESTION, WRONG],
      ]),
    ).toMatchObject({
      status: { code: 'KEY_REFUSED' },
    });
    expect(readdirSync(folder)).toEqual([]);
    const again = await atTerminal(folder, baseUrl, [
      [KEY_QUESTION, KEY],
      [ORGANIZATION, ''],
      [WHICH, ''],
      [WHERE, ''],
      [KEEP, ''],
    ]);
    expect(again.status).toBe(0);
  });

  it('says that an address without a list of experiments is not the API', async () => {
    const http = createServer((_request, response) => {
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end('{"status":"error","error":{"code":"NOT_FOUND","message":"no such path"}}');
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void http.close());
    const folder = temporaryFolder();
    const { status } = await atTerminal(folder, `http://127.0.0.1:${(http.address() as AddressInfo).port}`, [
      [KEY_QUESTION, KEY],
      [ORGANIZATION, ''],
    ]);
    expect(status).toMatchObject({
      code: 'ANSWER_UNREADABLE',
      message: "The address answers, but not as HyperStudy's API: it has no list of experiments there.",
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('refuses all experiments together with some, before anything is asked', async () => {
    const [folder, { baseUrl, asked }] = [temporaryFolder(), await server()];
    const { status } = await atTerminal(folder, baseUrl, [], { all: true, experiment: ['exp_1'] });
    expect(status).toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('--all and --experiment') as string,
    });
    expect([asked, readdirSync(folder)]).toEqual([[], []]);
  });

  it('refuses text that is not a key without sending or showing it', async () => {
    const [folder, { baseUrl, asked }] = [temporaryFolder(), await server()];
    const { status, shown } = await atTerminal(
      folder,
      baseUrl,
      [1, 2, 3].map(() => [KEY_QUESTION, 'my-password']),
    );
    expect(status).toMatchObject({ code: 'CONFIG_INVALID' });
    expect(`${shown}${(status as WarehouseError).message}`).not.toContain('my-password');
    expect(asked).toEqual([]);
  });

  it.each([
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
  ])('ends as interrupted at %s, with nothing written', async (_, pressed) => {
    const [folder, { baseUrl }] = [temporaryFolder(), await server()];
    for (const answers of [
      [[KEY_QUESTION, pressed]],
      [
        [KEY_QUESTION, KEY],
        [ORGANIZATION, ''],
        [WHICH, pressed],
      ],
    ] as [string, string][][])
      expect(await atTerminal(folder, baseUrl, answers)).toMatchObject({ status: { code: 'INTERRUPTED' }, unasked: 0 });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('overwrites no key file', async () => {
    const [folder, { baseUrl }] = [temporaryFolder(), await server()];
    const file = join(folder, 'hyperstudy.key');
    writeFileSync(file, 'another');
    const { status } = await atTerminal(folder, baseUrl, [
      [KEY_QUESTION, KEY],
      [ORGANIZATION, ''],
      [WHICH, ''],
      [WHERE, ''],
      [KEEP, ''],
    ]);
    expect(status).toMatchObject({ code: 'CONFIG_EXISTS' });
    expect(readFileSync(file, 'utf8')).toBe('another');
    expect(existsSync(join(folder, 'config.yaml'))).toBe(false);
  });
});

/** Runs the real command in a real process, without a terminal. */
function hsw(args: readonly string[], cwd: string, own: Record<string, string> = {}) {
  const { NODE_COMPILE_CACHE } = process.env;
  const env = { NODE_COMPILE_CACHE, ...own };
  return new Promise<{ status: number | null; stdout: string; stderr: string }>((resolve) => {
    const child = spawn(process.execPath, [MAIN, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('close', (status) => resolve({ status, stdout, stderr }));
  });
}

describe('hsw without a terminal', () => {
  it('takes a key file for init that others cannot read, and no other', async () => {
    const [folder, { baseUrl }] = [temporaryFolder(), await server()];
    writeFileSync(join(folder, 'key'), `${KEY}\n`, { mode: 0o644 });
    const args = ['init', '--key-file', 'key', '--all', '--yes', '--base-url', baseUrl];
    const open = await hsw(args, folder);
    expect(open).toMatchObject({ status: 2 });
    expect(open.stderr).toContain('chmod 600');
    expect(open.stderr).not.toContain('Copy the whole key');
    writeFileSync(join(folder, 'private'), KEY, { mode: 0o600 });
    const made = await hsw([...args.with(2, 'private'), '--json'], folder);
    expect(made.status, made.stderr).toBe(0);
    expect(JSON.parse(made.stdout)).toMatchObject({ config: join(folder, 'config.yaml'), experiments: 'all' });
  });

  it('says of a folder that is not there that it is not there', async () => {
    const ran = await hsw(['init', '--all', '--config', 'no/config.yaml'], temporaryFolder(), {
      HYPERSTUDY_API_KEY: KEY,
    });
    expect(ran).toMatchObject({ status: 2 });
    expect(ran.stderr).toContain('does not exist');
  });

  it('shows no key that stands in a wrong place, in doctor neither', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'config.yaml'), `experiments: [{ all: true }]\napi: { keyFile: ${KEY} }\n`);
    const commands = [['doctor'], ['doctor', '--json'], ['status'], ['status', '--json']];
    for (const ran of await Promise.all(commands.map((args) => hsw(args, folder)))) {
      expect(ran.status).not.toBe(0);
      expect(`${ran.stdout}${ran.stderr}`).toContain('hst_test_[hidden]');
      expect(`${ran.stdout}${ran.stderr}`).not.toContain(KEY.slice(9));
    }
  });

  it('answers bad usage with one JSON document when asked for JSON, wherever the option stands', async () => {
    for (const args of [['snyc', '--json'], ['--json', 'export'], ['--json']]) {
      const { status, stdout } = await hsw(args, temporaryFolder());
      expect(status).toBe(2);
      expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'USAGE' } });
    }
  });
});
