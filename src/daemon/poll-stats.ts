import { updateRate } from '../schedule/activity.ts';
import type { PollStats } from '../schedule/due-times.ts';
import type { StreamResult } from '../sync/stream.ts';

/** What recent polls of each stream have shown; kept in memory, as it is learned again within minutes. */
export interface RecordedPollStats extends PollStats {
  /** Notes the result of a poll. */
  note(key: string, result: Pick<StreamResult, 'inserted' | 'requests' | 'oldestNew'>, now: number): void;
  /** Leaves the stream alone until then, after an error that is not part of a result. */
  rest(key: string, until: number): void;
  /** Notes whether a read failed, for a reason of the stream's own and not because of an outage. */
  noteEnd(key: string, failed: boolean): void;
  /** Discards everything, as times may now be in the future; it is learned again. */
  clockSetBack(): void;
}

/** The weight of a poll in the expected cost of the next one. */
const WEIGHT = 0.3;

export function createPollStats(): RecordedPollStats {
  const seen = new Map<string, { rowsPerHour: number; cost: number; at: number }>();
  const resting = new Map<string, number>();
  const failed = new Map<string, number>();
  return {
    of: (key) => seen.get(key) ?? { rowsPerHour: 0, cost: 1 },
    note(key, { inserted, requests, oldestNew }, now) {
      resting.delete(key);
      const before = seen.get(key);
      if (before === undefined) {
        // The rows of a first look may have arrived at any time.
        seen.set(key, { rowsPerHour: 0, cost: 1, at: now });
        return;
      }
      const elapsedMs = now - before.at;
      const spanMs = oldestNew === null ? elapsedMs : Math.max(0, now - Date.parse(oldestNew));
      const rowsPerHour = updateRate(before.rowsPerHour, { newRows: inserted, elapsedMs, spanMs });
      const cost = Math.max(1, before.cost * (1 - WEIGHT) + requests * WEIGHT);
      seen.set(key, { rowsPerHour, cost, at: now });
    },
    rest: (key, until) => void resting.set(key, until),
    restsUntil: (key) => resting.get(key) ?? 0,
    noteEnd(key, isFailure) {
      if (isFailure) failed.set(key, (failed.get(key) ?? 0) + 1);
      else failed.delete(key);
    },
    failures: (key) => failed.get(key) ?? 0,
    clockSetBack() {
      seen.clear();
      resting.clear();
      failed.clear();
    },
  };
}
