import { z } from 'zod';
import type { Dataset } from '../datasets/define.ts';
import type { Row } from '../datasets/normalise.ts';
import { command, queryRows, queryValues, quote } from '../shared/sqlite.ts';
import type { Db } from './open.ts';

/** SQLite's default limit of 2000 would not allow more columns than this, and no one would read them. */
const MOST_KEYS = 300;

/** Keys that can be column names; others stay in the JSON only. */
const PLAIN_KEY = /^[\p{L}\p{N} _.:/@$'-]{1,100}$/u;

/**
 * Creates the view of each table again if it does not exist or its keys have grown: `events_all` is `events` with a
 * column for each key in `extra` and one level into each nested object, as in `response_value`.
 */
export function refreshViews(db: Db, datasets: readonly Dataset[]): void {
  const find = queryValues(db, "SELECT sql FROM sqlite_schema WHERE type = 'view' AND name = ?", z.string());
  for (const dataset of datasets) {
    const view = viewOf(db, dataset);
    if (find.get(viewName(dataset)) === view) continue;
    db.exec(`DROP VIEW IF EXISTS ${quote(viewName(dataset))}; ${view}`);
  }
}

export function viewName({ table }: Dataset): string {
  return `${table}_all`;
}

/** The view of `_streams` that shows readers whether data are fresh and complete. */
export function makeFreshnessView(db: Db, datasets: readonly Dataset[]): void {
  const tables = datasets.map(({ name, table }) => `WHEN '${name}' THEN '${table}'`).join(' ');
  db.exec(`
    DROP VIEW IF EXISTS _freshness;
    CREATE VIEW _freshness AS
    SELECT experiment_id, data, CASE data ${tables} END AS table_name, scope, complete, reason, finished, data_as_of, verified_at, watermark, rows,
           last_status, last_error, last_sync_at,
           api_total, accounted_at, quarantined_records, withheld_rows, missing_rows, dated_ahead_rows, doubts
    FROM _streams`);
}

/**
 * Records the keys in the JSON columns of rows just written, in the rows' own transaction, so that none is forgotten.
 */
export function noteKeys(db: Db, { table, columns }: Dataset, experimentId: string, rows: readonly Row[]): void {
  const places = columns.flatMap(({ name, spec }, i) => (spec.kind === 'json' ? [{ name, i }] : []));
  for (const { name, i } of [...places, { name: 'extra', i: -1 }]) {
    const isFilled = (row: Row) => (i === -1 ? row.extra : row.values[i]) !== null;
    const keys = rows.filter(isFilled).map(({ key }) => key);
    if (keys.length === 0) continue;
    const sql = `INSERT INTO _seen_keys (table_name, column_name, key)
      SELECT DISTINCT '${table}', '${name}', j.key
      FROM json_each(?) k, ${quote(table)} t, json_each(t.${quote(name)}) j
      WHERE t.experiment_id = ? AND t.key = k.value AND t.${quote(name)} LIKE '{%' AND j.key <> '$absent'
      ON CONFLICT DO NOTHING`;
    command(db, sql)(JSON.stringify(keys), experimentId);
  }
}

/** The statement that creates a table's view. */
function viewOf(db: Db, dataset: Dataset): string {
  const { table, columns } = dataset;
  const sql = 'SELECT column_name, key FROM _seen_keys WHERE table_name = ? ORDER BY column_name, key LIMIT ?';
  const keys = queryRows(db, sql, z.object({ column_name: z.string(), key: z.string() })).all(table, MOST_KEYS);
  const fieldNames = new Map(columns.map(({ field, name }) => [field, name]));
  const misfits = new Set(keys.filter(({ column_name }) => column_name === 'extra').map(({ key }) => key));
  const taken = new Set<string>([
    'experiment_id',
    'key',
    'extra',
    'first_seen_at',
    'synced_at',
    'synced_run',
    ...fieldNames.values(),
    ...dataset.derived.map(({ name }) => name),
  ]);
  const own = columns.map(({ field, name }) =>
    misfits.has(field) ? `coalesce(${quote(name)}, ${extract('extra', field)}) AS ${quote(name)}` : quote(name),
  );
  const added = keys
    .filter(({ column_name, key }) => PLAIN_KEY.test(key) && !(column_name === 'extra' && fieldNames.has(key)))
    .map(({ column_name, key }) => {
      const wanted = column_name === 'extra' ? key : `${column_name}_${key}`;
      return `${extract(column_name, key)} AS ${quote(freeName(wanted, taken))}`;
    });
  const derived = dataset.derived.map(({ name }) => quote(name));
  const selected = ['experiment_id', 'key', ...own, ...derived, ...added, 'first_seen_at', 'synced_at', 'synced_run'];
  return `CREATE VIEW ${quote(viewName(dataset))} AS SELECT ${selected.join(', ')} FROM ${quote(table)}`;
}

/** SQLite ignores case in column names. */
function freeName(wanted: string, taken: Set<string>): string {
  const snake = wanted
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[^\p{L}\p{N}_]+/gu, '_')
    .toLowerCase();
  let name = snake;
  for (let n = 2; taken.has(name); n++) name = `${snake}_${n}`;
  taken.add(name);
  return name;
}

function extract(column: string, key: string): string {
  return `${quote(column)} ->> '$."${key.replaceAll("'", "''")}"'`;
}
