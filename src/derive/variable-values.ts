import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { decodeParts } from '../datasets/mixed.ts';
import { textOfJson } from '../shared/json.ts';
import { code, flag, json, rank, real, text, time, unixTime, VALUE, WHOSE } from './columns.ts';
import { defineDerived, type Part } from './define.ts';
import { membersOf, Num, PLACED, rowsOf, Text } from './source.ts';
import { secondsOf } from './moment.ts';
import { typed } from './typed.ts';

/** A longer state is left out, as each write would repeat it: they would grow with the square of their number. */
const LONGEST_STATE = 2000;

export const variableValues = defineDerived({
  name: 'variable_values',
  about: 'The values of shared variables over time, with the type of each.',
  row: 'a write to a variable',
  key: ['key'],
  of: 'room',
  sources: ['variables'],
  roomWide: ['variables'],
  version: 2,
  columns: {
    ...WHOSE,
    owner: code('Whose value it is.', {
      values: {
        participant: "the person's own value",
        room: 'that of everyone in the room',
      },
    }),
    variable: code('The name of the variable.', { missing: 'The record names none.' }),
    ...VALUE,
    write_number: rank("1 for the first write of the owner's variable."),
    is_last: flag("Whether it is the last write of the owner's variable."),
    source: text('Who wrote it.', { privacy: 'direct', missing: 'The record does not say.' }),
    persisted: flag('Whether the write was persisted.', { missing: 'The record does not say.' }),
    state: json("The owner's variables after the write, as JSON.", {
      privacy: 'free text',
      missing: `It would have more than ${LONGEST_STATE} characters.`,
    }),
    timestamp: time('When it was written, UTC.', { privacy: 'indirect', missing: 'The record has no time.' }),
    timestamp_unix: unixTime('When it was written.', { privacy: 'indirect', missing: 'The record has no time.' }),
    onset: real('When it was written, from the start of the experiment.', {
      privacy: 'none',
      unit: 'ms',
      missing: 'The record has none.',
    }),
    onset_s: real('When it was written, from the start of the experiment.', {
      privacy: 'none',
      unit: 's',
      missing: 'The record has none.',
    }),
    key: text('The key of the row in variables.', { privacy: 'direct' }),
  },
  rows(db, part) {
    const writes = writesOf(db, part);
    const states = statesAfter(writes);
    const groups = Map.groupBy(writes, ({ participant_id, variable }) => JSON.stringify([participant_id, variable]));
    const places = new Map(
      [...groups.values()].flatMap((group) => group.map((write, i) => [write, { n: i + 1, of: group.length }])),
    );
    return writes.map((write, i) => {
      const { n, of } = places.get(write) ?? { n: 1, of: 1 };
      return {
        experiment_id: part.experiment,
        room_id: part.room,
        participant_id: write.participant_id,
        owner: write.participant_id === null ? 'room' : 'participant',
        variable: write.variable,
        ...typed(write.written),
        write_number: n,
        is_last: Number(n === of),
        source: write.source,
        persisted: write.persisted,
        state: states[i] ?? null,
        timestamp: write.timestamp,
        timestamp_unix: secondsOf(write.timestamp),
        onset: write.onset,
        onset_s: write.onset === null ? null : write.onset / 1000,
        key: write.key,
      };
    });
  },
});

const Write = z.object({
  ...PLACED,
  variable: Text,
  value_type: Text,
  value_number: Num,
  value_text: Text,
  value_json: Text,
  source: Text,
  persisted: Num,
  extra: Text,
});

type Write = ReturnType<typeof writesOf>[number];

function writesOf(db: Database, part: Part) {
  return rowsOf(db, 'variables', part, { type: Write }).map((row) => ({
    ...row,
    // In `extra` is what the columns do not hold exactly.
    written:
      membersOf(row.extra)['value'] ?? decodeParts([row.value_type, row.value_number, row.value_text, row.value_json]),
  }));
}

/** For each write, all variables of its owner after it, as JSON. */
function statesAfter(writes: readonly Write[]): readonly (string | null)[] {
  const states = new Map<string | null, State>();
  return writes.map(({ participant_id, variable, written }) => {
    const { members, length } = states.get(participant_id) ?? { members: new Map<string, string>(), length: 0 };
    const name = variable ?? '';
    const member = `${textOfJson(name)}:${textOfJson(written ?? null)},`;
    const grown = length - (members.get(name)?.length ?? 0) + member.length;
    states.set(participant_id, { members: members.set(name, member), length: grown });
    return grown > LONGEST_STATE ? null : `{${[...members.values()].join('').slice(0, -1)}}`;
  });
}

/** Each variable with its value as a member of an object, and how long these are together. */
interface State {
  readonly members: Map<string, string>;
  readonly length: number;
}
