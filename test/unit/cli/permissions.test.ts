import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exposedSecrets, openFolder, foreignFiles } from '../../../src/cli/permissions.ts';
import { temporaryFolder } from '../../support/lab.ts';

/** A folder that everyone may enter, with a file of that mode in it. */
function folderWith(name: string, mode: number, folderMode = 0o755) {
  const folder = join(temporaryFolder(), 'the data');
  mkdirSync(folder);
  const path = join(folder, name);
  writeFileSync(path, '');
  chmodSync(path, mode);
  chmodSync(folder, folderMode);
  chmodSync(join(folder, '..'), 0o755);
  return path;
}

/** Runs the command that a message ends with. */
function follow(message: string | undefined): void {
  const command = /Run: (.+?)(?: \(a group.*\))?$/.exec(message ?? '')?.[1];
  execFileSync('sh', ['-c', command ?? 'false']);
}

describe('the secrets in a configuration', () => {
  const config = (path: string, inlineSecrets: readonly string[] = ['http.token', 'alerts.webhook.url']) => ({
    path,
    inlineSecrets,
    warehouse: { path, queryIndexes: true },
  });
  const owner = (path: string) => statSync(path).uid;

  it.each([0o604, 0o644, 0o666])('are exposed by mode %o, until the command that is said is run', (mode) => {
    const path = folderWith('config.yaml', mode);
    const said = exposedSecrets(config(path));
    expect(said).toContain(`${path} holds http.token and alerts.webhook.url, and others can read it. Run: chmod`);
    follow(said);
    expect(exposedSecrets(config(path))).toBeUndefined();
  });

  it.each([0o600, 0o400])('are safe with mode %o, and none is there to be read with any', (mode) => {
    const path = folderWith('config.yaml', mode);
    expect(exposedSecrets(config(path))).toBeUndefined();
    chmodSync(path, 0o644);
    expect(exposedSecrets(config(path, []))).toBeUndefined();
  });

  it('may be read by a group only where the file belongs to another user, as with a service', () => {
    const path = folderWith('config.yaml', 0o640);
    expect(exposedSecrets(config(path), owner(path) + 1)).toBeUndefined();
    chmodSync(path, 0o644);
    expect(exposedSecrets(config(path), owner(path) + 1)).toContain('others can read it. Run: ch');
  });
});

describe("the warehouse's folder", () => {
  it.each([
    ['read', 0o644, 0o755, /everyone on this computer can read the data\. Run: chmod o-r '/],
    ['change', 0o646, 0o755, /everyone on this computer can change the data\. Run: chmod o-rw '/],
    ['replace', 0o600, 0o777, /everyone on this computer can replace the data in .+\. Run: chmod o-w '/],
  ])('is open when everyone can %s the data, until the command that is said is run', (_, mode, folderMode, words) => {
    const path = folderWith('w.db', mode, folderMode);
    expect(openFolder(path)).toMatch(words);
    follow(openFolder(path));
    expect(openFolder(path)).toBeUndefined();
  });

  it('is not called open where no other user can come to it, nor to a group', () => {
    const path = folderWith('w.db', 0o644);
    chmodSync(join(path, '..', '..'), 0o700);
    expect(openFolder(path)).toBeUndefined();
    expect(openFolder(folderWith('w.db', 0o660, 0o770))).toBeUndefined();
    expect(openFolder(folderWith('w.db', 0o640))).toBeUndefined();
    expect(openFolder('/nowhere/at/all/w.db')).toBeUndefined();
  });

  it('may be one in which everyone has files of their own, like /tmp', () => {
    expect(openFolder(folderWith('w.db', 0o640, 0o1777))).toBeUndefined();
  });
});

it.skipIf(process.geteuid?.() !== 0)(
  'files that root copied into another user’s folder are named until they are given away',
  () => {
    const path = folderWith('w.db', 0o640);
    expect(foreignFiles(path)).toBeUndefined();
    chownSync(dirname(path), 65_534, 65_534);
    expect(foreignFiles(path)).toMatch(/do not belong to the folder's owner/);
    follow(foreignFiles(path));
    expect(foreignFiles(path)).toBeUndefined();
  },
);
