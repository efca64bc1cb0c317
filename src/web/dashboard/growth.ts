import { html } from 'hono/html';
import { formatDuration } from '../../shared/time.ts';
import type { DaemonView } from '../../status/view.ts';
import { count, counted } from '../../shared/count.ts';
import { clockTime, type Html } from './format.ts';

type Points = DaemonView['growth'];

/** The most points in the line and rows in the table: more would not be visible. */
const IN_LINE = 160;
const IN_TABLE = 12;

/** Rows in the warehouse over time, as a line and as a table. */
export function growthSection({ growth }: DaemonView): Html {
  const [first, last] = [growth[0], growth.at(-1)];
  return html`<section class="card" id="growth" aria-labelledby="growth-title">
    <h2 id="growth-title">Rows over time</h2>
    ${
      first === undefined || last === undefined || last.at <= first.at
        ? html`<p class="empty">Rows are counted every hour; the chart starts with the second count.</p>`
        : curve(growth, last.at - first.at, last.rows - first.rows)
    }
  </section>`;
}

function curve(growth: Points, spanMs: number, gained: number): Html {
  const span = formatDuration(spanMs);
  const points = spread(growth, IN_LINE);
  const rows = points.map((point) => point.rows);
  const [least, most] = [Math.min(...rows), Math.max(...rows)];
  const from = growth[0]?.at ?? 0;
  const line = points.map(({ at, rows: n }) => {
    const x = (100 * (at - from)) / spanMs;
    const y = most === least ? 50 : 96 - (92 * (n - least)) / (most - least);
    return `${x.toFixed(2)},${y.toFixed(2)}`;
  });
  const change = gained === 0 ? 'no change' : `${gained > 0 ? '+' : '−'}${count(Math.abs(gained))}`;
  const text = `Rows in the warehouse: ${change} in ${span}, now ${count(growth.at(-1)?.rows ?? 0)}.`;
  return html`<p class="pair"><b>${change}</b> <span>in ${span}</span></p>
    <figure class="growth">
      <p class="aside axis" aria-hidden="true">${count(most)}</p>
      <svg class="chart" viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label="${text}">
        <path class="grid" d="M0,4H100M0,50H100M0,96H100" />
        <polyline class="line" points="${line.join(' ')}" />
      </svg>
      <p class="aside axis" aria-hidden="true">${count(least)}</p>
      <figcaption class="pair" aria-hidden="true"><span>${span} ago</span><span>now</span></figcaption>
    </figure>
    ${table(spread(growth, IN_TABLE))}`;
}

function table(points: Points): Html {
  return html`<details data-key="table">
    <summary>As a table</summary>
    <table>
      <caption class="unseen">
        ${counted(points.length, 'time')} and the rows in the warehouse then
      </caption>
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col" class="number">Rows</th>
        </tr>
      </thead>
      <tbody>
        ${points.toReversed().map(
          ({ at, rows }) =>
            html`<tr data-key="${at}">
              <th scope="row">${clockTime(at)}</th>
              <td class="number">${count(rows)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </details>`;
}

/** At most this many of the points, evenly spread, including the first and the last. */
function spread(points: Points, most: number): Points {
  if (points.length <= most) return points;
  return Array.from({ length: most }, (_, i) => points[Math.round((i * (points.length - 1)) / (most - 1))]).filter(
    (point) => point !== undefined,
  );
}
