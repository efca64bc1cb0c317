import type { Database } from 'better-sqlite3';
import type { SqlValue } from '../shared/sqlite.ts';
import type { Columns, Explained } from './columns.ts';
import type { Part } from './part.ts';
import type { PartEvent } from './part-events.ts';
import type { Place } from './whose.ts';

export type { Part } from './part.ts';

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
  /** It is computed from another of these tables as well, and so after them. */
  readonly isLast?: true;
  /**
   * The rows of a part, computed from what is mirrored.
   * @param events reads those of the part, once for all tables.
   */
  readonly rows: (db: Database, part: Part, events: ReadEvents) => readonly DerivedRow[];
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

export type ReadEvents = () => readonly PartEvent[];

/** The value of each column. */
export type DerivedRow = Readonly<Record<string, SqlValue>>;

/** Declares a table; the compiler checks that each row has exactly the declared columns. */
export function defineDerived<const C extends Columns>(
  spec: Omit<DerivedTable, 'columns' | 'key' | 'rows'> & {
    readonly key: readonly (keyof C & string)[];
    readonly columns: C;
    readonly rows: (db: Database, part: Part, events: ReadEvents) => readonly Readonly<Record<keyof C, SqlValue>>[];
  },
): DerivedTable {
  return spec;
}
