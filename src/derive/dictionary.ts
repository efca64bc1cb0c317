import type { Database } from 'better-sqlite3';
import type { PrivacyClass } from '../datasets/privacy.ts';
import { command } from '../shared/sqlite.ts';

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

/** Writes entries into `_data_dictionary`: those that differ. */
export function dictionaryWriter(db: Database): (table: string, column: string, entry: Entry) => void {
  const store = command(
    db,
    `INSERT INTO _data_dictionary (table_name, column_name, type, unit, is_boolean, meaning, missing, allowed_values, source, privacy)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ${UNLESS_SAME}`,
  );
  return (table, column, { type, unit, isBoolean = false, meaning, missing, allowed, source = OWN, privacy }) => {
    const values = allowed?.join(', ') ?? (isBoolean ? '0, 1' : null);
    const inWords = isBoolean ? '0 or 1' : (unit ?? null);
    store(table, column, type, inWords, Number(isBoolean), meaning, missing, values, source, privacy);
  };
}

/** Explains those columns of a view that have the names, and so the meaning, of columns of a table or view. */
export function explainLike(db: Database, view: string, like: string): void {
  command(
    db,
    `INSERT INTO _data_dictionary (table_name, column_name, type, unit, is_boolean, meaning, missing, allowed_values, source, privacy)
     SELECT @view, d.column_name, d.type, d.unit, d.is_boolean, d.meaning, d.missing, d.allowed_values, d.source, d.privacy
     FROM pragma_table_info(@view) v JOIN _data_dictionary d ON d.table_name = @like AND d.column_name = v.name
     WHERE 1 ORDER BY v.cid ${UNLESS_SAME}`,
  )({ view, like });
}

const SAID = ['type', 'unit', 'is_boolean', 'meaning', 'missing', 'allowed_values', 'source', 'privacy'];
/** Opening a warehouse in which nothing has changed writes nothing. */
const UNLESS_SAME = `ON CONFLICT DO UPDATE SET ${SAID.map((name) => `${name} = excluded.${name}`).join(', ')}
  WHERE ${SAID.map((name) => `_data_dictionary.${name} IS NOT excluded.${name}`).join(' OR ')}`;
