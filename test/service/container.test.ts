import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { loadConfig } from '../../src/config/load.ts';
import { DATA_TYPE_OPTIONS } from '../../src/datasets/registry.ts';
import { startSimulator } from '../../src/simulator/server.ts';
import {
  baseImage,
  canEnter,
  contextFiles,
  copyStep,
  execForm,
  parseCopy,
  parseDockerfile,
  runLocked,
  runStep,
  startLocked,
  stagesOf,
  type Image,
  type Instruction,
} from '../support/dockerfile.ts';
import { temporaryFolder } from '../support/lab.ts';

const REPOSITORY = join(import.meta.dirname, '..', '..');
const instructions = parseDockerfile(readFileSync(join(REPOSITORY, 'Dockerfile'), 'utf8'));
const stages = stagesOf(instructions);
const final = stages.at(-1) ?? [];
const only = (name: string, among: readonly Instruction[] = final): string => {
  const found = among.filter((instruction) => instruction.name === name);
  expect(found, name).toHaveLength(1);
  return found[0]?.text ?? '';
};
const stageName = (stage: readonly Instruction[]) => / AS (\S+)$/i.exec(stage[0]?.text ?? '')?.[1];

describe('the Dockerfile', () => {
  it('copies only what git has and .dockerignore lets through, and stages that exist', () => {
    const files = contextFiles(REPOSITORY);
    for (const { from, sources } of instructions
      .filter(({ name }) => name === 'COPY')
      .map(({ text }) => parseCopy(text))) {
      if (from !== undefined) expect(stages.map(stageName)).toContain(from);
      else
        for (const source of sources)
          expect(
            files.some((file) => file === source || file.startsWith(`${source}/`)),
            source,
          ).toBe(true);
    }
    expect(
      files.filter((file) => /(^|\/)(config\.yaml|\.env|.*key.*)$/.test(file) && !file.startsWith('src/')),
    ).toEqual([]);
  });

  it.each(['hyperstudy_key', 'hyperstudy.key', 'config.yaml', 'data/demo.db', 'w.db-wal', 'w.db.lock'])(
    'has no %s in its context, as git never takes one',
    (file) => {
      const { status } = spawnSync('git', ['check-ignore', '--quiet', '--no-index', file], { cwd: REPOSITORY });
      expect(status).toBe(0);
      expect(contextFiles(REPOSITORY)).not.toContain(file);
    },
  );

  it('starts from tagged images, and fetches nothing but the locked packages', () => {
    const names = stages.map(stageName);
    for (const stage of stages) {
      const [image = ''] = stage[0]?.text.split(' ') ?? [];
      if (!names.includes(image)) expect(image).toMatch(/^node:\d+(\.\d+)*-slim$/);
    }
    expect(instructions.map(({ name }) => name)).not.toContain('ADD');
    for (const { text } of instructions.filter(({ name }) => name === 'RUN')) {
      expect(text).not.toMatch(/curl|wget|apt|npm (i|install)\b/);
      if (text.includes('npm')) expect(text).toMatch(/npm ci .*--ignore-scripts|npm run build && npm prune/);
    }
  });

  it('runs as a numbered user, in exec form, so that signals reach Node', () => {
    const user = only('USER');
    expect(user).toMatch(/^[1-9]\d+:[1-9]\d+$/);
    const order = final.map(({ name }) => name);
    expect(order.indexOf('USER')).toBeLessThan(order.indexOf('ENTRYPOINT'));
    // What RUN makes after VOLUME is lost.
    expect(order.lastIndexOf('RUN')).toBeLessThan(order.indexOf('VOLUME'));
    expect(execForm(only('ENTRYPOINT'))[0]).toBe('node');
    expect(execForm(only('CMD'))).toEqual(['daemon']);
    expect(execForm(only('HEALTHCHECK').replace(/^.* CMD /, ''))).toEqual(['node', '/app/container/healthcheck.mjs']);
    expect(JSON.stringify(instructions)).not.toMatch(/hst_|API_KEY/);
  });
});

describe('compose.yaml', () => {
  const strings = z.array(z.string());
  const compose = z
    .object({
      services: z.object({
        warehouse: z
          .object({
            read_only: z.boolean(),
            cap_drop: strings,
            security_opt: strings,
            secrets: strings,
            volumes: strings,
            healthcheck: z.object({ test: strings }).loose(),
            ports: strings.optional(),
          })
          .loose(),
      }),
      secrets: z.record(z.string(), z.object({ file: z.string() })),
    })
    .loose()
    .parse(parse(readFileSync(join(REPOSITORY, 'compose.yaml'), 'utf8')));
  const { warehouse } = compose.services;

  it('locks the container and opens no port', () => {
    expect(warehouse).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
    expect(warehouse.ports).toBeUndefined();
    expect(warehouse.healthcheck.test.slice(1)).toEqual(execForm(only('HEALTHCHECK').replace(/^.* CMD /, '')));
  });

  it("hands the key and the volume to where the image's configuration looks", () => {
    const yaml = z
      .object({ api: z.object({ keyFile: z.string() }) })
      .parse(parse(readFileSync(join(REPOSITORY, 'container/image-config.yaml'), 'utf8')));
    expect(warehouse.secrets.map((name) => `/run/secrets/${name}`)).toEqual([yaml.api.keyFile]);
    expect(Object.keys(compose.secrets)).toEqual(warehouse.secrets);
    const config = loadConfig({
      path: join(REPOSITORY, 'container/image-config.yaml'),
      env: { HYPERSTUDY_API_KEY: `hst_test_${'k'.repeat(64)}` },
      dataTypes: DATA_TYPE_OPTIONS,
      needsKey: true,
    });
    expect(warehouse.volumes).toEqual([`data:${dirname(config.warehouse.path)}`]);
    expect(only('VOLUME')).toBe(dirname(config.warehouse.path));
  });
});

describe('the health check', () => {
  const check = (url: string) =>
    new Promise<{ status: number | null; stdout: string }>((done) => {
      const child = spawn(process.execPath, [join(REPOSITORY, 'container/healthcheck.mjs')], {
        env: { HSW_HEALTH_URL: url },
      });
      let stdout = '';
      child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
      child.on('close', (status) => done({ status, stdout }));
    });
  const serve = async (status: number | undefined) => {
    const server = createServer((_request, response) => {
      if (status !== undefined) response.writeHead(status).end('last sync 3 min ago');
    }).listen(0, '127.0.0.1');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    await new Promise((listening) => server.once('listening', listening));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/healthz`;
  };

  it('follows the answer of /healthz, and holds silence for illness within its time', async () => {
    expect(await check(await serve(200))).toEqual({ status: 0, stdout: 'last sync 3 min ago\n' });
    expect(await check(await serve(503))).toMatchObject({ status: 1 });
    expect(await check('http://127.0.0.1:9/healthz')).toMatchObject({ status: 1 });
    const started = performance.now();
    expect(await check(await serve(undefined))).toMatchObject({ status: 1 });
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});

const npmCli = findNpm();
const mayBuild = process.geteuid?.() === 0 && npmCli !== undefined && (await canEnter());
if (!mayBuild) console.warn('SKIPPED: the steps of the Dockerfile, as they need root, unshare, chroot and npm.');

/** npm's own script, and not that of a package in this folder. */
function findNpm(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(':').filter((folder) => !folder.includes('node_modules'));
  const npm = folders.map((folder) => join(folder, 'npm')).find((file) => existsSync(file));
  const script = npm === undefined ? undefined : realpathSync(npm);
  return script?.endsWith('npm-cli.js') === true ? script : undefined;
}

describe.skipIf(!mayBuild)('the steps of the Dockerfile, run without Docker on the base of this computer', () => {
  it('make a program that runs as its user, writing only to /data', { timeout: 300_000 }, async ({ skip }) => {
    const files = contextFiles(REPOSITORY);
    const cache = execFileSync(process.execPath, [npmCli ?? '', 'config', 'get', 'cache'], { encoding: 'utf8' }).trim();
    mkdirSync(cache, { recursive: true });
    const folder = temporaryFolder();
    const built = new Map<string, Image>();
    let image: Image | undefined;
    for (const [i, stage] of stages.entries()) {
      image = baseImage(join(folder, `stage-${i}`), npmCli ?? '');
      for (const { name, text } of stage) {
        if (name === 'WORKDIR') {
          image = { ...image, workdir: text };
          mkdirSync(join(image.root, text), { recursive: true });
        } else if (name === 'ENV') {
          const [key = '', value = ''] = text.split('=');
          image = { ...image, env: { ...image.env, [key]: value } };
        } else if (name === 'COPY') {
          const copy = parseCopy(text);
          const from = copy.from === undefined ? REPOSITORY : built.get(copy.from)?.root;
          copyStep(image, copy, from ?? '', copy.from === undefined ? files : undefined);
        } else if (name === 'RUN') {
          const ran = await runStep(image, text, cache);
          if (
            ran.status !== 0 &&
            /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT/.test(ran.output)
          ) {
            console.warn('SKIPPED: the steps of the Dockerfile, as the package registry cannot be reached.');
            skip();
          }
          expect(ran.status, `RUN ${text}\n${ran.output}`).toBe(0);
        }
      }
      built.set(stageName(stage) ?? 'final', image);
    }
    if (image === undefined) throw new Error('there is no stage');
    await expectToWork(image);
  });
});

async function expectToWork(image: Image): Promise<void> {
  const [user = ''] = only('USER').split(':');
  const { root } = image;
  const simulator = await startSimulator({});
  onTestFinished(() => simulator.close());
  const secret = join(root, 'run/secrets/hyperstudy_key');
  writeFileSync(secret, simulator.key, { mode: 0o400 });
  chownSync(secret, Number(user), Number(user));
  expect(statSync(join(root, 'data'))).toMatchObject({ uid: Number(user), gid: Number(user) });

  const env = { HYPERSTUDY_BASE_URL: simulator.url };
  const inside = (...words: string[]) => runLocked(image, user, words, env);
  const uid = await inside(
    '/bin/sh',
    '-c',
    'id -u; touch /app/x /tmp/x /etc/x 2>/dev/null; ls /app/x /tmp/x /etc/x >/dev/null 2>&1 || echo read-only',
  );
  expect(uid.output).toMatch(new RegExp(`^${user}\n`));
  expect(uid.output).toMatch(/read-only\n$/);
  // The compiler and the other tools of the build are not in the image.
  expect(readdirSync(join(root, 'app/node_modules'))).toContain('better-sqlite3');
  for (const name of ['typescript', 'vitest', 'node'])
    expect(readdirSync(join(root, 'app/node_modules'))).not.toContain(name);

  const entry = execForm(only('ENTRYPOINT'));
  const synced = await inside(...entry, 'sync', 'now', '--data', 'rooms', '--data', 'events');
  expect(synced.status, synced.output).toBe(0);
  const path = resolve(root, 'data/hyperstudy.db');
  const db = new Database(path, { readonly: true });
  expect(db.prepare('SELECT count(*) FROM events').pluck().get()).toBeGreaterThan(100);
  db.close();

  // Sorting more than fits into memory needs a temporary file.
  const sort = `const D = require('better-sqlite3'); const db = new D('/data/big.db'); db.pragma('cache_size = 50'); db.pragma('temp_store = FILE');
    db.exec("CREATE TABLE t AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT hex(randomblob(40)) v FROM n");
    db.exec('CREATE INDEX i ON t (v)'); db.exec('VACUUM'); console.log('sorted');`;
  expect((await inside('node', '-e', sort)).output).toBe('sorted\n');
  await expectToStop(image, user, env);
  const roomless = { ...image, env: { ...image.env, SQLITE_TMPDIR: '/app' } };
  expect((await runLocked(roomless, user, ['node', '-e', sort.replaceAll('big.db', 'other.db')])).output).toContain(
    'SQLITE_',
  );
}

/** The image's own command as process 1 answers its own health check, and ends well when told to. */
async function expectToStop(image: Image, user: string, env: Record<string, string>): Promise<void> {
  const port = await freePort();
  appendFileSync(join(image.root, 'etc/hyperstudy-warehouse/config.yaml'), `http: { port: ${port} }\n`);
  const container = startLocked(image, user, [...execForm(only('ENTRYPOINT')), ...execForm(only('CMD'))], env);
  onTestFinished(async () => {
    await container.ended;
  });
  const check = execForm(only('HEALTHCHECK').replace(/^.* CMD /, ''));
  const asked = { ...env, HSW_HEALTH_URL: `http://127.0.0.1:${port}/healthz` };
  const health = () => runLocked(image, user, check, asked);
  await expect.poll(async () => (await health()).status, { timeout: 30_000, interval: 500 }).toBe(0);
  const told = performance.now();
  container.signal('SIGTERM');
  const { status, output } = await container.ended;
  expect(status, output).toBe(0);
  expect(performance.now() - told).toBeLessThan(10_000);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}
