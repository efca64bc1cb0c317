import type { Dataset } from '../datasets/define.ts';
import { code, count, flag, json, text, time, type Explained } from '../derive/columns.ts';
import type { Db } from './open.ts';

const UNREAD = 'It was never read to its end.';

/** The view of `_streams` that shows readers whether data are fresh and complete. */
export const FRESHNESS = {
  name: '_freshness',
  about: 'Whether the data are complete, and how fresh they are.',
  row: 'a stream: a data type of an experiment, or of a room, participant or deployment of it',
  columns: {
    experiment_id: text('The experiment.', { privacy: 'none' }),
    data: code("The data type, by the API's name."),
    table_name: code('Its table.'),
    scope: text('The part of the experiment: experiment, room:ID, participant:ID@ROOM or deployment:ID.', {
      privacy: 'direct',
    }),
    complete: flag('Whether the table has all that the API had at `data_as_of`, as far as is known.'),
    reason: text('Why it is not complete.', { privacy: 'direct', missing: 'It is complete.' }),
    finished: flag('Whether the room is over and was read since, so that no newer data are expected.'),
    data_as_of: time('When the last successful read began, by the local clock.', { privacy: 'none', missing: UNREAD }),
    verified_at: time('When all of it was last read and compared, by the local clock.', {
      privacy: 'none',
      missing: 'It was not.',
    }),
    watermark: time('Everything up to this server time has been read.', {
      privacy: 'none',
      missing: 'It is listed whole each time, or was never read.',
    }),
    rows: count('How many rows it has.'),
    last_status: code('How its last read ended.', { missing: 'It was never read.' }),
    last_error: text('What went wrong in its last read.', { privacy: 'direct', missing: 'Nothing did.' }),
    last_sync_at: time('When it was last read, by the local clock.', {
      privacy: 'none',
      missing: 'It was never read.',
    }),
    api_total: count('How many records the API counts.', { missing: 'The API does not count them, or was not asked.' }),
    accounted_at: time('When that was last compared, by the local clock.', { privacy: 'none', missing: 'It was not.' }),
    quarantined_records: count('Records that could not be stored as rows.'),
    withheld_rows: count('Rows withheld from deletion.'),
    missing_rows: count('Rows that one reading no longer found.'),
    dated_ahead_rows: count('Rows dated in the future.'),
    doubts: json('What speaks against completeness: a list of kind, text and count.', {
      privacy: 'direct',
      missing: 'An earlier version has written it.',
    }),
  },
} as const satisfies Explained;

export function makeFreshnessView(db: Db, datasets: readonly Dataset[]): void {
  const tables = datasets.map(({ name, table }) => `WHEN '${name}' THEN '${table}'`).join(' ');
  const selected = Object.keys(FRESHNESS.columns).map((column) =>
    column === 'table_name' ? `CASE data ${tables} END AS table_name` : column,
  );
  db.exec(`DROP VIEW IF EXISTS _freshness; CREATE VIEW _freshness AS SELECT ${selected.join(', ')} FROM _streams`);
}
