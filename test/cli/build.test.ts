import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { hsw } from '../support/command.ts';
import { temporaryFolder } from '../support/lab.ts';

const preload = (path: string) => ({ NODE_OPTIONS: `--import ${pathToFileURL(path).href}` });
const CHECKOUT = join(import.meta.dirname, '..', '..');
const MODULES = join(import.meta.dirname, '..', 'support', 'opened-modules.mjs');

function folder(): string {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'config.yaml'), 'experiments: [{ all: true }]\nwarehouse: { path: ./w.db }\n');
  return cwd;
}

describe('the built command', () => {
  it.each([
    ['--version', 15],
    ['status', 80],
  ])('loads few files for `%s`, so that it starts fast', async (command, most) => {
    const { stderr } = await hsw([command], { cwd: folder(), env: preload(MODULES) });
    const loaded = stderr
      .split('\n')
      .filter((line) => line.startsWith('file:') && line !== pathToFileURL(MODULES).href);
    expect(loaded).toContain(pathToFileURL(join(import.meta.dirname, '..', '..', 'dist', 'main.js')).href);
    expect(loaded.length).toBeLessThan(most);
    // What others need: the HTTP client, the server, the mailer.
    expect(stderr).not.toMatch(/undici|hono|nodemailer|api-connection|\/daemon\.js/);
  });

  it('is run in a checkout by a script, from anywhere and through a link, on the Node of the checkout', () => {
    const cwd = folder();
    symlinkSync(join(CHECKOUT, 'hsw'), join(cwd, 'linked'));
    const ran = (...args: readonly string[]) => execFileSync(join(cwd, 'linked'), args, { cwd, encoding: 'utf8', env });
    // The Node that is found first on the path may be too old.
    const env = { PATH: '/usr/bin:/bin' };
    expect(ran('--version')).toMatch(/^\d+\.\d+\.\d+\n$/);
    const alone = join(cwd, 'hsw');
    copyFileSync(join(CHECKOUT, 'hsw'), alone);
    const { status, stderr } = spawnSync(alone, ['status'], { cwd, encoding: 'utf8', env });
    expect([status, stderr]).toEqual([2, `The checkout ${realpathSync(cwd)} is not installed. Run: npm ci\n`]);
  });

  it('is packed with all that it reads when it runs, and without the tests', () => {
    const packed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: CHECKOUT,
      encoding: 'utf8',
    });
    const files = [...packed.matchAll(/"path": "(.*)"/g)].map(([, path]) => path);
    const read = ['config.schema.json', 'systemd/hyperstudy-warehouse.service', 'migrations/meta/_journal.json'];
    expect(files).toEqual(expect.arrayContaining(['dist/main.js', 'package.json', 'README.md', ...read]));
    for (const sql of readdirSync(join(CHECKOUT, 'migrations')).filter((name) => name.endsWith('.sql')))
      expect(files).toContain(`migrations/${sql}`);
    expect(files.filter((path) => /^(test|src|bench|node_modules)\/|snapshot\.json$/.test(path ?? ''))).toEqual([]);
    expect(readFileSync(join(CHECKOUT, 'dist', 'main.js'), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  });

  it('names the lines of `src` where something broke, with HSW_DEBUG=1', async () => {
    const cwd = folder();
    const broken = join(cwd, 'broken.mjs');
    writeFileSync(broken, "process.cwd = () => { throw new TypeError('broken') };");
    const env = { ...preload(broken), HSW_DEBUG: '1' };
    const { status, stderr } = await hsw(['status'], { cwd, env });
    expect(status).toBe(1);
    expect(stderr).toContain('Internal error (a bug in hyperstudy-warehouse): TypeError: broken');
    expect(stderr).toMatch(/at .*src\/cli\/context\.ts:\d+:\d+/);
  });
});
