import { html } from 'hono/html';
import { byData, countStates, oldestAge, stateOf, totalRows, worst } from '../../status/summary.ts';
import type { StreamView } from '../../status/snapshot.ts';
import type { DaemonView } from '../../status/view.ts';
import { count, counted } from '../../shared/count.ts';
import { addressOf } from './experiment-address.ts';
import { choiceForm, chosen, type Choice, type Listed } from './experiment-choice.ts';
import { age, badge, NOTHING, STATES, type Html } from './format.ts';
import { headings, pips } from './pips.ts';
import { streamTable } from './streams.ts';

/** The most reasons shown under a collapsed experiment; expanded, its table has them all. */
const REASONS = 3;

export function experimentsSection({ experiments, now }: DaemonView, choice: Choice): Html {
  const types = [...new Set(experiments.flatMap(({ streams }) => streams.map(({ data }) => data)))];
  const rows = chosen(experiments, choice, now);
  return html`<section class="card experiments" id="experiments" aria-labelledby="experiments-title">
    <h2 id="experiments-title">Experiments</h2>
    ${choiceForm(choice, rows.length, experiments.length)}
    ${
      rows.length === 0
        ? html`<p class="empty">
            ${experiments.length === 0 ? 'None yet. They appear here after the first sync has listed them.' : 'None is like that.'}
          </p>`
        : html`<div class="over" aria-hidden="true">${legend()}${headings(types)}</div>
            <ul>
              ${rows.map((row) => experimentRow(row, types, now))}
            </ul>`
    }
  </section>`;
}

function legend(): Html {
  return html`<p class="legend">
    ${(['complete', 'unread', 'incomplete', 'failed', 'skipped'] as const).map((state) => html`${badge(state)} `)}
  </p>`;
}

function experimentRow({ experiment, state }: Listed, types: readonly string[], now: number): Html {
  const { id, name, live, streams } = experiment;
  const oldest = oldestAge(streams, now);
  return html`<li data-key="${id}">
    <details>
      <summary>
        <h3>
          ${name === undefined ? NOTHING : html`<span class="name">${name}</span> `}<code>${id}</code>${live ? html` <span class="live">live</span>` : NOTHING}
        </h3>
        ${pips(experiment, types)} ${badge(state, verdict(streams))}
        <span class="number">${count(totalRows(streams))} <small>rows</small></span>
        <span class="number"
          >${oldest === undefined ? html`<small>never read</small>` : html`${age(oldest)} <small>old</small>`}</span
        >
      </summary>
      ${streams.length === 0 ? html`<p class="empty">Its streams are not known yet.</p>` : streamTable(experiment, now)}
    </details>
    <a class="to-page" href="${addressOf(id)}" aria-label="Page of ${name ?? id}">Page ›</a>
    ${reasons(streams)}
  </li>`;
}

/** `18 complete`, or `16 of 18 complete, 1 skipped`. */
function verdict(streams: readonly StreamView[]): string {
  const { complete, skipped } = countStates(streams);
  const wanted = streams.length - skipped;
  const some = complete === wanted ? count(complete) : `${count(complete)} of ${count(wanted)}`;
  return `${some} complete${skipped === 0 ? '' : `, ${count(skipped)} skipped`}`;
}

/** Why the experiment is not complete, shown while it is collapsed. */
function reasons(streams: readonly StreamView[]): Html {
  const doubtful = [...byData(streams.filter((stream) => ['failed', 'incomplete'].includes(stateOf(stream))))];
  if (doubtful.length === 0) return NOTHING;
  const more = doubtful.length - REASONS;
  return html`<ul class="reasons">
    ${doubtful.slice(0, REASONS).map(([data, group]) => {
      const state = worst(group.map(stateOf));
      return html`<li data-key="${data}">
        ${badge(state, `${data} ${STATES[state].word}:`)} ${group[0]?.reason ?? 'the reason is not known.'}
      </li>`;
    })}
    ${more > 0 ? html`<li>and ${counted(more, 'data type')} more</li>` : NOTHING}
  </ul>`;
}
