/** The share of rows that are in the warehouse by an age, for each policy: an SVG without outside fonts or scripts. */
import type { Result } from './run.ts';

const WIDTH = 760;
const HEIGHT = 400;
const BOX = { left: 64, right: 20, top: 52, bottom: 52 };
/** Ages on the axis, in seconds. */
const FROM_S = 1;
const TO_S = 7200;
const TICKS: readonly (readonly [number, string])[] = [
  [1, '1 s'],
  [10, '10 s'],
  [60, '1 min'],
  [300, '5 min'],
  [900, '15 min'],
  [3600, '1 h'],
];

/** Which curves are drawn, and where each has its label: beside the curve at a share of the rows, and how far away. */
const CURVES: readonly { name: string; label: string; at: number; right: number; down?: number }[] = [
  { name: 'clairvoyant', label: 'clairvoyant', at: 0.6, right: -8 },
  { name: 'adaptive', label: 'adaptive', at: 0.4, right: 24 },
  { name: 'silent', label: 'adaptive, without signals', at: 0.81, right: 6, down: 24 },
  { name: 'cron5', label: 'cron */5', at: 0.14, right: -8 },
  { name: 'roundRobin', label: 'round robin', at: 0.36, right: -12 },
  { name: 'cron15', label: 'cron */15', at: 0.62, right: 14 },
];

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-size: 15px; font-weight: 600 }
  .page { fill: #fff } .grid { stroke: #d0d7de } .goal { stroke: #57606a; stroke-dasharray: 3 4 }
  path { fill: none; stroke-width: 2 }
  .clairvoyant { stroke: #6e7781; stroke-dasharray: 2 4 } .adaptive { stroke: #0a6fd6; stroke-width: 3.5 }
  .silent { stroke: #0a6fd6; stroke-dasharray: 7 4 } .cron15 { stroke: #b3261e } .cron5 { stroke: #c2571a }
  .roundRobin { stroke: #7a3fb3 }
  text.clairvoyant, text.adaptive, text.silent, text.cron15, text.cron5, text.roundRobin { stroke: none }
  text.adaptive { font-weight: 600 }
  text.clairvoyant { fill: #57606a } text.adaptive, text.silent { fill: #0a5fb8 } text.cron15 { fill: #b3261e }
  text.cron5 { fill: #a84a14 } text.roundRobin { fill: #7a3fb3 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .page { fill: #0d1117 } .grid { stroke: #30363d } .goal { stroke: #8b949e }
    .clairvoyant { stroke: #8b949e } .adaptive, .silent { stroke: #58a6ff } .cron15 { stroke: #ff7b72 }
    .cron5 { stroke: #ffa657 } .roundRobin { stroke: #d2a8ff }
    text.clairvoyant { fill: #9ea7b3 } text.adaptive, text.silent { fill: #79b8ff } text.cron15 { fill: #ff7b72 }
    text.cron5 { fill: #ffa657 } text.roundRobin { fill: #d2a8ff }
  }`;

export function plot(results: Readonly<Record<string, Result>>): string {
  const drawn = CURVES.flatMap((curve) => {
    const result = results[curve.name];
    return result === undefined ? [] : [{ ...curve, result }];
  });
  const bottom = y(0);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">
<title>How soon rows are in the warehouse: the share of rows by age, for each polling policy on the same budget</title>
<style>${STYLE}
</style>
<rect class="page" width="${WIDTH}" height="${HEIGHT}" rx="6"/>
<text class="title" x="${BOX.left}" y="26">How soon a row is in the warehouse, on the same budget of requests</text>
${[0, 25, 50, 75, 100]
  .map(
    (percent) =>
      `<path class="grid" d="M${BOX.left} ${y(percent / 100)}H${WIDTH - BOX.right}"/>` +
      `<text x="${BOX.left - 8}" y="${y(percent / 100) + 4}" text-anchor="end">${percent} %</text>`,
  )
  .join('\n')}
${TICKS.map(([s, label]) => `<text x="${x(s)}" y="${bottom + 20}" text-anchor="middle">${label}</text>`).join('\n')}
<path class="goal" d="M${x(60)} ${BOX.top}V${bottom}"/>
<text x="${x(60) + 6}" y="${y(0.5) + 18}">goal for the median</text>
<text x="${(BOX.left + WIDTH - BOX.right) / 2}" y="${HEIGHT - 10}" text-anchor="middle">time from the server having a row to the warehouse having it (log scale); share of rows upwards</text>
${drawn.map(({ name, result }) => `<path class="${name}" d="${curveOf(result)}"/>`).join('\n')}
${drawn
  .map(({ name, label, at, right, down = 4, result }) => {
    const place = `x="${(x(result.all.quantile(at) / 1000) + right).toFixed(1)}" y="${(y(at) + down).toFixed(1)}"`;
    return `<text class="${name}" ${place} text-anchor="${right < 0 ? 'end' : 'start'}">${label}</text>`;
  })
  .join('\n')}
</svg>
`;
}

function curveOf({ all }: Result): string {
  const steps = 160;
  const points = Array.from({ length: steps + 1 }, (_, i) => {
    const s = FROM_S * (TO_S / FROM_S) ** (i / steps);
    return `${x(s).toFixed(1)} ${y(all.within(s * 1000)).toFixed(1)}`;
  });
  return `M${points.join('L')}`;
}

function x(seconds: number): number {
  const share = Math.log(Math.min(TO_S, Math.max(FROM_S, seconds)) / FROM_S) / Math.log(TO_S / FROM_S);
  return Math.round(10 * (BOX.left + share * (WIDTH - BOX.left - BOX.right))) / 10;
}

function y(share: number): number {
  return Math.round(10 * (HEIGHT - BOX.bottom - share * (HEIGHT - BOX.top - BOX.bottom))) / 10;
}
