import { z } from 'zod';
import type { Dataset } from '../datasets/define.ts';
import { derivedValues } from '../datasets/derived.ts';
import { DATASETS } from '../datasets/registry.ts';
import { command, queryLists, queryValues, quote, type SqlValue } from '../shared/sqlite.ts';
import { formatTime } from '../shared/time.ts';
import { reserveNames } from './column-names.ts';
import type { Db } from './open.ts';
import { filledIn, refilled } from './filled.ts';
import { heldColumns, heldIn, heldNames, storedValues } from './held.ts';
import { recall, remember } from './state.ts';
import { addMixed, openMembers } from './members.ts';
import type { MemberColumns } from './upsert.ts';

const NAME = 'rows';

/** The form of each table's rows, and the last row that has it while not all of them do. */
const Note = z.record(z.string(), z.object({ form: z.string(), after: z.number().optional() }));
type Note = z.infer<typeof Note>;

/** Raise it when the same columns are filled in another way. */
const VERSION = 3;

/** Rows of a transaction: they are in memory at a time. */
const CHUNK = 2000;

/**
 * Writes the rows of an earlier version as this one would: fields that have a column now leave `extra`, and columns that
 * follow from others are filled. Each chunk is one transaction that also notes how far it is, so that a kill repeats
 * none. Call it before history is kept, as no record changes.
 */
export function refill(db: Db, now: number, datasets: readonly Dataset[] = DATASETS): void {
  db.transaction(() => {
    reserveNames(db, datasets);
    addMixed(db, datasets, formatTime(now));
  }).immediate();
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
    const members = openMembers(db, dataset);
    while (after !== undefined) {
      db.transaction(() => {
        after = refillChunk(db, dataset, { members, after: after ?? 0, since: formatTime(now) });
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
function refillChunk(
  db: Db,
  dataset: Dataset,
  { members, after, since }: { members: MemberColumns; after: number; since: string },
): number | undefined {
  const next = queryLists(
    db,
    `SELECT rowid, experiment_id, ${heldColumns(dataset)} FROM ${quote(dataset.table)} WHERE rowid > ? ORDER BY rowid LIMIT ?`,
  );
  const names = heldNames(dataset);
  const chunk = next.all(after, CHUNK);
  for (const [rowid = null, experiment, ...stored] of chunk) {
    const held = heldIn(stored);
    const row = refilled(dataset, String(experiment), held, filledIn(dataset, held)) ?? held;
    const also = [...derivedValues(dataset.derived, row.values), ...members.of(row, since)];
    const follows = [...dataset.derived.map(({ name }) => name), ...members.names];
    // Indexes are written only where their columns are.
    const values = storedValues(dataset, row);
    if (values.some((value, i) => value !== stored[i]))
      update(db, dataset, [...names, ...follows], [...values, ...also, rowid]);
    else if (follows.length > 0) update(db, dataset, follows, [...also, rowid]);
  }
  return chunk.length < CHUNK ? undefined : Number(chunk.at(-1)?.[0]);
}

function update(db: Db, { table }: Dataset, columns: readonly string[], values: readonly SqlValue[]): void {
  const set = columns.map((name) => `${quote(name)} = ?`).join(', ');
  command(db, `UPDATE ${quote(table)} SET ${set} WHERE rowid = ?`)(...values);
}
