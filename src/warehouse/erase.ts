import { z } from 'zod';
import type { Dataset } from '../datasets/define.ts';
import type { Row } from '../datasets/normalise.ts';
import { DATASETS } from '../datasets/registry.ts';
import { partIn, type Stream } from '../datasets/stream.ts';
import { command, queryLists, queryRows, queryValues, quote } from '../shared/sqlite.ts';
import { formatTime, parseTime } from '../shared/time.ts';
import { VERSION } from '../shared/version.ts';
import { writeDictionary } from './dictionary.ts';
import { dropAnswersNamedAfter, dropColumnsNamedAfter } from './erased-names.ts';
import { noteErased } from './erased-records.ts';
import { erasureOf, markErased, type Erasures } from './erasures.ts';
import { eraseMedia } from './erased-media.ts';
import { PRAGMAS, sortOnDisk, type Db } from './open.ts';
import { formerRecord, formerRow, mentions, textsOf, wordsOf, type Person } from './person.ts';
import { allPositions, writePosition } from './positions.ts';
import { countMissing } from './missing.ts';
import { countQuarantined } from './quarantine.ts';
import { heldColumns, heldIn } from './held.ts';
import { rowsIn } from './records.ts';
import { backupsOf } from './retention.ts';
import type { Upsert } from './upsert.ts';

/** What an erasure did. It names no one. */
export interface Receipt {
  /** Local time, ISO 8601. */
  readonly at: string;
  readonly version: string;
  /** How many rows of each table were erased, and in how many others the id was replaced. */
  readonly tables: readonly { readonly table: string; readonly erased: number; readonly replaced: number }[];
  /** Files beside the warehouse that may still hold the person. */
  readonly unreached: readonly string[];
}

/** What an erasure needs of the writer whose transaction it is part of. */
export interface ErasureParts {
  readonly now: number;
  readonly upsertOf: (dataset: Dataset) => Upsert;
  /** Computes the derived tables of what was touched. */
  readonly settle: () => void;
}

/**
 * Erases a person in a transaction of the caller's: their rows go, with their former versions and malformed records,
 * and their id is replaced in what others sent. What the API still sends of them is counted from now on, not stored.
 */
export function erase(db: Db, person: Person, { now, upsertOf, settle }: ErasureParts): Receipt {
  const erasure = erasureOf(db, person, now);
  const at = formatTime(now);
  markErased(db, person, erasure.mark, now);
  const lastLine = queryValues(db, 'SELECT max(id) FROM _history', z.number().nullable()).get() ?? 0;
  const media = { table: 'media_files', erased: eraseMedia(db, person), replaced: 0 };
  const tables = DATASETS.map((dataset) => eraseRows(db, person, { dataset, erasure, upsert: upsertOf(dataset), at }));
  // An erasure leaves no former versions.
  command(db, 'DELETE FROM _history WHERE id > ?')(lastLine);
  const history = DATASETS.map((dataset) => eraseHistory(db, person, dataset, erasure));
  const quarantine = eraseQuarantine(db, person, erasure, at);
  dropColumnsNamedAfter(db, person, erasure);
  settle();
  dropAnswersNamedAfter(db, person, erasure);
  const scopes = SCOPED.map((table) => dropScope(db, person, table));
  const texts = Object.entries(TEXTS).flatMap(([table, columns]) =>
    columns.map((column) => replaceIn(db, person, erasure, table, column)),
  );
  correctPositions(db);
  writeDictionary(db, DATASETS);
  const receipt: Receipt = {
    at,
    version: VERSION,
    tables: oneLineATable([...tables, media, ...history, quarantine, ...scopes, ...texts]),
    unreached: backupsOf(db.name),
  };
  command(db, 'INSERT INTO _erasures (at, version, receipt) VALUES (?, ?, ?)')(at, VERSION, JSON.stringify(receipt));
  return receipt;
}

type Erased = Receipt['tables'][number];

/** One line for each table in which anything was done. */
export function oneLineATable(parts: readonly Erased[]): Erased[] {
  return [...Map.groupBy(parts, ({ table }) => table)]
    .map(([table, of]) => ({
      table,
      erased: of.reduce((sum, { erased }) => sum + erased, 0),
      replaced: of.reduce((sum, { replaced }) => sum + replaced, 0),
    }))
    .filter(({ erased, replaced }) => erased + replaced > 0);
}

interface OfTable {
  readonly dataset: Dataset;
  readonly erasure: Erasures;
  readonly upsert: Upsert;
  readonly at: string;
}

function eraseRows(db: Db, person: Person, { dataset, erasure, upsert, at }: OfTable): Erased {
  const { table, columns, timeColumn } = dataset;
  const timeAt = columns.findIndex(({ name }) => name === timeColumn);
  const named = queryLists(
    db,
    `SELECT experiment_id, key, ${heldColumns(dataset)} FROM ${quote(table)} WHERE ${mentions(textsOf(dataset))}`,
  ).all(wordsOf(person));
  const drop = command(db, `DELETE FROM ${quote(table)} WHERE experiment_id = ? AND key = ?`);
  const dropHistory = command(db, 'DELETE FROM _history WHERE table_name = ? AND experiment_id = ? AND key = ?');
  const dropMark = command(db, 'DELETE FROM _missing_rows WHERE experiment_id = ? AND data = ? AND key = ?');
  const found = named.map(([experiment, key, ...stored]) => {
    const held = heldIn(stored);
    const time = typeof held.values[timeAt] === 'string' ? parseTime(held.values[timeAt]) : undefined;
    const row: Row = { dataset, key: String(key), needsOrdinal: false, time, ...held };
    return { experimentId: String(experiment), row };
  });
  for (const [experimentId, of] of Map.groupBy(found, (one) => one.experimentId)) {
    const stream = { experimentId, dataset, scope: { kind: 'experiment' as const } };
    noteErased(db, stream, erasure.apply(dataset, { rows: of.map(({ row }) => row) }).erased, at);
  }
  let [erased, replaced] = [0, 0];
  for (const { experimentId, row } of found) {
    const { key: rowKey } = row;
    const remaining = erasure.apply(dataset, { rows: [row] });
    if (remaining.erased.length > 0) {
      erased += drop(experimentId, rowKey);
      dropHistory(table, experimentId, rowKey);
      dropMark(experimentId, dataset.name, rowKey);
    }
    for (const other of remaining.rows) {
      if (other === row) continue;
      if (other.key !== rowKey) rename(db, { dataset, experimentId, from: rowKey, to: other.key });
      if (upsert(experimentId, other, at) === 'updated') replaced++;
    }
  }
  return { table, erased, replaced };
}

/** Gives a row another key, wherever it is known by it. */
function rename(
  db: Db,
  { dataset, experimentId, from, to }: { dataset: Dataset; experimentId: string; from: string; to: string },
): void {
  const { table, name } = dataset;
  const where = 'experiment_id = ? AND key = ?';
  command(db, `UPDATE ${quote(table)} SET key = ? WHERE ${where}`)(to, experimentId, from);
  command(db, `UPDATE _history SET key = ? WHERE table_name = ? AND ${where}`)(to, table, experimentId, from);
  command(db, `UPDATE _missing_rows SET key = ? WHERE data = ? AND ${where}`)(to, name, experimentId, from);
  if (table === 'recordings') command(db, `UPDATE media_files SET key = ? WHERE ${where}`)(to, experimentId, from);
}

function eraseHistory(db: Db, person: Person, dataset: Dataset, erasure: Erasures): Erased {
  const Line = z.object({ id: z.number(), key: z.string(), record: z.string() });
  const sql = `SELECT id, key, record FROM _history WHERE table_name = @table AND ${mentions(['record', 'key'])}`;
  const lines = queryRows(db, sql, Line).all({ ...wordsOf(person), table: dataset.table });
  const drop = command(db, 'DELETE FROM _history WHERE id = ?');
  const rewrite = command(db, 'UPDATE _history SET record = ?, key = ? WHERE id = ?');
  let [erased, replaced] = [0, 0];
  for (const { id, key, record } of lines) {
    const { row: former, values } = formerRow(dataset, record);
    const row = { ...former, key };
    const [other] = erasure.apply(dataset, { rows: [row] }).rows;
    if (other === undefined) erased += drop(id);
    else if (other !== row) {
      replaced += rewrite(formerRecord(dataset, values, other), other.key, id);
    }
  }
  return { table: '_history', erased, replaced };
}

/** A malformed record that names the person goes, as it does not show whose it is. */
function eraseQuarantine(db: Db, person: Person, erasure: Erasures, at: string): Erased {
  const Line = z.object({ experimentId: z.string(), data: z.string(), key: z.string(), text: z.string() });
  const sql = `SELECT experiment_id AS experimentId, data, key, record AS text FROM _quarantine WHERE ${mentions(['record'])}`;
  const drop = command(db, 'DELETE FROM _quarantine WHERE experiment_id = ? AND data = ? AND key = ?');
  let erased = 0;
  for (const { experimentId, data, key, text } of queryRows(db, sql, Line).all(wordsOf(person))) {
    const dataset = DATASETS.find(({ name }) => name === data);
    if (dataset === undefined) continue;
    const { erased: records } = erasure.apply(dataset, { rows: [], bad: [{ reason: '', text }] });
    if (records.length === 0) continue;
    noteErased(db, { experimentId, dataset, scope: { kind: 'experiment' } }, records, at);
    erased += drop(experimentId, data, key);
  }
  return { table: '_quarantine', erased, replaced: 0 };
}

/** Our own tables with a line for each scope: that of a participant names them. */
const SCOPED = [
  '_streams',
  '_missing_rows',
  '_answer_metadata',
  '_experiment_starts',
  '_run_streams',
  '_quarantine',
  '_erased_records',
];

/** Our own columns into which words of records may come. What is computed is computed again instead. */
const TEXTS: Readonly<Record<string, readonly string[]>> = {
  _streams: ['reason', 'last_error', 'doubts', 'reread_reason', 'server_basis'],
  _answer_metadata: ['value'],
  _endpoints: ['endpoint', 'learned'],
  _field_types: ['field'],
  _runs: ['options', 'error'],
  _schema_changes: ['field'],
  _state: ['value'],
};

/** The lines of a participant's own scope go. */
function dropScope(db: Db, { participant, room }: Person, table: string): Erased {
  const scopes = queryValues(db, `SELECT DISTINCT scope FROM ${table} WHERE scope LIKE 'participant:%'`, z.string())
    .all()
    .filter((text) => {
      const { scope } = partIn(text);
      return scope.kind === 'participant' && scope.id === participant && (room === undefined || scope.room === room);
    });
  const drop = command(db, `DELETE FROM ${table} WHERE scope = ?`);
  return { table, erased: scopes.reduce((sum, scope) => sum + drop(scope), 0), replaced: 0 };
}

function replaceIn(db: Db, person: Person, erasure: Erasures, table: string, column: string): Erased {
  const Line = z.object({ id: z.number(), text: z.string() });
  const sql = `SELECT rowid AS id, "${column}" AS text FROM ${table} WHERE ${mentions([column])}`;
  const rewrite = command(db, `UPDATE OR REPLACE ${table} SET "${column}" = ? WHERE rowid = ?`);
  let replaced = 0;
  for (const { id, text } of queryRows(db, sql, Line).all(wordsOf(person))) {
    const scrubbed = erasure.scrubText(text);
    if (scrubbed !== text) replaced += rewrite(scrubbed, id);
  }
  return { table, erased: 0, replaced };
}

/** Counts in `_streams` again what the erasure changed. */
function correctPositions(db: Db): void {
  for (const { experimentId, data, scope: text, ...position } of allPositions(db)) {
    const dataset = DATASETS.find(({ name }) => name === data);
    if (dataset === undefined) continue;
    const stream: Stream = { experimentId, dataset, ...partIn(text) };
    // The text of a scope does not show the types of a filter's values.
    const held = stream.filter === undefined ? rowsIn(stream) : undefined;
    const rows = held && queryValues(db, `SELECT count(*) ${held.sql}`, z.number()).get(...held.params);
    writePosition(db, stream, {
      ...position,
      rows: rows ?? position.rows,
      missingRows: countMissing(db, stream),
      quarantinedRecords: countQuarantined(db, stream),
    });
  }
}

/** Whether what an erasure freed may still lie in the file. */
export function isOverwriteDue(db: Db): boolean {
  return queryValues(db, 'SELECT 1 FROM _erasures WHERE overwritten_at IS NULL', z.number()).get() !== undefined;
}

/**
 * Rewrites the file without its freed pages, and empties the write-ahead log. Gives false where a reader keeps the
 * log, or the disk has no room for a second file: it is tried again after the next sync and at the next start.
 */
export function overwrite(db: Db, now: number): boolean {
  // Without waiting, as rewriting is no use while a reader keeps the file as it was.
  if (!emptiesLog(db, 0)) return false;
  try {
    sortOnDisk(db, (other) => other.exec('VACUUM'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'SQLITE_FULL') return false;
    throw error;
  }
  if (!emptiesLog(db, PRAGMAS.busy_timeout)) return false;
  command(db, 'UPDATE _erasures SET overwritten_at = ? WHERE overwritten_at IS NULL')(formatTime(now));
  return true;
}

function emptiesLog(db: Db, waitMs: number): boolean {
  db.pragma(`busy_timeout = ${waitMs}`);
  try {
    const Checkpoint = z.array(z.object({ busy: z.number() }));
    return Checkpoint.parse(db.pragma('wal_checkpoint(TRUNCATE)'))[0]?.busy === 0;
  } finally {
    db.pragma(`busy_timeout = ${PRAGMAS.busy_timeout}`);
  }
}
