import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderUnit, UNIT_NAMES, type InstallationPaths } from '../../src/cli/service-unit.ts';
import { temporaryFolder } from '../support/lab.ts';

/** 0 is locked away, 10 is open to everything. */
const MOST_EXPOSURE = 1.5;

const HERE: InstallationPaths = {
  node: process.execPath,
  main: join(import.meta.dirname, '..', '..', 'dist', 'main.js'),
  config: '/etc/hyperstudy-warehouse/config.yaml',
  data: '/var/lib/hyperstudy-warehouse',
};
/** An installation in a home, with names that need quoting, and data elsewhere. */
const AWKWARD: InstallationPaths = {
  node: process.execPath,
  main: '/home/lab 1/50%/a$b;c/dist/main.js',
  config: '/home/lab 1/config.yaml',
  data: '/srv/our data/50%',
};
const NAMES = Object.values(UNIT_NAMES).flat();
const SERVICES = NAMES.filter((name) => name.endsWith('.service'));

function analyze(args: readonly string[], cwd?: string) {
  const { status, stdout, stderr, error } = spawnSync('systemd-analyze', [...args, '--no-pager'], {
    encoding: 'utf8',
    cwd,
  });
  return { status, text: error?.message ?? `${stdout}${stderr}` };
}

/** Writes units side by side and says what systemd has to say of them. */
function verify(units: Readonly<Record<string, string>>) {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries(units)) writeFileSync(join(folder, name), text);
  const { status, text } = analyze(['verify', '--man=no', ...Object.keys(units).map((name) => `./${name}`)], folder);
  // It also speaks of other units of this computer.
  return { status, said: text.split('\n').filter((line) => /hyperstudy|probe/.test(line)) };
}

const hasAnalyze = analyze(['--version']).status === 0;
const PROBE = '[Service]\nExecStart=/bin/true\n';
const canVerify = hasAnalyze && verifiesProbe();
const canRate =
  hasAnalyze && analyze(['security', '--offline=yes', 'nothing.service']).text.includes('nothing.service');

function verifiesProbe(): boolean {
  const { status, text } = analyze(['verify', '--man=no', '/dev/null/probe.service']);
  return status !== null && !text.includes('Failed to initialize manager');
}

if (!canVerify) console.warn('SKIPPED: systemd-analyze verify, as systemd-analyze is missing or cannot start here.');
if (!canRate) console.warn('SKIPPED: systemd-analyze security, as systemd-analyze is missing or older than 250.');

describe.skipIf(!canVerify)('systemd accepts', () => {
  it('nothing that has a mistake, so that its silence counts', () => {
    const { said } = verify({ 'probe.service': `${PROBE}NoSuchKey=1\n` });
    expect(said.join('\n')).toContain('NoSuchKey');
    expect(verify({ 'probe.service': PROBE }).said).toEqual([]);
  });

  it.each([
    ['this installation', HERE],
    ['an installation with awkward paths', AWKWARD],
  ])('the units of %s without a word', (_, paths) => {
    expect(verify(Object.fromEntries(NAMES.map((name) => [name, renderUnit(name, paths)])))).toEqual({
      status: 0,
      said: [],
    });
  });
});

describe.skipIf(!canRate)('the exposure', () => {
  it.each([
    ['as shipped', HERE],
    ['in a home and with data elsewhere', AWKWARD],
  ])(`is at most ${MOST_EXPOSURE}, %s`, (_, paths) => {
    for (const name of SERVICES) {
      const file = join(temporaryFolder(), name);
      writeFileSync(file, renderUnit(name, paths));
      const { text } = analyze(['security', '--offline=yes', file]);
      const [, exposure] = /Overall exposure level for \S+: ([\d.]+)/.exec(text) ?? [];
      console.info(`exposure of ${name}: ${exposure ?? 'unknown'}`);
      expect(Number(exposure), text).toBeLessThanOrEqual(MOST_EXPOSURE);
    }
  });
});

describe('the units', () => {
  const line = (name: string, paths: InstallationPaths, start: string) =>
    renderUnit(name, paths)
      .split('\n')
      .filter((text) => text.startsWith(start));

  it('name the real paths, quoted as systemd reads them', () => {
    expect(line('hyperstudy-warehouse.service', AWKWARD, 'ExecStart=')).toEqual([
      `ExecStart=${process.execPath} "/home/lab 1/50%%/a$$b;c/dist/main.js" --config "/home/lab 1/config.yaml" daemon`,
    ]);
    expect(line('hyperstudy-warehouse-sync.service', HERE, 'ExecStart=')).toEqual([
      `ExecStart=${HERE.node} ${HERE.main} --config ${HERE.config} sync now`,
    ]);
    expect(() => renderUnit('hyperstudy-warehouse.service', { ...HERE, data: '/srv/a\nUser=root' })).toThrow(
      'systemd cannot name the path',
    );
  });

  it('of several labs are that of one, but for what each lab has of its own', () => {
    const [one, labs] = ['hyperstudy-warehouse.service', 'hyperstudy-warehouse@.service'].map((name) =>
      renderUnit(name, HERE)
        .split('\n')
        .filter((text) => !text.startsWith('#')),
    );
    const own = labs?.filter((text) => one?.includes(text) === false) ?? [];
    expect([own.length, one?.length]).toEqual([8, labs?.length]);
    expect(own.filter((text) => !text.includes('%i'))).toEqual([]);
    expect(line('hyperstudy-warehouse@.service', AWKWARD, 'ExecStart=')).toEqual([
      `ExecStart=${process.execPath} "/home/lab 1/50%%/a$$b;c/dist/main.js" --config /etc/hyperstudy-warehouse/%i/config.yaml daemon`,
    ]);
  });

  const ofOne = SERVICES.filter((name) => !UNIT_NAMES.labs.includes(name));
  it.each(ofOne)('of %s may write to its data, and see a home only where something lies there', (name) => {
    const open: InstallationPaths = { ...HERE, node: '/usr/bin/node', main: '/opt/x/dist/main.js' };
    expect(line(name, open, 'ReadWritePaths=')).toEqual([]);
    expect(line(name, open, 'ProtectHome=')).toEqual(['ProtectHome=yes']);
    expect(line(name, { ...open, data: '/srv/hyperstudy' }, 'ReadWritePaths=')).toEqual([
      'ReadWritePaths=/srv/hyperstudy',
    ]);
    expect(line(name, AWKWARD, 'ReadWritePaths=')).toEqual(['ReadWritePaths="/srv/our data/50%%"']);
    expect(line(name, AWKWARD, 'RequiresMountsFor=')).toEqual(['RequiresMountsFor="/srv/our data/50%%"']);
    expect(line(name, AWKWARD, 'ProtectHome=')).toEqual(['ProtectHome=read-only']);
  });
});
