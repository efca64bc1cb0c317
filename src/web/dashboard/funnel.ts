import { html } from 'hono/html';
import { cleanLine } from '../../shared/clean-text.ts';
import { count, counted } from '../../shared/count.ts';
import type { People } from '../../status/view.ts';
import { bar, NOTHING, type Html } from './format.ts';

/** What became of those who consented and did not complete. */
const ENDS: readonly (readonly [code: string, words: string])[] = [
  ['IN_PROGRESS', 'Still taking part'],
  ['ABANDONED', 'Left'],
  ['TIMEOUT', 'Timed out'],
  ['TECHNICAL', 'Had a technical problem'],
  ['', 'No completion code yet'],
];

/** How far the participants came, as the table `people` holds it. */
export function funnelSection(people: People): Html {
  const refused = people.codes.get('NOCONSENT') ?? 0;
  const named = ENDS.flatMap(([code, words]) => steps(words, people.codes.get(code) ?? 0, people.joined));
  const known = new Set(['NOCONSENT', 'SUCCESS', 'COMPLETED_NO_CODE', ...ENDS.map(([code]) => code)]);
  const others = [...people.codes].filter(([code]) => !known.has(code));
  return html`<section class="card funnel" id="people" aria-labelledby="people-title">
    <h2 id="people-title">Participants</h2>
    ${
      people.joined === 0
        ? html`<p class="empty">No participant is known yet.</p>`
        : html`<ul>
              ${steps('Joined', people.joined, people.joined)}
              ${steps('Consented', people.joined - refused, people.joined)}
              ${steps('Completed', people.complete, people.joined)}
            </ul>
            <h3>Did not complete</h3>
            <ul>
              ${steps('Did not consent', refused, people.joined)} ${named}
              ${others.map(([code, n]) => steps(`Code ${cleanLine(code)}`, n, people.joined))}
            </ul>
            <p class="aside">
              By their completion codes, each participation in a room once; consented are all but those with the code
              NOCONSENT.
            </p>`
    }
    ${people.agents === 0 ? NOTHING : html`<p class="aside">Beside them: ${counted(people.agents, 'AI agent')}.</p>`}
  </section>`;
}

function steps(words: string, people: number, of: number): Html[] {
  if (people === 0 && words !== 'Consented' && words !== 'Completed') return [];
  const share = of === 0 ? 0 : Math.round((100 * people) / of);
  return [
    html`<li data-key="${words}">
      <p class="pair">
        <span>${words}</span> <span class="number">${count(people)} <small>${share} %</small></span>
      </p>
      ${bar(people, of)}
    </li>`,
  ];
}
