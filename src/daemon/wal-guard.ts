import type { Clock } from '../shared/clock.ts';
import type { Log } from '../shared/log.ts';
import { plainError } from '../warehouse/open.ts';
import { CLOSE_READERS, emptyWal, TOO_LARGE_BYTES, walBytes } from '../warehouse/wal.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import type { Background } from './background.ts';
import type { Notices } from './notices.ts';

export interface WalBounds {
  /** Beyond so many bytes the write-ahead log is emptied as soon as no reader needs it. */
  readonly large: number;
  /** Beyond so many nothing that can wait writes any more: a reader has kept the log from being emptied for long. */
  readonly tooLarge: number;
}

const BOUNDS: WalBounds = { large: 64 * 1024 ** 2, tooLarge: TOO_LARGE_BYTES };
/** To empty it is tried so often. */
const TRY_EVERY_MS = 10_000;

/** What a guard looks at, and what it notifies. */
export interface WalGuardParts {
  readonly warehouse: Pick<Warehouse, 'db' | 'path'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly notices: Notices;
  readonly background: Pick<Background, 'interrupt'>;
}

/**
 * Keeps the write-ahead log bounded: with a reader open for hours, first reads and reconcile wait, and only the small
 * writes of polls go on.
 */
export interface WalGuard {
  /**
   * Whether what can wait may write; ends it when that is over. To be asked before it begins and at each of its pages, so
   * that the log grows by no more than the transactions under way.
   */
  mayWrite(): boolean;
  /** Times that lie ahead do not count any more. */
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

/** False when the disk did not allow it; that is said, and no reason to end. */
function tryToEmpty({ warehouse: { db, path }, clock, log, notices }: WalGuardParts): boolean {
  try {
    emptyWal(db);
    return true;
  } catch (error) {
    const said = plainError(path, error);
    if (said === undefined) throw error;
    const { code, message, hint } = said;
    log.warn({ code }, `The write-ahead log could not be emptied: ${message}`);
    notices.note({ at: clock.now(), code, text: message, hint });
    return false;
  }
}

function warnOfReader({ warehouse: { path }, clock, log, notices }: WalGuardParts, bytes: number): void {
  const text = `A program keeps reading ${path} without a break, so that its write-ahead log has grown to ${Math.round(bytes / 1024 ** 2)} MB. First reads wait until that program closes the file or ends its transaction; new data still come in.`;
  log.warn({ walBytes: bytes }, text);
  notices.note({ at: clock.now(), code: 'WAL_LARGE', text, hint: CLOSE_READERS });
}
