import type { Database } from 'better-sqlite3';
import type { PrivacyClass } from '../datasets/privacy.ts';
import { z } from 'zod';
import { command, queryValues } from '../shared/sqlite.ts';

/** What `_data_dictionary` says of a column. */
export interface Entry {
  readonly type: string;
  readonly unit?: string | null | undefined;
  readonly isBoolean?: boolean | undefined;
  readonly meaning: string;
  /** What it means that there is no value. */
  readonly missing: string;
  readonly allowed?: readonly string[] | undefined;
  readonly source?: string | undefined;
  readonly privacy: PrivacyClass;
}

const OWN = 'HyperStudy Warehouse';

const SAID = ['type', 'unit', 'is_boolean', 'meaning', 'missing', 'allowed_values', 'source', 'privacy'] as const;
const COLUMNS = ['table_name', 'column_name', ...SAID].join(', ');
const REPLACE = `ON CONFLICT DO UPDATE SET ${SAID.map((name) => `${name} = excluded.${name}`).join(', ')}`;

/** Writes entries into `_data_dictionary`: those that differ, which a look finds out at less than the cost of a write. */
export function dictionaryWriter(db: Database): (table: string, column: string, entry: Entry) => void {
  const isSame = queryValues(
    db,
    `SELECT 1 FROM _data_dictionary
     WHERE table_name = ? AND column_name = ? AND ${SAID.map((name) => `${name} IS ?`).join(' AND ')}`,
    z.number(),
  );
  const store = command(
    db,
    `INSERT INTO _data_dictionary (${COLUMNS}) VALUES (?, ?${', ?'.repeat(SAID.length)}) ${REPLACE}`,
  );
  return (table, column, { type, unit, isBoolean = false, meaning, missing, allowed, source = OWN, privacy }) => {
    const values = allowed?.join(', ') ?? (isBoolean ? '0, 1' : null);
    const inWords = isBoolean ? '0 or 1' : (unit ?? null);
    const row = [table, column, type, inWords, Number(isBoolean), meaning, missing, values, source, privacy];
    if (isSame.get(...row) === undefined) store(...row);
  };
}

/** Explains those columns of a view that have the names, and so the meaning, of columns of a table or view. */
export function explainLike(db: Database, view: string, like: string): void {
  // A CROSS JOIN keeps its order: the other way round, the view's columns would be listed for each row.
  command(
    db,
    `INSERT INTO _data_dictionary (${COLUMNS})
     SELECT @view, d.column_name, ${SAID.map((name) => `d.${name}`).join(', ')}
     FROM pragma_table_info(@view) v CROSS JOIN _data_dictionary d ON d.table_name = @like AND d.column_name = v.name
     LEFT JOIN _data_dictionary o ON o.table_name = @view AND o.column_name = v.name
     WHERE ${SAID.map((name) => `o.${name} IS NOT d.${name}`).join(' OR ')} ORDER BY v.cid ${REPLACE}`,
  )({ view, like });
}
