import { html } from 'hono/html';
import { byData, earliest, oldestAge, stateOf, totalRows, worst } from '../../status/summary.ts';
import type { ExperimentView, StreamView } from '../../status/snapshot.ts';
import { count, counted } from '../../shared/count.ts';
import { ago, badge, NOTHING, STATES, until, type Html } from './format.ts';

/** The most reasons shown in a cell; the others are collapsed. */
const SHOWN = 2;

/** The streams of an experiment; those of one data type (a stream for each room) share a row. */
export function streamTable({ id, name, streams }: ExperimentView, now: number): Html {
  return html`<div class="scroll" role="region" tabindex="0" aria-label="Streams of ${name ?? id}">
    <table>
      <caption class="unseen">
        Streams of ${name ?? id} by data type
      </caption>
      <thead>
        <tr>
          <th scope="col">Data type</th>
          <th scope="col">State</th>
          <th scope="col" class="number">Rows</th>
          <th scope="col">Data as of</th>
          <th scope="col">Verified</th>
          <th scope="col">Next read</th>
        </tr>
      </thead>
      <tbody>
        ${[...byData(streams)].map(([data, group]) => dataRow(data, group, now))}
      </tbody>
    </table>
  </div>`;
}

function dataRow(data: string, group: readonly StreamView[], now: number): Html {
  const states = group.map(stateOf);
  const state = worst(states);
  const isOneState = new Set(states).size === 1;
  const complete = states.filter((each) => each === 'complete').length;
  const oldest = oldestAge(group, now);
  const next = earliest(group.map(({ nextAt }) => nextAt));
  return html`<tr data-key="${data}">
    <th scope="row">${data}${part(group)}</th>
    <td>
      ${badge(state, isOneState ? STATES[state].word : `${count(complete)} of ${count(group.length)} complete`)}${why(group)}
    </td>
    <td class="number">${count(totalRows(group))}</td>
    <td>${oldest === undefined ? 'never' : ago(now - oldest, now)}</td>
    <td>${verified(group, now)}</td>
    <td>${next === undefined ? '–' : until(next, now)}</td>
  </tr>`;
}

/** Which part of the experiment the streams cover, if not all of it. */
function part(group: readonly StreamView[]): Html {
  if (group.length > 1) return html` <small>${counted(group.length, 'stream')}</small>`;
  const scope = group[0]?.scope ?? 'experiment';
  return scope === 'experiment' ? NOTHING : html` <small>${scope}</small>`;
}

function verified(group: readonly StreamView[], now: number): Html | string {
  const times = group.flatMap(({ verifiedAt }) => verifiedAt ?? []);
  const oldest = earliest(times);
  if (oldest === undefined) return 'not yet';
  return times.length < group.length ? `${count(times.length)} of ${count(group.length)}` : ago(oldest, now);
}

/** The reasons of the streams that are not complete, each once, with the streams it applies to. */
function why(group: readonly StreamView[]): Html {
  const doubtful = group.filter(
    ({ complete, standing, reason }) => !complete && standing !== 'unread' && reason !== undefined,
  );
  const reasons = [...Map.groupBy(doubtful, ({ reason }) => reason)].map(
    ([reason, streams]) => html`<li data-key="${reason}">${holders(streams, group.length)}${reason}</li>`,
  );
  if (reasons.length === 0) return NOTHING;
  const others = reasons.slice(SHOWN);
  return html`<ul class="why">
      ${reasons.slice(0, SHOWN)}
    </ul>
    ${
      others.length === 0
        ? NOTHING
        : html`<details data-key="why">
            <summary>${counted(others.length, 'more reason')}</summary>
            <ul class="why">
              ${others}
            </ul>
          </details>`
    }`;
}

function holders(streams: readonly StreamView[], of: number): string {
  if (of === 1) return '';
  const names = streams.slice(0, SHOWN).map(({ scope }) => scope);
  return `${names.join(', ')}${streams.length > SHOWN ? ` and ${count(streams.length - SHOWN)} more` : ''}: `;
}
