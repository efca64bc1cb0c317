import { statSync } from 'node:fs';
import type { Db } from './open.ts';

/** A log larger than this, in bytes, has long been kept from being emptied by a reader. */
export const TOO_LARGE_BYTES = 256 * 1024 ** 2;

/** What to do about a log that is too large. */
export const CLOSE_READERS = 'Close old R, Python or MATLAB sessions that have the file open.';

/**
 * The size of the write-ahead log in bytes. A program that keeps a read transaction open stops it from being emptied,
 * and it grows with every write. The file is never opened: closing any descriptor of it would drop SQLite's locks.
 */
export function walBytes(path: string): number {
  return statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
}

/** Empties the write-ahead log where no reader needs it, without waiting for one; returns its size afterwards. */
export function emptyWal(db: Db): number {
  const timeout = Number(db.pragma('busy_timeout', { simple: true }));
  db.pragma('busy_timeout = 0');
  try {
    db.pragma('wal_checkpoint(TRUNCATE)');
  } finally {
    db.pragma(`busy_timeout = ${timeout}`);
  }
  return walBytes(db.name);
}
