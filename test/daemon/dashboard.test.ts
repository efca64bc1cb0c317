import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Browser, BrowserContextOptions, Page, Route } from 'playwright-core';
import { DATA_TYPES } from '../../src/datasets/registry.ts';
import { startHttp, type HttpOptions, type HttpServer } from '../../src/web/server.ts';
import type { DaemonView } from '../../src/status/view.ts';
import { silentLog } from '../../src/shared/log.ts';
import { findChromium, launch } from './browser.ts';
import { sampleRows } from './sample-rows.ts';
import { sampleView } from './sample-view.ts';

const NOW = Date.parse('2026-03-11T14:02:05.000Z');
const TYPES = DATA_TYPES.length;
const STREAMS = sampleView(NOW)
  .experiments.flatMap(({ streams }) => streams)
  .filter(({ standing }) => standing !== 'skipped').length;
const WIDE = { width: 1240, height: 900 };
const TOKEN = 'open-sesame-0123456789';
const NARROW = { width: 400, height: 800 };

const executable = findChromium();
if (executable === undefined) console.log('skipped: the dashboard in a browser (no Chromium on this computer)');

let browser: Browser;
beforeAll(async () => {
  if (executable !== undefined) browser = await launch(executable);
});
afterAll(async () => {
  if (executable !== undefined) await browser.close();
});

function listen(view: () => DaemonView, change: Partial<HttpOptions> = {}): Promise<HttpServer> {
  const common = {
    host: '127.0.0.1',
    port: 0,
    token: TOKEN,
    log: silentLog,
    wrongTokenMs: 0,
    rowsOf: () => sampleRows(NOW),
  };
  return startHttp({ ...common, view, ...change });
}

/** The dashboard of a view that the test can change, in a page whose clock stands still until the test lets it run. */
async function open(view: DaemonView = sampleView(NOW), options: BrowserContextOptions = {}) {
  const shown = { view };
  const server = await listen(() => shown.view);
  const context = await browser.newContext({ viewport: WIDE, timezoneId: 'UTC', ...options });
  const page = await context.newPage();
  const errors: string[] = [];
  const elsewhere: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== server.url) elsewhere.push(request.url());
  });
  onTestFinished(async () => {
    await context.close();
    await server.close();
    expect(elsewhere).toEqual([]);
  });
  await page.clock.install({ time: NOW - 1000 });
  await page.clock.pauseAt(NOW);
  await page.goto(server.link());
  return { shown, server, page, errors };
}

/** Lets the page's clock run until it has asked for the page again and shows what came. */
async function refreshed(page: Page): Promise<void> {
  const updated = () => page.locator('#live').innerText();
  const before = await updated();
  await page.clock.runFor(5100);
  await expect.poll(updated).not.toBe(before);
}

/** Lets the page's clock run, one round of asking after another, until the page says something. */
async function until(page: Page, said: () => Promise<string>, words: string | RegExp): Promise<void> {
  await expect
    .poll(
      async () => {
        await page.clock.runFor(5100);
        await page.waitForTimeout(30);
        return said();
      },
      { timeout: 30_000 },
    )
    .toMatch(words);
}

/** Expects the page to say, in that unit, how much time of its own clock has passed since the state that it shows. */
async function expectAge(page: Page, unit: 's' | 'min'): Promise<void> {
  const [now, text] = await page.evaluate<[number, string]>(
    "[Date.now(), document.getElementById('gone-since').textContent]",
  );
  const words = /^Last updated at (\d\d:\d\d:\d\d), (\d+) (s|min) ago\. The page keeps trying\.$/;
  const [, clock = '', count, shown] = words.exec(text) ?? [];
  const age = now - Date.parse(`2026-03-11T${clock}Z`);
  expect([text, shown]).toEqual([text, unit]);
  // The age is said again every five seconds, and rounded; so is the time, to the second before.
  const unitMs = unit === 's' ? 1000 : 60_000;
  expect(Math.abs(Number(count) * unitMs - age), `${text} It is ${age} ms old.`).toBeLessThanOrEqual(6000 + unitMs / 2);
}

const unfoldAll = (page: Page) =>
  page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true");

/** Texts whose contrast on what lies behind them is below 4.5. */
const TOO_FAINT = `(() => {
  const channels = (text) => text.match(/[\\d.]+/g).map(Number);
  const luminance = (rgb) => {
    const [r, g, b] = rgb.slice(0, 3).map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = channels(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const found = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let seen = 0;
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.nodeValue.trim() || !element.checkVisibility() || element.closest('script,title')) continue;
    seen += 1;
    const style = getComputedStyle(element);
    const [a, b] = [luminance(channels(element instanceof SVGElement ? style.fill : style.color)), luminance(behind(element))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) found.add(contrast.toFixed(2) + ' ' + walker.currentNode.nodeValue.trim());
  }
  return { seen, found: [...found] };
})()`;

const OVERFLOW = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';

/** Each state that the page has: an afternoon with issues, all well, nothing known, the key refused. */
const VIEWS: Record<string, DaemonView> = {
  troubled: sampleView(NOW),
  empty: sampleView(NOW, {
    experiments: [],
    work: [],
    recent: [],
    refusal: undefined,
    growth: [],
    lastProgressAt: undefined,
    budget: { hour: { used: 0, allowed: 900 }, minute: [], perMinute: [], waitsUntil: undefined },
  }),
  refused: sampleView(NOW, {
    keyRefused: 'The key was revoked. Make a new one in your HyperStudy account.',
    warehouse: {
      path: `/srv/${'very-long-folder-name/'.repeat(8)}hyperstudy.db`,
      walBytes: 9e9,
      freeBytes: 4e8,
      totalBytes: 500e9,
    },
    experiments: [
      {
        id: `exp_${'x'.repeat(90)}`,
        name: 'W'.repeat(120),
        live: true,
        isGone: false,
        streams: sampleView(NOW).experiments[0]?.streams ?? [],
      },
    ],
  }),
};

describe.skipIf(executable === undefined)('the dashboard', () => {
  it('says everything without JavaScript, and the script adds nothing but upkeep', async () => {
    const texts: string[] = [];
    for (const javaScriptEnabled of [true, false]) {
      const { page, errors } = await open(sampleView(NOW), { javaScriptEnabled });
      texts.push(await page.locator('main').innerText());
      expect(await page.locator('main').innerText()).toContain(`2 of ${STREAMS} streams are not complete`);
      const film = page.locator('summary', { hasText: 'Shared film viewing, wave 2' });
      await film.click();
      await expect.poll(() => page.locator('table:visible caption').allInnerTexts()).toHaveLength(1);
      expect(await page.locator('#live').innerText()).toContain(
        javaScriptEnabled ? 'Updated' : 'As of 2026-03-11 14:02:05 UTC · Reload',
      );
      expect(errors).toEqual([]);
    }
    expect(texts[1]).toBe(texts[0]);
  });

  describe.each(Object.entries(VIEWS))('in the state "%s"', (_, view) => {
    it.each([
      ['light', WIDE],
      ['dark', WIDE],
      ['light', NARROW],
      ['dark', NARROW],
    ] as const)('fits and is legible: %s, %o', async (colorScheme, viewport) => {
      const { page, errors } = await open(view, { colorScheme, viewport });
      expect(await page.evaluate(OVERFLOW)).toBeLessThanOrEqual(0);
      await unfoldAll(page);
      expect(await page.evaluate(OVERFLOW)).toBeLessThanOrEqual(0);
      const { seen, found } = await page.evaluate<{ seen: number; found: string[] }>(TOO_FAINT);
      expect(seen).toBeGreaterThan(20);
      expect(found).toEqual([]);
      const dark = await page.evaluate(
        'getComputedStyle(document.body).backgroundColor.match(/\\d+/g).every((c) => c < 60)',
      );
      expect(dark).toBe(colorScheme === 'dark');
      expect(errors).toEqual([]);
    });
  });

  it('finds experiments by name, also without JavaScript, and keeps to them when it updates itself', async () => {
    const study = (n: number) => ({ id: `exp_${n}`, name: `Study ${n}`, live: false, isGone: false, streams: [] });
    const many = Array.from({ length: 9 }, (_, n) => study(n));
    for (const javaScriptEnabled of [true, false]) {
      const view = sampleView(NOW, { experiments: many });
      const { page, shown, errors } = await open(view, { javaScriptEnabled, viewport: NARROW });
      const names = () => page.locator('#experiments h3 .name').allInnerTexts();
      await page.getByRole('searchbox', { name: 'Find' }).fill('study 7');
      await page.keyboard.press('Enter');
      await expect.poll(names).toEqual(['Study 7']);
      expect(await page.evaluate(OVERFLOW)).toBeLessThanOrEqual(0);
      if (javaScriptEnabled) {
        await page.getByRole('searchbox', { name: 'Find' }).fill('being typed');
        shown.view = sampleView(NOW + 5000, { experiments: [...many, study(70)] });
        await refreshed(page);
        expect(await names()).toEqual(['Study 7', 'Study 70']);
        expect(await page.getByRole('searchbox', { name: 'Find' }).inputValue()).toBe('being typed');
      }
      await page.getByRole('link', { name: 'Show all' }).click();
      await expect.poll(names).toHaveLength(javaScriptEnabled ? 10 : 9);
      expect(errors).toEqual([]);
    }
  });

  it('fits with text twice as large', async () => {
    const { page } = await open(sampleView(NOW), { viewport: { width: 640, height: 800 } });
    await page.evaluate("document.documentElement.style.fontSize = '200%'");
    await unfoldAll(page);
    expect(await page.evaluate(OVERFLOW)).toBeLessThanOrEqual(0);
  });

  it('shows names as text in a browser too', async () => {
    const hostile = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
    const { page, errors, shown } = await open(
      sampleView(NOW, { experiments: [{ id: hostile, name: hostile, live: true, isGone: false, streams: [] }] }),
    );
    const name = page.locator('h3 .name');
    expect(await name.innerText()).toBe(hostile);
    shown.view = sampleView(NOW, {
      experiments: [{ id: hostile, name: `${hostile}!`, live: true, isGone: false, streams: [] }],
    });
    await refreshed(page);
    expect(await name.innerText()).toBe(`${hostile}!`);
    expect(await page.locator('main img, main script').count()).toBe(0);
    expect(errors).toEqual([]);
  });

  describe('to a screen reader', () => {
    it('has landmarks, headings in order, and named tables with headed rows and columns', async () => {
      const { page } = await open();
      await unfoldAll(page);
      for (const role of ['banner', 'main', 'contentinfo', 'navigation'] as const) {
        expect([role, await page.getByRole(role).count()]).toEqual([role, 1]);
      }
      const levels = await page.evaluate<number[]>(
        "[...document.querySelectorAll('h1,h2,h3,h4')].map((h) => Number(h.tagName[1]))",
      );
      expect(levels[0]).toBe(1);
      expect(levels.filter((level) => level === 1)).toHaveLength(1);
      expect(levels.slice(1).filter((level, i) => level > (levels[i] ?? 0) + 1)).toEqual([]);
      const headings = await page.getByRole('heading', { level: 2 }).allInnerTexts();
      expect(headings).toEqual(['Issues', 'Being read now', 'Experiments', 'Requests', 'Rows over time']);
      expect(await page.getByRole('table').count()).toBe(14);
      const table = page.getByRole('table', { name: 'Streams of Dyadic negotiation by data type' });
      expect(await table.getByRole('columnheader').allInnerTexts()).toEqual([
        'Data type',
        'State',
        'Rows',
        'Data as of',
        'Verified',
        'Next read',
      ]);
      expect(await table.getByRole('rowheader').count()).toBe(TYPES);
      for (const unnamed of [
        'table:not(:has(caption))',
        'th:not([scope])',
        'svg[role=img]:not([aria-label])',
        'svg:not([role=img]):not([aria-hidden]):not([aria-hidden] svg)',
        '[tabindex="0"]:not([aria-label])',
      ]) {
        expect([unnamed, await page.locator(unnamed).count()]).toEqual([unnamed, 0]);
      }
    });

    it('tells each state in words, and the charts too', async () => {
      const { page } = await open();
      const tree = await page.locator('main').ariaSnapshot();
      for (const text of [
        `status: 2 of ${STREAMS} streams are not complete, and 3 are not read yet`,
        'Moral dilemmas with an AI partner exp_tN58sYdu',
        `${TYPES - 1} of ${TYPES} complete`,
        'recordings failed:',
        'events incomplete:',
        `${TYPES - 1} complete, 1 skipped`,
        'img "Requests in each of the last 60 minutes: 610 in all, at most 56 in a minute."',
        'img "Rows in the warehouse: +148,000 in 24 h, now 4,',
      ]) {
        expect(tree).toContain(text);
      }
    });

    it('reads the state out when it changes, and not the age', async () => {
      const { page, shown } = await open();
      const status = page.getByRole('status');
      const before = await status.innerText();
      const later = sampleView(NOW);
      shown.view = { ...later, now: NOW + 30 * 60_000, lastProgressAt: NOW + 30 * 60_000 };
      await refreshed(page);
      expect(await page.locator('.headline > p').innerText()).toContain('the oldest is 1 h 22 min old');
      expect(await status.innerText()).toBe(before);
    });
  });

  it('can be used with the keyboard alone, and shows where the focus is', async () => {
    const { page } = await open();
    await page.keyboard.press('Tab');
    const skip = page.getByRole('link', { name: 'Skip to the content' });
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the content');
    await expect.poll(async () => (await skip.boundingBox())?.y).toBeGreaterThanOrEqual(0);
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('main');
    const walked: string[] = [];
    while (walked.at(-1) !== 'Healthy?' && walked.length < 60) {
      await page.keyboard.press('Tab');
      const at = await page.evaluate<[string, string]>(
        "(({ outlineStyle, outlineWidth }, text) => [outlineStyle + ' ' + outlineWidth, text])(getComputedStyle(document.activeElement), document.activeElement.textContent.trim().replace(/\\s+/g, ' '))",
      );
      expect(at[0]).toBe('solid 2px');
      walked.push(at[1]);
      if (at[1].startsWith('Dyadic negotiation')) {
        await page.keyboard.press('Enter');
        expect(await page.getByRole('table', { name: 'Dyadic negotiation' }).isVisible()).toBe(true);
      }
    }
    expect(walked.slice(0, 3)).toEqual([
      'Moral dilemmas with an AI partner',
      'Joint attention, eye tracking pilot',
      '2 recent errors',
    ]);
    expect(walked.filter((text) => /exp_\w+ (live )?.*complete/.test(text)).length).toBeGreaterThanOrEqual(12);
    expect(walked.at(-1)).toBe('Healthy?');
  });

  it('shows what changes without taking focus, scroll position or an unfolded list away', async () => {
    const { page, shown, errors } = await open(sampleView(NOW), { viewport: { width: 1240, height: 500 } });
    const film = page.locator('summary', { hasText: 'Shared film viewing, wave 2' });
    await film.click();
    await film.focus();
    await page.evaluate("document.activeElement.mark = 'same'; window.scrollTo(0, 700)");
    const table = page.getByRole('table', { name: 'Shared film viewing, wave 2' });
    await expect.poll(() => table.locator('tr', { hasText: 'chat' }).first().isVisible()).toBe(true);
    // A live experiment comes to an end, so the order of the list changes; another appears.
    const next = sampleView(NOW + 60_000);
    const [first, second, ...others] = next.experiments;
    if (first === undefined || second === undefined) throw new Error('the sample is too small');
    const grown = first.streams.map((stream) => (stream.data === 'chat' ? { ...stream, rows: 987_654 } : stream));
    shown.view = {
      ...next,
      recent: [],
      experiments: [
        { ...first, live: false, isGone: false, streams: grown },
        second,
        { id: 'exp_new', name: 'Brand new', live: true, isGone: false, streams: [] },
        ...others,
      ],
    };
    await refreshed(page);
    await expect.poll(() => table.innerText()).toContain('987,654');
    expect(await page.locator('main').innerText()).toContain('Brand new');
    expect(await page.locator('#issues').innerText()).not.toContain('recent errors');
    expect(await page.evaluate('[document.activeElement.tagName, document.activeElement.mark]')).toEqual([
      'SUMMARY',
      'same',
    ]);
    expect(await page.evaluate('window.scrollY')).toBeGreaterThan(200);
    // What came of the changes is the page as the server makes it.
    const carried = await page.locator('main').innerText();
    await page.reload();
    await page.locator('summary', { hasText: 'Shared film viewing, wave 2' }).click();
    expect(carried).toBe(await page.locator('main').innerText());
    expect(errors).toEqual([]);
  });

  it('becomes any other state by itself', async () => {
    const { page, shown } = await open();
    for (const view of [...Object.values(VIEWS), sampleView(NOW)]) {
      shown.view = view;
      await refreshed(page);
      const carried = await page.locator('main').innerHTML();
      await page.reload();
      expect(carried).toBe(await page.locator('main').innerHTML());
    }
  });

  it('stops updating on demand', async () => {
    const { page, shown } = await open();
    await page.getByRole('button', { name: 'Pause updates' }).click();
    shown.view = sampleView(NOW, { recent: [] });
    await page.clock.runFor(60_000);
    await page.waitForTimeout(100);
    expect(await page.locator('#live').innerText()).toContain('Paused at');
    expect(await page.locator('#issues').innerText()).toContain('2 recent errors');
    await page.getByRole('button', { name: 'Resume updates' }).click();
    await expect.poll(() => page.locator('#issues').innerText()).not.toContain('recent errors');
  });

  it('keeps the last state and says how old it is when the daemon stops, and continues when it is back', async () => {
    const { page, server } = await open();
    const before = await page.locator('main').innerText();
    expect(await page.locator('#gone').isVisible()).toBe(false);
    await server.close();
    await until(page, () => page.getByRole('alert').innerText(), /^The daemon does not answer\.$/);
    for (const [runFor, unit] of [
      [5000, 's'],
      [120_000, 'min'],
      [600_000, 'min'],
    ] as const) {
      await page.clock.runFor(runFor);
      await expectAge(page, unit);
    }
    expect(await page.locator('main').innerText()).toBe(before);
    expect(await page.title()).toContain('No answer');
    const again = await listen(() => sampleView(NOW, { recent: [] }), { port: Number(new URL(server.url).port) });
    onTestFinished(() => again.close());
    await until(page, () => page.locator('#live').innerText(), /^Updated/);
    await until(page, async () => String(await page.locator('#gone').isVisible()), 'false');
    expect(await page.locator('#issues').innerText()).not.toContain('recent errors');
    expect(await page.title()).toContain(`2 of ${STREAMS} streams are not complete`);
  });

  it('asks again within a minute, and lets the age go on, although a request took ten seconds to fail', async () => {
    const { page, server } = await open();
    const held: Route[] = [];
    await page.route(`${server.url}/`, (route) => void held.push(route));
    await page.clock.runFor(5100);
    await expect.poll(() => held.length).toBe(1);
    await page.clock.runFor(10_000);
    await held[0]?.abort();
    await expect.poll(() => page.getByRole('alert').innerText()).toBe('The daemon does not answer.');
    await page.clock.runFor(55_000);
    await expectAge(page, 's');
    expect(held).toHaveLength(1);
    await page.clock.runFor(5000);
    await expect.poll(() => held.length).toBe(2);
    await page.clock.runFor(60_000);
    await expectAge(page, 'min');
    await page.unroute(`${server.url}/`);
    await page.getByRole('button', { name: 'Pause updates' }).click();
    expect(await page.locator('#gone-since').innerText()).toContain('ago. Updates are paused.');
  });

  it('says so when the daemon fails, wants a token, or is another program', async () => {
    const { page, server } = await open();
    const alert = page.getByRole('alert');
    const answers = [
      [401, '', 'requires its token again'],
      [500, '', 'cannot render this page'],
      [200, '<h1>Hotel network: please sign in</h1>', 'Another program answers at this address'],
    ] as const;
    for (const [status, body, words] of answers) {
      await page.route(`${server.url}/`, (route) => route.fulfill({ status, contentType: 'text/html', body }));
      await until(page, () => alert.innerText(), words);
      await page.unroute(`${server.url}/`);
    }
    expect(await page.locator('main').innerText()).toContain('Dyadic negotiation');
    await until(page, async () => String(await page.locator('#gone').isVisible()), 'false');
  });

  it('reloads itself when another version of the daemon answers', async () => {
    const { page, server } = await open();
    await page.evaluate("window.mark = 'old'");
    const html = (await (await page.request.get(server.url)).text()).replace(
      /data-build="[^"]*"/,
      'data-build="newer"',
    );
    await page.route(`${server.url}/`, (route) =>
      route.request().resourceType() === 'fetch'
        ? route.fulfill({ contentType: 'text/html', body: html })
        : route.continue(),
    );
    await page.clock.runFor(5100);
    await expect.poll(() => page.evaluate('window.mark')).toBeUndefined();
  });

  it('opens with the token in the form, and keeps it out of the address', async () => {
    const server = await listen(() => sampleView(NOW), { token: TOKEN });
    const page = await browser.newPage();
    onTestFinished(async () => {
      await page.close();
      await server.close();
    });
    await page.goto(server.url);
    await page.getByLabel('Token for this dashboard').fill('wrong');
    await page.getByRole('button', { name: 'Open' }).click();
    expect(await page.getByRole('alert').innerText()).toBe('This token is wrong.');
    await page.getByLabel('Token for this dashboard').fill(TOKEN);
    await page.keyboard.press('Enter');
    await page.getByRole('status').waitFor();
    expect(page.url()).toBe(`${server.url}/`);
    await page.reload();
    expect(await page.getByRole('heading', { level: 2 }).first().innerText()).toBe('Issues');
  });
});
