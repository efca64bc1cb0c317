/** Makes the pictures of the dashboard in docs/images: `node test/daemon/screenshots.ts`. */
import { writeFileSync } from 'node:fs';
import { startHttp } from '../../src/web/server.ts';
import { silentLog } from '../../src/shared/log.ts';
import { findChromium, launch } from './browser.ts';
import { smallPng } from './small-png.ts';
import { sampleRows } from './sample-rows.ts';
import { sampleView } from './sample-view.ts';

const executable = findChromium();
if (executable === undefined) throw new Error('There is no Chromium on this computer.');
const now = Date.parse('2026-03-11T14:02:05.000Z');
const server = await startHttp({
  host: '127.0.0.1',
  port: 0,
  token: 'a-token-for-screenshots',
  view: () => sampleView(now),
  rowsOf: () => sampleRows(now),
  log: silentLog,
});
const browser = await launch(executable);
for (const colorScheme of ['light', 'dark'] as const) {
  const page = await browser.newPage({ colorScheme, timezoneId: 'UTC', viewport: { width: 1200, height: 900 } });
  await page.clock.setFixedTime(now);
  await page.goto(server.link());
  const height = await page.evaluate('document.documentElement.scrollHeight');
  await page.setViewportSize({ width: 1200, height: Number(height) });
  writeFileSync(`docs/images/dashboard-${colorScheme}.png`, smallPng(await page.screenshot()));
  if (colorScheme === 'dark') continue;
  await page.goto(`${server.url}/experiments/exp_tN58sYdu`);
  await page.setViewportSize({ width: 1200, height: 1220 });
  writeFileSync('docs/images/experiment-light.png', smallPng(await page.screenshot()));
}
await browser.close();
await server.close();
