import { html } from 'hono/html';
import { isOfEverything, shownOf, type Issue } from '../../status/issue.ts';
import { affectedText, titleOf } from '../../status/words.ts';
import type { DaemonView, Notice } from '../../status/view.ts';
import { counted } from '../../shared/count.ts';
import { addressOf } from './experiment-address.ts';
import { ago, NOTHING, signOf, type Html } from './format.ts';

/** The most that are shown at once; the others are collapsed. */
const SHOWN = 4;
/** The most streams that an issue names; its experiment's table has all. */
const NAMED = 8;

/** Current issues and recent errors. */
export function issuesSection(view: DaemonView): Html {
  const issues = shownOf(view.issues).filter(({ code }) => code !== 'NOT_READ_YET');
  const [first, others] = [issues.slice(0, SHOWN), issues.slice(SHOWN)];
  const over = view.recent.filter((notice) => !isShown(notice, view));
  return html`<section class="card issues" id="issues" aria-labelledby="issues-title">
    <h2 id="issues-title">Issues</h2>
    ${issues.length === 0 ? html`<p class="empty">None.</p>` : issueList(first, view)}
    ${folded('more', others.length, 'more issue', () => issueList(others, view))}
    ${folded('recent', over.length, 'recent error', () => noticeList(over, view.now))}
  </section>`;
}

/** Whether an issue, or the reason of a stream, shows it already. */
function isShown({ code, text }: Notice, { issues, experiments }: DaemonView): boolean {
  return (
    issues.some((issue) => issue.code === code && isOfEverything(issue)) ||
    experiments.some(({ streams }) => streams.some(({ lastError }) => lastError === text))
  );
}

function folded(key: string, length: number, thing: string, list: () => Html): Html {
  if (length === 0) return NOTHING;
  return html`<details data-key="${key}">
    <summary>${counted(length, thing)}</summary>
    ${list()}
  </details>`;
}

/**
 * Issues with what each affects and what to do.
 * @param experiments those whose pages are linked.
 */
export function issueList(
  issues: readonly Issue[],
  { now, experiments }: Pick<DaemonView, 'now' | 'experiments'>,
): Html {
  return html`<ul>
    ${issues.map((issue) => {
      const { id, code, severity, since, text, hint } = issue;
      const affected = affectedText(issue, NAMED);
      return html`<li data-key="${id}">
        <p>
          <b><span class="sign ${severity}">${signOf(severity)}</span> ${titleOf(issue)}.</b> ${text}
        </p>
        ${affected === '' ? NOTHING : html`<p>${affected}</p>`}
        <p class="hint"><b>What to do:</b> ${hint}</p>
        <p class="aside">
          ${since === undefined ? NOTHING : html`began ${ago(since, now)} · `}<code>${code}</code>${pageLink(issue, experiments)}
        </p>
      </li>`;
    })}
  </ul>`;
}

/** A link to the experiment that an issue is about. */
function pageLink({ scope }: Issue, experiments: DaemonView['experiments']): Html {
  const found = experiments.find(({ id }) => id === scope.experiment);
  return found === undefined ? NOTHING : html` · <a href="${addressOf(found.id)}">${found.name ?? found.id}</a>`;
}

function noticeList(notices: readonly Notice[], now: number): Html {
  return html`<ul>
    ${notices.map(
      ({ at, code, text, hint }) =>
        html`<li data-key="${at} ${code} ${text}">
          <p>${text}</p>
          ${hint === undefined ? NOTHING : html`<p class="hint"><b>What to do:</b> ${hint}</p>`}
          <p class="aside">${ago(at, now)} · <code>${code}</code></p>
        </li>`,
    )}
  </ul>`;
}
