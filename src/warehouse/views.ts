import type { Dataset } from '../datasets/define.ts';
import type { Db } from './open.ts';
import { quote } from './upsert.ts';

/** More columns than this SQLite's default limit of 2000 would not take, and nobody reads. */
const MOST_KEYS = 300;

/** Keys that make a column name; others stay in the JSON only. */
const PLAIN_KEY = /^[\p{L}\p{N} _.:/@$'-]{1,100}$/u;

/**
 * Notes the keys seen in the JSON columns of rows written since `since` (ISO 8601) and remakes the view of each table
 * whose keys are new: `events_all` is `events` with a column for each key in `extra` and one level into each nested
 * object, as in `response_value`.
 */
export function refreshViews(db: Db, datasets: readonly Dataset[], since: string): void {
  for (const dataset of datasets) {
    const found = noteKeys(db, dataset, since);
    const exists = db.prepare('SELECT 1 FROM sqlite_schema WHERE type = ? AND name = ?').get('view', viewName(dataset));
    if (found || exists === undefined) makeView(db, dataset);
  }
}

export function viewName({ table }: Dataset): string {
  return `${table}_all`;
}

/** The view over `_streams` that readers ask whether data are fresh and complete. */
export function makeFreshnessView(db: Db): void {
  db.exec(`
    DROP VIEW IF EXISTS _freshness;
    CREATE VIEW _freshness AS
    SELECT experiment_id, data, scope, complete, reason, data_as_of, verified_at, watermark, rows,
           last_status, last_error, last_sync_at
    FROM _streams`);
}

function noteKeys(db: Db, { table, columns }: Dataset, since: string): boolean {
  const jsonColumns = ['extra', ...columns.filter(({ spec }) => spec.kind === 'json').map(({ name }) => name)];
  const notes = jsonColumns.map((column) =>
    db
      .prepare(
        `INSERT INTO _seen_keys (table_name, column_name, key)
         SELECT DISTINCT '${table}', '${column}', j.key FROM ${quote(table)} t, json_each(t.${quote(column)}) j
         WHERE t.synced_at >= ? AND t.${quote(column)} LIKE '{%' AND j.key <> '$absent'
         ON CONFLICT DO NOTHING`,
      )
      .run(since),
  );
  return notes.some(({ changes }) => changes > 0);
}

function makeView(db: Db, dataset: Dataset): void {
  const { table, columns } = dataset;
  const keys = db
    .prepare<[string, number], { column_name: string; key: string }>(
      'SELECT column_name, key FROM _seen_keys WHERE table_name = ? ORDER BY column_name, key LIMIT ?',
    )
    .all(table, MOST_KEYS);
  const fieldNames = new Map(columns.map(({ field, name }) => [field, name]));
  const misfits = new Set(keys.filter(({ column_name }) => column_name === 'extra').map(({ key }) => key));
  const taken = new Set<string>([
    'experiment_id',
    'key',
    'extra',
    'first_seen_at',
    'synced_at',
    ...fieldNames.values(),
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
  const selected = ['experiment_id', 'key', ...own, ...added, 'first_seen_at', 'synced_at'];
  db.exec(`
    DROP VIEW IF EXISTS ${quote(viewName(dataset))};
    CREATE VIEW ${quote(viewName(dataset))} AS SELECT ${selected.join(', ')} FROM ${quote(table)}`);
}

/** SQLite compares column names without regard to case. */
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
