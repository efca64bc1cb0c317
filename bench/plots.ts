/**
 * `npm run bench-plots`: the pictures of docs/performance.md, from what `npm run bench` and `npm run bench-queries` left
 * in bench/results.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { QueryResults, Results } from './results.ts';

/** Rows that the API’s limit of 1000 requests an hour brings each second, by pages of 1000. */
const LIMIT_ROWS_A_SECOND = 278;

interface Bar {
  readonly label: string;
  readonly value: number;
  readonly text: string;
  readonly isOurs: boolean;
}

interface Panel {
  readonly title: string;
  readonly bars: readonly Bar[];
  /** A line that bars should not pass. */
  readonly goal?: { readonly at: number; readonly text: string };
}

const ROOT = join(import.meta.dirname, '..');
const WIDTH = 760;
const LEFT = 190;
const RIGHT = 90;
const BAR = 24;

/** The queries that the indexes are for, with them and without, by a part of their text. */
const SHOWN: Readonly<Record<string, string>> = {
  'e.onset <= r.onset': 'last event before each',
  'GROUP BY experiment_id, participant_id ORDER': 'means by participant',
  'GROUP BY experiment_id, participant_id, component_id': '… and component',
};

const read = (name: string): unknown => JSON.parse(readFileSync(join(ROOT, 'bench/results', name), 'utf8'));
const first = read('first-read.json') as Results;
const queries = read('queries.json') as QueryResults;
writeFileSync(join(ROOT, 'docs/images/first-read.svg'), svg('What a first read costs', firstReadPanels(first)));
writeFileSync(join(ROOT, 'docs/images/queries.svg'), svg('How long queries take', [queryPanel(queries)]));

function firstReadPanels({ rows, contenders }: Results): Panel[] {
  const panel = (title: string, of: (read: Results['contenders'][number]['read']) => number, unit: string): Panel => ({
    title,
    bars: contenders.map(({ name, read }) => ({
      label: name,
      value: of(read),
      text: `${short(of(read))} ${unit}`,
      isOurs: name === 'hsw',
    })),
  });
  const waiting = rows / LIMIT_ROWS_A_SECOND;
  return [
    panel(
      `CPU of ${rows.toLocaleString('en-US')} rows; within the API’s limit they take ${waiting.toFixed(0)} s to arrive`,
      ({ cpuSeconds }) => cpuSeconds,
      's',
    ),
    panel('Bytes written', ({ writtenMb }) => writtenMb, 'MB'),
    panel('Memory (RSS) at most', ({ maxRssMb }) => maxRssMb, 'MB'),
  ];
}

function queryPanel({ rows, queries: all }: QueryResults): Panel {
  return {
    title: `Queries on ${rows.toLocaleString('en-US')} ratings, with the query indexes and without`,
    bars: Object.entries(SHOWN).flatMap(([part, label]) => {
      const query = all.find(({ sql }) => sql.includes(part));
      if (query === undefined) throw new Error(`no query of the docs has ${part}`);
      return [
        { label, value: query.ms, text: `${short(query.ms)} ms`, isOurs: true },
        { label: 'without', value: query.withoutMs, text: `${short(query.withoutMs)} ms`, isOurs: false },
      ];
    }),
    goal: { at: 100, text: '100 ms' },
  };
}

function svg(title: string, panels: readonly Panel[]): string {
  let y = 20;
  const parts: string[] = [];
  for (const panel of panels) {
    parts.push(`<text class="title" x="20" y="${y + 10}">${escape(panel.title)}</text>`);
    y += 26;
    parts.push(...bars(panel, y));
    y += panel.bars.length * BAR + (panel.goal === undefined ? 24 : 36);
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" role="img">
<title>${escape(title)}</title>
<style>
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-size: 15px; font-weight: 600 }
  .page { fill: #fff } .other { fill: #8c959f } .ours { fill: #0a6fd6 } .goal { stroke: #b3261e; stroke-dasharray: 3 4 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .page { fill: #0d1117 } .other { fill: #6e7681 } .ours { fill: #58a6ff } .goal { stroke: #ff7b72 }
  }
</style>
<rect class="page" width="${WIDTH}" height="${y}" rx="6"/>
${parts.join('\n')}
</svg>
`;
}

function bars({ bars: all, goal }: Panel, top: number): string[] {
  const most = Math.max(...all.map(({ value }) => value));
  const scale = (value: number) => ((WIDTH - LEFT - RIGHT) * value) / most;
  const drawn = all.flatMap(({ label, value, text, isOurs }, i) => {
    const y = top + i * BAR;
    const width = scale(value).toFixed(1);
    return [
      `<text x="${LEFT - 8}" y="${y + 13}" text-anchor="end">${escape(label)}</text>`,
      `<rect class="${isOurs ? 'ours' : 'other'}" x="${LEFT}" y="${y}" width="${width}" height="${BAR - 7}" rx="2"/>`,
      `<text x="${(LEFT + scale(value) + 6).toFixed(1)}" y="${y + 13}">${text}</text>`,
    ];
  });
  if (goal === undefined || goal.at > most) return drawn;
  const x = (LEFT + scale(goal.at)).toFixed(1);
  const bottom = top + all.length * BAR;
  return [
    ...drawn,
    `<path class="goal" d="M${x} ${top - 4}V${bottom}"/><text x="${x}" y="${bottom + 14}" text-anchor="middle">${goal.text}</text>`,
  ];
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function short(value: number): string {
  return value < 10 ? value.toFixed(1) : value.toFixed(0);
}
