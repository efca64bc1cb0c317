import { html } from 'hono/html';
import { cleanLine } from '../../shared/clean-text.ts';
import { count, counted } from '../../shared/count.ts';
import type { ExperimentRows, RoomRows } from '../../status/view.ts';
import { NOTHING, type Html } from './format.ts';

/** Darker where a room has more rows of a data type, in steps of what the fullest room has. */
const SHADES = 4;

/** How many rows of each data type each room has. */
export function heatSection(rows: ExperimentRows): Html {
  return html`<section class="card heat" id="rooms" aria-labelledby="rooms-title">
    <h2 id="rooms-title">Rows by room and data type</h2>
    ${rows.rooms.length === 0 ? html`<p class="empty">No room is known yet.</p>` : table(rows)}
  </section>`;
}

function table(rows: ExperimentRows): Html {
  const columns = rows.data.map((data) => ({ data, ...columnOf(rows, data) }));
  const isLacking = rows.rooms.some((room) => columns.some((column) => lacks(room, column)));
  return html`<div class="scroll" role="region" tabindex="0" aria-label="Table of rows by room and data type">
      <table>
        <caption class="unseen">
          Rows of each data type in each room
        </caption>
        <thead>
          <tr>
            <th scope="col">Room</th>
            ${columns.map(({ data }) => html`<th scope="col" class="number">${data}${rows.byParticipant.includes(data) ? ' *' : ''}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.rooms.map((room) => roomRow(room, columns))}
          ${rows.moreRooms === 0 ? restRow('In no room', columns) : restRow(`${counted(rows.moreRooms, 'more room')}, or in none`, columns)}
        </tbody>
      </table>
    </div>
    ${rows.moreRooms === 0 ? NOTHING : html`<p class="aside">The open rooms and the latest are shown, ${count(rows.rooms.length)} of ${counted(rows.rooms.length + rows.moreRooms, 'room')}.</p>`}
    ${isLacking ? html`<p class="aside"><b>! 0</b>: none, although most of the rooms that are shown have some.</p>` : NOTHING}
    ${rows.byParticipant.length === 0 ? NOTHING : html`<p class="aside">*: only rows that name a participant are counted by room; the last line has the others.</p>`}`;
}

interface Column {
  readonly data: string;
  readonly most: number;
  readonly isUsual: boolean;
  /** Rows that are in none of the rooms shown. */
  readonly rest: number;
}

function columnOf({ rooms, totals }: ExperimentRows, data: string): Omit<Column, 'data'> {
  const held = rooms.map((room) => room.rows.get(data) ?? 0);
  const sum = held.reduce((all, each) => all + each, 0);
  return {
    most: Math.max(0, ...held),
    isUsual: 2 * held.filter((each) => each > 0).length > held.length,
    rest: Math.max(0, (totals.get(data) ?? 0) - sum),
  };
}

function lacks({ rows, isOpen }: RoomRows, { data, isUsual }: Column): boolean {
  return isUsual && !isOpen && (rows.get(data) ?? 0) === 0;
}

function roomRow(room: RoomRows, columns: readonly Column[]): Html {
  return html`<tr data-key="${room.id}">
    <th scope="row">
      <code>${cleanLine(room.id)}</code>${room.isOpen ? html` <span class="live">open</span>` : NOTHING}
    </th>
    ${columns.map((column) => {
      const held = room.rows.get(column.data) ?? 0;
      if (lacks(room, column)) return html`<td class="number lacks"><b>! 0</b></td>`;
      const shade = held === 0 ? 0 : Math.ceil((SHADES * held) / column.most);
      return html`<td class="number heat-${shade}">${count(held)}</td>`;
    })}
  </tr>`;
}

function restRow(name: string, columns: readonly Column[]): Html {
  return html`<tr class="rest">
    <th scope="row">${name}</th>
    ${columns.map(({ rest }) => html`<td class="number">${count(rest)}</td>`)}
  </tr>`;
}
