import type { Database } from 'better-sqlite3';
import { MIXED_TYPES, PART_MISSING } from '../datasets/mixed.ts';
import type { PrivacyClass } from '../datasets/privacy.ts';
import type { SqlValue } from '../shared/sqlite.ts';
import type { Place } from './whose.ts';

/**
 * What is computed together: people in a room or outside of rooms, people wherever they were, or an experiment; as each
 * table says.
 */
export interface Part {
  readonly experiment: string;
  readonly room: string | null;
  /** The participants whose rows it is about. Null: all of the room or the experiment, and what names no one. */
  readonly people: readonly string[] | null;
}

/** A column of a derived table. */
export interface DerivedColumn {
  readonly type: 'TEXT' | 'INTEGER' | 'REAL';
  readonly about: string;
  /** What it tells about a person. */
  readonly privacy: PrivacyClass;
  /** What it means that there is no value; `NEVER` where there always is one. */
  readonly missing: string;
  readonly unit?: string;
  readonly isBoolean?: true;
  /** The values that it may have, each with what it means. */
  readonly values?: Readonly<Record<string, string>>;
  /** The values that it may have, where they say themselves what they mean. */
  readonly allowed?: readonly string[];
  /** Its values are codes, or names of the design: a codebook lists them. Other texts are only counted. */
  readonly isCode?: true;
}

/** What is said of a column that always has a value. */
export const NEVER = 'never missing';

export type Columns = Readonly<Record<string, DerivedColumn>>;

/** A table or view, as it is explained to readers. */
export interface Explained {
  readonly name: string;
  readonly about: string;
  /** What one row is. */
  readonly row: string;
  readonly columns: Columns;
}

/** A table that is computed from the mirrored ones. Columns come in the order in which they are declared. */
export interface DerivedTable extends Explained {
  /** The columns that together identify a row. */
  readonly key: readonly string[];
  /** What it is computed for: people in each room, people in all rooms, or experiments. */
  readonly of: 'room' | 'person' | 'experiment';
  /** The data types that it is computed from, as far as they concern a part. */
  readonly sources: readonly string[];
  /** Those of which a row that names no one concerns everyone in its room; other such rows concern no one. */
  readonly roomWide?: readonly string[];
  /** Data types of which a change concerns every part of the experiment. */
  readonly commonSources?: readonly string[];
  /** To be raised when the same records come to other rows than before: the table is then made again. */
  readonly version: number | string;
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
  experiment_id: { type: 'TEXT', about: 'The experiment.', privacy: 'none', missing: NEVER },
  room_id: {
    type: 'TEXT',
    about: 'The room (session).',
    privacy: 'indirect',
    missing: 'It was before a room was assigned.',
  },
  participant_id: {
    type: 'TEXT',
    about: 'The participant; ids are unique within a room only.',
    privacy: 'direct',
    missing: 'It concerns no single participant.',
  },
} as const satisfies Columns;

/** The columns of a value that may be a number, a text or something else. */
export const VALUE = {
  value_type: {
    type: 'TEXT',
    about: 'What the value is.',
    privacy: 'none',
    missing: PART_MISSING.type,
    allowed: MIXED_TYPES,
    isCode: true,
  },
  value_number: {
    type: 'REAL',
    about: 'The value as a number; a boolean as 0 or 1.',
    privacy: 'indirect',
    missing: PART_MISSING.number,
    unit: 'as recorded',
  },
  value_text: { type: 'TEXT', about: 'The value, if it is a text.', privacy: 'free text', missing: PART_MISSING.text },
  value_json: {
    type: 'TEXT',
    about: 'The value as JSON, if it is a list or an object, or more than the other columns hold exactly.',
    privacy: 'free text',
    missing: 'There is no value, or the other columns hold it.',
    unit: 'JSON',
  },
} as const satisfies Columns;
