import { html } from 'hono/html';
import type { DaemonView } from '../../status/view.ts';
import { counted } from '../../shared/count.ts';
import { ago, NOTHING, type Html } from './format.ts';

/** As many are shown at once; the others unfold. */
const SHOWN = 3;

type Problem = DaemonView['problems'][number];

export function problemsSection({ problems, now }: DaemonView): Html {
  const [first, others] = [problems.slice(0, SHOWN), problems.slice(SHOWN)];
  return html`<section class="card problems" id="problems" aria-labelledby="problems-title">
    <h2 id="problems-title">Recent problems</h2>
    ${problems.length === 0 ? html`<p class="empty">None.</p>` : list(first, now)}
    ${
      others.length === 0
        ? NOTHING
        : html`<details data-key="older">
            <summary>${counted(others.length, 'older problem')}</summary>
            ${list(others, now)}
          </details>`
    }
  </section>`;
}

function list(problems: readonly Problem[], now: number): Html {
  return html`<ul>
    ${problems.map(
      ({ at, code, text, hint }) =>
        html`<li data-key="${at} ${code} ${text}">
          <p>${text}</p>
          ${hint === undefined ? NOTHING : html`<p class="hint"><b>What to do:</b> ${hint}</p>`}
          <p class="aside">${ago(at, now)} · <code>${code}</code></p>
        </li>`,
    )}
  </ul>`;
}
