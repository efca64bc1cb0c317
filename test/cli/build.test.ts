import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { hsw } from '../support/command.ts';
import { temporaryFolder } from '../support/lab.ts';

const preload = (path: string) => ({ NODE_OPTIONS: `--import ${pathToFileURL(path).href}` });
const MODULES = join(import.meta.dirname, '..', 'support', 'opened-modules.mjs');

function folder(): string {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'config.yaml'), 'experiments: [{ all: true }]\nwarehouse: { path: ./w.db }\n');
  return cwd;
}

describe('the built command', () => {
  it.each([
    ['--version', 10],
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
