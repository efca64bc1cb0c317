import { chmodSync, chownSync, readFileSync, statSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { serviceToken, tokenPath } from '../../../src/daemon/service-token.ts';
import { temporaryFolder } from '../../support/lab.ts';

describe('the token of a dashboard whose configuration names none', () => {
  it('is the same after a restart, long, and for its owner alone, in a shared folder too', () => {
    const folder = temporaryFolder();
    chmodSync(folder, 0o2750);
    const path = join(folder, 'w.db');
    const token = serviceToken(path);
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(serviceToken(path)).toBe(token);
    expect(statSync(tokenPath(path)).mode & 0o777).toBe(0o600);
  });

  it('is another one once others could have read it, or nothing like a token is there', () => {
    const path = join(temporaryFolder(), 'w.db');
    const first = serviceToken(path);
    chmodSync(tokenPath(path), 0o644);
    const second = serviceToken(path);
    expect(second).not.toBe(first);
    expect(statSync(tokenPath(path)).mode & 0o777).toBe(0o600);
    writeFileSync(tokenPath(path), 'short');
    expect(serviceToken(path)).toMatch(/^[\w-]{43}$/);
  });

  it('is neither read nor written through a link', () => {
    const folder = temporaryFolder();
    const path = join(folder, 'w.db');
    const target = join(folder, 'target');
    writeFileSync(target, `${'x'.repeat(43)}\n`, { mode: 0o600 });
    symlinkSync(target, tokenPath(path));
    expect(serviceToken(path)).not.toBe('x'.repeat(43));
    expect(readFileSync(target, 'utf8')).toBe(`${'x'.repeat(43)}\n`);
    unlinkSync(tokenPath(path));
  });

  it.skipIf(process.geteuid?.() !== 0)('belongs to the owner of the folder where root makes it', () => {
    const folder = temporaryFolder();
    chownSync(folder, 65_534, 65_534);
    serviceToken(join(folder, 'w.db'));
    expect(statSync(tokenPath(join(folder, 'w.db'))).uid).toBe(65_534);
  });
});
