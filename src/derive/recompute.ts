import type { Database } from 'better-sqlite3';
import { command, queryLists, type SqlValue } from '../shared/sqlite.ts';
import type { DerivedTable, Part, ReadEvents } from './define.ts';
import { eventsIn, type PartEvent } from './part-events.ts';
import { named, within } from './source.ts';

/** How many rows of a table were written, because they were missing, wrong or too many. */
export interface Rewritten {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
}

/** Parts of a table that are to be computed again. */
export interface Work {
  readonly table: DerivedTable;
  readonly parts: readonly Part[];
}

/** What was written of a part of a table. */
export interface Recomputed extends Rewritten {
  readonly table: DerivedTable;
  readonly part: Part;
}

/**
 * Computes parts of tables again and writes the rows that differ. What several tables are computed from is read once:
 * the same part of each comes one after the other.
 */
export function recompute(db: Database, work: readonly Work[]): Recomputed[] {
  const ordered = work.toSorted((a, b) => Number(a.table.isLast ?? false) - Number(b.table.isLast ?? false));
  const parts = ordered.flatMap(({ table, parts }) => parts.map((part) => ({ table, part })));
  const same = Map.groupBy(parts, ({ table, part: { experiment, room, people } }) =>
    JSON.stringify([table.isLast, table.of, experiment, room, people]),
  );
  return [...same.values()].flatMap((tables) => {
    let read: readonly PartEvent[] | undefined;
    return tables.map(({ table, part }) => {
      const written = recomputePart(db, table, part, () => (read ??= eventsIn(db, part)));
      return { table, part, ...written };
    });
  });
}

function recomputePart(db: Database, table: DerivedTable, part: Part, events: ReadEvents): Rewritten {
  const { columns, key, held, drop, change, add } = statementsOf(table, part);
  const keyOf = (values: readonly SqlValue[]) => JSON.stringify(key.map((i) => values[i] ?? null));
  const computed = new Map<string, SqlValue[]>();
  for (const row of table.rows(db, part, events)) {
    const values = columns.map((column) => row[column] ?? null);
    computed.set(keyOf(values), values);
  }
  let [changed, removed] = [0, 0];
  for (const [rowid = null, ...values] of queryLists(db, held).all(parameters(table, part))) {
    const own = keyOf(values);
    const wanted = computed.get(own);
    // A second row of one key is one too many.
    computed.delete(own);
    if (wanted === undefined) removed += command(db, drop)(rowid);
    else if (wanted.some((value, i) => value !== values[i])) changed += command(db, change)(...wanted, rowid);
  }
  const insert = command(db, add);
  for (const values of computed.values()) insert(...values);
  return { added: computed.size, changed, removed };
}

interface Statements {
  readonly columns: readonly string[];
  /** The places of the key's columns among these. */
  readonly key: readonly number[];
  readonly held: string;
  readonly drop: string;
  readonly change: string;
  readonly add: string;
}

const statements = new WeakMap<DerivedTable, Map<string, Statements>>();

/** The statements with which a part of a table is compared and written; their texts are made once. */
function statementsOf(table: DerivedTable, part: Part): Statements {
  const known = statements.get(table) ?? new Map<string, Statements>();
  statements.set(table, known);
  const where = heldBy(table, part);
  const found = known.get(where) ?? makeStatements(table, where);
  known.set(where, found);
  return found;
}

function makeStatements({ name, columns: declared, key, numbered }: DerivedTable, where: string): Statements {
  const columns = Object.keys(declared).filter((column) => numbered?.columns.includes(column) !== true);
  const list = columns.join(', ');
  return {
    columns,
    key: key.map((column) => columns.indexOf(column)),
    held: `SELECT rowid, ${list} FROM ${name} WHERE ${where}`,
    drop: `DELETE FROM ${name} WHERE rowid = ?`,
    change: `UPDATE ${name} SET ${columns.map((column) => `${column} = ?`).join(', ')} WHERE rowid = ?`,
    add: `INSERT INTO ${name} (${list}) VALUES (${columns.map(() => '?').join(', ')})`,
  };
}

/** The rows that a table holds of a part. */
function heldBy({ of }: DerivedTable, part: Part): string {
  if (of === 'experiment') return 'experiment_id = @experiment';
  if (of === 'room') return within(part);
  return '+experiment_id = @experiment AND participant_id IN (SELECT value FROM json_each(@people))';
}

function parameters({ of }: DerivedTable, part: Part): Record<string, string | null> {
  if (of === 'room') return named(part);
  const { experiment, people } = part;
  return people === null ? { experiment } : { experiment, people: JSON.stringify(people) };
}
