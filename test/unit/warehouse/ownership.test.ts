import { chownSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/shared/clock.ts';
import { giveTo } from '../../../src/warehouse/ownership.ts';
import { openWarehouse } from '../../../src/warehouse/warehouse.ts';
import { temporaryFolder } from '../../support/lab.ts';

const SERVICE = 65_534;

describe.skipIf(process.geteuid?.() !== 0)('a command that root runs by hand', () => {
  it('leaves every file to the owner of the folder, in the first sync and in later ones', () => {
    const folder = join(temporaryFolder(), 'data');
    mkdirSync(folder);
    chownSync(folder, SERVICE, SERVICE);
    const path = join(folder, 'w.db');
    for (let sync = 0; sync < 2; sync += 1) {
      const warehouse = openWarehouse(path, { clock: systemClock, history: true });
      const owners = () => readdirSync(folder).map((name) => [name, statSync(join(folder, name)).uid]);
      const names = ['w.db', 'w.db-shm', 'w.db-wal', 'w.db.lock'];
      expect(owners()).toEqual(expect.arrayContaining(names.map((name) => [name, SERVICE])));
      warehouse.close();
      expect(owners()).toEqual(names.map((name) => [name, SERVICE]));
    }
  });

  it('changes no owner of a file that a link in that folder points to', () => {
    const folder = temporaryFolder();
    const target = join(folder, 'target');
    writeFileSync(target, '');
    symlinkSync(target, join(folder, 'link'));
    giveTo({ uid: SERVICE, gid: SERVICE }, join(folder, 'link'));
    expect(statSync(target).uid).toBe(0);
  });
});
