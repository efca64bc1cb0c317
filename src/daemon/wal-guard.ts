import type { Clock } from '../shared/clock.ts';
import type { Log } from '../shared/log.ts';
import { plainError } from '../warehouse/open.ts';
import { CLOSE_READERS, emptyWal, TOO_LARGE_BYTES, walBytes } from '../warehouse/wal.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import type { Background } from './background.ts';
import type { Notices } from './notices.ts';

export interface WalBounds {
  /** Above this size in bytes the write-ahead log is emptied as soon as no reader needs it. */
  readonly large: number;
  /** Above this size reads that can wait stop writing: a reader has kept the log from being emptied for long. */
  readonly tooLarge: number;
}

const BOUNDS: WalBounds = { large: 64 * 1024 ** 2, tooLarge: TOO_LARGE_BYTES };
/** How often emptying it is tried. */
const TRY_EVERY_MS = 10_000;

/** What a guard checks, and what it notifies. */
export interface WalGuardParts {
  readonly warehouse: Pick<Warehouse, 'db' | 'path'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly notices: Notices;
  readonly background: Pick<Background, 'interrupt'>;
}

/**
 * Keeps the write-ahead log bounded: while a reader stays open for hours, first reads and reconcile wait, and only the
 * small writes of polls continue.
 */
export interface WalGuard {
  /**
   * Whether reads that can wait may write; interrupts them when they no longer may. Call it before they start and at
   * each of their pages, so that the log grows by no more than the transactions in progress.
   */
  mayWrite(): boolean;
  /** Discards times that are now in the future. */
  clockSetBack(): void;
}

export function createWalGuard(parts: WalGuardParts, bounds: WalBounds = BOUNDS): WalGuard {
  const { warehouse, clock, background } = parts;
  let triedAt = -Infinity;
  let isFull = false;
  return {
    mayWrite() {
      const now = clock.now();
      const before = walBytes(warehouse.path);
      const isNews = before > bounds.tooLarge && !isFull;
      let bytes = before;
      let isSaid = false;
      if (before > bounds.large && (isNews || now - triedAt >= TRY_EVERY_MS)) {
        triedAt = now;
        isSaid = !tryToEmpty(parts);
        bytes = walBytes(warehouse.path);
      }
      isFull = bytes > bounds.tooLarge;
      if (isFull && isNews) {
        if (!isSaid) warnOfReader(parts, bytes);
        background.interrupt();
      }
      return !isFull;
    },
    clockSetBack() {
      triedAt = -Infinity;
      isFull = false;
    },
  };
}

/** Returns false if the disk did not allow it; that is logged, and no reason to exit. */
function tryToEmpty({ warehouse: { db, path }, clock, log, notices }: WalGuardParts): boolean {
  try {
    emptyWal(db);
    return true;
  } catch (error) {
    const said = plainError(path, error);
    if (said === undefined) throw error;
    const { code, message, hint } = said;
    log.warn({ code }, `the write-ahead log could not be emptied: ${message}`);
    notices.note({ at: clock.now(), code, text: message, hint });
    return false;
  }
}

function warnOfReader({ warehouse: { path }, clock, log, notices }: WalGuardParts, bytes: number): void {
  const text = `A program keeps reading ${path} without a break, so that its write-ahead log has grown to ${Math.round(bytes / 1024 ** 2)} MB. First reads wait until that program closes the file or ends its transaction; new data are still read.`;
  log.warn({ walBytes: bytes }, text);
  notices.note({ at: clock.now(), code: 'WAL_LARGE', text, hint: CLOSE_READERS });
}
