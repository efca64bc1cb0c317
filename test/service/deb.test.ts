import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/shared/clock.ts';
import { openWarehouse } from '../../src/warehouse/warehouse.ts';
import { temporaryFolder } from '../support/lab.ts';

const TOP = join(import.meta.dirname, '..', '..');
const can =
  process.getuid?.() === 0 &&
  ['dpkg', 'dpkg-deb', 'systemd-sysusers'].every((tool) => spawnSync(tool, ['--version']).status === 0);
if (!can) console.warn('skipped: the package for Debian, which takes dpkg, systemd and root');

/** A folder that stands for `/`, with the database of dpkg and nothing else. */
function emptySystem(): string {
  const root = temporaryFolder();
  for (const folder of ['etc/systemd/system', 'var/lib/dpkg/info', 'var/lib/dpkg/updates', 'var/lib/dpkg/triggers'])
    mkdirSync(join(root, folder), { recursive: true });
  for (const file of ['status', 'available']) writeFileSync(join(root, 'var/lib/dpkg', file), '');
  return root;
}

function dpkg(root: string, ...args: readonly string[]): string {
  // The folder has no libc by dpkg's book, and no shell to chroot into.
  const flags = ['--root', root, '--force-depends', '--force-script-chrootless'];
  return execFileSync('dpkg', [...flags, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

describe.skipIf(!can)('the package for Debian', () => {
  let deb = '';
  beforeAll(() => {
    const out = mkdtempSync(join(tmpdir(), 'hsw-deb-'));
    const made = ['scripts/deb.ts', '--uncompressed', '--out', out];
    deb = execFileSync(process.execPath, made, { cwd: TOP, encoding: 'utf8' }).trim();
    return () => rmSync(out, { recursive: true, force: true });
  });

  it('brings the program with its Node, a user, folders and units that systemd takes, and says what is next', () => {
    const root = emptySystem();
    expect(dpkg(root, '--install', deb)).toContain('systemctl enable --now hyperstudy-warehouse');
    const { version } = JSON.parse(readFileSync(join(TOP, 'package.json'), 'utf8')) as { version: string };
    // Nothing of this checkout and no other Node is within reach.
    const plain = { cwd: root, env: { PATH: '/usr/bin:/bin', HOME: root }, encoding: 'utf8' } as const;
    expect(execFileSync(join(root, 'usr/bin/hsw'), ['--version'], plain).trim()).toBe(version);
    const path = join(root, 'lab.db');
    openWarehouse(path, { clock: systemClock, history: true }).close();
    const query = ['query', 'SELECT count(*) AS tables FROM _tables', '--warehouse', path];
    expect(execFileSync(join(root, 'usr/bin/hsw'), query, plain)).toMatch(/tables/);
    for (const folder of ['migrations', 'dist'])
      expect(readdirSync(join(root, 'usr/lib/hyperstudy-warehouse', folder))).toEqual(readdirSync(join(TOP, folder)));
    expect(readFileSync(join(root, 'etc/passwd'), 'utf8')).toMatch(/^hyperstudy-warehouse:.*:\/usr\/sbin\/nologin$/m);
    expect(['etc', 'var/lib'].map((folder) => mode(join(root, folder, 'hyperstudy-warehouse')))).toEqual([
      '755',
      '750',
    ]);
    const units = readdirSync(join(root, 'usr/lib/systemd/system'));
    expect(units).toContain('hyperstudy-warehouse@.service');
    for (const unit of units.filter((name) => name.endsWith('.service')))
      expect(readFileSync(join(root, 'usr/lib/systemd/system', unit), 'utf8')).toMatch(
        /^ExecStart=\/usr\/lib\/hyperstudy-warehouse\/node \/usr\/lib\/hyperstudy-warehouse\/dist\/main\.js /m,
      );
  });

  it('is refused in plain words where a flag is wrong', () => {
    const ran = spawnSync(process.execPath, ['scripts/deb.ts', '--oot', 'x'], { cwd: TOP, encoding: 'utf8' });
    expect([ran.status, ran.stdout, ran.stderr.split('\n').length]).toEqual([1, '', 2]);
    expect(ran.stderr).toMatch(/^✗ Unknown option '--oot'/);
  });

  it('leaves key, configuration and data when it is removed, and the data also when it is purged', () => {
    const root = emptySystem();
    writeFileSync(join(root, 'etc/systemd/system/hyperstudy-warehouse.service'), '');
    expect(dpkg(root, '--install', deb)).toContain(
      '/etc/systemd/system/hyperstudy-warehouse.service is of an installation by hand',
    );
    const [key, data] = [join(root, 'etc/hyperstudy-warehouse/key'), join(root, 'var/lib/hyperstudy-warehouse/lab.db')];
    for (const path of [key, data]) writeFileSync(path, 'mine');
    // An update says nothing of first steps.
    expect(dpkg(root, '--install', deb)).not.toContain('Next, as root');
    dpkg(root, '--remove', 'hyperstudy-warehouse');
    expect(existsSync(join(root, 'usr'))).toBe(false);
    expect([key, data].map((path) => readFileSync(path, 'utf8'))).toEqual(['mine', 'mine']);
    expect(dpkg(root, '--purge', 'hyperstudy-warehouse')).toContain('The data stay in /var/lib/hyperstudy-warehouse');
    expect(readdirSync(join(root, 'etc'))).not.toContain('hyperstudy-warehouse');
    expect(readFileSync(data, 'utf8')).toBe('mine');
  });
});
