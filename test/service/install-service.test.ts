import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { hsw } from '../support/command.ts';
import { temporaryFolder } from '../support/lab.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'main.js');
const UNIT = 'etc/systemd/system/hyperstudy-warehouse.service';
const KEY = `hst_test_${'k'.repeat(64)}`;

const JSON_SHAPE = z.object({
  user: z.string(),
  paths: z.record(z.string(), z.string()),
  files: z.array(z.object({ path: z.string(), text: z.string(), done: z.string() })),
  problems: z.array(z.string()),
  steps: z.array(z.object({ why: z.string(), command: z.string() })),
});

/** A folder with a configuration, and another that stands for `/`. */
function place(yaml = 'experiments: [{ all: true }]\nwarehouse: { path: /var/lib/hyperstudy-warehouse/lab.db }\n') {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'config.yaml'), yaml);
  return { cwd, root: temporaryFolder() };
}

describe('hsw install-service', () => {
  it("prints this installation's unit and the commands for root, and writes nothing", async () => {
    const { cwd, root } = place();
    const { stdout } = await hsw(['install-service', '--root', root], { cwd });
    const start = `ExecStart=${realpathSync(process.execPath)} ${realpathSync(MAIN)} --config ${join(realpathSync(cwd), 'config.yaml')} daemon`;
    for (const part of [
      start,
      'Nothing was written',
      'useradd --system',
      'systemctl enable --now hyperstudy-warehouse.service',
    ])
      expect(stdout).toContain(part);
    expect(readdirSync(root)).toEqual([]);
  });

  it('says what the service could not see or read, and writes no unit that would not work', async () => {
    const { cwd, root } = place(
      `experiments: [{ all: true }]\napi: { keyFile: ./key }\nwarehouse: { path: /etc/x.db }\n`,
    );
    writeFileSync(join(cwd, 'key'), KEY, { mode: 0o600 });
    const ran = await hsw(['install-service', '--install', '--root', root], { cwd });
    expect(ran).toMatchObject({ status: 2, stdout: '' });
    for (const part of [
      'config.yaml names the key itself',
      'config.yaml is in a folder for temporary files',
      '/etc is not a folder for data',
      'Nothing was written',
    ])
      expect(ran.stderr).toContain(part);
    expect(ran.stderr).not.toContain(KEY);
    expect(existsSync(join(root, 'etc'))).toBe(false);
    const shown = await hsw(['install-service'], { cwd });
    expect(shown.status).toBe(1);
    expect(shown.stderr).toContain('✗ /etc is not a folder for data');
  });

  it('writes the unit, leaves an equal one alone, and replaces another only by force', async () => {
    const { cwd, root } = place();
    const install = (...more: string[]) => hsw(['install-service', '--install', '--root', root, ...more], { cwd });
    const file = join(root, UNIT);
    // The checkout may lie where the service cannot see it: only --force writes then.
    const first = await install('--force');
    expect(first.stdout).toContain(`✓ ${file}: written`);
    expect(first.stdout).toContain('Next, as root:');
    expect(first.stdout).not.toContain('--install');
    expect(statSync(file).mode & 0o777).toBe(0o644);
    const unit = readFileSync(file, 'utf8');
    const again = await install('--force');
    expect(again.stdout).toContain(`✓ ${file}: unchanged`);
    writeFileSync(file, `${unit}# ours\n`);
    const differs = await install();
    expect(differs).toMatchObject({ status: 2 });
    expect(differs.stderr).toContain(`${file} already exists with different content`);
    expect(readFileSync(file, 'utf8')).toBe(`${unit}# ours\n`);
    const forced = await install('--force');
    expect(forced.stdout).toContain(`✓ ${file}: replaced`);
    expect(readFileSync(file, 'utf8')).toBe(unit);
    expect(readdirSync(join(file, '..'))).toEqual(['hyperstudy-warehouse.service']);
  });

  it('writes the service and the timer, or neither', async () => {
    const { cwd, root } = place();
    const folder = join(root, 'etc/systemd/system');
    mkdirSync(folder, { recursive: true });
    // A masked unit.
    symlinkSync('/dev/null', join(folder, 'hyperstudy-warehouse-sync.timer'));
    const masked = await hsw(['install-service', '--timer', '--install', '--root', root], { cwd });
    expect(masked).toMatchObject({ status: 2 });
    expect(readdirSync(folder)).toEqual(['hyperstudy-warehouse-sync.timer']);
    const forced = await hsw(['install-service', '--timer', '--install', '--force', '--root', root], { cwd });
    expect(readdirSync(folder)).toEqual(['hyperstudy-warehouse-sync.service', 'hyperstudy-warehouse-sync.timer']);
    expect(readFileSync(join(folder, 'hyperstudy-warehouse-sync.timer'), 'utf8')).toContain('Persistent=true');
    expect(forced.stdout).toContain('systemctl enable --now hyperstudy-warehouse-sync.timer');
  });

  it('gives one JSON document, and names the folder of the data', async () => {
    const { cwd } = place('experiments: [{ all: true }]\nwarehouse: { path: /srv/our data/lab.db }\n');
    const { stdout } = await hsw(['install-service', '--json'], { cwd });
    const { user, paths, files, steps } = JSON_SHAPE.parse(JSON.parse(stdout));
    expect(user).toBe('hyperstudy-warehouse');
    expect(paths['data']).toBe('/srv/our data');
    expect(files).toMatchObject([{ path: `/${UNIT}`, done: 'printed' }]);
    expect(files[0]?.text).toContain('\nReadWritePaths="/srv/our data"\n');
    expect(steps.map(({ command }) => command)).toContain(
      "install -d -o hyperstudy-warehouse -g hyperstudy-warehouse -m 750 '/srv/our data'",
    );
  });

  it('writes one unit for several labs, whose paths hold the name of the lab', async () => {
    const { cwd, root } = place('not: [valid');
    // By force, as the checkout may be where a service cannot see it.
    const flags = ['--labs', '--install', '--force', '--root', root, '--json'];
    const { stdout } = await hsw(['install-service', ...flags], { cwd });
    const { files, steps, user } = JSON_SHAPE.parse(JSON.parse(stdout));
    expect([user, files.map(({ done }) => done)]).toEqual(['hsw-LAB', ['written']]);
    const unit = readFileSync(join(root, 'etc/systemd/system/hyperstudy-warehouse@.service'), 'utf8');
    expect(unit).toContain(
      `ExecStart=${realpathSync(process.execPath)} ${realpathSync(MAIN)} --config /etc/hyperstudy-warehouse/%i/config.yaml daemon`,
    );
    expect(steps.map(({ command }) => command).join('\n')).toContain('enable --now hyperstudy-warehouse@$LAB');
    const both = await hsw(['install-service', '--labs', '--timer'], { cwd });
    expect([both.status, both.stdout]).toEqual([2, '']);
  });

  it('begins with the configuration where there is none', async () => {
    const config = join(temporaryFolder(), 'later.yaml');
    const { stdout } = await hsw(['--config', config, 'install-service'], { cwd: temporaryFolder() });
    expect(stdout).toContain(
      `--config ${config} init --all --yes --warehouse /var/lib/hyperstudy-warehouse/hyperstudy.db`,
    );
  });

  it.skipIf(process.geteuid?.() !== 0)('writes into the system only as root', async () => {
    const ran = await hsw(['install-service', '--install'], { cwd: place().cwd, uid: 65_534, gid: 65_534 });
    expect(ran.status).toBe(2);
    expect(`${ran.stdout}${ran.stderr}`).toMatch(/Only root may write/);
  });
});
