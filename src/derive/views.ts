import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { queryValues } from '../shared/sqlite.ts';
import { code, real, text, time, unixTime, WHOSE, type Columns } from './columns.ts';

/** A view for readers. It only renames, joins and selects, so that every engine reads it alike. */
export interface DerivedView {
  readonly name: string;
  readonly about: string;
  /** What one row is. */
  readonly row: string;
  /** The tables that it selects from. */
  readonly from: readonly string[];
  /** The table whose columns its columns are; undefined where it makes its own. */
  readonly like?: string;
  /** The columns that it makes itself. */
  readonly columns?: Columns;
  readonly sql: string;
}

const EVENT_COLUMNS =
  'experiment_id, room_id, participant_id, event_type, content, duration, timestamp, timestamp_unix, onset, onset_s, key';

/** Events before the matching whose type begins with these words, as the official Python SDK selects them. */
function before(start: string): string {
  return `SELECT ${EVENT_COLUMNS} FROM events
    WHERE category = 'pre_experiment' AND substr(event_type, 1, ${start.length}) = '${start}'`;
}

/** What a table adds to the timeline of a room: a word for what happened, and the text or number that goes with it. */
interface Happening {
  readonly table: string;
  readonly time?: string;
  readonly onset?: string;
  readonly what: string;
  readonly text?: string;
  readonly number?: string;
}

const TIMELINE: readonly Happening[] = [
  { table: 'events', what: 'event_type', text: 'content' },
  { table: 'chat', what: "'message'", text: 'content' },
  { table: 'ratings_sparse', what: "'rating'", text: 'component_id', number: 'value' },
  { table: 'variable_values', what: 'variable', text: 'value_text', number: 'value_number' },
  { table: 'agent_decisions', onset: 'NULL', what: 'action', text: 'state_name' },
  { table: 'recordings', time: 'start_time', onset: 'NULL', what: "'recording'", text: 'format', number: 'duration' },
];

const TIMELINE_COLUMNS: Columns = {
  ...WHOSE,
  timestamp: time('When it happened, UTC; of a recording, when it began.', {
    privacy: 'indirect',
    missing: 'The record has no time.',
  }),
  timestamp_unix: unixTime('When it happened.', { privacy: 'indirect', missing: 'The record has no time.' }),
  onset_s: real('When it happened, from the start of the experiment.', {
    privacy: 'none',
    unit: 's',
    missing: 'The record has none, as decisions of agents and recordings.',
  }),
  table_name: code('The table with the record.', { allowed: TIMELINE.map(({ table }) => table) }),
  what: code(
    'The type of the event, the name of the variable, the action of the agent; or message, rating, recording.',
    { missing: 'The record does not say.' },
  ),
  text_value: text(
    'The content of the event, the message, the component that was rated, the text in the variable, the state of the decision, or the format of the recording.',
    { privacy: 'free text', missing: 'The record has none.' },
  ),
  number_value: real('The rating, the number in the variable, or the length of the recording in ms.', {
    privacy: 'indirect',
    unit: 'as the table has it',
    missing: 'The record has none.',
  }),
  key: text('The key of the row in that table.', { privacy: 'direct' }),
};

function timeline(): string {
  const parts = TIMELINE.map(
    ({ table, time = 'timestamp', onset = 'onset_s', what, text = 'NULL', number = 'NULL' }) =>
      `SELECT experiment_id, room_id, participant_id, ${time} AS timestamp, ${time}_unix AS timestamp_unix,
        ${onset} AS onset_s, '${table}' AS table_name, ${what} AS what, ${text} AS text_value, ${number} AS number_value, key
       FROM ${table}`,
  );
  return parts.join(' UNION ALL ');
}

export const VIEWS: readonly DerivedView[] = [
  {
    name: 'questionnaire',
    about: 'The answers of questionnaires, under either category.',
    row: 'an answer to a question of a questionnaire',
    from: ['answers'],
    like: 'answers',
    sql: "SELECT * FROM answers WHERE kind = 'questionnaire'",
  },
  {
    name: 'consent',
    about: 'What happened to the consent form, before a room was assigned.',
    row: 'an event',
    from: ['events'],
    like: 'events',
    sql: before('consent.'),
  },
  {
    name: 'instructions',
    about: 'What happened to the instructions, comprehension checks among them.',
    row: 'an event',
    from: ['events'],
    like: 'events',
    sql: before('instructions.'),
  },
  {
    name: 'comprehension',
    about: 'The comprehension checks of the instructions.',
    row: 'an event',
    from: ['events'],
    like: 'events',
    sql: before('instructions.comprehension'),
  },
  {
    name: 'session_timeline',
    about: 'Everything that happened in a room, but samples; order it by timestamp.',
    row: 'an event, message, single rating, write to a variable, decision of an agent or recording',
    from: TIMELINE.map(({ table }) => table),
    columns: TIMELINE_COLUMNS,
    sql: timeline(),
  },
];

/** Creates the views that do not exist or are not those of this version. */
export function createViews(db: Database, views: readonly DerivedView[] = VIEWS): void {
  const find = queryValues(db, "SELECT sql FROM sqlite_schema WHERE type = 'view' AND name = ?", z.string());
  for (const { name, sql } of views) {
    const wanted = `CREATE VIEW ${name} AS ${sql}`;
    if (find.get(name) !== wanted) db.exec(`DROP VIEW IF EXISTS ${name}; ${wanted}`);
  }
}
