import { z } from 'zod';
import { differingColumns } from '../datasets/content.ts';
import type { Dataset } from '../datasets/define.ts';
import { denormalise, type Row } from '../datasets/normalise.ts';
import type { Stream } from '../datasets/stream.ts';
import type { JsonObject } from '../shared/json.ts';
import { queryLists, queryValues, type SqlValue, quote } from '../shared/sqlite.ts';
import { formatTime, parseTime } from '../shared/time.ts';
import { countErased } from './erased-records.ts';
import { heldColumns, heldIn } from './held.ts';
import type { Db } from './open.ts';
import { viewName } from './views.ts';

/** A range of the time field, both ends included, in milliseconds since 1970 UTC; an open end is undefined. */
export interface TimeRange {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/**
 * How many records of the stream are held in a time range, those of erased people included, which have no row;
 * undefined where the table does not show its scope.
 */
export function countRows(db: Db, stream: Stream, range: TimeRange = {}): number | undefined {
  const rows = rowsIn(stream, range);
  if (rows === undefined) return undefined;
  const held = queryValues(db, `SELECT count(*) ${rows.sql}`, z.number()).get(...rows.params) ?? 0;
  return held + countErased(db, stream, range);
}

/** The keys of the stream's rows in a time range; undefined where the table does not show its scope. */
export function keysOf(db: Db, stream: Stream, range: TimeRange = {}): string[] | undefined {
  const rows = rowsIn(stream, range);
  return rows && queryValues(db, `SELECT key ${rows.sql}`, z.string()).all(...rows.params);
}

/** The keys of rows that share their id or name with another row: those that end in an ordinal. */
export function keysWithOrdinals(db: Db, stream: Stream): ReadonlySet<string> {
  const rows = rowsIn(stream);
  if (rows === undefined) return new Set();
  return new Set(queryValues(db, `SELECT key ${rows.sql} AND instr(key, '#') > 0`, z.string()).all(...rows.params));
}

/** Which of these keys the stream's rows have; none where the table does not show its scope. */
export function heldAmong(db: Db, stream: Stream, keys: readonly string[]): string[] {
  const rows = keys.length === 0 ? undefined : rowsIn(stream);
  if (rows === undefined) return [];
  const sql = `SELECT key ${rows.sql} AND key IN (SELECT value FROM json_each(?))`;
  return queryValues(db, sql, z.string()).all(...rows.params, JSON.stringify(keys));
}

/** The different times of the stream's rows that have one of these keys, in order, as they are held. */
export function timesOf(db: Db, stream: Stream, keys: readonly string[]): string[] {
  const { timeColumn } = stream.dataset;
  const rows = rowsIn(stream);
  if (rows === undefined || timeColumn === undefined) return [];
  const time = quote(timeColumn);
  const sql = `SELECT DISTINCT ${time} ${rows.sql} AND ${time} IS NOT NULL AND key IN (SELECT value FROM json_each(?)) ORDER BY ${time}`;
  return queryValues(db, sql, z.string()).all(...rows.params, JSON.stringify(keys));
}

/** Whether the stream has rows without a readable time, which an order by time may leave out or put anywhere. */
export function hasTimeless(db: Db, stream: Stream): boolean {
  const { timeColumn } = stream.dataset;
  const rows = rowsIn(stream);
  if (rows === undefined || timeColumn === undefined) return false;
  const time = quote(timeColumn);
  // Times that can be read begin with a digit. These ranges lie in an index, and a pattern does not.
  const sql = `SELECT 1 ${rows.sql} AND (${time} IS NULL OR ${time} < '0' OR ${time} > ':') LIMIT 1`;
  return queryValues(db, sql, z.number()).get(...rows.params) !== undefined;
}

/** The times of the stream's rows that have one of these keys and a time. */
export function heldTimes(db: Db, stream: Stream, keys: readonly string[]): ReadonlyMap<string, number> {
  const { timeColumn } = stream.dataset;
  const rows = keys.length === 0 ? undefined : rowsIn(stream);
  if (rows === undefined || timeColumn === undefined) return new Map();
  const time = quote(timeColumn);
  const sql = `SELECT key, ${time} ${rows.sql} AND ${time} IS NOT NULL AND key IN (SELECT value FROM json_each(?))`;
  const held = queryLists(db, sql).all(...rows.params, JSON.stringify(keys));
  return new Map(held.map(([key, text]) => [String(key), parseTime(String(text)) ?? NaN]));
}

/** The time at a place in the stream's time order, counted from the start of a range; undefined beyond its end. */
export function timeAt(db: Db, stream: Stream, range: TimeRange, place: number): string | undefined {
  const { timeColumn } = stream.dataset;
  const rows = rowsIn(stream, range);
  if (rows === undefined || timeColumn === undefined) return undefined;
  const time = quote(timeColumn);
  const sql = `SELECT ${time} ${rows.sql} ORDER BY ${time} LIMIT 1 OFFSET ?`;
  return queryValues(db, sql, z.string().nullable()).get(...rows.params, place) ?? undefined;
}

/** Every record of a data type as the API sent it, in time order where there is one, with only one in memory. */
export function* records(
  db: Db,
  dataset: Dataset,
  experimentIds: readonly string[] = [],
): Generator<{ experimentId: string; record: JsonObject }> {
  const sql = `SELECT experiment_id, ${heldColumns(dataset)} FROM ${quote(dataset.table)} ${inOrder(dataset, experimentIds)}`;
  for (const [id, ...stored] of queryLists(db, sql).iterate(...experimentIds)) {
    const experimentId = String(id);
    yield { experimentId, record: denormalise(dataset, { experimentId, ...heldIn(stored) }) };
  }
}

/** The names of the columns of a data type's view, then its rows, in the order of `records`. */
export function* viewRows(
  db: Db,
  dataset: Dataset,
  experimentIds: readonly string[],
): Generator<readonly SqlValue[], void, undefined> {
  const view = viewName(dataset);
  yield queryValues(db, 'SELECT name FROM pragma_table_info(?)', z.string()).all(view);
  const sql = `SELECT * FROM ${quote(view)} ${inOrder(dataset, experimentIds)}`;
  yield* queryLists(db, sql).iterate(...experimentIds);
}

/** The names of the columns of a derived table or a view for readers, then its rows, in the order of its first columns. */
export function* tableRows(
  db: Db,
  table: string,
  experimentIds: readonly string[],
): Generator<readonly SqlValue[], void, undefined> {
  yield queryValues(db, 'SELECT name FROM pragma_table_info(?)', z.string()).all(table);
  const where = experimentIds.length === 0 ? '' : `WHERE experiment_id IN (${experimentIds.map(() => '?').join(', ')})`;
  yield* queryLists(db, `SELECT * FROM ${quote(table)} ${where} ORDER BY 1, 2, 3`).iterate(...experimentIds);
}

function inOrder({ timeColumn }: Dataset, experimentIds: readonly string[]): string {
  const where = experimentIds.length === 0 ? '' : `WHERE experiment_id IN (${experimentIds.map(() => '?').join(', ')})`;
  const order = ['experiment_id', ...(timeColumn === undefined ? [] : [quote(timeColumn)]), 'key'];
  return `${where} ORDER BY ${order.join(', ')}`;
}

/** How rows that were just read differ from those in the table. */
export interface Difference {
  /** Keys of those that are not in the table. */
  readonly missing: readonly string[];
  /** Those that differ in the table, each with the columns that differ. */
  readonly changed: readonly { readonly key: string; readonly columns: readonly string[] }[];
}

/** Compares rows with the table's, value by value, and changes nothing. */
export function compareRows(db: Db, stream: Stream, rows: readonly Row[]): Difference {
  const find = heldBy(db, stream, rows);
  const missing: string[] = [];
  const changed: { key: string; columns: string[] }[] = [];
  for (const row of rows) {
    const { key } = row;
    const held = find(key);
    if (held === undefined) missing.push(key);
    else {
      const columns = differingColumns(stream.dataset, row, heldIn(held));
      if (columns.length > 0) changed.push({ key, columns });
    }
  }
  return { missing, changed };
}

/**
 * Finds the held columns of rows by their keys. Rows of one answer lie together in the order of time and are read at
 * once, as each key is on another page of its index.
 */
function heldBy(db: Db, stream: Stream, rows: readonly Row[]): (key: string) => readonly SqlValue[] | undefined {
  const { experimentId, dataset } = stream;
  const sql = `SELECT ${heldColumns(dataset)} FROM ${quote(dataset.table)} WHERE experiment_id = ? AND key = ?`;
  const one = queryLists(db, sql);
  const near = new Map(heldBetween(db, stream, rows).map(([key, ...held]) => [key, held]));
  return (key) => near.get(key) ?? one.get(experimentId, key);
}

/**
 * The keys and held columns of the stream's rows from the first to the last time of these; none if they are more than
 * twice as many, as with the rows of one room among those of others.
 */
function heldBetween(db: Db, stream: Stream, rows: readonly Row[]): (readonly SqlValue[])[] {
  const times = rows.map(({ time }) => time).filter((time) => time !== undefined);
  if (times.length === 0) return [];
  const range = { from: times.reduce((a, b) => Math.min(a, b)), to: times.reduce((a, b) => Math.max(a, b)) };
  const between = rowsIn(stream, range);
  if (between === undefined) return [];
  const { sql, params } = between;
  const count = queryValues(db, `SELECT count(*) FROM (SELECT 1 ${sql} LIMIT ?)`, z.number());
  const most = 2 * rows.length;
  if ((count.get(...params, most + 1) ?? 0) > most) return [];
  return queryLists(db, `SELECT key, ${heldColumns(stream.dataset)} ${sql}`).all(...params);
}

/** A part of a query, with its parameters. */
interface Part {
  readonly sql: string;
  readonly params: readonly SqlValue[];
}

/**
 * Selects a stream's rows in a time range, for a query `SELECT … FROM … WHERE …`; undefined where the table does not
 * show which rows the API would return for that scope.
 */
export function rowsIn(stream: Stream, { from, to }: TimeRange = {}): Part | undefined {
  const { table, timeColumn } = stream.dataset;
  const time = timeColumn === undefined ? undefined : quote(timeColumn);
  const bound = (how: string, ms: number | undefined): Part[] =>
    time === undefined || ms === undefined ? [] : [{ sql: `${time} ${how} ?`, params: [formatTime(ms)] }];
  const parts = [inScope(stream), ...filters(stream), ...bound('>=', from), ...bound('<=', to)];
  const known = parts.filter((part) => part !== undefined);
  if (known.length < parts.length) return undefined;
  return {
    sql: `FROM ${quote(table)} WHERE ${known.map(({ sql }) => sql).join(' AND ')}`,
    params: known.flatMap(({ params }) => params),
  };
}

function filters({ dataset, filter = {} }: Stream): (Part | undefined)[] {
  return Object.entries(filter).map(([field, value]) => {
    const column = dataset.columns.find((candidate) => candidate.field === field);
    return column && { sql: `${quote(column.name)} = ?`, params: [typeof value === 'boolean' ? Number(value) : value] };
  });
}

/** Of what names no deployment itself; before the matching it has no room either. */
const IN_ITS_ROOMS =
  'room_id IN (SELECT id FROM deployment_sessions s WHERE s.experiment_id = ? AND s.deployment_id = ?)';

function inScope({ experimentId, dataset, scope }: Stream): Part | undefined {
  const has = (name: string) => dataset.columns.some((column) => column.name === name);
  const of = (sql: string, ...params: string[]) => ({
    sql: `experiment_id = ? AND ${sql}`,
    params: [experimentId, ...params],
  });
  switch (scope.kind) {
    case 'experiment':
      return { sql: 'experiment_id = ?', params: [experimentId] };
    case 'room':
      return has('room_id') ? of('room_id = ?', scope.id) : undefined;
    case 'participant':
      return has('room_id') && has('participant_id')
        ? of('participant_id = ? AND room_id = ?', scope.id, scope.room)
        : undefined;
    case 'deployment':
      if (has('deployment_id') && has('room_id'))
        return of(`(deployment_id = ? OR ${IN_ITS_ROOMS})`, scope.id, experimentId, scope.id);
      if (!dataset.scopes.includes('experiment')) return of('deployment_id = ?', scope.id);
      return has('room_id') ? of(IN_ITS_ROOMS, experimentId, scope.id) : undefined;
  }
}
