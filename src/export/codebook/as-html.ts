import { html } from 'hono/html';
import { count, counted } from '../../shared/count.ts';
import { fact, page, type Html } from '../page.ts';
import type { Codebook, Step, Study, TableBook } from './codebook.ts';
import type { ColumnBook } from './columns.ts';
import type { QuestionBook } from './questions.ts';
import { numberText, type Level } from './shown.ts';
import type { VariableBook } from './variables.ts';
import {
  answersText,
  askedByText,
  factsOf,
  headlineOf,
  leftOutText,
  notesOf,
  PRIVACY,
  stateOf,
  timeText,
  titleOf,
  valuesText,
  warningOf,
} from './words.ts';

const NOTHING = html``;

/** One page that needs nothing else: no script, no font, no picture. */
export function asHtml(book: Codebook): Promise<string> {
  const { studies } = book;
  const [only] = studies.length === 1 ? studies : [];
  const title = only === undefined ? 'Codebook' : `Codebook: ${titleOf(only)}`;
  const body = html`<header>
      <h1>${title}</h1>
      <p class="about soft">Made by ${book.product} on ${timeText(book.madeAt)}. ${PRIVACY}</p>
      ${warningOf(studies) === '' ? NOTHING : html`<p class="state incomplete"><b>⚠ ${warningOf(studies)}</b></p>`}
      ${only === undefined ? contents(studies) : NOTHING}
    </header>
    <main>${studies.map((study, i) => studySection(study, i, only === undefined))}</main>
    ${footer(book)} `;
  return page(title, body);
}

function contents(studies: readonly Study[]): Html {
  return html`<nav aria-label="Experiments">
    <ul>
      ${studies.map((study, i) => html`<li><a href="#study-${i}">${titleOf(study)}</a></li>`)}
    </ul>
  </nav>`;
}

function studySection(study: Study, i: number, isOneOfMany: boolean): Html {
  const { description, completeness, questions, variables, design, tables, views, empty } = study;
  const { isComplete, text } = headlineOf(study);
  const notes = notesOf(study);
  const at = (part: string) => `study-${i}-${part}`;
  const parts = [
    ...(questions.length === 0 ? [] : [['questions', 'Questions']]),
    ...(variables.length === 0 ? [] : [['variables', 'Variables']]),
    ...(design.length === 0 ? [] : [['design', 'Design']]),
    ...tables.map(({ name }) => [`table-${name}`, name]),
  ] as const;
  return html`<section id="study-${i}">
    ${isOneOfMany ? html`<h2>${titleOf(study)}</h2>` : NOTHING}
    <div class="state ${isComplete ? 'complete' : 'incomplete'}">
      <b>${isComplete ? '✓' : '⚠'} ${text}</b>
      ${
        completeness.lacks.length === 0
          ? NOTHING
          : html`<ul>
              ${completeness.lacks.map((lack) => html`<li>${lack}</li>`)}
            </ul>`
      }
      ${notes.map((note) => html`<p><small>${note}</small></p>`)}
    </div>
    ${description === null ? NOTHING : html`<p class="about">${description}</p>`}
    <dl class="facts">${factsOf(study).map(([name, value]) => fact(name, value))}</dl>
    <nav aria-label="Parts of ${titleOf(study)}">
      <ul>
        ${parts.map(([part, name]) => html`<li><a href="#${at(part ?? '')}">${name}</a></li>`)}
      </ul>
    </nav>
    ${questionTable(questions, at('questions'))} ${variableTable(variables, at('variables'))}
    ${designTable(design, at('design'))} ${tables.length === 0 ? NOTHING : html`<h3>Tables</h3>`}
    ${tables.map((table) => tableSection(table, at(`table-${table.name}`)))}
    ${
      views.length === 0
        ? NOTHING
        : html`<h3>Views</h3>
            <p class="soft">They have the columns of these tables, selected, renamed or in another order.</p>
            <ul>
              ${views.map(({ name, about, rows }) => html`<li><code>${name}</code>: ${about} ${counted(rows, 'row')}.</li>`)}
            </ul>`
    }
    ${
      empty.length === 0
        ? NOTHING
        : html`<h3>Without rows</h3>
            <p>${empty.map((name, k) => html`${k === 0 ? '' : ', '}<code>${name}</code>`)}</p>`
    }
  </section>`;
}

function questionTable(questions: readonly QuestionBook[], id: string): Html {
  if (questions.length === 0) return NOTHING;
  return html`<h3 id="${id}">Questions</h3>
    <table class="questions">
      <thead>
        <tr>
          <th>question</th>
          <th>scale</th>
          <th>values</th>
          <th>answers</th>
        </tr>
      </thead>
      <tbody>
        ${questions.map(
          (one) =>
            html`<tr>
              <th scope="row">
                ${one.question ?? one.id}<small><code>${one.id}</code> · ${askedByText(one)}</small>
              </th>
              <td data-of="scale">${one.scale ?? ''}</td>
              <td>${rangeOf(one)}${levelList(one, one.answers)}</td>
              <td>${answersText(one)}</td>
            </tr>`,
        )}
      </tbody>
    </table>`;
}

function variableTable(variables: readonly VariableBook[], id: string): Html {
  if (variables.length === 0) return NOTHING;
  return html`<h3 id="${id}">Variables</h3>
    <table class="variables">
      <thead>
        <tr>
          <th>variable</th>
          <th>type</th>
          <th>at the beginning</th>
          <th>last values</th>
          <th class="number">n</th>
        </tr>
      </thead>
      <tbody>
        ${variables.map(
          (one) =>
            html`<tr>
              <th scope="row" class="name">
                ${one.name}<small>${one.owner === null ? 'never written' : `of the ${one.owner}`}</small>
              </th>
              <td data-of="type">${one.types}</td>
              <td data-of="at the beginning">${one.initial ?? ''}</td>
              <td>${rangeOf(one)}${levelList(one, one.n)}</td>
              <td class="number" data-of="n">${count(one.n)}</td>
            </tr>`,
        )}
      </tbody>
    </table>`;
}

function designTable(design: readonly Step[], id: string): Html {
  if (design.length === 0) return NOTHING;
  return html`<h3 id="${id}">Design</h3>
    <table class="design">
      <thead>
        <tr>
          <th></th>
          <th>state</th>
          <th>component</th>
          <th>question and scale</th>
          <th>medium</th>
          <th class="number">seconds</th>
        </tr>
      </thead>
      <tbody>
        ${design.map(
          (step) =>
            html`<tr>
              <th scope="row">${step.position}</th>
              <td>${step.part === 'state' ? (step.state ?? '') : `(${step.part})`}</td>
              <td>${step.component ?? ''}</td>
              <td>${step.question ?? ''}${step.scale === null ? NOTHING : html`<small>${step.scale}</small>`}</td>
              <td data-of="medium">${step.medium ?? ''}</td>
              <td class="number" data-of="seconds">${step.durationS === null ? '' : numberText(step.durationS)}</td>
            </tr>`,
        )}
      </tbody>
    </table>`;
}

function tableSection(table: TableBook, id: string): Html {
  const { name, about, rowIs, joinBy, lacking, columns } = table;
  const isComplete = lacking.length === 0;
  return html`<section aria-labelledby="${id}">
    <h4 id="${id}">${name}</h4>
    <p class="rows">
      ${about} A row is ${rowIs}.${joinBy === null ? '' : ` Join by ${joinBy}.`}
      <span class="badge ${isComplete ? 'complete' : 'incomplete'}">${isComplete ? '✓' : '⚠'} ${stateOf(table)}.</span>
    </p>
    <table class="columns">
      <thead>
        <tr>
          <th>column</th>
          <th>meaning</th>
          <th>values</th>
          <th class="number">n</th>
          <th class="number">missing</th>
          <th class="number">distinct</th>
        </tr>
      </thead>
      <tbody>
        ${columns.map((column) => columnRow(column))}
      </tbody>
    </table>
    ${table.leftOut === 0 ? NOTHING : html`<p class="soft">${leftOutText(table)}</p>`}
  </section>`;
}

function columnRow(column: ColumnBook): Html {
  const { name, type, unit, meaning, missingMeans, n, missing, distinct } = column;
  return html`<tr>
    <th scope="row" class="name">${name}<small>${unit === null ? type : `${type} · ${unit}`}</small></th>
    <td>${meaning}${missing === 0 ? NOTHING : html`<small>Missing: ${missingMeans}</small>`}</td>
    <td>${column.levels.length > 0 ? levelList(column, n) : valuesText(column)}</td>
    <td class="number" data-of="n">${count(n)}</td>
    <td class="number" data-of="missing">${count(missing)}</td>
    <td class="number" data-of="distinct">${distinct === null ? '' : count(distinct)}</td>
  </tr>`;
}

function rangeOf({ minimum, mean, maximum }: QuestionBook | VariableBook): Html {
  if (minimum === null || mean === null || maximum === null) return NOTHING;
  return html`<p>${numberText(minimum)} to ${numberText(maximum)}, mean ${numberText(mean)}</p>`;
}

/** The levels with their counts, each on a bar of its share. */
function levelList(
  { levels, others }: { readonly levels: readonly Level[]; readonly others: number },
  of: number,
): Html {
  const rest = others === 0 ? [] : [{ value: levels.length === 0 ? 'not listed' : 'others', label: null, n: others }];
  const all = [...levels, ...rest];
  if (all.length === 0) return NOTHING;
  const share = (n: number) => (of === 0 ? 0 : Math.min(100, Math.round((n / of) * 1000) / 10));
  return html`<ul class="levels">
    ${all.map(
      ({ value, label, n }) =>
        html`<li style="--share: ${share(n)}%">
          <span>${value}${label === null || label === value ? NOTHING : html` <small>${label}</small>`}</span
          ><span>${count(n)}</span>
        </li>`,
    )}
  </ul>`;
}

function footer({ common }: Codebook): Html {
  return html`<footer>
    <h3>In every table of records</h3>
    <dl>
      ${common.map(
        ({ name, meaning }) =>
          html`<dt><code>${name}</code></dt>
            <dd class="soft">${meaning}</dd>`,
      )}
    </dl>
  </footer>`;
}
