import { html } from 'hono/html';
import { count } from '../../shared/count.ts';
import { formatDuration } from '../../shared/time.ts';
import type { StreamView } from '../../status/snapshot.ts';
import { byData } from '../../status/summary.ts';
import type { ExperimentRows } from '../../status/view.ts';
import { ago, type Html } from './format.ts';

type Changes = ExperimentRows['changes'][number];

/** Rows that arrived late, and rows that changed or were deleted after they were first read. */
export function changesSection(streams: readonly StreamView[], changes: readonly Changes[], now: number): Html {
  const of = new Map(changes.map((each) => [each.data, each]));
  const late = new Map([...byData(streams)].map(([data, group]) => [data, lateOf(group)]));
  const data = [...new Set([...late.keys(), ...of.keys()])].filter(
    (each) => of.has(each) || (late.get(each)?.rows ?? 0) > 0,
  );
  return html`<section class="card changes" id="changes" aria-labelledby="changes-title">
    <h2 id="changes-title">Late and changed rows</h2>
    ${data.length === 0 ? html`<p class="empty">None.</p>` : table(data.map((each) => row(each, late.get(each), of.get(each), now)))}
    <p class="aside">
      Late: they arrived behind what was read already. Changed and deleted: earlier versions that the warehouse keeps.
    </p>
  </section>`;
}

interface Late {
  readonly rows: number;
  readonly latestMs: number;
}

function lateOf(group: readonly StreamView[]): Late {
  return {
    rows: group.reduce((sum, { lateRows }) => sum + lateRows, 0),
    latestMs: Math.max(0, ...group.map(({ latestMs }) => latestMs)),
  };
}

function table(rows: readonly Html[]): Html {
  return html`<div class="scroll" role="region" tabindex="0" aria-label="Table of late and changed rows">
    <table>
      <caption class="unseen">
        Late and changed rows by data type
      </caption>
      <thead>
        <tr>
          <th scope="col">Data type</th>
          <th scope="col">Late</th>
          <th scope="col" class="number">Changed</th>
          <th scope="col" class="number">Deleted</th>
          <th scope="col">Last change</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
}

function row(data: string, late: Late | undefined, changes: Changes | undefined, now: number): Html {
  const { rows = 0, latestMs = 0 } = late ?? {};
  const most = changes?.isMore === true ? ' or more' : '';
  return html`<tr data-key="${data}">
    <th scope="row">${data}</th>
    <td>${rows === 0 ? '–' : `${count(rows)}, up to ${formatDuration(latestMs)}`}</td>
    <td class="number">${count(changes?.changed ?? 0)}${most}</td>
    <td class="number">${count(changes?.deleted ?? 0)}${most}</td>
    <td>${changes === undefined ? '–' : ago(changes.lastAt, now)}</td>
  </tr>`;
}
