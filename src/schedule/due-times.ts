import type { Config } from '../config/schema.ts';
import { endpointOf, streamText, type Stream } from '../datasets/stream.ts';
import { dueAt, pollIntervals, type Candidate } from './intervals.ts';
import type { Schedule } from './slots.ts';
import { MINUTE_MS, HOUR_MS } from '../shared/time.ts';

/** A stream, and when it is to be read next (milliseconds since 1970 UTC). */
export interface DueTime {
  readonly stream: Stream;
  readonly key: string;
  readonly live: boolean;
  /** The first read, or another one of the whole stream: it may take hours. */
  readonly isFirstRead: boolean;
  readonly isReread: boolean;
  readonly readAt: number;
  readonly dueAt: number;
}

/** The parts of a stream's position that decide when it is due. Times are milliseconds since 1970 UTC. */
export interface ReadSoFar {
  readonly backfilled: boolean;
  readonly finished: boolean;
  readonly lastSyncAt: number | undefined;
  readonly lastStatus: string | undefined;
  readonly rereadReason: string | undefined;
}

/** What polls of each stream have lately shown. */
export interface PollStats {
  of(key: string): { readonly rowsPerHour: number; readonly cost: number };
  /** Until when a stream is left alone, as something went wrong that no result shows. */
  restsUntil(key: string): number;
  /** How often it failed since it was last read. */
  failures(key: string): number;
}

export interface DueTimes {
  readonly entries: readonly DueTime[];
  /** The experiments that are in session. */
  readonly live: ReadonlySet<string>;
  /** Requests per hour that the adaptive polls are planned to take. */
  readonly requestsPerHour: number;
}

/** What the due times are computed from. */
export interface Situation {
  readonly config: Pick<Config, 'schedule' | 'experiments'>;
  readonly streams: readonly Stream[];
  readonly positionOf: (stream: Stream) => ReadSoFar;
  readonly pollStats: PollStats;
  readonly isLive: (experimentId: string) => boolean;
  /** When the API was last seen to have more or fewer records of a data type; 0 where it was not. */
  readonly changedAt: (experimentId: string, dataType: string) => number;
  /** Requests that polls may plan with. */
  readonly limits: { readonly perHour: number; readonly perEndpointPerMinute: number };
  readonly scheduleOf: (expression: string) => Schedule;
  /** When the key or the configuration last changed: what failed before is tried again. */
  readonly connectedAt: number;
  /** When the key, the network or the disk last started to work again; 0 if they always worked. */
  readonly workingSince: number;
  readonly now: number;
}

/**
 * The longest time for which a stream that was not read well is left alone; an incomplete first read costs many
 * requests. One that keeps failing, with several tries each time, must not use up the hour: it is left alone twice as
 * long each time.
 */
const AGAIN_MS = { failed: 5 * MINUTE_MS, incomplete: HOUR_MS, skipped: 6 * HOUR_MS } as const;
const LONGEST_AGAIN_MS = { failed: HOUR_MS, skipped: AGAIN_MS.skipped } as const;

/** When each stream is to be read next: first reads immediately, the others by their schedule. */
export function computeDueTimes(situation: Situation): DueTimes {
  const { streams, positionOf, isLive, pollStats } = situation;
  const running = new Set([...new Set(streams.map(({ experimentId }) => experimentId))].filter(isLive));
  const known = streams
    .map((stream) => ({
      stream,
      key: streamText(stream),
      at: positionOf(stream),
      live: running.has(stream.experimentId),
    }))
    .filter(({ stream, at }) => !(stream.scope.kind === 'room' && at.finished && at.rereadReason === undefined));
  const candidates = known
    .filter(({ stream, at }) => at.backfilled && scheduleFor(situation, stream) === 'adaptive')
    .map(({ stream, key, live }): Candidate => {
      const { rowsPerHour, cost } = pollStats.of(key);
      // Rows that are read by time come once, however often they are requested; a listing comes again each time.
      const isListed = stream.dataset.read !== 'incremental';
      return { key, endpoint: endpointOf(stream), live, rowsPerHour, cost: isListed ? cost : 1 };
    });
  const intervals = pollIntervals(candidates, situation.limits);
  const entries = known.map(({ stream, key, at, live }): DueTime => {
    const readAt = at.lastSyncAt ?? 0;
    const due = nextRead(situation, stream, key, at, intervals.of.get(key));
    const isReread = at.backfilled && at.rereadReason !== undefined;
    const isFirstRead = !at.backfilled || isReread;
    return { stream, key, live, isFirstRead, isReread, readAt, dueAt: Math.max(due, pollStats.restsUntil(key)) };
  });
  return { entries, live: running, requestsPerHour: intervals.requestsPerHour };
}

function nextRead(
  situation: Situation,
  stream: Stream,
  key: string,
  { backfilled, lastSyncAt: notedAt = 0, lastStatus, rereadReason }: ReadSoFar,
  interval: number | undefined,
): number {
  // A read in the future was recorded with a wrong clock: it is not known how long ago it was.
  const lastSyncAt = notedAt > situation.now ? 0 : notedAt;
  if (lastStatus === 'failed' || lastStatus === 'skipped') {
    const failures = situation.pollStats.failures(key);
    // A stream that fails while all others work has its own reason.
    const since = Math.max(situation.connectedAt, failures > 1 ? 0 : situation.workingSince);
    if (lastSyncAt <= since) return 0;
    return lastSyncAt + Math.min(LONGEST_AGAIN_MS[lastStatus], AGAIN_MS[lastStatus] * 2 ** Math.max(0, failures - 1));
  }
  if (!backfilled) return lastStatus === 'incomplete' ? lastSyncAt + AGAIN_MS.incomplete : 0;
  if (rereadReason !== undefined) return 0;
  if (interval !== undefined) {
    const changedAt = situation.changedAt(stream.experimentId, stream.dataset.name);
    return changedAt > lastSyncAt ? changedAt : dueAt(key, lastSyncAt, interval);
  }
  const schedule = situation.scheduleOf(scheduleFor(situation, stream));
  return schedule.lastSlot(lastSyncAt, situation.now) ?? schedule.nextSlot(situation.now) ?? Infinity;
}

/** The schedule of a stream's experiment. */
function scheduleFor({ config }: Situation, { experimentId }: Stream): string {
  const own = config.experiments.find((experiment) => 'id' in experiment && experiment.id === experimentId);
  const all = config.experiments.find((experiment) => 'all' in experiment);
  return (own ?? all)?.schedule ?? config.schedule;
}

/** Those that are due, live ones first, then by the share of their interval that has passed. */
export function dueNow({ entries }: DueTimes, now: number): DueTime[] {
  const lateness = ({ readAt, dueAt: due }: DueTime) => (due <= readAt ? Infinity : (now - readAt) / (due - readAt));
  return entries
    .filter((entry) => entry.dueAt <= now)
    .sort((a, b) => Number(b.live) - Number(a.live) || compare(lateness(b), lateness(a)));
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}
