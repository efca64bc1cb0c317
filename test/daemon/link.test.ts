import { chmodSync, chownSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { hsw } from '../support/command.ts';
import { lab, start } from '../support/daemon-lab.ts';

const OTHER = 65_534;

const textOf = async (url: string, cookie: string) => (await fetch(url, { headers: { cookie } })).text();

it('hsw dashboard gives a link that opens the page once, to the user of the daemon only', async () => {
  const { cwd } = await lab({}, 'data: [rooms]\n');
  const without = await hsw(['dashboard'], { cwd });
  expect([without.status, without.stderr]).toEqual([2, expect.stringContaining('No daemon is running for')]);

  const daemon = await start(cwd);
  expect(statSync(join(cwd, 'w.db.http-token')).mode & 0o777).toBe(0o600);
  const { stdout, status } = await hsw(['dashboard'], { cwd });
  const link = stdout.trim();
  expect([status, link]).toEqual([0, expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/\?ticket=[\w-]{32}$/)]);
  const { origin } = new URL(link);
  for (const path of ['/', '/readyz', '/metrics', '/api/status'])
    expect([path, (await fetch(origin + path)).status]).toEqual([path, 401]);
  expect(await (await fetch(`${origin}/healthz`)).text()).toBe('{"status":"ok"}');
  const first = await fetch(link, { redirect: 'manual' });
  const [cookie = ''] = (first.headers.get('set-cookie') ?? '').split(';');
  expect((await fetch(origin, { headers: { cookie } })).status).toBe(200);
  expect((await fetch(link, { redirect: 'manual' })).status).toBe(401);
  // The page of an experiment too, once one is known.
  const page = async () => /href="(\/experiments\/[^"]+)"/.exec(await textOf(origin, cookie))?.[1] ?? '';
  await expect.poll(page).not.toBe('');
  expect(await textOf(origin + (await page()), cookie)).toContain('Rows by room and data type');
  expect(daemon.log()).not.toContain(link.split('=').at(-1));

  // hsw open starts the browser of this computer with such a link.
  writeFileSync(join(cwd, 'xdg-open'), '#!/bin/sh\nprintf %s "$1" > opened\n', { mode: 0o755 });
  const screen = { PATH: `${cwd}:${process.env['PATH'] ?? ''}`, DISPLAY: ':0' };
  const id = decodeURIComponent((await page()).split('/').at(-1) ?? '');
  for (const [flags, text] of [
    [[], 'id="experiments-title"'],
    [['--experiment', id], 'Rows by room and data type'],
  ] as const) {
    const opened = await hsw(['open', ...flags], { cwd, env: screen });
    expect([opened.status, opened.stdout]).toEqual([0, expect.stringMatching(/^Opening the (dashboard|page of exp_)/)]);
    const entered = await fetch(readFileSync(join(cwd, 'opened'), 'utf8'), { redirect: 'manual' });
    const [mine = ''] = (entered.headers.get('set-cookie') ?? '').split(';');
    expect(await textOf(new URL(entered.headers.get('location') ?? '', origin).href, mine)).toContain(text);
  }
  const remote = await hsw(['open'], { cwd, env: { SSH_CONNECTION: '10.0.0.1 1 10.0.0.2 22' } });
  const { port } = new URL(link);
  expect(remote.stdout).toMatch(new RegExp(`-L ${port}:127\\.0\\.0\\.1:${port} .*\\n.*\\nhttp://127.*ticket=`));
  const unknown = await hsw(['open', '--experiment', 'exp_nobody'], { cwd, env: screen });
  expect([unknown.status, unknown.stdout]).toEqual([2, '']);

  if (process.geteuid?.() === 0) {
    chmodSync(cwd, 0o755);
    chownSync(join(cwd, 'key'), OTHER, OTHER);
    const foreign = await hsw(['dashboard'], { cwd, uid: OTHER, gid: OTHER });
    expect([foreign.status, foreign.stdout]).toEqual([5, '']);
    expect(foreign.stderr).toContain('belongs to another user');
    chownSync(join(cwd, 'key'), 0, 0);
  } else console.log('the second user is skipped, as only root can be another user');

  daemon.child.kill('SIGTERM');
  await daemon.ended;
});
