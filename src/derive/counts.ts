import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import type { Dataset } from '../datasets/define.ts';
import { DATASETS } from '../datasets/registry.ts';
import { command, queryRows } from '../shared/sqlite.ts';
import { whose, type Place } from './whose.ts';

/** The data types whose rows are counted for each person. */
export const COUNTED: readonly Dataset[] = DATASETS.filter((dataset) => {
  const { room, participant } = whose(dataset);
  return room !== undefined && participant !== undefined && dataset.name !== 'participants';
});

/**
 * How many rows of each data type each person has in each room; `room_id` is empty where there is none. What a
 * transaction inserts and deletes is added to it, as counting a room's ratings again at each page would cost more than
 * writing them.
 */
export const COUNTS_SQL = countsTable('_people_counts');

function countsTable(name: string): string {
  return `CREATE TABLE ${name} (
  experiment_id TEXT NOT NULL, participant_id TEXT NOT NULL, room_id TEXT NOT NULL, data TEXT NOT NULL,
  rows INTEGER NOT NULL, PRIMARY KEY (experiment_id, participant_id, room_id, data)) STRICT, WITHOUT ROWID`;
}

/** Adds rows of a data type to what is counted of a person in a room; returns how many counts that changes. */
export function addToCount(db: Database, data: string, { experiment, room, participant }: Place, rows: number): number {
  if (participant === null || rows === 0) return 0;
  const key = [experiment, participant, room ?? '', data];
  const add = `INSERT INTO _people_counts (experiment_id, participant_id, room_id, data, rows) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET rows = rows + excluded.rows`;
  const drop = `DELETE FROM _people_counts WHERE experiment_id = ? AND participant_id = ? AND room_id = ? AND data = ? AND rows = 0`;
  command(db, add)(...key, rows);
  if (rows < 0) command(db, drop)(...key);
  return 1;
}

/** Counts everything again; returns how many counts that changes. */
export function countAgain(db: Database): number {
  db.exec(countsTable('temp.counted_again'));
  try {
    for (const dataset of COUNTED) count(db, dataset);
    const write = `INSERT INTO _people_counts SELECT * FROM temp.counted_again WHERE 1
      ON CONFLICT DO UPDATE SET rows = excluded.rows WHERE rows <> excluded.rows`;
    const drop = `DELETE FROM _people_counts WHERE (experiment_id, participant_id, room_id, data) NOT IN
      (SELECT experiment_id, participant_id, room_id, data FROM temp.counted_again)`;
    return command(db, write)() + command(db, drop)();
  } finally {
    db.exec('DROP TABLE IF EXISTS temp.counted_again');
  }
}

/**
 * Counts the rows of a table as they lie in the file: an index would find them in another order, each on another page,
 * and grouping them would sort all of them in memory.
 */
function count(db: Database, dataset: Dataset): void {
  const { name, table } = dataset;
  const { room = '', participant = '' } = whose(dataset);
  const sql = `INSERT INTO temp.counted_again
    SELECT experiment_id, ${participant}, ifnull(${room}, ''), @name, 1 FROM ${table} NOT INDEXED WHERE ${participant} IS NOT NULL
    ON CONFLICT DO UPDATE SET rows = rows + 1`;
  command(db, sql)({ name });
}

const Count = z.object({ room_id: z.string(), data: z.string(), rows: z.number() });

/** What is counted of a person, in each room and outside of rooms. */
export function countsOf(db: Database, experiment: string, participant: string | null) {
  const sql = 'SELECT room_id, data, rows FROM _people_counts WHERE experiment_id = ? AND participant_id = ?';
  return queryRows(db, sql, Count)
    .all(experiment, participant)
    .map(({ room_id, ...count }) => ({ room_id: room_id === '' ? null : room_id, ...count }));
}
