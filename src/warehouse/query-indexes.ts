import { z } from 'zod';
import { queryIndexesOf, type Dataset } from '../datasets/define.ts';
import { queryValues, quote } from '../shared/sqlite.ts';
import { sortOnDisk, type Db } from './open.ts';

/** Rows of an index that ANALYZE looks at: enough to choose between indexes, and 0.01 s however large the table is. */
const ANALYSIS_LIMIT = 400;

/**
 * Builds the query indexes that are missing, or drops them where they are not wanted, and brings the query planner's
 * statistics up to date. The index of a table that is being read for the first time waits until that is done.
 */
export function tendQueryIndexes(db: Db, datasets: readonly Dataset[], isWanted: boolean): void {
  const find = queryValues(db, "SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = ?", z.number());
  for (const dataset of datasets) {
    for (const { name, columns } of queryIndexesOf(dataset)) {
      const isThere = find.get(name) !== undefined;
      if (!isWanted && isThere) db.exec(`DROP INDEX ${quote(name)}`);
      if (isWanted && !isThere && isRead(db, dataset)) {
        const sql = `CREATE INDEX ${quote(name)} ON ${quote(dataset.table)} (${columns.map(quote).join(', ')})`;
        sortOnDisk(db, (other) => other.exec(sql));
      }
    }
  }
  db.pragma(`analysis_limit = ${ANALYSIS_LIMIT}`);
  // Also tables that this connection has not queried, such as those that only readers query.
  db.pragma('main.optimize = 0x10002');
}

/** Whether a stream of the data type has been read to its end, and none is in the middle of its first read. */
function isRead(db: Db, { name }: Dataset): boolean {
  const sql = 'SELECT min(backfilled) FROM _streams WHERE data = ? AND rows > 0';
  return queryValues(db, sql, z.number().nullable()).get(name) === 1;
}
