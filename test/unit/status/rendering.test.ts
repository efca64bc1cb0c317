import { describe, expect, it } from 'vitest';
import { decide, NOTHING_SENT } from '../../../src/alerts/incidents.ts';
import { shownOf } from '../../../src/status/issue.ts';
import { haltedLine } from '../../../src/status/issues.ts';
import { dashboard } from '../../../src/web/dashboard/page.ts';
import { statusJson } from '../../../src/web/status.ts';
import { sampleView } from '../../daemon/sample-view.ts';
import { HOUR_MS as HOUR } from '../../../src/shared/time.ts';

const NOW = Date.parse('2026-03-11T14:02:05.000Z');

const OUTAGE = {
  since: NOW - 3 * HOUR,
  code: 'WAREHOUSE_FULL',
  text: 'The disk of w.db is full.',
  hint: 'Free some.',
} as const;

/** A view with issues of every severity and scope. */
const VIEW = sampleView(NOW, { outage: OUTAGE, keyExpiresAt: NOW + 24 * HOUR });

describe('an issue', () => {
  const plain = (html: string) =>
    html
      .replaceAll(/<[^>]*>/g, '')
      .replaceAll(/\s+/g, ' ')
      .replaceAll('&#39;', "'");
  const page = async () => plain(String(await dashboard(VIEW)));

  it('is reported in the same sentence by the dashboard, the JSON for programs and the alerts', async () => {
    const text = await page();
    const json = JSON.parse(statusJson(VIEW)) as { issues: { code: string; message: string }[] };
    const shown = shownOf(VIEW.issues).filter(({ code }) => code !== 'NOT_READ_YET');
    const messages = decide(VIEW.issues, NOTHING_SENT, NOW, 0).messages;
    expect(shown.length).toBeGreaterThan(3);
    for (const issue of shown) {
      expect(text).toContain(issue.text);
      expect(json.issues).toContainEqual(expect.objectContaining({ code: issue.code, message: issue.text }));
    }
    expect(messages.map(({ kind }) => kind).sort()).toEqual(['halted', 'key-expiring']);
    for (const { text: told, subject } of messages) {
      const issue = shown.find((each) => each.subject === subject);
      expect(told.startsWith(`${issue?.text ?? '?'}\n`)).toBe(true);
    }
  });

  it('that keeps everything from being read is the headline, and the line for systemd', async () => {
    const line = haltedLine(VIEW);
    expect(line).toBe('The disk of w.db is full. Nothing new is read until this is over.');
    expect(await page()).toContain(`The warehouse cannot be written; this began 3 h ago. ${line ?? '?'}`);
    expect(haltedLine({ keyRefused: 'It has expired.', outage: OUTAGE, now: NOW })).toBe('It has expired.');
    expect(haltedLine({ keyRefused: undefined, outage: undefined, now: NOW })).toBeUndefined();
  });
});
