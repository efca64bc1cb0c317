/** A text that was stored, and its version: another one wherever anything differs. */
export interface Stored {
  readonly text: string;
  readonly version: string;
}

/** Where a lake is kept: a folder or a bucket. Names are paths with `/` below its root. */
export interface Store {
  /** What people call it. */
  readonly place: string;
  /** A folder on this computer in which files may be made before they are put. */
  readonly workshop: string;
  read(name: string): Promise<Stored | undefined>;
  /** Puts a file under a name that nothing has; false, and nothing changed, where something has it already. */
  put(name: string, file: string, sha256: string): Promise<boolean>;
  /** When what has a name was put, in milliseconds since 1970 UTC; undefined where nothing has it. */
  putAt(name: string): Promise<number | undefined>;
  /** Replaces a text in one step if it still has that version (undefined: it is not there yet); false otherwise. */
  replace(name: string, text: string, version: string | undefined): Promise<boolean>;
  /** All that is below a folder. A reader of a lake never needs it; it finds what a kill left. */
  list(folder: string): AsyncIterable<{ readonly name: string; readonly at: number }>;
  /** Removes what is there of these. */
  remove(names: readonly string[]): Promise<void>;
}
