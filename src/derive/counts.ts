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
export const COUNTS_SQL = `CREATE TABLE _people_counts (
  experiment_id TEXT NOT NULL, participant_id TEXT NOT NULL, room_id TEXT NOT NULL, data TEXT NOT NULL,
  rows INTEGER NOT NULL, PRIMARY KEY (experiment_id, participant_id, room_id, data)) STRICT, WITHOUT ROWID`;

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
  return COUNTED.reduce((sum, dataset) => sum + countTable(db, dataset), 0);
}

function countTable(db: Database, dataset: Dataset): number {
  const { room = '', participant = '' } = whose(dataset);
  const counted = `SELECT experiment_id, ${participant} AS participant_id, ifnull(${room}, '') AS room_id, count(*) AS rows
    FROM ${dataset.table} WHERE ${participant} IS NOT NULL GROUP BY 1, 2, 3`;
  const add = command(
    db,
    `INSERT INTO _people_counts (experiment_id, participant_id, room_id, data, rows)
     SELECT experiment_id, participant_id, room_id, @data, rows FROM (${counted}) WHERE 1
     ON CONFLICT DO UPDATE SET rows = excluded.rows WHERE rows <> excluded.rows`,
  );
  const drop = command(
    db,
    `DELETE FROM _people_counts WHERE data = @data AND (experiment_id, participant_id, room_id) NOT IN
     (SELECT experiment_id, participant_id, room_id FROM (${counted}))`,
  );
  return add({ data: dataset.name }) + drop({ data: dataset.name });
}

const Count = z.object({ room_id: z.string(), data: z.string(), rows: z.number() });

/** What is counted of a person, in each room and outside of rooms. */
export function countsOf(db: Database, experiment: string, participant: string | null) {
  const sql = 'SELECT room_id, data, rows FROM _people_counts WHERE experiment_id = ? AND participant_id = ?';
  return queryRows(db, sql, Count)
    .all(experiment, participant)
    .map(({ room_id, ...count }) => ({ room_id: room_id === '' ? null : room_id, ...count }));
}
