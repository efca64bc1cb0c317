import { z } from 'zod';
import type { Stream } from '../datasets/stream.ts';
import { command, queryValues, quote } from '../shared/sqlite.ts';
import { SCRATCH, type Db } from './open.ts';
import { rowsIn, type TimeRange } from './records.ts';

/** The keys that one full read of a range has seen, on the disk where they are many, so that memory does not grow with them. */
export interface Seen {
  add(keys: readonly string[]): void;
  /** Adds what another read has seen. */
  addAll(other: Seen): void;
  has(key: string): boolean;
  /** Whether it has one of these keys, which is asked once for a page rather than for each of its rows. */
  hasAny(keys: readonly string[]): boolean;
  /** The number of different keys. */
  count(): number;
  /** Keys of the stream's rows in the range that were not seen; undefined where the table does not show its scope. */
  missing(stream: Stream, range: TimeRange): string[] | undefined;
  /** How many of them are held as rows of the stream; 0 where the table does not show its scope. */
  countIn(stream: Stream): number;
  /** How many of them are held, but not as rows of the stream's scope. */
  countElsewhere(stream: Stream): number;
  /** Writes all of them to the scratch table, and returns the number of the read under which they are there. */
  stored(): number;
  drop(): void;
}

let reads = 0;

/** So many keys wait in memory, and are written in order, so that each page of the table is written once for many. */
const BATCH = 50_000;

export function createSeen(db: Db, batch = BATCH): Seen {
  db.exec(`CREATE TABLE IF NOT EXISTS ${SCRATCH}.seen (read INTEGER, key TEXT, PRIMARY KEY (read, key)) WITHOUT ROWID`);
  const id = ++reads;
  // One statement for all of them takes half the time of one for each.
  const insert = command(
    db,
    `INSERT OR IGNORE INTO ${SCRATCH}.seen (read, key) SELECT ?, value FROM json_each(?) ORDER BY value`,
  );
  const copy = command(
    db,
    `INSERT OR IGNORE INTO ${SCRATCH}.seen (read, key) SELECT ?, key FROM ${SCRATCH}.seen WHERE read = ?`,
  );
  const drop = command(db, `DELETE FROM ${SCRATCH}.seen WHERE read = ?`);
  const count = queryValues(db, `SELECT count(*) FROM ${SCRATCH}.seen WHERE read = ?`, z.number());
  const find = queryValues(db, `SELECT 1 FROM ${SCRATCH}.seen WHERE read = ? AND key = ?`, z.number());
  const findAny = queryValues(
    db,
    `SELECT 1 FROM json_each(?) k CROSS JOIN ${SCRATCH}.seen s WHERE s.read = ? AND s.key = k.value LIMIT 1`,
    z.number(),
  );
  const waiting = new Set<string>();
  const write = () => {
    insert(id, JSON.stringify([...waiting]));
    waiting.clear();
  };
  const stored = () => {
    if (waiting.size > 0) write();
    return id;
  };
  return {
    stored,
    add(keys) {
      for (const key of keys) waiting.add(key);
      if (waiting.size >= batch) write();
    },
    addAll: (other) => void copy(id, other.stored()),
    has: (key) => waiting.has(key) || find.get(id, key) !== undefined,
    hasAny: (keys) => keys.some((key) => waiting.has(key)) || findAny.get(JSON.stringify(keys), id) !== undefined,
    count: () => count.get(stored()) ?? 0,
    missing(stream, range) {
      const held = rowsIn(stream, range);
      if (held === undefined) return undefined;
      const key = `${quote(stream.dataset.table)}.key`;
      const sql = `SELECT key ${held.sql} AND NOT EXISTS (SELECT 1 FROM ${SCRATCH}.seen s WHERE s.read = ? AND s.key = ${key})`;
      return queryValues(db, sql, z.string()).all(...held.params, stored());
    },
    countIn(stream) {
      const held = rowsIn(stream);
      if (held === undefined) return 0;
      const sql = `SELECT count(*) ${held.sql} AND key IN (SELECT s.key FROM ${SCRATCH}.seen s WHERE s.read = ?)`;
      return queryValues(db, sql, z.number()).get(...held.params, stored()) ?? 0;
    },
    countElsewhere({ experimentId, dataset, scope }) {
      const own = rowsIn({ experimentId, dataset, scope });
      if (own === undefined || scope.kind === 'experiment') return 0;
      const sql = `SELECT count(*) FROM ${SCRATCH}.seen s JOIN ${quote(dataset.table)} t ON t.experiment_id = ? AND t.key = s.key
        WHERE s.read = ? AND NOT EXISTS (SELECT 1 ${own.sql} AND ${quote(dataset.table)}.key = s.key)`;
      return queryValues(db, sql, z.number()).get(experimentId, stored(), ...own.params) ?? 0;
    },
    drop() {
      waiting.clear();
      drop(id);
    },
  };
}
