import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openersFor, openInBrowser } from '../../../src/cli/browser.ts';
import { temporaryFolder } from '../../support/lab.ts';

describe('an address is opened', () => {
  const linux = (env: Record<string, string>) => openersFor({ env, platform: 'linux' });
  const SSH = { SSH_CONNECTION: '10.0.0.1 50000 10.0.0.2 22' };

  it('by what the platform has for it', () => {
    expect(openersFor({ env: {}, platform: 'darwin' })).toEqual([['open']]);
    expect(openersFor({ env: {}, platform: 'win32' })).toEqual([['rundll32.exe', 'url.dll,FileProtocolHandler']]);
    expect(linux({ DISPLAY: ':0' })).toEqual([['xdg-open']]);
    expect(linux({ WAYLAND_DISPLAY: 'wayland-0' })).toEqual([['xdg-open']]);
    expect(linux({ WSL_DISTRO_NAME: 'Ubuntu' })).toEqual([['wslview']]);
  });

  it('by the browser that the environment names, as editors on another computer do', () => {
    expect(linux({ ...SSH, BROWSER: '/vscode/helpers/browser.sh' })).toEqual([['/vscode/helpers/browser.sh']]);
    expect(linux({ DISPLAY: ':0', BROWSER: 'firefox %s:lynx' })).toEqual([['xdg-open']]);
  });

  it('by nothing where no one would see it', () => {
    expect(linux({})).toBe('there is no screen here');
    expect(linux({ DISPLAY: '' })).toBe('there is no screen here');
    expect(linux(SSH)).toBe('this is a connection by SSH');
    for (const platform of ['darwin', 'win32'] as const)
      expect(openersFor({ env: SSH, platform })).toBe('this is a connection by SSH');
  });
});

describe('an opener', () => {
  const opening = (script: string | undefined, name = 'xdg-open') => {
    const folder = temporaryFolder();
    if (script !== undefined) writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
    if (script !== undefined) chmodSync(join(folder, name), 0o755);
    const env = { DISPLAY: ':0', PATH: `${folder}:/bin:/usr/bin`, HYPERSTUDY_API_KEY: 'hst_secret', OUT: folder };
    return { folder, result: openInBrowser('http://localhost/?a=1&b=$(id)', { env, platform: 'linux' }) };
  };

  it('receives the address as it is, and no key', async () => {
    const { folder, result } = opening('{ echo "$1"; env; } > "$OUT/seen"');
    expect(await result).toBeUndefined();
    const seen = readFileSync(join(folder, 'seen'), 'utf8');
    expect(seen).toContain('http://localhost/?a=1&b=$(id)\n');
    expect(seen).not.toContain('hst_secret');
  });

  it('that fails or is missing is named', async () => {
    expect(await opening('exit 3').result).toBe('xdg-open failed');
    const missing = { env: { BROWSER: 'no-such-browser', PATH: '/bin' }, platform: 'linux' } as const;
    expect(await openInBrowser('http://localhost', missing)).toBe('no-such-browser is not installed');
  });

  it('that stays as long as the browser is no failure', async () => {
    expect(await opening('sleep 5').result).toBeUndefined();
  });
});
