import { denormalise } from '../datasets/normalise.ts';
import type { Dataset } from '../datasets/define.ts';
import type { Stream } from '../datasets/stream.ts';
import type { SqlValue } from '../datasets/values.ts';
import type { JsonObject } from '../shared/json.ts';
import { formatTime } from '../shared/time.ts';
import type { Db } from './open.ts';
import { prepared } from './prepared.ts';
import { rowsOf } from './streams.ts';
import { quote } from './upsert.ts';

/** A range of the time field, both ends included, in milliseconds since 1970 UTC; an open end is undefined. */
export interface TimeRange {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/** How many rows the stream has in a time range; undefined where the table cannot tell its scope. */
export function countRows(db: Db, stream: Stream, range: TimeRange = {}): number | undefined {
  const query = selectRows(stream, 'count(*)', range);
  return query && prepared<number>(db, 'values', query.sql).get(...query.params);
}

/** The keys of the stream's rows in a time range; undefined where the table cannot tell its scope. */
export function keysOf(db: Db, stream: Stream, range: TimeRange = {}): string[] | undefined {
  const query = selectRows(stream, 'key', range);
  return query && prepared<string>(db, 'values', query.sql).all(...query.params);
}

/** The keys of rows that share their id or name with another one: those that end in an ordinal. */
export function keysWithOrdinals(db: Db, stream: Stream): ReadonlySet<string> {
  const query = selectRows(stream, 'key', {});
  if (query === undefined) return new Set();
  return new Set(prepared<string>(db, 'values', `${query.sql} AND instr(key, '#') > 0`).all(...query.params));
}

/** The time at a place in the stream's time order, counted from the start of a range; undefined beyond its end. */
export function timeAt(db: Db, stream: Stream, range: TimeRange, place: number): string | undefined {
  const column = stream.dataset.timeColumn;
  const query = column === undefined ? undefined : selectRows(stream, quote(column), range);
  if (query === undefined || column === undefined) return undefined;
  const sql = `${query.sql} ORDER BY ${quote(column)} LIMIT 1 OFFSET ?`;
  return prepared<string>(db, 'values', sql).get(...query.params, place);
}

/** Every record of a data type as the API sent it, in time order where there is one, without holding more than one. */
export function* records(
  db: Db,
  dataset: Dataset,
  filter: { experimentIds?: readonly string[] } = {},
): Generator<{ experimentId: string; record: JsonObject }> {
  const columns = ['experiment_id', ...dataset.columns.map(({ name }) => quote(name)), 'extra'];
  const ids = filter.experimentIds ?? [];
  const where = ids.length === 0 ? '' : `WHERE experiment_id IN (${ids.map(() => '?').join(', ')})`;
  const order = ['experiment_id', ...(dataset.timeColumn === undefined ? [] : [quote(dataset.timeColumn)]), 'key'];
  const sql = `SELECT ${columns.join(', ')} FROM ${quote(dataset.table)} ${where} ORDER BY ${order.join(', ')}`;
  for (const values of db
    .prepare<string[], SqlValue[]>(sql)
    .raw()
    .iterate(...ids)) {
    const experimentId = String(values[0]);
    const extra = values.at(-1);
    yield {
      experimentId,
      record: denormalise(dataset, {
        experimentId,
        values: values.slice(1, -1),
        extra: typeof extra === 'string' ? extra : null,
      }),
    };
  }
}

/** The query of `what` over a stream's rows in a time range; undefined where the table cannot tell its scope. */
export function selectRows(
  stream: Stream,
  what: string,
  { from, to }: TimeRange,
): { sql: string; params: SqlValue[] } | undefined {
  const rows = rowsOf(stream);
  if (rows === undefined) return undefined;
  const { table, timeColumn } = stream.dataset;
  const bounds =
    timeColumn === undefined
      ? []
      : [
          from === undefined ? [] : [`${quote(timeColumn)} >= ?`],
          to === undefined ? [] : [`${quote(timeColumn)} <= ?`],
        ].flat();
  const times = timeColumn === undefined ? [] : [from, to].filter((ms) => ms !== undefined).map(formatTime);
  return {
    sql: `SELECT ${what} FROM ${quote(table)} WHERE ${[rows.where, ...bounds].join(' AND ')}`,
    params: [...rows.params, ...times],
  };
}
