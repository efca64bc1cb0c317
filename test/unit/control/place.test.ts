import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, lchownSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findDaemon } from '../../../src/control/find-daemon.ts';
import { socketPath } from '../../../src/control/place.ts';
import { askDaemon, serveControl } from '../../../src/control/socket.ts';
import { temporaryFolder } from '../../support/lab.ts';

const OTHER = 65_534;
const never = new AbortController().signal;
const isRoot = process.geteuid?.() === 0;

const serve = async (path: string) => {
  const refuse = () => Promise.reject(new Error('not asked for in this test'));
  const about = () => Promise.resolve({ version: '9', startedAt: 1, http: null });
  const server = await serveControl(path, { sync: refuse, verify: refuse, erase: refuse, about, dashboard: refuse });
  onTestFinished(() => server.close());
  return server;
};
const ask = (path: string) => askDaemon(path, { ask: 'about' }, () => undefined, never);

/** Where the socket of a warehouse in a folder of that mode is. */
function place(mode = 0o755): string {
  const folder = temporaryFolder();
  chmodSync(folder, mode);
  return socketPath(join(folder, 'w.db')) ?? '';
}

describe('the place of the control socket', () => {
  it.each([0o000, 0o022])('is a folder beside the warehouse that only its owner can enter (umask %o)', async (mask) => {
    const before = process.umask(mask);
    onTestFinished(() => void process.umask(before));
    const path = place();
    const { close } = await serve(path);
    expect(path).toMatch(/\/w\.db\.run\/socket$/);
    expect([dirname(path), path].map((file) => statSync(file).mode & 0o777)).toEqual([0o700, 0o600]);
    expect(await ask(path)).toMatchObject({ version: '9' });
    await close();
    expect(existsSync(dirname(path))).toBe(false);
  });

  it('is the runtime folder where the path is too long for a socket, and nowhere where that is none', () => {
    const long = `/data/${'long/'.repeat(20)}w.db`;
    expect(socketPath(long, ['/run/user/7'])).toMatch(/^\/run\/user\/7\/hsw\/[0-9a-f]{16}\.sock$/);
    expect(socketPath(long, [])).toBeUndefined();
    // A folder for all is none: its names can be computed by others.
    expect(socketPath(long)?.startsWith('/tmp/')).not.toBe(true);
  });

  it('is taken from no folder, file or link that is in its place, which is said in words', async () => {
    const folder = place();
    mkdirSync(folder, { recursive: true });
    await expect(serve(folder)).rejects.toThrow(/socket is a folder in the place of the daemon's socket\./);
    await expect(ask(folder)).rejects.toThrow(/is a folder in the place of/);
    const file = place();
    writeFileSync(dirname(file), '');
    await expect(serve(file)).rejects.toThrow(/w\.db\.run is a file in the place of the folder/);
    const link = place();
    symlinkSync(temporaryFolder(), dirname(link));
    await expect(serve(link)).rejects.toThrow(/w\.db\.run is a symbolic link in the place of the folder/);
  });

  it('is closed to others again where an earlier folder was open', async () => {
    const path = place();
    mkdirSync(dirname(path));
    chmodSync(dirname(path), 0o777);
    await serve(path);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
  });

  it.skipIf(!isRoot)("is not shared with another user's folder or socket", async () => {
    const path = place();
    mkdirSync(dirname(path));
    chownSync(dirname(path), OTHER, OTHER);
    await expect(serve(path)).rejects.toThrow(/w\.db\.run belongs to another user/);
    const trap = place();
    mkdirSync(dirname(trap), { mode: 0o700 });
    const server = createServer((socket) => void socket.end('{"result":{}}\n'));
    await new Promise<void>((resolve) => server.listen(trap, resolve));
    onTestFinished(() => void server.close());
    lchownSync(trap, OTHER, OTHER);
    await expect(ask(trap)).rejects.toMatchObject({ code: 'PLACE_UNSAFE' });
    expect(await findDaemon(join(dirname(dirname(trap)), 'w.db'))).toEqual({ kind: 'foreign' });
  });

  it.skipIf(!isRoot)('lets no second user connect', async () => {
    const path = place();
    await serve(path);
    // Its folder is opened, so that its own mode has to hold too.
    const script = `import socket; socket.socket(socket.AF_UNIX).connect(${JSON.stringify(path)})`;
    const asOther = [`--reuid=${OTHER}`, `--regid=${OTHER}`, '--clear-groups', '/usr/bin/python3', '-c', script];
    const tried = () => spawnSync('setpriv', asOther, { encoding: 'utf8' }).stderr;
    expect(tried()).toContain('PermissionError');
    chmodSync(dirname(path), 0o755);
    expect(tried()).toContain('PermissionError');
  });
});
