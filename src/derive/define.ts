import type { Database } from 'better-sqlite3';
import type { SqlValue } from '../shared/sqlite.ts';
import type { Place } from './whose.ts';

/**
 * What is computed together: a room or, of what belongs to no room, one participant; one participant in all rooms; or
 * an experiment.
 */
export interface Part {
  readonly experiment: string;
  readonly room: string | null;
  /** Null for everybody of the room. */
  readonly participant: string | null;
}

/** A column of a derived table. */
export interface DerivedColumn {
  readonly type: 'TEXT' | 'INTEGER' | 'REAL';
  readonly about: string;
  readonly unit?: string;
  readonly isBoolean?: true;
}

type Columns = Readonly<Record<string, DerivedColumn>>;

/** A table that is computed from the mirrored ones. Columns come in the order in which they are declared. */
export interface DerivedTable {
  readonly name: string;
  readonly about: string;
  /** What one row is. */
  readonly row: string;
  /** The columns that together identify a row. */
  readonly key: readonly string[];
  /** What it is computed for. */
  readonly of: 'room' | 'person' | 'experiment';
  /** The data types that it is computed from, as far as they concern a part. */
  readonly sources: readonly string[];
  /** Data types of which a change concerns every part of the experiment. */
  readonly commonSources?: readonly string[];
  readonly columns: Columns;
  /** To be raised when the same records come to other rows than before: the table is then made again. */
  readonly version: number;
  /** The rows of a part, computed from what is mirrored. */
  readonly rows: (db: Database, part: Part) => readonly DerivedRow[];
  /**
   * Takes in that rows of a data type came to a place, where that is all that changes; returns whether it was. What it
   * does not take in is computed again.
   */
  readonly add?: (db: Database, data: string, place: Place, rows: number) => boolean;
  /** Columns that depend on all rows of an experiment, and what fills them in; it returns how many rows it changed. */
  readonly numbered?: {
    readonly columns: readonly string[];
    /** The data types that set the order, besides rows that come and go. */
    readonly by: readonly string[];
    readonly number: (db: Database, experiment: string) => number;
  };
}

/** The value of each column. */
export type DerivedRow = Readonly<Record<string, SqlValue>>;

/** Declares a table; the compiler checks that each row has exactly the declared columns. */
export function defineDerived<const C extends Columns>(
  spec: Omit<DerivedTable, 'columns' | 'key' | 'rows'> & {
    readonly key: readonly (keyof C & string)[];
    readonly columns: C;
    readonly rows: (db: Database, part: Part) => readonly Readonly<Record<keyof C, SqlValue>>[];
  },
): DerivedTable {
  return spec;
}

/** The columns that say whose a row is; the same names in every table. */
export const WHOSE = {
  experiment_id: { type: 'TEXT', about: 'The experiment.' },
  room_id: { type: 'TEXT', about: 'The room (session); NULL for what happened before a room was assigned.' },
  participant_id: { type: 'TEXT', about: 'The participant; ids are unique within a room only.' },
} as const satisfies Columns;

/** The columns of a value that may be a number, a text or something else. */
export const VALUE = {
  value_type: {
    type: 'TEXT',
    about: 'What the value is: text, integer, number, boolean, list or object; NULL: there is none.',
  },
  value_number: { type: 'REAL', about: 'The value as a number; a boolean as 0 or 1.', unit: 'as recorded' },
  value_text: { type: 'TEXT', about: 'The value, if it is a text.' },
  value_json: { type: 'TEXT', about: 'The value as JSON, if it is a list or an object.' },
} as const satisfies Columns;
