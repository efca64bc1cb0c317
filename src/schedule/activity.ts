/** How active a stream and an experiment are, from cheap signs. Pure: each call is given the time. */
import { isOver } from '../datasets/room-status.ts';
import { parseTime, MINUTE_MS, HOUR_MS } from '../shared/time.ts';

/**
 * How fast a rate decays. In the simulation 2 to 10 minutes do equally well, and rising faster than falling gains
 * nothing.
 */
const HALF_LIFE_MS = 5 * MINUTE_MS;

/** A few rows that came within a moment say nothing about an hour. */
const SHORTEST_SPAN_MS = MINUTE_MS;

/** The result of a poll. */
export interface PollResult {
  readonly newRows: number;
  /** Milliseconds since the previous poll. */
  readonly elapsedMs: number;
  /**
   * Age of the oldest new row, where it is known: a session that began a minute ago is then not mistaken for a trickle
   * over the whole hour since the previous poll.
   */
  readonly spanMs?: number;
}

/** Rows per hour of a stream after a poll: a moving average in which older polls count less. */
export function updateRate(previous: number, { newRows, elapsedMs, spanMs = elapsedMs }: PollResult): number {
  const elapsed = Math.max(1, elapsedMs);
  const rate = (newRows * HOUR_MS) / Math.min(elapsed, Math.max(spanMs, SHORTEST_SPAN_MS));
  const kept = 2 ** (-elapsed / HALF_LIFE_MS);
  return previous * kept + rate * (1 - kept);
}

/** What `GET /experiments` says about an experiment. */
export interface Look {
  readonly updatedAt?: string | undefined;
  readonly roomCount?: number | undefined;
  readonly participantCount?: number | undefined;
}

/** Data types whose number of records a look shows. */
const COUNTS = { rooms: 'roomCount', participants: 'participantCount' } as const;
export type Counted = keyof typeof COUNTS;

export function isCounted(dataType: string): dataType is Counted {
  return Object.hasOwn(COUNTS, dataType);
}

/** The signs of life of an experiment; times are milliseconds since 1970 UTC by our own clock. */
export interface Signals {
  readonly look?: Look;
  /** When a look last differed from the previous one. */
  readonly changedAt?: number;
  /** When the current run of changes began, which had no pause as long as `HOLD_MS`. */
  readonly changingSince?: number;
  /** When the count of a data type that looks show last changed. */
  readonly countedAt?: Readonly<Partial<Record<Counted, number>>>;
  /** Its rooms: the status, and when that status was first seen. */
  readonly rooms: readonly { readonly status: string | null; readonly since: number }[];
  /** The newest row that polls brought: when it was fetched, or its own time where that is earlier. */
  readonly rowsAt?: number;
}

/** How long an experiment stays live after its last sign of life, so that a pause does not end it. */
export const HOLD_MS = 15 * MINUTE_MS;

/**
 * How long a sign is believed although no row comes: rooms may stay open, and an `updatedAt` may change all the time.
 */
export const PATIENCE_MS = HOUR_MS;

/**
 * Records what `GET /experiments` now says about the experiment. The first look has nothing to compare with: it counts
 * as a change if `updatedAt` is recent.
 */
export function noteLook(signals: Signals, look: Look, now: number): Signals {
  if (!differs(signals.look, look, now)) return { ...signals, look };
  const { changedAt, changingSince, countedAt } = signals;
  const goesOn = changedAt !== undefined && now - changedAt <= HOLD_MS;
  const counted = (Object.keys(COUNTS) as Counted[]).filter(
    (data) => signals.look !== undefined && signals.look[COUNTS[data]] !== look[COUNTS[data]],
  );
  return {
    ...signals,
    look,
    changedAt: now,
    changingSince: goesOn ? (changingSince ?? changedAt) : now,
    countedAt: { ...countedAt, ...Object.fromEntries(counted.map((data) => [data, now])) },
  };
}

function differs(before: Look | undefined, look: Look, now: number): boolean {
  if (before === undefined) {
    const updatedAt = look.updatedAt === undefined ? undefined : parseTime(look.updatedAt);
    return updatedAt !== undefined && now - updatedAt <= HOLD_MS;
  }
  return (
    before.updatedAt !== look.updatedAt ||
    before.roomCount !== look.roomCount ||
    before.participantCount !== look.participantCount
  );
}

/**
 * Whether an experiment is in session. Any sign makes it live immediately, and it stays live for `HOLD_MS` after the
 * last one. Rows are the surest sign; the others are believed for `PATIENCE_MS` only, unless rows come.
 */
export function isLive({ changedAt, changingSince, rooms, rowsAt }: Signals, now: number): boolean {
  const within = (at: number | undefined, ms: number) => at !== undefined && now - at <= ms;
  if (within(rowsAt, HOLD_MS)) return true;
  const believed = (since: number | undefined) => within(since, PATIENCE_MS) || within(rowsAt, PATIENCE_MS);
  if (within(changedAt, HOLD_MS) && believed(changingSince)) return true;
  return rooms.some(({ status, since }) => status !== null && !isOver(status) && believed(since));
}
