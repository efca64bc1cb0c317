import { z } from 'zod';
import type { Column, Dataset } from '../datasets/define.ts';
import { DATASETS } from '../datasets/registry.ts';
import { command, queryLists } from '../shared/sqlite.ts';
import type { Db } from './open.ts';
import { filledIn, isSameRow, refilled } from './filled.ts';
import { heldColumns, heldIn } from './records.ts';
import { recall, remember } from './state.ts';
import { quote } from './upsert.ts';
import { noteKeys } from './views.ts';

const NAME = 'fields';
/** The columns that the rows of each table were last migrated to, by `readAs`. */
const Note = z.record(z.string(), z.array(z.string()));

/** Rows that are in memory at a time. */
const CHUNK = 2000;

/**
 * Fills the columns of this version in rows that an earlier version wrote, from what was in `extra` because there was
 * no column for it: once for each table, in one transaction with the note that it is done. Call it before history is
 * kept, as no record changes.
 */
export function carryFields(db: Db, now: number, datasets: readonly Dataset[] = DATASETS): void {
  const done = Note.parse(JSON.parse(recall(db, NAME) ?? '{}'));
  for (const dataset of datasets) {
    const known = new Set(done[dataset.table]);
    const added = dataset.columns.filter((column) => !known.has(readAs(column)));
    if (added.length === 0) continue;
    done[dataset.table] = dataset.columns.map(readAs);
    db.transaction(() => {
      carryInto(db, dataset, added);
      remember(db, NAME, JSON.stringify(done), now);
    }).immediate();
  }
}

/** A column, and how its values are read: times were not always read from seconds. */
function readAs({ name, spec }: Column): string {
  return spec.kind === 'time' ? `${name} (seconds too)` : name;
}

function carryInto(db: Db, dataset: Dataset, added: Dataset['columns']): void {
  const names = dataset.columns.map(({ name }) => name);
  const table = quote(dataset.table);
  const inExtra = added.map(({ field }) => `extra LIKE '%"${field}"%'`);
  const isSaid = added.filter(({ spec }) => spec.fallbacks !== undefined).map(({ name }) => `${quote(name)} IS NULL`);
  const next = queryLists(
    db,
    `SELECT rowid, experiment_id, key, ${heldColumns(dataset)} FROM ${table}
     WHERE rowid > ? AND (${[...inExtra, ...isSaid].join(' OR ')}) ORDER BY rowid LIMIT ?`,
  );
  const set = [...names.map(quote), 'extra'].map((name) => `${name} = ?`).join(', ');
  const write = command(db, `UPDATE ${table} SET ${set} WHERE rowid = ?`);
  for (let chunk = next.all(0, CHUNK); chunk.length > 0; chunk = next.all(Number(chunk.at(-1)?.[0]), CHUNK)) {
    const carried = chunk.flatMap(([rowid = null, experiment, key, ...stored]) => {
      const held = heldIn(stored);
      const row = refilled(dataset, String(experiment), held, filledIn(dataset, held));
      return row === undefined || isSameRow(row, held)
        ? []
        : [{ rowid, experimentId: String(experiment), row: { ...row, key: String(key) } }];
    });
    for (const { rowid, row } of carried) write(...row.values, row.extra, rowid);
    for (const [experimentId, rows] of Map.groupBy(carried, (one) => one.experimentId))
      noteKeys(
        db,
        dataset,
        experimentId,
        rows.map(({ row }) => row),
      );
  }
}
