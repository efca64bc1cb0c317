import { html } from 'hono/html';
import { formatDuration } from '../../shared/time.ts';
import type { DaemonView } from '../../status/view.ts';
import { count, counted } from '../../shared/count.ts';
import { bar, NOTHING, type Html } from './format.ts';

const SHOWN = 5;

type Work = DaemonView['work'][number];

/** Shorter waits for a limit are not shown. */
const SHOWN_FROM_MS = 10_000;

export function workSection({ work, budget, now }: DaemonView): Html {
  const [first, others] = [work.slice(0, SHOWN), work.slice(SHOWN)];
  return html`<section class="card" id="work" aria-labelledby="work-title">
    <h2 id="work-title">Being read now</h2>
    ${work.length === 0 ? html`<p class="empty">Nothing at this moment.</p>` : list(first, now)}
    ${work.length === 0 ? NOTHING : wait((budget.waitsUntil ?? 0) - now)}
    ${
      others.length === 0
        ? NOTHING
        : html`<details data-key="more">
            <summary>${counted(others.length, 'more stream')}</summary>
            ${list(others, now)}
          </details>`
    }
  </section>`;
}

function wait(ms: number): Html {
  if (ms < SHOWN_FROM_MS) return NOTHING;
  return html`<p class="aside">Waiting for the request limits; continues in ${formatDuration(ms)} at the latest.</p>`;
}

function list(work: readonly Work[], now: number): Html {
  return html`<ul class="work">
    ${work.map(
      ({ stream, since, fetched, total }) =>
        html`<li data-key="${stream}">
          <p class="pair"><span>${stream}</span> <small>for ${formatDuration(Math.max(0, now - since))}</small></p>
          ${total === undefined ? NOTHING : bar(fetched, total)}
          <p class="aside">
            ${total === undefined ? counted(fetched, 'record') : `${count(fetched)} of ${counted(total, 'record')}`}
          </p>
        </li>`,
    )}
  </ul>`;
}
