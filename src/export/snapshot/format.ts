import type { SqlValue } from '../../shared/sqlite.ts';
import type { Column, Table } from './tables.ts';

/** A file of a snapshot, and the tables that are in it. */
export interface WrittenFile {
  /** Its name in the folder. */
  readonly path: string;
  readonly tables: readonly WrittenTable[];
}

export interface WrittenTable {
  readonly name: string;
  readonly about: string;
  readonly columns: readonly Column[];
  readonly key: readonly string[];
  readonly rows: number;
}

/** Takes the rows of one table. */
export interface Sink {
  write(row: readonly SqlValue[]): void;
  close(): void;
}

/** A snapshot that is being written into a folder. */
export interface Writing {
  open(table: Table): Sink;
  /** Ends it, and says what there is. Nothing is written after it. */
  finish(tables: readonly WrittenTable[]): readonly WrittenFile[];
  /** Lets go of what is open, where it was not finished. */
  abandon(): void;
}

/** The text of a file name: a table's name, which may be any text, as every file system has it. */
export function fileName(table: string, ending: string): string {
  return `${table.replaceAll(/[^\w.-]/g, (char) => `%${char.codePointAt(0)?.toString(16) ?? ''}`)}.${ending}`;
}
