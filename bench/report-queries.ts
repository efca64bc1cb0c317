/** The times of queries as Markdown. */
import { aboutMachine, table } from './report.ts';
import type { QueryResults } from './results.ts';

const MOST_MS = 100;

export function reportQueries(results: QueryResults): string {
  const { rows, date, commit, machine, versions, indexes, fileMb, queries } = results;
  const ms = (value: number) => (value < 10 ? value.toFixed(1) : value.toFixed(0));
  return (
    [
      '<!-- written by `npm run bench-queries`: do not edit -->',
      '# Queries',
      `Every query of README.md and docs/querying.md on a warehouse with ${rows.toLocaleString('en-US')} ratings more than the demo has, ${date.slice(0, 10)}. The file is in the page cache; medians of 5 runs. The goal is ${MOST_MS} ms.`,
      aboutMachine(machine, versions, commit),
      table(
        ['query', 'ms', 'ms without', 'goal', 'how SQLite answers it'],
        queries.map(({ source, sql, ms: time, withoutMs, plan }) => [
          `${source}<br>\`${sql.replaceAll('|', '\\|')}\``,
          ms(time),
          ms(withoutMs),
          time <= MOST_MS ? 'met' : '**not met**',
          plan.replaceAll('|', '\\|'),
        ]),
      ),
      `“Without” is without these indexes; the file has ${fileMb.toFixed(0)} MB with them:`,
      table(
        ['index', 'MB', 'share of the file', 'ms to build'],
        indexes.map(({ name, mb, buildMs }) => [
          `\`${name}\``,
          mb.toFixed(1),
          `${((100 * mb) / fileMb).toFixed(1)} %`,
          buildMs.toFixed(0),
        ]),
      ),
    ].join('\n\n') + '\n'
  );
}
