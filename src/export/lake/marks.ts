import { createHash } from 'node:crypto';
import { z } from 'zod';
import { DATASETS } from '../../datasets/registry.ts';
import { queryLists, queryRows, queryValues, quote } from '../../shared/sqlite.ts';
import type { Db } from '../../warehouse/open.ts';
import type { Column } from '../snapshot/tables.ts';

/** Raise it when the same rows are written in another way. */
const FORM = 1;

/** Tables about answers that hold data of experiments, and that no run counts. They are small. */
export const SAID_BESIDE: readonly string[] = ['_experiment_starts', '_answer_metadata'];

/** Gives each partition a mark that differs wherever any of its rows may, without reading them. */
export interface Marks {
  of(table: string, experiment: string, rows: number): string;
}

/**
 * What runs changed is counted for each data type of each experiment in the transaction of the rows (`_run_streams`), so
 * that the counts stand for the rows. What changes rows outside of runs leaves a note: erasures in `_erasures`, and the
 * steps that carry over the rows of an earlier version in `_state`. Derived tables follow from all rows of their
 * experiment, and may follow them later (`_derive_pending`).
 */
export function readMarks(db: Db): Marks {
  const basis = hashOf([FORM, ...notesOf(db)]);
  const runs = runsOf(db);
  const pending = groups(
    queryLists(db, "SELECT json_extract(place, '$[0]'), data, place FROM _derive_pending ORDER BY 1, 2, 3").iterate(),
    1,
  );
  const besideOf = (table: string, experiment: string) =>
    hashOf(queryLists(db, `SELECT * FROM ${quote(table)} WHERE experiment_id = ? ORDER BY 1, 2, 3, 4`).all(experiment));
  const wholes = new Map<string, string>();
  const wholeOf = (experiment: string) => {
    const known = wholes.get(experiment);
    if (known !== undefined) return known;
    const ofData = DATASETS.map(({ name }) => runs.get(groupName([experiment, name])) ?? '');
    const beside = SAID_BESIDE.map((table) => besideOf(table, experiment));
    const whole = hashOf([ofData, beside, pending.get(groupName([experiment])) ?? '']);
    wholes.set(experiment, whole);
    return whole;
  };
  return {
    of(table, experiment, rows) {
      const dataset = DATASETS.find((one) => one.table === table);
      const changes =
        dataset !== undefined
          ? (runs.get(groupName([experiment, dataset.name])) ?? '')
          : SAID_BESIDE.includes(table)
            ? besideOf(table, experiment)
            : wholeOf(experiment);
      return hashOf([basis, table, experiment, rows, changes]);
    },
  };
}

function notesOf(db: Db): unknown[] {
  const notes = "SELECT name, value FROM _state WHERE name IN ('rows', 'keys', 'cut-texts', 'derived') ORDER BY name";
  return [
    queryValues(db, 'SELECT count(*) FROM __drizzle_migrations', z.number()).get(),
    queryLists(db, notes).all(),
    queryLists(db, 'SELECT id, at FROM _erasures ORDER BY id').all(),
  ];
}

function runsOf(db: Db): ReadonlyMap<string, string> {
  const sql = `SELECT s.experiment_id, s.data, s.run_id, r.started_at, s.scope, s.inserted, s.updated, s.deleted
    FROM _run_streams s LEFT JOIN _runs r ON r.id = s.run_id ORDER BY 1, 2, 3, 5`;
  return groups(queryLists(db, sql).iterate(), 2);
}

/** A hash of the lists that begin with the same values; these are its name. */
function groups(lists: Iterable<readonly unknown[]>, width: number): ReadonlyMap<string, string> {
  const hashes = new Map<string, ReturnType<typeof createHash>>();
  for (const list of lists) {
    const name = groupName(list.slice(0, width));
    const hash = hashes.get(name) ?? createHash('sha256');
    hashes.set(name, hash.update(JSON.stringify(list)));
  }
  return new Map([...hashes].map(([name, hash]) => [name, hash.digest('hex')]));
}

function groupName(values: readonly unknown[]): string {
  return JSON.stringify(values);
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

/** A hash of what the first columns of a table are; others that come after these do not change it. */
export function columnsMark(columns: readonly Column[], width = columns.length): string {
  return hashOf(
    columns
      .slice(0, width)
      .map(({ name, type, unit, isBoolean, isRequired }) => [name, type, unit, isBoolean, isRequired]),
  );
}

/** How often something was erased. */
export function erasuresIn(db: Db): number {
  return queryRows(db, 'SELECT count(*) AS n FROM _erasures', z.object({ n: z.number() })).get()?.n ?? 0;
}
