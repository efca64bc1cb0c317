import { emptyWal, walBytes } from '../warehouse/wal.ts';
import type { Clock } from '../shared/clock.ts';
import type { Log } from '../shared/log.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import type { Problems } from './problems.ts';

export interface WalBounds {
  /** Beyond so many bytes the write-ahead log is emptied as soon as no reader needs it. */
  readonly large: number;
  /** Beyond so many nothing that can wait writes any more: a reader has kept the log from being emptied for long. */
  readonly tooLarge: number;
}

const BOUNDS: WalBounds = { large: 64 * 1024 ** 2, tooLarge: 256 * 1024 ** 2 };
const LOOK_EVERY_MS = 10_000;

/**
 * Keeps the write-ahead log bounded: with a reader open for hours, first reads and reconcile wait, and only the small
 * writes of polls go on.
 */
export interface WalGuard {
  /** Whether what can wait may write. */
  mayWrite(around: {
    readonly warehouse: Pick<Warehouse, 'db' | 'path'>;
    readonly clock: Clock;
    readonly log: Log;
    readonly problems: Problems;
    /** Ends what can wait. */
    readonly background: AbortController;
  }): boolean;
}

export function createWalGuard(bounds: WalBounds = BOUNDS): WalGuard {
  let lookedAt = -Infinity;
  let isFull = false;
  return {
    mayWrite({ warehouse, clock, log, problems, background }) {
      const now = clock.now();
      if (now - lookedAt < LOOK_EVERY_MS) return !isFull;
      lookedAt = now;
      const bytes = walBytes(warehouse.path) > bounds.large ? emptyWal(warehouse.db) : 0;
      const wasFull = isFull;
      isFull = bytes > bounds.tooLarge;
      if (isFull && !wasFull) {
        const text = `A program keeps reading ${warehouse.path} without a break, so that its write-ahead log has grown to ${Math.round(bytes / 1024 ** 2)} MB. First reads wait until that program closes the file or ends its transaction; new data still come in.`;
        log.warn({ walBytes: bytes }, text);
        problems.note({
          at: now,
          code: 'WAL_LARGE',
          text,
          hint: 'Close old R, Python or MATLAB sessions that have the file open.',
        });
        background.abort();
      }
      return !isFull;
    },
  };
}
