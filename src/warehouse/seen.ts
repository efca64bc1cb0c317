import type { Stream } from '../datasets/stream.ts';
import type { SqlValue } from '../datasets/values.ts';
import type { Db } from './open.ts';
import type { TimeRange } from './rows.ts';
import { selectRows } from './rows.ts';

/** The keys that one full read of a range has met, on disk so that memory does not grow with the rows. */
export interface Seen {
  add(keys: readonly string[]): void;
  /** Adds what another read has met. */
  addAll(other: Seen): void;
  has(key: string): boolean;
  /** How many different keys. */
  count(): number;
  /** Keys of the stream's rows in the range that were not met; undefined where the table cannot tell its scope. */
  missing(stream: Stream, range: TimeRange): string[] | undefined;
  readonly id: number;
  drop(): void;
}

let reads = 0;

export function createSeen(db: Db): Seen {
  db.exec('CREATE TEMP TABLE IF NOT EXISTS seen (read INTEGER, key TEXT, PRIMARY KEY (read, key)) WITHOUT ROWID');
  const id = ++reads;
  const insert = db.prepare('INSERT OR IGNORE INTO temp.seen (read, key) VALUES (?, ?)');
  const count = db.prepare<[number], number>('SELECT count(*) FROM temp.seen WHERE read = ?').pluck();
  const find = db.prepare<[number, string], number>('SELECT 1 FROM temp.seen WHERE read = ? AND key = ?').pluck();
  const addKeys = db.transaction((keys: readonly string[]) => {
    for (const key of keys) insert.run(id, key);
  });
  return {
    id,
    add: (keys) => addKeys(keys),
    addAll: (other) =>
      void db
        .prepare('INSERT OR IGNORE INTO temp.seen (read, key) SELECT ?, key FROM temp.seen WHERE read = ?')
        .run(id, other.id),
    has: (key) => find.get(id, key) !== undefined,
    count: () => count.get(id) ?? 0,
    missing(stream, range) {
      const local = selectRows(stream, 'key', range);
      if (local === undefined) return undefined;
      return db
        .prepare<SqlValue[], string>(
          `${local.sql} AND NOT EXISTS (SELECT 1 FROM temp.seen s WHERE s.read = ? AND s.key = "${stream.dataset.table}".key)`,
        )
        .pluck()
        .all(...local.params, id);
    },
    drop: () => void db.prepare('DELETE FROM temp.seen WHERE read = ?').run(id),
  };
}
