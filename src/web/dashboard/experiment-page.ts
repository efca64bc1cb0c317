import { html } from 'hono/html';
import { cleanLine } from '../../shared/clean-text.ts';
import { isOfEverything, shownOf, type Issue } from '../../status/issue.ts';
import { isHalted, type ExperimentView } from '../../status/snapshot.ts';
import { stateOf, worst } from '../../status/summary.ts';
import type { DaemonView, ExperimentRows } from '../../status/view.ts';
import { headOf, proofText } from '../../status/words.ts';
import { changesSection } from './changes.ts';
import { addressOf } from './experiment-address.ts';
import { NOTHING, type Html } from './format.ts';
import { framed } from './frame.ts';
import { funnelSection } from './funnel.ts';
import { heatSection } from './heat.ts';
import { issueList } from './issues.ts';
import { streamTable } from './streams.ts';

/** The page of an experiment, an address to send; it works without JavaScript. */
export function experimentPage(view: DaemonView, experiment: ExperimentView, rows: ExperimentRows): Html {
  const { id, name, live, streams } = experiment;
  const head = headOf(streams, { isListWhole: view.list.length === 0, isHalted: isHalted(view) });
  const tone = worst(streams.map(stateOf));
  return framed(
    view,
    { title: `${cleanLine(name ?? id)}: ${head}`, here: addressOf(id) },
    html`<section class="headline ${tone}" aria-labelledby="experiment-title">
        <h2 id="experiment-title">
          ${name === undefined ? NOTHING : html`${cleanLine(name)} `}<code>${cleanLine(id)}</code>${live ? html` <span class="live">live</span>` : NOTHING}
        </h2>
        <p><span role="status">${head}</span></p>
        ${proofText(streams, view.now)
          .split('\n')
          .map((line) => html`<p class="aside">${line}</p>`)}
      </section>
      ${problemsSection(view, id)} ${heatSection(rows)}
      <div class="two even">${funnelSection(rows.people)} ${changesSection(streams, rows.changes, view.now)}</div>
      <section class="card streams" id="streams" aria-labelledby="streams-title">
        <h2 id="streams-title">Streams</h2>
        ${streams.length === 0 ? html`<p class="empty">Its streams are not known yet.</p>` : streamTable(experiment, view.now)}
      </section>`,
  );
}

/** The page of an experiment that is not known. */
export function noExperimentPage(view: DaemonView, id: string | undefined): Html {
  return framed(
    view,
    { title: 'No such experiment', here: id === undefined ? '/experiments' : addressOf(id) },
    html`<section class="headline failed" aria-labelledby="experiment-title">
      <h2 id="experiment-title">No such experiment</h2>
      <p>
        <span role="status"
          >${id === undefined ? 'The address names no experiment.' : html`This warehouse knows no experiment with the id <code>${cleanLine(id)}</code>.`}</span
        >
      </p>
      <p class="hint">
        It may not be configured here, or no sync has listed it yet. <a href="/#experiments">All experiments</a>
      </p>
    </section>`,
  );
}

function problemsSection(view: DaemonView, id: string): Html {
  const issues = shownOf(view.issues).filter((issue) => isAbout(issue, id));
  return html`<section class="card issues" id="issues" aria-labelledby="issues-title">
    <h2 id="issues-title">Problems</h2>
    ${issues.length === 0 ? html`<p class="empty">None.</p>` : issueList(issues, { now: view.now, experiments: [] })}
  </section>`;
}

function isAbout(issue: Issue, id: string): boolean {
  return issue.scope.experiment === id || (issue.severity === 'error' && isOfEverything(issue));
}
