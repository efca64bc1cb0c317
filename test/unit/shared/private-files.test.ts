import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/shared/clock.ts';
import { createPrivate, giveTo, makeFolder, modeIn, refuseUnsafe } from '../../../src/shared/private-files.ts';
import { migrate } from '../../../src/warehouse/migrate.ts';
import { openForWriting } from '../../../src/warehouse/open.ts';
import { openWarehouse } from '../../../src/warehouse/warehouse.ts';
import { temporaryFolder } from '../../support/lab.ts';

const OTHER = 65_534;
const isRoot = process.geteuid?.() === 0;
if (!isRoot) console.log('the tests with a second user are skipped, as only root can be another user');

/** A folder of that mode, which every user can come to. */
function folderOf(mode: number): string {
  const above = temporaryFolder();
  const folder = join(above, 'data');
  mkdirSync(folder);
  chmodSync(folder, mode);
  chmodSync(above, 0o755);
  return folder;
}

function setUmask(mask: number): void {
  const before = process.umask(mask);
  onTestFinished(() => void process.umask(before));
}

function modesIn(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder).map((name) => [name, (statSync(join(folder, name)).mode & 0o777).toString(8)]),
  );
}

/** Opens a warehouse as a new one and as an old one, with a backup of it; returns the modes while and after that. */
function filesMadeIn(folder: string): Record<string, string>[] {
  const path = join(folder, 'w.db');
  const seen: Record<string, string>[] = [];
  for (let time = 0; time < 2; time += 1) {
    const warehouse = openWarehouse(path, { clock: systemClock, history: true });
    seen.push(modesIn(folder));
    warehouse.close();
    seen.push(modesIn(folder));
  }
  const db = openForWriting(path);
  // The last migration counts as not applied, so that it is backed up; applying it twice fails.
  db.exec('DELETE FROM __drizzle_migrations WHERE created_at = (SELECT max(created_at) FROM __drizzle_migrations)');
  expect(() => migrate(db)).toThrow();
  db.close();
  return [...seen, modesIn(folder)];
}

describe.each([0o000, 0o022, 0o077])('under the umask %o', (mask) => {
  it.each([
    ['600', 'a folder that everyone may enter', 0o755],
    ['600', 'a folder of one user', 0o700],
    ['640', 'a folder that is closed to all but a group', 0o750],
    ['640', 'a folder that hands its group on', 0o2775],
  ])('every file of a warehouse has the mode %s in %s', (mode, _, folderMode) => {
    setUmask(mask);
    const seen = filesMadeIn(folderOf(folderMode));
    expect(seen.map((files) => [...new Set(Object.values(files))])).toEqual(seen.map(() => [mode]));
    expect(Object.keys(seen.at(-1) ?? {}).filter((name) => name.includes('.before-'))).toHaveLength(1);
  });

  it('a folder that is made is its owner’s alone, and in a shared one its group’s', () => {
    setUmask(mask);
    const own = join(folderOf(0o755), 'a', 'b');
    makeFolder(own);
    expect([own, dirname(own)].map((folder) => statSync(folder).mode & 0o777)).toEqual([0o700, 0o700]);
    const shared = join(folderOf(0o2770), 'a', 'b');
    makeFolder(shared);
    expect([shared, dirname(shared)].map((folder) => statSync(folder).mode & 0o7777)).toEqual([0o2750, 0o2750]);
  });
});

describe('a place to write to', () => {
  it('is refused where everyone can replace what is written, unless no one else can come to it', () => {
    const folder = folderOf(0o777);
    const refusal = /Everyone on this computer can replace the files in .+ nothing was written there/;
    expect(() => openWarehouse(join(folder, 'w.db'), { clock: systemClock, history: true })).toThrow(refusal);
    expect(readdirSync(folder)).toEqual([]);
    chmodSync(dirname(folder), 0o700);
    expect(() => refuseUnsafe(join(folder, 'w.db'))).not.toThrow();
  });

  it.each(['', '-wal', '-shm', '-journal', '.lock'])('is refused where a link leads away from w.db%s', (suffix) => {
    const folder = folderOf(0o755);
    const target = join(folder, 'target');
    symlinkSync(target, join(folder, `w.db${suffix}`));
    const open = () => openWarehouse(join(folder, 'w.db'), { clock: systemClock, history: true });
    expect(open).toThrow(/w\.db\S* is a symbolic link, so nothing was written through it/);
    expect(existsSync(target)).toBe(false);
  });

  it('may be a link of one’s own to a file that is there', () => {
    const folder = folderOf(0o755);
    writeFileSync(join(folder, 'target'), '');
    symlinkSync(join(folder, 'target'), join(folder, 'w.db'));
    expect(() => refuseUnsafe(join(folder, 'w.db'))).not.toThrow();
  });

  it('is refused where a folder or a pipe has its name, and waits for no one', () => {
    const folder = folderOf(0o755);
    mkdirSync(join(folder, 'w.db'));
    expect(() => refuseUnsafe(join(folder, 'w.db'))).toThrow('is a folder, so nothing was written');
    spawnSync('mkfifo', [join(folder, 'pipe.lock')]);
    expect(() => refuseUnsafe(join(folder, 'pipe'), ['.lock'])).toThrow(
      'is not an ordinary file, so nothing was written',
    );
  });

  it.skipIf(!isRoot)('is refused where it is another user’s link, or in a folder like /tmp another user’s file', () => {
    const folder = folderOf(0o755);
    writeFileSync(join(folder, 'target'), '');
    const link = join(folder, 'w.db');
    spawnSync('ln', ['-s', join(folder, 'target'), link]);
    spawnSync('chown', ['-h', `${OTHER}:${OTHER}`, link]);
    expect(() => refuseUnsafe(link)).toThrow('is a symbolic link of another user');
    const temporary = folderOf(0o1777);
    writeFileSync(join(temporary, 'w.db-wal'), '');
    chownSync(join(temporary, 'w.db-wal'), OTHER, OTHER);
    expect(() => refuseUnsafe(join(temporary, 'w.db'), ['-wal'])).toThrow(/w\.db-wal belongs to another user/);
  });

  it('is never written through a link that takes the name of a new file', () => {
    const folder = folderOf(0o755);
    symlinkSync(join(folder, 'target'), join(folder, 'new'));
    expect(createPrivate(join(folder, 'new'))).toBe(false);
    expect(existsSync(join(folder, 'target'))).toBe(false);
  });
});

describe.skipIf(!isRoot)('a second user', () => {
  const asOther = (...command: string[]) =>
    spawnSync('setpriv', [`--reuid=${OTHER}`, `--regid=${OTHER}`, '--clear-groups', ...command]).status;

  it('can read no file of a warehouse that was made under an open umask', () => {
    setUmask(0);
    const folder = folderOf(0o755);
    const warehouse = openWarehouse(join(folder, 'w.db'), { clock: systemClock, history: true });
    const files = readdirSync(folder).map((name) => join(folder, name));
    expect(files.length).toBeGreaterThanOrEqual(4);
    expect(files.map((file) => asOther('cat', file))).toEqual(files.map(() => 1));
    expect(asOther('ls', folder)).toBe(0);
    warehouse.close();
  });

  it('of the folder’s group can read all of it, and write none', () => {
    const folder = folderOf(0o750);
    chownSync(folder, 0, OTHER);
    const warehouse = openWarehouse(join(folder, 'w.db'), { clock: systemClock, history: true });
    for (const name of readdirSync(folder)) {
      expect([name, asOther('head', '-c1', join(folder, name))]).toEqual([name, 0]);
      expect([name, asOther('sh', '-c', `: >> ${join(folder, name)}`)]).toEqual([name, 2]);
    }
    warehouse.close();
    expect(readdirSync(folder).map((name) => statSync(join(folder, name)).gid)).toEqual([OTHER, OTHER, OTHER, OTHER]);
  });
});

describe.skipIf(!isRoot)('a command that root runs by hand', () => {
  it('leaves every file to the owner of the folder, in the first sync and in later ones', () => {
    const folder = join(temporaryFolder(), 'data');
    mkdirSync(folder);
    chownSync(folder, OTHER, OTHER);
    const path = join(folder, 'w.db');
    for (let sync = 0; sync < 2; sync += 1) {
      const warehouse = openWarehouse(path, { clock: systemClock, history: true });
      const owners = () => readdirSync(folder).map((name) => [name, statSync(join(folder, name)).uid]);
      const names = ['w.db', 'w.db-shm', 'w.db-wal', 'w.db.lock'];
      expect(owners()).toEqual(expect.arrayContaining(names.map((name) => [name, OTHER])));
      warehouse.close();
      expect(owners()).toEqual(names.map((name) => [name, OTHER]));
    }
  });

  it('changes no owner of a file that a link in that folder points to', () => {
    const folder = temporaryFolder();
    const target = join(folder, 'target');
    writeFileSync(target, 'kept');
    symlinkSync(target, join(folder, 'link'));
    giveTo({ uid: OTHER, gid: OTHER }, join(folder, 'link'));
    expect([statSync(target).uid, readFileSync(target, 'utf8')]).toEqual([0, 'kept']);
  });
});

it.each([
  [0o600, 0o755],
  [0o600, 0o700],
  [0o600, 0o775],
  [0o600, 0o710],
  [0o640, 0o750],
  [0o640, 0o770],
  [0o640, 0o2755],
])('files have the mode %o in a folder with the mode %o', (mode, folder) => {
  expect(modeIn({ mode: folder })).toBe(mode);
});
