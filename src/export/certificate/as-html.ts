import { html } from 'hono/html';
import { count } from '../../shared/count.ts';
import { timeText } from '../codebook/words.ts';
import { fact, page, type Html } from '../page.ts';
import type { Certificate, CertifiedData } from './certificate.ts';
import { changesOf, HOW_CHECKED, notesOf, proofOf, titleOf } from './words.ts';

const NOTHING = html``;

/** On top of the codebook's style. */
const OWN_STYLE = `
.certified th:nth-child(1) { width: 22%; }
.certified th:nth-child(2) { width: 6rem; }
.digest { font-family: var(--mono); font-size: 0.75rem; }
.by-room { width: auto; table-layout: auto; }
.by-room th, .by-room td { padding-right: 1.25rem; }
@media print { h2 { break-before: auto; } }
`;

/** The certificate as one page that needs nothing else, to be printed or sent. */
export function certificateHtml(certificate: Certificate): Promise<string> {
  const title = `Data certificate: ${titleOf(certificate)}`;
  const { isComplete, headline, lacks, experiment, data } = certificate;
  const notes = notesOf(certificate);
  const body = html` <header>
      <h1>${title}</h1>
      <p class="about soft">
        What ${certificate.product} holds of this experiment, and how it is known whether that is all.
      </p>
      <div class="state ${isComplete ? 'complete' : 'incomplete'}">
        <b>${isComplete ? '✓' : '⚠'} ${headline}</b>
        ${
          lacks.length === 0
            ? NOTHING
            : html`<ul>
                ${lacks.map((lack) => html`<li>${lack}</li>`)}
              </ul>`
        }
        ${notes.map((note) => html`<p><small>${note}</small></p>`)}
      </div>
      <dl class="facts">
        ${fact('Experiment', experiment.id)} ${fact('Participations', count(certificate.participations))}
        ${fact('Rooms', count(certificate.rooms))}
        ${fact('The API as of', certificate.dataAsOf === null ? 'never read' : timeText(certificate.dataAsOf))}
        ${fact('Certificate made', timeText(certificate.madeAt))}
      </dl>
    </header>
    <main>
      <h2>Records</h2>
      ${dataTable(data)} ${roomTable(data)}
      <h2>Digests</h2>
      <p class="about soft">${HOW_CHECKED}</p>
      ${digestTable(data)}
    </main>`;
  return page(title, body, OWN_STYLE);
}

function dataTable(data: readonly CertifiedData[]): Html {
  return html`<table class="certified">
    <thead>
      <tr>
        <th scope="col">Data type</th>
        <th scope="col" class="number">Records</th>
        <th scope="col">How it is known that they are all</th>
        <th scope="col">What happened to them</th>
      </tr>
    </thead>
    <tbody>
      ${data.map(
        (one) =>
          html`<tr>
            <th scope="row" class="name">${one.data}</th>
            <td class="number" data-of="records">${count(one.rows)}</td>
            <td>
              <span class="badge ${one.isComplete ? '' : 'incomplete'}">${one.isComplete ? '✓' : '⚠'}</span>
              ${proofOf(one)}
            </td>
            <td>${changesOf(one)}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

/** Rows by room, of the data types that have any. */
function roomTable(data: readonly CertifiedData[]): Html {
  const held = data.filter(({ rooms }) => rooms.length > 0);
  const rooms = [...new Set(held.flatMap((one) => one.rooms.map(({ room }) => room)))].sort();
  if (rooms.length === 0) return NOTHING;
  const rows = new Map(held.map((one) => [one.data, new Map(one.rooms.map(({ room, rows: n }) => [room, n]))]));
  return html`<h2>Records by room</h2>
    <table class="by-room">
      <thead>
        <tr>
          <th scope="col">Room</th>
          ${held.map((one) => html`<th scope="col" class="number">${one.data}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rooms.map(
          (room) =>
            html`<tr>
              <th scope="row" class="name">${room}</th>
              ${held.map((one) => html`<td class="number" data-of="${one.data}">${count(rows.get(one.data)?.get(room) ?? 0)}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>`;
}

function digestTable(data: readonly CertifiedData[]): Html {
  return html`<table>
    <thead>
      <tr>
        <th scope="col">Data type</th>
        <th scope="col">SHA-256 of its records</th>
      </tr>
    </thead>
    <tbody>
      ${data.map(
        (one) =>
          html`<tr>
            <th scope="row" class="name">${one.data}</th>
            <td class="digest">${one.sha256}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}
