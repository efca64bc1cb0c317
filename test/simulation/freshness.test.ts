import { describe, expect, it } from 'vitest';
import { playAll } from './freshness/contenders.ts';
import { createLab } from './freshness/lab.ts';
import type { Result } from './freshness/run.ts';

/** The whole month is `npm run freshness`. The claims have margins: what is measured there is two to four times better. */
describe('rows on the budget of one key', () => {
  const seed = 5;
  const lab = createLab({ seed, days: 2 });
  const results = playAll(lab, { seed });
  const median = (name: string) => ofResult(results, name).all.quantile(0.5);

  it('are in the warehouse within 60 s by the median, and within 5 minutes but for one in a hundred', () => {
    const { all } = ofResult(results, 'adaptive');
    expect(median('adaptive')).toBeLessThan(30_000);
    expect(all.quantile(0.9)).toBeLessThan(120_000);
    expect(all.quantile(0.99)).toBeLessThan(300_000);
  });

  it('are ten times fresher than by any fixed schedule, within four times of a schedule that knows every arrival in advance', () => {
    for (const rival of ['cron15', 'cron5', 'roundRobin'])
      expect(median(rival)).toBeGreaterThan(10 * median('adaptive'));
    expect(median('adaptive')).toBeLessThan(4 * median('clairvoyant'));
  });

  it('are fresh in every data type', () => {
    for (const [type, staleness] of ofResult(results, 'adaptive').byType)
      if (staleness.rows > 0) expect(staleness.quantile(0.5), type).toBeLessThan(5 * 60_000);
  });

  it('are fresh by the median whatever the signals are worth, and no stream is left for a day', () => {
    for (const name of ['silent', 'noisy', 'adaptive']) {
      expect(median(name)).toBeLessThan(60_000);
      expect(ofResult(results, name).longestPauseMs).toBeLessThan(24 * 3_600_000);
    }
  });

  it('are all fetched, and no poll waits for the limit', () => {
    for (const [name, result] of Object.entries(results)) expect(result.unfetched, name).toBe(0);
    for (const name of ['silent', 'noisy', 'adaptive']) expect(ofResult(results, name).waitedMs).toBeLessThan(60_000);
  });

  it('stay fresh beside a backfill of a million rows, which does not starve', () => {
    const backfill = { at: 9.5 * 3_600_000, requests: 1000 };
    const busy = ofResult(playAll(lab, { seed, days: 1, backfill, only: ['adaptive'] }), 'adaptive');
    expect(busy.all.quantile(0.5)).toBeLessThan(60_000);
    expect(busy.all.quantile(0.9)).toBeLessThan(180_000);
    expect(busy.waitedMs).toBeLessThan(60_000);
    expect(busy.backfillMs).toBeLessThan(6 * 3_600_000);
  });
});

it('the freshness simulation plays the same seed the same way', () => {
  const once = () => {
    const { all, requests } = ofResult(
      playAll(createLab({ seed: 9, days: 1 }), { seed: 9, only: ['adaptive'] }),
      'adaptive',
    );
    return { median: all.quantile(0.5), rows: all.rows, requests };
  };
  expect(once()).toEqual(once());
});

function ofResult(results: Readonly<Record<string, Result>>, name: string): Result {
  const found = results[name];
  if (found === undefined) throw new Error(`no policy ${name}`);
  return found;
}
