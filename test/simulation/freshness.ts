/**
 * `npm run freshness -- [--seed 1] [--days 30] [--plot docs/images/freshness.svg]`: how old rows are when they reach the
 * warehouse, for adaptive polling and its rivals on the same budget. The same seed gives the same figures.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createLab, DATA_TYPES } from './freshness/lab.ts';
import { CONTENDERS, playAll } from './freshness/contenders.ts';
import { plot } from './freshness/plot.ts';
import type { Result } from './freshness/run.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    days: { type: 'string', default: '30' },
    plot: { type: 'string' },
  },
});
const began = Date.now();
const lab = createLab({ seed: Number(values.seed), days: Number(values.days) });
console.log(
  `${lab.experiments} experiments × ${DATA_TYPES.length} data types, ${values.days} days, ` +
    `${lab.sessions.length} sessions, ${lab.rows.toLocaleString('en')} rows, seed ${values.seed}\n`,
);

const plain = playAll(lab, { seed: Number(values.seed) });
console.log(
  table(
    'policy',
    Object.entries(plain).map(([name, result]) => [CONTENDERS[name]?.title ?? name, result]),
  ),
);
const backfill = { at: 9.5 * 3_600_000, requests: 1000 };
const busy = playAll(lab, { seed: Number(values.seed), days: 1, backfill });
const quiet = playAll(lab, { seed: Number(values.seed), days: 1 });
console.log('\nThe first day alone, with a backfill of 1,000,000 rows from 9:30, and without:\n');
console.log(
  markdown(
    ['policy', 'median with', 'median without', 'p90 with', 'p90 without', 'the backfill took'],
    Object.entries(busy).map(([name, result]) => [
      CONTENDERS[name]?.title ?? name,
      ...[0.5, 0.9].flatMap((share) => [seconds(result, share), seconds(quiet[name], share)]),
      result.backfillMs === undefined ? 'not done' : `${(result.backfillMs / 3_600_000).toFixed(1)} h`,
    ]),
  ),
);
console.log('\nMedian and p90 in seconds by data type:\n');
const shown = ['cron15', 'roundRobin', 'adaptive', 'clairvoyant'];
console.log(
  markdown(
    ['data type', ...shown.map((name) => CONTENDERS[name]?.title ?? name)],
    DATA_TYPES.map((type) => [
      type,
      ...shown.map((name) => {
        const of = plain[name]?.byType.get(type);
        return of === undefined || of.rows === 0 ? '–' : `${round(of.quantile(0.5))} / ${round(of.quantile(0.9))}`;
      }),
    ]),
  ),
);
if (values.plot !== undefined) writeFileSync(values.plot, plot(plain));
console.log(`\n${((Date.now() - began) / 1000).toFixed(0)} s`);

function table(first: string, results: readonly (readonly [string, Result])[]): string {
  return markdown(
    [
      first,
      'median',
      'p90',
      'p99',
      'within 60 s',
      'requests an hour',
      'of them looks',
      'busiest hour',
      'longest pause',
    ],
    results.map(([title, result]) => [
      title,
      ...[0.5, 0.9, 0.99].map((share) => seconds(result, share)),
      `${(100 * result.all.within(60_000)).toFixed(0)} %`,
      ...[result.requests.polls + result.requests.looks, result.requests.looks].map((n) =>
        (n / (lab.durationMs / 3_600_000)).toFixed(0),
      ),
      String(result.busiestHour),
      `${(result.longestPauseMs / 3_600_000).toFixed(1)} h`,
    ]),
  );
}

function seconds(result: Result | undefined, share: number): string {
  return result === undefined ? '–' : `${round(result.all.quantile(share))} s`;
}

function round(ms: number): string {
  return Math.round(ms / 1000).toLocaleString('en');
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '--:'))), ...rows.map(line)].join('\n');
}
