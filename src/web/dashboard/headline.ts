import { html } from 'hono/html';
import { countStates, earliest, oldestAge, stateOf, totalRows } from '../../status/summary.ts';
import { isOfEverything, shownOf, type Issue } from '../../status/issue.ts';
import type { DaemonView } from '../../status/view.ts';
import { count, counted } from '../../shared/count.ts';
import { age, ago, NOTHING, size, until, type Html } from './format.ts';

export interface Headline {
  readonly tone: 'complete' | 'unread' | 'incomplete' | 'failed';
  /** The overall state, without a full stop; screen readers announce it when it changes. */
  readonly state: string;
  /** The rest of the sentence and what follows it; its changes are not announced. */
  readonly rest: string;
}

/** The overall state in a sentence: what keeps everything from being read, or how many streams are complete. */
export function headlineOf(view: DaemonView): Headline {
  const worst = shownOf(view.issues).find((issue) => issue.severity === 'error' && isOfEverything(issue));
  return worst === undefined ? countsOf(view) : haltedBy(worst, view.now);
}

function haltedBy({ subject, text, since }: Issue, now: number): Headline {
  const began = since === undefined ? '' : `; this began ${age(now - since)} ago`;
  return { tone: 'failed', state: subject, rest: `${began}. ${text}` };
}

function countsOf(view: DaemonView): Headline {
  const streams = view.experiments.flatMap((experiment) => experiment.streams);
  const wanted = streams.filter((stream) => stateOf(stream) !== 'skipped');
  const { complete, incomplete, failed, skipped, unread } = countStates(streams);
  const oldest = oldestAge(wanted, view.now);
  const isOld = oldest === undefined ? '' : `; the oldest is ${oldest < 1000 ? 'a moment' : age(oldest)} old`;
  const isSkipped = skipped === 0 ? '' : ` The key may not read ${counted(skipped, 'other')}.`;
  if (streams.length === 0) {
    const rest = view.work.length > 0 ? '; the first sync is in progress.' : '; the first sync will list them.';
    return { tone: 'unread', state: 'No stream is known yet', rest };
  }
  if (wanted.length === 0) {
    return { tone: 'incomplete', state: 'Every stream is skipped', rest: ': the key may not read any of them.' };
  }
  if (failed + incomplete > 0) {
    const waiting = unread === 0 ? '' : `, and ${count(unread)} ${are(unread)} not read yet`;
    const state = `${count(failed + incomplete)} of ${counted(wanted.length, 'stream')} ${are(failed + incomplete)} not complete${waiting}`;
    return { tone: failed > 0 ? 'failed' : 'incomplete', state, rest: `${isOld}.${isSkipped}` };
  }
  if (unread > 0) {
    const state = `The first read is in progress: ${count(complete)} of ${counted(wanted.length, 'stream')} ${are(complete)} complete`;
    return { tone: 'unread', state, rest: `.${isSkipped}` };
  }
  const all = wanted.length === 1 ? 'the only stream' : `all ${counted(wanted.length, 'stream')}`;
  // The words of `hsw status`.
  return skipped === 0
    ? { tone: 'complete', state: `Complete: ${all}`, rest: `${isOld}.` }
    : { tone: 'incomplete', state: `Complete as far as the key may read: ${all}`, rest: `${isOld}.${isSkipped}` };
}

export function headlineSection(view: DaemonView, { tone, state, rest }: Headline): Html {
  const { now, experiments, budget, lastProgressAt, warehouse } = view;
  const streams = experiments.flatMap((experiment) => experiment.streams);
  const live = experiments.filter((experiment) => experiment.live).length;
  const next = earliest(streams.map(({ nextAt }) => nextAt));
  const isLow = shownOf(view.issues).some(({ code }) => code === 'DISK_LOW');
  const little = isLow ? html` <b class="incomplete">nearly full</b>` : NOTHING;
  return html`<section class="headline ${tone}" aria-label="Overall state">
    <p><span role="status">${state}</span>${rest}</p>
    <dl class="facts">
      ${fact('Rows', count(totalRows(streams)))}
      ${fact('Experiments', html`${count(experiments.length)} <small>${count(live)} live</small>`)}
      ${fact('Requests, last hour', html`${count(budget.hour.used)} <small>of ${count(budget.hour.allowed)}</small>`)}
      ${fact('Last progress', lastProgressAt === undefined ? 'none yet' : ago(lastProgressAt, now))}
      ${fact('Next read', next === undefined ? 'not planned' : until(next, now))}
      ${fact('Free disk space', html`${size(warehouse.freeBytes)}${little}`)}
    </dl>
  </section>`;
}

function fact(name: string, value: string | Html): Html {
  return html`<div>
    <dt>${name}</dt>
    <dd>${value}</dd>
  </div>`;
}

function are(value: number): string {
  return value === 1 ? 'is' : 'are';
}
