import type { Database } from 'better-sqlite3';
import { command } from '../shared/sqlite.ts';
import { COUNTED, countsOf } from './counts.ts';
import { defineDerived, WHOSE, type DerivedColumn } from './define.ts';
import {
  clockZeroOf,
  COMPLETE,
  experimentName,
  lastStateOf,
  listedAs,
  numberPeople,
  personOf,
  roomOf,
} from './participation.ts';
import type { Place } from './whose.ts';

const COUNTS = Object.fromEntries(
  COUNTED.map(({ name, table }): [string, DerivedColumn] => [
    `n_${table}`,
    { type: 'INTEGER', about: `Rows of ${name} that are theirs.`, unit: 'count' },
  ]),
);

export const people = defineDerived({
  name: 'people',
  about: 'Everybody who took part, with what is asked of them most often.',
  row: 'a participation: a participant in a room',
  key: ['experiment_id', 'room_id', 'participant_id'],
  of: 'person',
  sources: ['participants', 'rooms', 'deployment-sessions', ...COUNTED.map(({ name }) => name)],
  commonSources: ['experiments', 'experiment-configs', 'deployments'],
  version: 1,
  columns: {
    ...WHOSE,
    experiment_name: { type: 'TEXT', about: 'The name of the experiment.' },
    deployment_id: { type: 'TEXT', about: 'The deployment that opened the room.' },
    deployment_name: { type: 'TEXT', about: 'The name of the deployment.' },
    room_name: { type: 'TEXT', about: 'The name of the room, if it has one.' },
    room_number: {
      type: 'INTEGER',
      about: 'The room in its experiment, from 1, in the order of opening.',
      unit: 'rank',
    },
    participant_number: {
      type: 'INTEGER',
      about: 'The participant in the room, from 1, in the order of joining.',
      unit: 'rank',
    },
    role: { type: 'TEXT', about: 'The role in the experiment.' },
    is_agent: { type: 'INTEGER', about: 'Whether it is an AI agent.', isBoolean: true },
    is_listed: {
      type: 'INTEGER',
      about: 'Whether participants has them; otherwise only their data are known.',
      isBoolean: true,
    },
    completion_code: { type: 'TEXT', about: 'How the participation ended.' },
    is_complete: {
      type: 'INTEGER',
      about: `Whether the completion code is ${COMPLETE.join(' or ')}; NULL: there is no code.`,
      isBoolean: true,
    },
    joined_at: { type: 'TEXT', about: 'When they joined, UTC.', unit: 'ISO 8601, UTC' },
    joined_unix: { type: 'REAL', about: 'When they joined.', unit: 's since 1970, UTC' },
    completed_at: { type: 'TEXT', about: 'When they finished, UTC.', unit: 'ISO 8601, UTC' },
    completed_unix: { type: 'REAL', about: 'When they finished.', unit: 's since 1970, UTC' },
    duration_s: { type: 'REAL', about: 'From joining to finishing.', unit: 's' },
    clock_zero_at: {
      type: 'TEXT',
      about: 'When onset 0 was, by their first event in the room, UTC.',
      unit: 'ISO 8601, UTC',
    },
    clock_zero_unix: { type: 'REAL', about: 'When onset 0 was.', unit: 's since 1970, UTC' },
    last_state_id: { type: 'TEXT', about: 'The state of their last event that names one.' },
    last_state_name: { type: 'TEXT', about: 'The name of that state.' },
    ...COUNTS,
  },
  rows(db, { experiment, participant }) {
    const listed = listedAs(db, experiment, participant);
    const counts = countsOf(db, experiment, participant);
    const rooms = new Set([...listed.map(({ room_id }) => room_id), ...counts.map(({ room_id }) => room_id)]);
    // What happened before a room was assigned belongs to the only room that followed.
    const only = rooms.size === 2 && rooms.has(null);
    if (only) rooms.delete(null);
    const named = experimentName(db, experiment);
    return [...rooms].map((room) => {
      const found = listed.find(({ room_id }) => room_id === room) ?? (only ? listed[0] : undefined);
      const counted = counts.filter(({ room_id }) => room_id === room || (only && room_id === null));
      return {
        experiment_id: experiment,
        room_id: room,
        participant_id: participant,
        experiment_name: named,
        ...roomOf(db, experiment, room),
        // Numbered below, as each number depends on all the others.
        room_number: null,
        participant_number: null,
        ...personOf(found),
        ...clockZeroOf(db, experiment, room, participant),
        ...lastStateOf(db, experiment, { room: only ? undefined : room, participant }),
        ...Object.fromEntries(
          COUNTED.map(({ name, table }) => [
            `n_${table}`,
            counted.filter(({ data }) => data === name).reduce((sum, { rows }) => sum + rows, 0),
          ]),
        ),
      };
    });
  },
  add: addToPerson,
  numbered: {
    columns: ['room_number', 'participant_number'],
    by: ['participants', 'rooms'],
    number: numberPeople,
  },
});

/** The data types that say more of a person than how many rows they have. */
const TELLING = ['participants', 'rooms', 'deployment-sessions', 'events'];

/** A rating more changes only the count of somebody who is known in that room. */
function addToPerson(db: Database, data: string, { experiment, room, participant }: Place, rows: number): boolean {
  const counted = COUNTED.find(({ name }) => name === data);
  if (counted === undefined || TELLING.includes(data) || room === null || rows < 0) return false;
  const column = `n_${counted.table}`;
  const sql = `UPDATE people SET ${column} = ${column} + ? WHERE participant_id = ? AND room_id = ? AND +experiment_id = ?`;
  return command(db, sql)(rows, participant, room, experiment) === 1;
}
