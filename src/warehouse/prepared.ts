import type { Statement } from 'better-sqlite3';
import type { Db } from './open.ts';

type AnyStatement = Statement;

const caches = new WeakMap<Db, Map<string, AnyStatement>>();

/**
 * The statement for an SQL text, made once for each connection, as preparing costs more than running most of them.
 * @param form `values` gives the first column of each row, `rows` objects.
 */
export function prepared<Row>(db: Db, form: 'values' | 'rows', sql: string): Statement<unknown[], Row> {
  const cache = caches.get(db) ?? new Map<string, AnyStatement>();
  caches.set(db, cache);
  const name = `${form} ${sql}`;
  let statement = cache.get(name);
  if (statement === undefined) {
    statement = db.prepare(sql);
    if (form === 'values') statement.pluck();
    cache.set(name, statement);
  }
  return statement as Statement<unknown[], Row>;
}
