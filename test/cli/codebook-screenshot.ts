/** Makes the picture of a codebook in docs/images, of the demo's data: `npm run demo && node test/cli/codebook-screenshot.ts`. */
import { writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { asHtml } from '../../src/export/codebook/as-html.ts';
import { readCodebook } from '../../src/export/codebook/read.ts';
import { allPositions } from '../../src/warehouse/positions.ts';
import { findChromium, launch } from '../daemon/browser.ts';
import { smallPng } from '../daemon/small-png.ts';

const executable = findChromium();
if (executable === undefined) throw new Error('There is no Chromium on this computer.');
const db = new Database('data/demo.db', { readonly: true });
const madeAt = new Date().toISOString();
const book = readCodebook(db, { experiments: ['exp_r50LdwK9JYi4'], positions: allPositions(db), madeAt });
const browser = await launch(executable);
const page = await browser.newPage({ colorScheme: 'light', viewport: { width: 1100, height: 1000 } });
await page.setContent(await asHtml(book));
writeFileSync('docs/images/codebook.png', smallPng(await page.screenshot()));
await browser.close();
db.close();
