import { z } from 'zod';
import { contentOf } from '../datasets/content.ts';
import { snakeCase, type Dataset } from '../datasets/define.ts';
import { keyOf, withoutOrdinal } from '../datasets/keys.ts';
import { encodePart } from '../datasets/mixed.ts';
import { denormalise } from '../datasets/normalise.ts';
import { DATASETS } from '../datasets/registry.ts';
import { timeOf } from '../datasets/values.ts';
import { command, queryLists, queryRows, queryValues, type SqlValue, quote } from '../shared/sqlite.ts';
import type { Db } from './open.ts';
import { heldColumns, heldIn, type Held } from './held.ts';
import { recall, remember } from './state.ts';

/**
 * Raise it when `datasets/keys.ts` makes different keys, or a data type's identity changes: every key is then made
 * again.
 */
const VERSION = 3;
const NAME = 'keys';
const Note = z.object({ version: z.number(), tables: z.array(z.string()) });

/** Rows that are in memory at a time. */
const CHUNK = 2000;

/** KiB, negative as SQLite expects: twice as fast as with its 2 MB, since keys are written all over their index. */
const CACHE = -65_536;

/**
 * Gives rows of an earlier version the keys that `keyOf` makes, once: each table in one transaction, which also notes
 * that it is done, so that it continues there after a kill. Call it before history is kept, as no record changes. A
 * million rows take 9 s where no key changes and half a minute where all do, with memory that does not grow with them.
 */
export function rekey(db: Db, now: number, datasets: readonly Dataset[] = DATASETS): void {
  const done = tablesDone(db);
  const ahead = datasets.filter(({ table }) => !done.has(table));
  if (ahead.length === 0) return;
  const note = () => {
    remember(db, NAME, JSON.stringify({ version: VERSION, tables: [...done] }), now);
  };
  const cacheSize = Number(db.pragma('cache_size', { simple: true }));
  db.pragma(`cache_size = ${CACHE}`);
  try {
    for (const dataset of ahead) {
      done.add(dataset.table);
      if (!hasRows(db, dataset)) continue;
      db.transaction(() => {
        rekeyTable(db, dataset);
        note();
      }).immediate();
    }
    note();
  } finally {
    db.pragma(`cache_size = ${cacheSize}`);
  }
}

function tablesDone(db: Db): Set<string> {
  const note = Note.safeParse(JSON.parse(recall(db, NAME) ?? 'null')).data;
  return new Set(note?.version === VERSION ? note.tables : []);
}

function hasRows(db: Db, { table }: Dataset): boolean {
  const sql = `SELECT EXISTS (SELECT 1 FROM ${quote(table)}) OR EXISTS (SELECT 1 FROM _history WHERE table_name = ?)`;
  return queryValues(db, sql, z.number()).get(table) === 1;
}

/** Gives the rows of one data type, and its history, the keys that `keyOf` makes, in a transaction of the caller's. */
export function rekeyTable(db: Db, dataset: Dataset): void {
  // On disk, so that memory does not grow with the rows. `base` is the new key without its ordinal.
  db.exec(`CREATE TEMP TABLE rekeyed (row INTEGER PRIMARY KEY, experiment TEXT NOT NULL, old TEXT NOT NULL,
    base TEXT NOT NULL, time INTEGER, content TEXT NOT NULL, key TEXT)`);
  noteRows(db, dataset);
  giveOrdinals(db);
  writeKeys(db, dataset);
  rekeyHistory(db, dataset);
  db.exec('DROP TABLE temp.rekeyed');
}

/** Collects the rows whose key has to change, and those whose key they would share. */
function noteRows(db: Db, dataset: Dataset): void {
  const insert = command(
    db,
    'INSERT INTO temp.rekeyed (row, experiment, old, base, time, content) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const note = ({ row, experiment, old, base, time, content }: ReturnType<typeof readStored>) =>
    insert(row, experiment, old, base, time, content());
  const table = quote(dataset.table);
  const select = `SELECT rowid, experiment_id, key, ${heldColumns(dataset)} FROM ${table} WHERE rowid`;
  const next = queryLists(db, `${select} > ? ORDER BY rowid LIMIT ?`);
  for (let chunk = next.all(0, CHUNK); chunk.length > 0; chunk = next.all(Number(chunk.at(-1)?.[0]), CHUNK)) {
    for (const stored of chunk) {
      const row = readStored(dataset, stored);
      if (row.base !== row.old) note(row);
    }
  }
  const shared = `SELECT DISTINCT t.rowid FROM temp.rekeyed r JOIN ${table} t ON t.experiment_id = r.experiment AND t.key = r.base
    WHERE t.rowid NOT IN (SELECT row FROM temp.rekeyed)`;
  const find = queryLists(db, `${select} = ?`);
  for (const rowid of queryValues(db, shared, z.number()).all()) note(readStored(dataset, find.get(rowid) ?? []));
}

/** A stored row as `rowid, experiment_id, key, …values, extra`, with the key that it should have. */
function readStored(dataset: Dataset, stored: readonly SqlValue[]) {
  const [row, experiment, old, ...rest] = stored;
  const held = heldIn(rest);
  return {
    row: Number(row),
    experiment: String(experiment),
    old: String(old),
    ...keyed(dataset, String(experiment), held),
    content: () => contentOf({ dataset, ...held }),
  };
}

/** The key of a stored record, without an ordinal, and its time. */
function keyed(dataset: Dataset, experimentId: string, held: Held): { base: string; time: number | null } {
  const record = denormalise(dataset, { experimentId, ...held });
  const valueOf = (name: string) => held.values[dataset.columns.findIndex(({ field }) => field === name)];
  const [room, deployment] = [valueOf('roomId'), valueOf('deploymentId')];
  const { key } = keyOf(dataset, record, {
    // The room of the request is in its column.
    ...(typeof room === 'string' ? { fill: { roomId: room } } : {}),
    ...(dataset.read === 'single' ? { key: typeof deployment === 'string' ? deployment : experimentId } : {}),
  });
  const time = dataset.timeField === undefined ? undefined : timeOf(record[dataset.timeField]);
  return { base: key, time: time ?? null };
}

/** In the order in which a reading numbers them: see `numbered` in `read/ordinals.ts`. */
function giveOrdinals(db: Db): void {
  db.exec(`
    UPDATE temp.rekeyed SET key = base || CASE WHEN n = 1 THEN '' ELSE '#' || n END FROM (
      SELECT row AS counted, row_number() OVER (PARTITION BY experiment, base ORDER BY time, content, row) AS n
      FROM temp.rekeyed
    ) WHERE counted = row;
    DELETE FROM temp.rekeyed WHERE key = old;
    CREATE INDEX temp.rekeyed_by_old ON rekeyed (experiment, old)`);
}

/** A key that another row still has is freed first, by giving that row a key that no record can have. */
function writeKeys(db: Db, { table }: Dataset): void {
  db.exec(`
    UPDATE ${quote(table)} SET key = '#' || rowid WHERE rowid IN (
      SELECT o.row FROM temp.rekeyed r JOIN temp.rekeyed o ON o.experiment = r.experiment AND o.old = r.key
    );
    UPDATE ${quote(table)} SET key = (SELECT r.key FROM temp.rekeyed r WHERE r.row = ${quote(table)}.rowid)
    WHERE rowid IN (SELECT row FROM temp.rekeyed)`);
}

/** Earlier versions get the key of their row; those of deleted rows get the key that their record has now. */
function rekeyHistory(db: Db, dataset: Dataset): void {
  const next = queryRows(
    db,
    'SELECT id, experiment_id, key, record FROM _history NOT INDEXED WHERE id > ? AND table_name = ? ORDER BY id LIMIT ?',
    z.object({ id: z.number(), experiment_id: z.string(), key: z.string(), record: z.string() }),
  );
  const follow = queryValues(db, 'SELECT key FROM temp.rekeyed WHERE experiment = ? AND old = ?', z.string());
  const held = `SELECT 1 FROM ${quote(dataset.table)} WHERE experiment_id = ? AND key = ?`;
  const isHeld = queryValues(db, held, z.number());
  const write = command(db, 'UPDATE _history SET key = ? WHERE id = ?');
  const read = (after: number) => next.all(after, dataset.table, CHUNK);
  for (let chunk = read(0); chunk.length > 0; chunk = read(chunk.at(-1)?.id ?? 0)) {
    for (const { id, experiment_id, key, record } of chunk) {
      const followed = follow.get(experiment_id, key);
      if (followed === undefined && isHeld.get(experiment_id, key) !== undefined) continue;
      const made = followed ?? keyed(dataset, experiment_id, heldOf(dataset, record)).base;
      const isSame = made === (followed === undefined ? withoutOrdinal(key) : key);
      if (!isSame) write(made, id);
    }
  }
}

const Former = z.record(z.string(), z.union([z.string(), z.number(), z.null()]));

/**
 * The row of a record in `_history`; columns that did not exist then are empty, but for those of a value that had one
 * column for all types.
 */
function heldOf({ columns }: Dataset, record: string): Held {
  const former = Former.parse(JSON.parse(record));
  const values = columns.map(({ field, name, part }) => {
    return former[name] ?? (part === undefined ? null : encodePart(part, former[snakeCase(field)] ?? null));
  });
  return heldIn([...values, former['extra'] ?? null, former['null_fields'] ?? null]);
}
