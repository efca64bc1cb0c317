import { html } from 'hono/html';
import type { ExperimentView } from '../../status/snapshot.ts';
import { byData, stateOf, worst, type StreamState } from '../../status/summary.ts';
import { STATES, type Html } from './format.ts';

/** Width of a column in pixels; all experiments share the columns, so that a data type lines up across experiments. */
const STEP = 14;
/** Height of the headings: the longest name of a data type, slanted. */
const HEADING = 100;

/** Each state has its own shape, for people who cannot tell its colour. */
const SHAPES: Record<StreamState, string> = {
  complete: 'M2,2h10v10h-10z',
  incomplete: 'M7,1.5L13,12.5H1z',
  failed: 'M3.5,2L7,5.5L10.5,2L12,3.5L8.5,7L12,10.5L10.5,12L7,8.5L3.5,12L2,10.5L5.5,7L2,3.5z',
  skipped: 'M3,6.2h8v1.6h-8z',
  unread: 'M2,2h10v10h-10zM3.5,3.5v7h7v-7z',
};

/** A sign for each data type of an experiment; the words are shown beside it. */
export function pips({ streams }: ExperimentView, types: readonly string[]): Html {
  const groups = byData(streams);
  const width = types.length * STEP;
  return html`<svg class="pips" viewBox="0 0 ${width} ${STEP}" width="${width}" height="${STEP}" aria-hidden="true">
    ${types.map((data, i) => {
      const group = groups.get(data);
      if (group === undefined) return '';
      const state = worst(group.map(stateOf));
      return html`<g class="${state}" transform="translate(${i * STEP})"
        ><title>${data}: ${STATES[state].word}</title><rect class="hit" width="${STEP}" height="${STEP}" /><path
          fill-rule="evenodd"
          d="${SHAPES[state]}"
      /></g>`;
    })}
  </svg>`;
}

/** The names of the columns, slanted above them to the right. */
export function headings(types: readonly string[]): Html {
  const width = types.length * STEP;
  return html`<svg class="headings" viewBox="0 0 ${width} ${HEADING}" width="${width}" height="${HEADING}">
    ${types.map((data, i) => html`<text transform="translate(${i * STEP + 10} ${HEADING - 3}) rotate(-55)">${data}</text>`)}
  </svg>`;
}
