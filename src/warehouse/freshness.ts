import type { Dataset } from '../datasets/define.ts';
import { NEVER, type Explained } from '../derive/define.ts';
import type { Db } from './open.ts';

const TIME = 'ISO 8601, UTC';
const UNREAD = 'It was never read to its end.';

/** The view of `_streams` that shows readers whether data are fresh and complete. */
export const FRESHNESS = {
  name: '_freshness',
  about: 'Whether the data are complete, and how fresh they are.',
  row: 'a stream: a data type of an experiment, or of a room, participant or deployment of it',
  columns: {
    experiment_id: { type: 'TEXT', about: 'The experiment.', privacy: 'none', missing: NEVER },
    data: { type: 'TEXT', about: "The data type, by the API's name.", privacy: 'none', missing: NEVER, isCode: true },
    table_name: { type: 'TEXT', about: 'Its table.', privacy: 'none', missing: NEVER, isCode: true },
    scope: {
      type: 'TEXT',
      about: 'The part of the experiment: experiment, room:ID, participant:ID@ROOM or deployment:ID.',
      privacy: 'direct',
      missing: NEVER,
    },
    complete: {
      type: 'INTEGER',
      about: 'Whether the table has all that the API had at `data_as_of`, as far as is known.',
      privacy: 'none',
      missing: NEVER,
      isBoolean: true,
    },
    reason: { type: 'TEXT', about: 'Why it is not complete.', privacy: 'direct', missing: 'It is complete.' },
    finished: {
      type: 'INTEGER',
      about: 'Whether the room is over and was read since, so that no newer data are expected.',
      privacy: 'none',
      missing: NEVER,
      isBoolean: true,
    },
    data_as_of: {
      type: 'TEXT',
      about: 'When the last successful read began, by the local clock.',
      privacy: 'none',
      missing: UNREAD,
      unit: TIME,
    },
    verified_at: {
      type: 'TEXT',
      about: 'When all of it was last read and compared, by the local clock.',
      privacy: 'none',
      missing: 'It was not.',
      unit: TIME,
    },
    watermark: {
      type: 'TEXT',
      about: 'Everything up to this server time has been read.',
      privacy: 'none',
      missing: 'It is listed whole each time, or was never read.',
      unit: TIME,
    },
    rows: { type: 'INTEGER', about: 'How many rows it has.', privacy: 'none', missing: NEVER, unit: 'count' },
    last_status: {
      type: 'TEXT',
      about: 'How its last read ended.',
      privacy: 'none',
      missing: 'It was never read.',
      isCode: true,
    },
    last_error: {
      type: 'TEXT',
      about: 'What went wrong in its last read.',
      privacy: 'direct',
      missing: 'Nothing did.',
    },
    last_sync_at: {
      type: 'TEXT',
      about: 'When it was last read, by the local clock.',
      privacy: 'none',
      missing: 'It was never read.',
      unit: TIME,
    },
    api_total: {
      type: 'INTEGER',
      about: 'How many records the API counts.',
      privacy: 'none',
      missing: 'The API does not count them, or was not asked.',
      unit: 'count',
    },
    accounted_at: {
      type: 'TEXT',
      about: 'When that was last compared, by the local clock.',
      privacy: 'none',
      missing: 'It was not.',
      unit: TIME,
    },
    quarantined_records: {
      type: 'INTEGER',
      about: 'Records that could not be stored as rows.',
      privacy: 'none',
      missing: NEVER,
      unit: 'count',
    },
    withheld_rows: {
      type: 'INTEGER',
      about: 'Rows withheld from deletion.',
      privacy: 'none',
      missing: NEVER,
      unit: 'count',
    },
    missing_rows: {
      type: 'INTEGER',
      about: 'Rows that one reading no longer found.',
      privacy: 'none',
      missing: NEVER,
      unit: 'count',
    },
    dated_ahead_rows: {
      type: 'INTEGER',
      about: 'Rows dated in the future.',
      privacy: 'none',
      missing: NEVER,
      unit: 'count',
    },
    doubts: {
      type: 'TEXT',
      about: 'What speaks against completeness: a list of kind, text and count.',
      privacy: 'direct',
      missing: 'An earlier version has written it.',
      unit: 'JSON',
    },
  },
} as const satisfies Explained;

export function makeFreshnessView(db: Db, datasets: readonly Dataset[]): void {
  const tables = datasets.map(({ name, table }) => `WHEN '${name}' THEN '${table}'`).join(' ');
  const selected = Object.keys(FRESHNESS.columns).map((column) =>
    column === 'table_name' ? `CASE data ${tables} END AS table_name` : column,
  );
  db.exec(`DROP VIEW IF EXISTS _freshness; CREATE VIEW _freshness AS SELECT ${selected.join(', ')} FROM _streams`);
}
