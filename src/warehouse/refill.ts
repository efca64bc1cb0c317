import { z } from 'zod';
import type { Dataset } from '../datasets/define.ts';
import { derivedValues } from '../datasets/derived.ts';
import { DATASETS } from '../datasets/registry.ts';
import { command, queryLists, queryValues, type SqlValue, quote } from '../shared/sqlite.ts';
import type { Db } from './open.ts';
import { filledIn, isSameRow, refilled } from './filled.ts';
import { heldColumns, heldIn } from './records.ts';
import { recall, remember } from './state.ts';
import { noteKeys } from './views.ts';

const NAME = 'rows';

/** The form of each table's rows, and the last row that has it while not all of them do. */
const Note = z.record(z.string(), z.object({ form: z.string(), after: z.number().optional() }));
type Note = z.infer<typeof Note>;

/** Raise it when the same columns are filled in another way. */
const VERSION = 1;

/** Rows of a transaction: they are in memory at a time. */
const CHUNK = 2000;

/**
 * Writes the rows of an earlier version as this one would: fields that have a column now leave `extra`, and columns that
 * follow from others are filled. Each chunk is one transaction that also notes how far it is, so that a kill repeats
 * none. Call it before history is kept, as no record changes.
 */
export function refill(db: Db, now: number, datasets: readonly Dataset[] = DATASETS): void {
  const note = recallNote(db);
  for (const dataset of datasets) {
    const form = formOf(dataset);
    const done = note[dataset.table];
    if (done?.form === form && done.after === undefined) continue;
    let after = done?.form === form ? done.after : hasRows(db, dataset) ? 0 : undefined;
    const remembered = () => {
      note[dataset.table] = { form, ...(after === undefined ? {} : { after }) };
      remember(db, NAME, JSON.stringify(note), now);
    };
    if (after === undefined) remembered();
    while (after !== undefined) {
      db.transaction(() => {
        after = refillChunk(db, dataset, after ?? 0);
        remembered();
      }).immediate();
    }
  }
}

/** Whether every row is as this version writes it. */
export function isRefilled(db: Db, datasets: readonly Dataset[] = DATASETS): boolean {
  const note = recallNote(db);
  return datasets.every((dataset) => {
    const { form, after } = note[dataset.table] ?? {};
    return (form === formOf(dataset) && after === undefined) || !hasRows(db, dataset);
  });
}

function recallNote(db: Db): Note {
  return Note.parse(JSON.parse(recall(db, NAME) ?? '{}'));
}

function hasRows(db: Db, { table }: Dataset): boolean {
  return queryValues(db, `SELECT EXISTS (SELECT 1 FROM ${quote(table)})`, z.number()).get() === 1;
}

function formOf({ columns, derived }: Dataset): string {
  const own = columns.map(({ name, spec }) => `${name} ${spec.kind}`);
  return [VERSION, ...own, ...derived.map(({ name }) => name)].join(', ');
}

/** The last row that was written; undefined if there are no further ones. */
function refillChunk(db: Db, dataset: Dataset, after: number): number | undefined {
  const next = queryLists(
    db,
    `SELECT rowid, experiment_id, key, ${heldColumns(dataset)} FROM ${quote(dataset.table)} WHERE rowid > ? ORDER BY rowid LIMIT ?`,
  );
  const derived = dataset.derived.map(({ name }) => name);
  const writeDerived = derived.length === 0 ? undefined : updating(db, dataset, derived);
  const writeAll = updating(db, dataset, [...dataset.columns.map(({ name }) => name), 'extra', ...derived]);
  const chunk = next.all(after, CHUNK);
  const changed = chunk.flatMap(([rowid = null, experiment, key, ...stored]) => {
    const held = heldIn(stored);
    const experimentId = String(experiment);
    const row = refilled(dataset, experimentId, held, filledIn(dataset, held));
    const also = derivedValues(dataset.derived, (row ?? held).values);
    if (row === undefined || isSameRow(row, held)) {
      writeDerived?.(also, rowid);
      return [];
    }
    writeAll([...row.values, row.extra, ...also], rowid);
    return [{ experimentId, row: { ...row, key: String(key) } }];
  });
  for (const [experimentId, rows] of Map.groupBy(changed, (one) => one.experimentId))
    noteKeys(
      db,
      dataset,
      experimentId,
      rows.map(({ row }) => row),
    );
  return chunk.length < CHUNK ? undefined : Number(chunk.at(-1)?.[0]);
}

/** Indexes are written only where their columns are among these. */
function updating(db: Db, { table }: Dataset, columns: readonly string[]) {
  const set = columns.map((name) => `${quote(name)} = ?`).join(', ');
  const write = command(db, `UPDATE ${quote(table)} SET ${set} WHERE rowid = ?`);
  return (values: readonly SqlValue[], rowid: SqlValue) => write(...values, rowid);
}
