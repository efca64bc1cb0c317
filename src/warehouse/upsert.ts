import { isSameRow } from '../datasets/content.ts';
import type { Dataset } from '../datasets/define.ts';
import { derivedValues } from '../datasets/derived.ts';
import type { Row } from '../datasets/normalise.ts';
import { command, queryLists, quote, type SqlValue } from '../shared/sqlite.ts';
import type { Db } from './open.ts';
import { heldColumns, heldIn, heldNames, storedValues } from './held.ts';

/** The result of writing one row. */
export type Written = 'inserted' | 'updated' | 'unchanged';

/**
 * Writes one row at `now` (ISO 8601): inserts it, updates it where anything differs, or leaves it alone.
 * @param run the run that writes it, where one does.
 */
export type Upsert = (experimentId: string, row: Row, now: string, run?: number) => Written;

/**
 * The columns of a table that hold the members of JSON columns and of `extra`, for readers. They follow from what is
 * stored: nothing is read back from them, and they are not compared.
 */
export interface MemberColumns {
  /** Their names, in order; it grows at its end. */
  readonly names: readonly string[];
  /** Their values for a row. Adds the columns that it needs first, in the transaction that is under way. */
  of(held: Pick<Row, 'values' | 'extra'>, since: string): readonly SqlValue[];
}

/**
 * The prepared statements of a data type's table. They are derived from the drizzle table's columns rather than run
 * through drizzle, whose insert builder took 3.4 times as long on 1000-row pages and up to 1.5 GB of memory. One
 * statement with DO UPDATE and RETURNING would do, but SQLite then copies each page that it touches to a temporary
 * file, 35 kB a row (https://www.sqlite.org/tempfiles.html, "Statement Journal Files").
 * @param members columns that may be added with a row, so that the statements are prepared again.
 */
export function prepareUpsert(db: Db, dataset: Dataset, members: MemberColumns = NO_MEMBERS): Upsert {
  let width = members.names.length;
  let statements = prepare(db, dataset, members.names);
  const differing = heldNames(dataset).map((name) => `${quote(name)} IS NOT ?`);
  const find = queryLists(
    db,
    `SELECT ${heldColumns(dataset)} FROM ${quote(dataset.table)}
       WHERE experiment_id = ? AND key = ? AND (${differing.join(' OR ')})`,
  );
  return (experimentId, row, now, run) => {
    const compared = storedValues(dataset, row);
    const written = [...compared, ...derivedValues(dataset.derived, row.values), ...members.of(row, now)];
    if (members.names.length !== width) {
      width = members.names.length;
      statements = prepare(db, dataset, members.names);
    }
    const by = run ?? null;
    if (statements.insert(experimentId, row.key, ...written, now, now, by) === 1) return 'inserted';
    const held = find.get(experimentId, row.key, ...compared);
    // SQL compares texts, and there are several that say the same.
    if (held === undefined || isSameRow(dataset, row, heldIn(held))) return 'unchanged';
    statements.update(...written, now, by, experimentId, row.key);
    return 'updated';
  };
}

const NO_MEMBERS: MemberColumns = { names: [], of: () => [] };

function prepare(db: Db, dataset: Dataset, members: readonly string[]) {
  const held = heldNames(dataset).map(quote);
  const derived = [...dataset.derived.map(({ name }) => name), ...members].map(quote);
  const columns = ['experiment_id', 'key', ...held, ...derived, 'first_seen_at', 'synced_at', 'synced_run'];
  const table = quote(dataset.table);
  const insert = command(
    db,
    `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})
       ON CONFLICT (experiment_id, key) DO NOTHING`,
  );
  const update = command(
    db,
    `UPDATE ${table} SET ${[...held, ...derived, 'synced_at', 'synced_run'].map((column) => `${column} = ?`).join(', ')}
       WHERE experiment_id = ? AND key = ?`,
  );
  return { insert, update };
}
