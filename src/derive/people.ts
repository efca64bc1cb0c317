import type { Database } from 'better-sqlite3';
import { command } from '../shared/sqlite.ts';
import { COMPLETION_CODES } from '../datasets/fields.ts';
import { COUNTED, countsOf } from './counts.ts';
import { code, count, flag, rank, real, text, time, unixTime, WHOSE, type ExplainedColumn } from './columns.ts';
import { defineDerived } from './define.ts';
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
  COUNTED.map(({ name, table }): [string, ExplainedColumn] => [
    `n_${table}`,
    count(`Rows of ${name} that are theirs.`),
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
  version: 2,
  columns: {
    ...WHOSE,
    experiment_name: code('The name of the experiment.', { missing: 'The experiment has none, or was not read.' }),
    deployment_id: text('The deployment that opened the room.', {
      privacy: 'none',
      missing: 'The room is of none, or none is known.',
    }),
    deployment_name: code('The name of the deployment.', { missing: 'The deployment has none, or none is known.' }),
    room_name: text('The name of the room, if it has one.', { privacy: 'indirect', missing: 'The room has none.' }),
    room_number: rank('The room in its experiment, from 1, in the order of opening.', {
      missing: 'It was before a room was assigned.',
    }),
    participant_number: rank('The participant in the room, from 1, in the order of joining.', {
      missing: 'There is no room in which to count.',
    }),
    role: code('The role in the experiment.', { missing: 'participants names none.' }),
    is_agent: flag('Whether it is an AI agent.', { missing: 'participants does not say.' }),
    is_listed: flag('Whether participants has them; otherwise only their data are known.'),
    completion_code: code('How the participation ended.', { missing: 'There is no code.', values: COMPLETION_CODES }),
    is_complete: flag(`Whether the completion code is ${COMPLETE.join(' or ')}.`, {
      missing: 'There is no completion code.',
    }),
    joined_at: time('When they joined, UTC.', { privacy: 'indirect', missing: 'participants does not say.' }),
    joined_unix: unixTime('When they joined.', { privacy: 'indirect', missing: 'participants does not say.' }),
    completed_at: time('When they finished, UTC.', {
      privacy: 'indirect',
      missing: 'They have not finished, or the API does not say when.',
    }),
    completed_unix: unixTime('When they finished.', {
      privacy: 'indirect',
      missing: 'They have not finished, or the API does not say when.',
    }),
    duration_s: real('From joining to finishing.', {
      privacy: 'none',
      unit: 's',
      missing: 'One of the two times is missing.',
    }),
    clock_zero_at: time('When onset 0 was, by their first event in the room, UTC.', {
      privacy: 'indirect',
      missing: 'They have no event with an onset in the room.',
    }),
    clock_zero_unix: unixTime('When onset 0 was.', {
      privacy: 'indirect',
      missing: 'They have no event with an onset in the room.',
    }),
    last_state_id: code('The state of their last event that names one.', {
      missing: 'No event of theirs names a state.',
    }),
    last_state_name: code('The name of that state.', {
      missing: 'No event of theirs names a state, or it has no name.',
    }),
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
