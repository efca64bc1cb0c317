import type { Database } from 'better-sqlite3';
import { command } from '../shared/sqlite.ts';
import { COMPLETION_CODES } from '../datasets/fields.ts';
import { COUNTED, countsOf } from './counts.ts';
import { defineDerived, NEVER, WHOSE, type DerivedColumn } from './define.ts';
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
    { type: 'INTEGER', about: `Rows of ${name} that are theirs.`, privacy: 'none', missing: NEVER, unit: 'count' },
  ]),
);

export const people = defineDerived({
  name: 'people',
  about: 'Everyone who took part, with what is asked about them most often.',
  row: 'a participation: a participant in a room',
  key: ['experiment_id', 'room_id', 'participant_id'],
  of: 'person',
  sources: ['participants', 'rooms', 'deployment-sessions', ...COUNTED.map(({ name }) => name)],
  roomWide: ['rooms', 'deployment-sessions'],
  commonSources: ['experiments', 'experiment-configs', 'deployments'],
  version: 1,
  columns: {
    ...WHOSE,
    experiment_name: {
      type: 'TEXT',
      about: 'The name of the experiment.',
      privacy: 'none',
      missing: 'The experiment has none, or was not read.',
      isCode: true,
    },
    deployment_id: {
      type: 'TEXT',
      about: 'The deployment that opened the room.',
      privacy: 'none',
      missing: 'The room is of none, or none is known.',
    },
    deployment_name: {
      type: 'TEXT',
      about: 'The name of the deployment.',
      privacy: 'none',
      missing: 'The deployment has none, or none is known.',
      isCode: true,
    },
    room_name: {
      type: 'TEXT',
      about: 'The name of the room, if it has one.',
      privacy: 'indirect',
      missing: 'The room has none.',
    },
    room_number: {
      type: 'INTEGER',
      about: 'The room in its experiment, from 1, in the order of opening.',
      privacy: 'none',
      unit: 'rank',
      missing: 'It was before a room was assigned.',
    },
    participant_number: {
      type: 'INTEGER',
      about: 'The participant in the room, from 1, in the order of joining.',
      privacy: 'none',
      unit: 'rank',
      missing: 'There is no room in which to count.',
    },
    role: {
      type: 'TEXT',
      about: 'The role in the experiment.',
      privacy: 'none',
      missing: 'participants names none.',
      isCode: true,
    },
    is_agent: {
      type: 'INTEGER',
      about: 'Whether it is an AI agent.',
      privacy: 'none',
      isBoolean: true,
      missing: 'participants does not say.',
    },
    is_listed: {
      type: 'INTEGER',
      about: 'Whether participants has them; otherwise only their data are known.',
      privacy: 'none',
      isBoolean: true,
      missing: NEVER,
    },
    completion_code: {
      type: 'TEXT',
      about: 'How the participation ended.',
      privacy: 'none',
      missing: 'There is no code.',
      values: COMPLETION_CODES,
      isCode: true,
    },
    is_complete: {
      type: 'INTEGER',
      about: `Whether the completion code is ${COMPLETE.join(' or ')}.`,
      privacy: 'none',
      isBoolean: true,
      missing: 'There is no completion code.',
    },
    joined_at: {
      type: 'TEXT',
      about: 'When they joined, UTC.',
      privacy: 'indirect',
      unit: 'ISO 8601, UTC',
      missing: 'participants does not say.',
    },
    joined_unix: {
      type: 'REAL',
      about: 'When they joined.',
      privacy: 'indirect',
      unit: 's since 1970, UTC',
      missing: 'participants does not say.',
    },
    completed_at: {
      type: 'TEXT',
      about: 'When they finished, UTC.',
      privacy: 'indirect',
      unit: 'ISO 8601, UTC',
      missing: 'They have not finished, or the API does not say when.',
    },
    completed_unix: {
      type: 'REAL',
      about: 'When they finished.',
      privacy: 'indirect',
      unit: 's since 1970, UTC',
      missing: 'They have not finished, or the API does not say when.',
    },
    duration_s: {
      type: 'REAL',
      about: 'From joining to finishing.',
      privacy: 'none',
      unit: 's',
      missing: 'One of the two times is missing.',
    },
    clock_zero_at: {
      type: 'TEXT',
      about: 'When onset 0 was, by their first event in the room, UTC.',
      privacy: 'indirect',
      unit: 'ISO 8601, UTC',
      missing: 'They have no event with an onset in the room.',
    },
    clock_zero_unix: {
      type: 'REAL',
      about: 'When onset 0 was.',
      privacy: 'indirect',
      unit: 's since 1970, UTC',
      missing: 'They have no event with an onset in the room.',
    },
    last_state_id: {
      type: 'TEXT',
      about: 'The state of their last event that names one.',
      privacy: 'none',
      missing: 'No event of theirs names a state.',
      isCode: true,
    },
    last_state_name: {
      type: 'TEXT',
      about: 'The name of that state.',
      privacy: 'none',
      missing: 'No event of theirs names a state, or it has no name.',
      isCode: true,
    },
    ...COUNTS,
  },
  rows: (db, { experiment, people: ids }) => (ids ?? []).flatMap((id) => participationsOf(db, experiment, id)),
  add: addToPerson,
  numbered: {
    columns: ['room_number', 'participant_number'],
    by: ['participants', 'rooms'],
    number: numberPeople,
  },
});

function participationsOf(db: Database, experiment: string, participant: string) {
  const listed = listedAs(db, experiment, participant);
  const counts = countsOf(db, experiment, participant);
  const rooms = new Set([...listed.map(({ room_id }) => room_id), ...counts.map(({ room_id }) => room_id)]);
  // What happened before a room was assigned belongs to the only room that followed.
  const only = rooms.size === 2 && rooms.has(null);
  if (only) rooms.delete(null);
  const experiment_name = experimentName(db, experiment);
  return [...rooms].map((room) => {
    const found = listed.find(({ room_id }) => room_id === room) ?? (only ? listed[0] : undefined);
    const counted = counts.filter(({ room_id }) => room_id === room || (only && room_id === null));
    return {
      experiment_id: experiment,
      room_id: room,
      participant_id: participant,
      experiment_name,
      ...roomOf(db, experiment, room),
      // Numbered below, as each number depends on all the others.
      room_number: null,
      participant_number: null,
      ...personOf(found),
      ...clockZeroOf(db, experiment, room, participant),
      ...lastStateOf(db, experiment, { room: only ? undefined : room, participant }),
      ...countedIn(counted),
    };
  });
}

function countedIn(counted: readonly { data: string; rows: number }[]): Record<string, number> {
  const rowsOf = (name: string) => counted.filter(({ data }) => data === name).reduce((sum, { rows }) => sum + rows, 0);
  return Object.fromEntries(COUNTED.map(({ name, table }) => [`n_${table}`, rowsOf(name)]));
}

/** The data types that say more of a person than how many rows they have. */
const TELLING = ['participants', 'rooms', 'deployment-sessions', 'events'];

/** A rating more changes only the count of someone who is known in that room. */
function addToPerson(db: Database, data: string, { experiment, room, participant }: Place, rows: number): boolean {
  const counted = COUNTED.find(({ name }) => name === data);
  if (counted === undefined || TELLING.includes(data) || room === null || rows < 0) return false;
  const column = `n_${counted.table}`;
  const sql = `UPDATE people SET ${column} = ${column} + ? WHERE participant_id = ? AND room_id = ? AND +experiment_id = ?`;
  return command(db, sql)(rows, participant, room, experiment) === 1;
}
