import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { silentLog } from '../../src/shared/log.ts';
import type { DaemonView, ExperimentRows } from '../../src/status/view.ts';
import { addressOf } from '../../src/web/dashboard/experiment-address.ts';
import { startHttp } from '../../src/web/server.ts';
import { findChromium, launch } from './browser.ts';
import { sampleRows } from './sample-rows.ts';
import { sampleView } from './sample-view.ts';

const NOW = Date.parse('2026-03-11T14:02:05.000Z');
const TOKEN = 'open-sesame-0123456789';
const FAILED = '/experiments/exp_tN58sYdu';
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const executable = findChromium();
if (executable === undefined) console.log('skipped: the page of an experiment in a browser (no Chromium here)');

async function serve(view: DaemonView = sampleView(NOW), rows: ExperimentRows = sampleRows(NOW)) {
  const options = { host: '127.0.0.1', port: 0, token: TOKEN, log: silentLog, wrongTokenMs: 0 };
  const asked: string[] = [];
  const server = await startHttp({ ...options, view: () => view, rowsOf: (id) => (asked.push(id), rows) });
  onTestFinished(() => server.close());
  const get = async (path: string, headers: Record<string, string> = { authorization: `Bearer ${TOKEN}` }) => {
    const response = await fetch(server.url + path, { headers, redirect: 'manual' });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  return { server, get, asked };
}

const one = (id: string, name?: string) =>
  sampleView(NOW, { experiments: [{ id, name, live: false, isGone: false, streams: [] }], work: [], recent: [] });

describe('the page of an experiment', () => {
  it('is at an address of its own, whatever the id', async () => {
    const ids = ['exp_1', 'a/b', '/', '//', '.', '..', '...', 'a/../b', '%', '%2F', '%00', '?', '#x', ' ', '+', 'ä🎬'];
    for (const id of [...ids, '<b>"\'&', 'x'.repeat(2000), '\\..\\', '\u202e', 'a\nb']) {
      const { get, asked } = await serve(one(id));
      const { status } = await get(addressOf(id));
      expect([id, status, asked]).toEqual([id, 200, [id]]);
      expect((await get('/')).text).toContain(addressOf(id).replaceAll("'", '&#39;'));
    }
  });

  it('answers an id that it does not know in words, as text, and reads nothing', async () => {
    const { get, asked } = await serve();
    for (const path of ['/experiments', '/experiments/', '/experiments/%', '/experiments/%ff', '/experiments?id=']) {
      const { status, text } = await get(path);
      expect([path, status, text]).toEqual([path, 404, expect.stringContaining('No such experiment')]);
    }
    const { status, text } = await get(addressOf('<script>alert(1)</script>'));
    expect([status, text]).toEqual([
      404,
      expect.stringContaining('<code>&lt;script&gt;alert(1)&lt;/script&gt;</code>'),
    ]);
    expect(asked).toEqual([]);
  });

  it('is guarded as the dashboard is, and signing in leads to it', async () => {
    const { get, asked } = await serve();
    const html = { accept: 'text/html' };
    for (const [path, field] of [
      [FAILED, `action="${FAILED}"`],
      ['/experiments?id=..', 'type="hidden" name="id" value=".."'],
    ] as const) {
      const { status, text } = await get(path, html);
      expect([status, text]).toEqual([401, expect.stringContaining(field)]);
      expect(text).not.toContain('Moral');
    }
    expect((await get(FAILED, {})).status).toBe(401);
    expect(asked).toEqual([]);
    const signed = await get(`/experiments?id=..&token=${TOKEN}`, html);
    expect([signed.status, signed.headers.get('location')]).toEqual([303, '/experiments?id=..']);
    const policy = (await get('/')).headers.get('content-security-policy');
    expect((await get(FAILED)).headers.get('content-security-policy')).toBe(policy);
  });

  it('begins as hsw status does, and tells every part in words', async () => {
    const { get } = await serve();
    const text = (await get(FAILED)).text.replace(/<style>.*<\/style>|<script>.*<\/script>/gs, '');
    const plain = text.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ');
    expect(plain).toContain('✗ Not complete: 1 of 19 streams failed. 19 of 19 streams compared record by record');
    expect(plain).toContain('Some data of exp_tN58sYdu cannot be read.');
    expect(plain).not.toContain('exp_4yEJq8Hs');
    expect(plain).toContain('Joined 32 100 %');
    expect(plain).toContain('Consented 28 88 %');
    expect(plain).toContain('Left 4 13 %');
    expect(plain).toContain('Timed out 2 6 %');
    expect(plain).toContain('components – 12 1 1 h ago');
    expect(plain).toMatch(/room_14 .* ! 0 /);
    expect(text).not.toContain('style=');
  });

  it('says how many rooms it does not show', async () => {
    const { get } = await serve(sampleView(NOW), sampleRows(NOW, { moreRooms: 1234 }));
    const { text } = await get(FAILED);
    expect(text).toContain('1,234 more rooms, or in none');
    expect(text).toContain('8 of 1,242 rooms');
  });
});

const EMPTY = sampleRows(NOW, {
  rooms: [],
  data: [],
  byParticipant: [],
  changes: [],
  people: { joined: 0, codes: new Map(), complete: 0, agents: 0 },
});
const LONG_ROOMS = sampleRows(NOW, {
  rooms: [{ id: 'r'.repeat(120), isOpen: true, status: 'active', rows: new Map([['chat', 123_456_789]]) }],
  moreRooms: 1,
});
const LONG = 'x/..%'.repeat(20);

describe.skipIf(executable === undefined)('in a browser, the pages', () => {
  let browser: Browser;
  beforeAll(async () => {
    if (executable !== undefined) browser = await launch(executable);
  });
  afterAll(() => browser.close());

  async function open(path: string, options: BrowserContextOptions, ...what: Parameters<typeof serve>) {
    const { server } = await serve(...what);
    // The policy of the pages lets no other script in; axe is one.
    const context = await browser.newContext({ bypassCSP: true, ...options });
    onTestFinished(() => context.close());
    const page = await context.newPage();
    await page.goto(`${server.url}/?token=${TOKEN}`);
    await page.goto(server.url + path);
    return { page, server };
  }

  // Each state of an experiment is among these.
  const some = sampleView(NOW).experiments.filter(({ id }) => /tN58|4yEJ|7kQ2|eD1h|VdU6/.test(id));
  const STATES: readonly (readonly [string, DaemonView, ExperimentRows])[] = [
    ['/', sampleView(NOW, { experiments: some }), EMPTY],
    [FAILED, sampleView(NOW), sampleRows(NOW)],
    [addressOf(LONG), one(LONG, 'W'.repeat(200)), LONG_ROOMS],
    ['/experiments/unknown', sampleView(NOW), EMPTY],
  ];

  it.each(STATES)('have no violation that axe finds, and fit: %s', async (path, view, rows) => {
    const { page } = await open(path, {}, view, rows);
    await page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true");
    await page.evaluate(AXE);
    for (const [colorScheme, width] of [
      ['light', 1240],
      ['dark', 400],
    ] as const) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 800 });
      expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
      const found = await page.evaluate<{ violations: string[]; passes: number }>(
        `axe.run({ resultTypes: ['violations'] }).then(({ violations, passes }) => ({
          violations: violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html.slice(0, 200))),
          passes: passes.length,
        }))`,
      );
      expect(found.violations).toEqual([]);
      expect(found.passes).toBeGreaterThan(10);
    }
  });

  it('say the same without JavaScript, link to each other, and can be used with the keyboard', async () => {
    const { page } = await open(FAILED, { javaScriptEnabled: false });
    const without = await page.locator('main').innerText();
    const { page: live } = await open('/', {});
    await live.getByRole('link', { name: 'Page of Moral dilemmas with an AI partner' }).focus();
    await live.keyboard.press('Enter');
    await live.getByRole('heading', { name: 'Rows by room and data type' }).waitFor();
    expect(await live.locator('main').innerText()).toBe(without);
    await live.getByRole('link', { name: 'HyperStudy Warehouse' }).click();
    await live.locator('#issues').getByRole('link', { name: 'Moral dilemmas with an AI partner' }).click();
    await live.getByRole('heading', { name: 'Problems' }).waitFor();
    expect(new URL(live.url()).pathname).toBe(FAILED);
  });

  it('follow the experiment that they show', async () => {
    const rows = { ...sampleRows(NOW), moreRooms: 0 };
    const { page } = await open(FAILED, {}, sampleView(NOW), rows);
    await page.clock.install();
    await page.reload();
    rows.moreRooms = 77;
    await page.clock.runFor(5100);
    await expect.poll(() => page.locator('#rooms').innerText()).toContain('77 more rooms');
    expect(await page.locator('h2').first().innerText()).toContain('Moral dilemmas');
  });
});
