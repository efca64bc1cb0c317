import { html } from 'hono/html';
import type { ExperimentView } from '../../status/snapshot.ts';
import { oldestAge, stateOf, totalRows, worst, type StreamState } from '../../status/summary.ts';
import { count } from '../../shared/count.ts';
import { foldName } from '../../shared/fold-name.ts';
import { NOTHING, type Html } from './format.ts';

/** Which experiments are shown, in words of the address; an unknown word counts as the first. */
const SHOWN = {
  all: 'all',
  problems: 'with problems',
  live: 'live',
  complete: 'complete',
} as const;
const ORDERS = {
  urgency: 'problems first',
  name: 'by name',
  rows: 'most rows first',
  age: 'oldest data first',
} as const;

/** What the reader of the dashboard chose of the experiments. */
export interface Choice {
  /** Part of an experiment's name or id. */
  readonly find: string;
  readonly show: keyof typeof SHOWN;
  readonly order: keyof typeof ORDERS;
}

export const NO_CHOICE: Choice = { find: '', show: 'all', order: 'urgency' };

/** With fewer experiments all are in view. */
const FEW = 8;

export function choiceIn(query: URLSearchParams): Choice {
  const word = <T extends string>(name: string, words: Readonly<Record<T, string>>, usual: T): T =>
    (Object.keys(words) as T[]).find((each) => each === query.get(name)) ?? usual;
  return {
    find: (query.get('find') ?? '').trim().slice(0, 200),
    show: word('show', SHOWN, NO_CHOICE.show),
    order: word('order', ORDERS, NO_CHOICE.order),
  };
}

/** The address of the dashboard with a choice. */
export function addressWith({ find, show, order }: Choice): string {
  const query = new URLSearchParams({
    ...(find === NO_CHOICE.find ? {} : { find }),
    ...(show === NO_CHOICE.show ? {} : { show }),
    ...(order === NO_CHOICE.order ? {} : { order }),
  }).toString();
  return query === '' ? '/' : `/?${query}`;
}

/** An experiment with the worst state of its streams. */
export interface Listed {
  readonly experiment: ExperimentView;
  readonly state: StreamState;
}

/** The experiments that were chosen, in the order that was chosen. */
export function chosen(experiments: readonly ExperimentView[], choice: Choice, now: number): Listed[] {
  return experiments
    .map((experiment) => ({ experiment, state: worst(experiment.streams.map(stateOf)) }))
    .filter((listed) => isFound(listed.experiment, choice.find) && IS_SHOWN[choice.show](listed))
    .sort((a, b) => BEFORE[choice.order](a, b, now) || byUrgency(a, b));
}

/** Case and accents do not matter, as they are hard to type on another keyboard. */
function isFound({ id, name = '' }: ExperimentView, find: string): boolean {
  return [name, id].some((text) => foldName(text).includes(foldName(find)));
}

const isProblem = ({ state }: Listed) => state === 'failed' || state === 'incomplete';

const IS_SHOWN: Readonly<Record<Choice['show'], (listed: Listed) => boolean>> = {
  all: () => true,
  problems: isProblem,
  live: ({ experiment }) => experiment.live,
  complete: ({ state }) => state === 'complete' || state === 'skipped',
};

const BEFORE: Readonly<Record<Choice['order'], (a: Listed, b: Listed, now: number) => number>> = {
  urgency: () => 0,
  name: byName,
  rows: (a, b) => totalRows(b.experiment.streams) - totalRows(a.experiment.streams),
  age: (a, b, now) => ageOf(b, now) - ageOf(a, now),
};

const URGENCY: Record<StreamState, number> = { failed: 0, incomplete: 1, unread: 3, complete: 3, skipped: 3 };

/** First experiments with problems, then live ones, then by name. */
function byUrgency(a: Listed, b: Listed): number {
  return URGENCY[a.state] - URGENCY[b.state] || Number(b.experiment.live) - Number(a.experiment.live) || byName(a, b);
}

function byName({ experiment: a }: Listed, { experiment: b }: Listed): number {
  return (a.name ?? a.id).localeCompare(b.name ?? b.id);
}

/** What was never read is the oldest. */
function ageOf({ experiment }: Listed, now: number): number {
  return oldestAge(experiment.streams, now) ?? Number.MAX_SAFE_INTEGER;
}

/** The form with which a reader chooses; it needs no script. Nothing where there are few and all are shown. */
export function choiceForm(choice: Choice, found: number, of: number): Html {
  const isAll = addressWith({ ...choice, order: NO_CHOICE.order }) === '/';
  if (of <= FEW && addressWith(choice) === '/') return NOTHING;
  return html`<form class="choice" role="search" action="/#experiments">
    <label>Find <input type="search" name="find" value="${choice.find}" placeholder="name or id" /></label>
    <label>Show ${select('show', SHOWN, choice.show)}</label>
    <label>Sort ${select('order', ORDERS, choice.order)}</label>
    <button>Apply</button>
    ${isAll ? NOTHING : html`<span>${count(found)} of ${count(of)} · <a href="/">Show all</a></span>`}
  </form>`;
}

function select(name: string, words: Readonly<Record<string, string>>, selected: string): Html {
  return html`<select name="${name}">
    ${Object.entries(words).map(([value, text]) =>
      value === selected
        ? html`<option value="${value}" selected>${text}</option>`
        : html`<option value="${value}">${text}</option>`,
    )}
  </select>`;
}
