import { z } from 'zod';
import { isJsonColumn, type Dataset } from '../datasets/define.ts';
import { fallbackValues } from '../datasets/fallbacks.ts';
import { denormalise, normalise, type Row } from '../datasets/normalise.ts';
import type { Policy } from '../datasets/policy.ts';
import { DATASETS } from '../datasets/registry.ts';
import { isObject, parseJson, textOfJson, type Json } from '../shared/json.ts';
import { queryLists, queryRows, quote } from '../shared/sqlite.ts';
import { filledIn } from './filled.ts';
import type { Db } from './open.ts';
import { formerRecord, formerRow } from './person.ts';
import { heldColumns, heldIn, type Held } from './held.ts';

/*
 * What the file holds against a policy, as it was stored before that held: each with what may be stored instead.
 */

/** Rows that are in memory at a time: they may be written while they are looked through. */
const CHUNK = 1000;

/** A row of a data type, as it may be stored; its key is that of the row as it is. */
export interface RowAgainst {
  readonly experimentId: string;
  readonly row: Row;
}

export function* rowsAgainst(db: Db, policy: Policy, dataset: Dataset): Generator<RowAgainst> {
  const sql = `SELECT rowid, experiment_id, key, ${heldColumns(dataset)} FROM ${quote(dataset.table)}
    WHERE rowid > ? AND (${mayHold(policy, dataset, jsonColumns(dataset))}) ORDER BY rowid LIMIT ${CHUNK}`;
  const next = queryLists(db, sql);
  for (let chunk = next.all(0); chunk.length > 0; chunk = next.all(Number(chunk.at(-1)?.[0]))) {
    for (const [, experiment, key, ...stored] of chunk) {
      const experimentId = String(experiment);
      const row = storableRow(policy, dataset, experimentId, heldIn(stored));
      if (row !== undefined) yield { experimentId, row: { ...row, key: String(key) } };
    }
  }
}

/** Lines of the history, each with the record that may be stored instead. */
export function* historyAgainst(db: Db, policy: Policy, dataset: Dataset): Generator<{ id: number; record: string }> {
  const Line = z.object({ id: z.number(), experimentId: z.string(), record: z.string() });
  const sql = `SELECT id, experiment_id AS experimentId, record FROM _history
    WHERE id > ? AND table_name = ? AND (${mayHold(policy, dataset, ['record'])}) ORDER BY id LIMIT ${CHUNK}`;
  const next = queryRows(db, sql, Line);
  for (
    let chunk = next.all(0, dataset.table);
    chunk.length > 0;
    chunk = next.all(chunk.at(-1)?.id ?? 0, dataset.table)
  ) {
    for (const { id, experimentId, record } of chunk) {
      const { row, values } = formerRow(dataset, record);
      const now = storableRow(policy, dataset, experimentId, row);
      if (now === undefined) continue;
      yield { id, record: formerRecord(dataset, values, now) };
    }
  }
}

/** Malformed records, each with the text that may be stored instead. */
export function quarantineAgainst(db: Db, policy: Policy, dataset: Dataset) {
  const Line = z.object({ id: z.number(), text: z.string() });
  const lines = queryRows(db, 'SELECT rowid AS id, record AS text FROM _quarantine WHERE data = ?', Line);
  return lines.all(dataset.name).flatMap(({ id, text }) => {
    const value = valueIn(text);
    const now = policy.record(dataset, value);
    return now === value ? [] : [{ id, text: textOfJson(now) }];
  });
}

/** What answers said besides their records, each with what may be stored instead; undefined: nothing. */
export function metadataAgainst(db: Db, policy: Policy, dataset: Dataset) {
  const Line = z.object({ id: z.number(), member: z.string(), value: z.string() });
  const sql = 'SELECT rowid AS id, member, value FROM _answer_metadata WHERE data = ?';
  return queryRows(db, sql, Line)
    .all(dataset.name)
    .flatMap(({ id, member, value }) => {
      const held = valueIn(value);
      const now = policy.metadata(dataset, { [member]: held })[member];
      return now === held ? [] : [{ id, value: now === undefined ? undefined : textOfJson(now) }];
    });
}

/** How many lines of each table a policy does not allow. */
export function countAgainst(db: Db, policy: Policy): { table: string; rows: number }[] {
  const counts = DATASETS.flatMap((dataset) => [
    { table: dataset.table, rows: lengthOf(rowsAgainst(db, policy, dataset)) },
    { table: '_history', rows: lengthOf(historyAgainst(db, policy, dataset)) },
    { table: '_quarantine', rows: quarantineAgainst(db, policy, dataset).length },
    { table: '_answer_metadata', rows: metadataAgainst(db, policy, dataset).length },
  ]);
  return [...Map.groupBy(counts, ({ table }) => table)]
    .map(([table, of]) => ({ table, rows: of.reduce((sum, { rows }) => sum + rows, 0) }))
    .filter(({ rows }) => rows > 0);
}

function lengthOf(found: Iterable<unknown>): number {
  const each = found[Symbol.iterator]();
  let length = 0;
  while (each.next().done !== true) length++;
  return length;
}

/** Undefined where the row may be stored as it is. */
function storableRow(policy: Policy, dataset: Dataset, experimentId: string, held: Held): Row | undefined {
  const record = denormalise(dataset, { experimentId, ...held });
  const now = policy.record(dataset, record);
  if (now === record || !isObject(now)) return undefined;
  const row = normalise(dataset, now, {
    experimentId,
    fill: { ...fallbackValues(dataset, now), ...filledIn(dataset, held) },
  });
  return 'reason' in row ? undefined : row;
}

/** An SQL condition that a line may hold what a policy does not allow. */
function mayHold(policy: Policy, dataset: Dataset, columns: readonly string[]): string {
  const concerns = policy.concerns(dataset);
  if (concerns === 'all') return '1';
  const held = concerns.flatMap((name) => columns.map((column) => `instr(${quote(column)}, '${name}') > 0`));
  return held.length === 0 ? '0' : held.join(' OR ');
}

function jsonColumns({ columns }: Dataset): string[] {
  return [...columns.filter(isJsonColumn).map(({ name }) => name), 'extra', 'null_fields'];
}

/** What is no JSON counts as a text. */
function valueIn(text: string): Json {
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}
