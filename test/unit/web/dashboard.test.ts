import { describe, expect, it } from 'vitest';
import {
  age,
  ago,
  badge,
  bar,
  clockTime,
  schedule,
  signOf,
  size,
  until,
  type Html,
} from '../../../src/web/dashboard/format.ts';
import { headlineOf } from '../../../src/web/dashboard/headline.ts';
import { sampleView } from '../../daemon/sample-view.ts';

const NOW = Date.parse('2026-03-11T14:02:05.000Z');

const text = async (part: Html) => (await part).toString();

describe('the dashboard', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1500, '1.5 kB'],
    [4_120_000, '4.1 MB'],
    [212e9, '212 GB'],
  ])('shows %i bytes as %s', (bytes, shown) => {
    expect(size(bytes)).toBe(shown);
  });

  it.each([
    ['adaptive', 'active experiments most often'],
    ['*/5 * * * *', 'every 5 minutes'],
    ['* * * * *', 'every minute'],
    ['17 * * * *', 'every hour, at minute 17'],
    ['17 3 * * 1', '17 3 * * 1'],
  ])('says of the schedule %s: %s', (cron, words) => {
    expect(schedule(cron)).toBe(words);
  });

  it('says how long ago something was or how soon it will be, with the exact time in the title', async () => {
    expect([age(999), age(12_000), clockTime(NOW)]).toEqual(['now', '12 s', '2026-03-11 14:02:05 UTC']);
    expect(await text(ago(NOW - 12_000, NOW))).toBe(
      '<time datetime="2026-03-11T14:01:53.000Z" title="2026-03-11 14:01:53 UTC">12 s ago</time>',
    );
    expect([await text(until(NOW, NOW)), await text(until(NOW + 3000, NOW))]).toEqual([
      expect.stringContaining('>due<') as string,
      expect.stringContaining('>in 3 s<') as string,
    ]);
  });

  it('shows no state and no severity by its colour alone, and escapes what it is given', async () => {
    expect(await text(badge('failed'))).toContain('✗</span> failed');
    expect(await text(badge('complete', '<b>'))).toContain('&lt;b&gt;');
    expect(new Set([signOf('error'), signOf('warning'), signOf('note')]).size).toBe(3);
  });

  it('fills a bar no further than its end, and says when it is nearly full', async () => {
    expect(await text(bar(50, 100))).toMatch(/class="bar"[\s\S]*width="50\.0"/);
    expect(await text(bar(120, 100))).toMatch(/class="bar full"[\s\S]*width="100\.0"/);
    expect(await text(bar(1, 0))).toContain('width="0.0"');
  });

  it('begins with what stops all reading or, if nothing does, with what is incomplete', () => {
    const refused = headlineOf(sampleView(NOW, { keyRefused: 'It has expired.' }));
    expect([refused.tone, refused.state, refused.rest]).toEqual([
      'failed',
      'The API refuses the key',
      '. It has expired.',
    ]);
    const { tone, state } = headlineOf(sampleView(NOW));
    expect([tone, state]).toEqual([
      'failed',
      expect.stringMatching(/^2 of \d+ streams are not complete, and 3 are not read yet$/),
    ]);
    const none = headlineOf(sampleView(NOW, { experiments: [], work: [] }));
    expect([none.tone, none.state]).toEqual(['unread', 'No stream is known yet']);
  });
});
