import { MINUTE_MS, HOUR_MS, DAY_MS } from '../shared/time.ts';
/**
 * How often `schedule: adaptive` polls each stream. Pure: what is known about the streams goes in, intervals come out.
 *
 * Rows that arrive at random wait half an interval on average. To make the mean wait of a row as short as a budget
 * of requests allows, each stream is polled in proportion to the square root of (rows per hour / requests per poll); a
 * stream that this would poll too often or too seldom stays at its bound and the others share the rest (KKT
 * conditions of min Σ rows/frequency subject to Σ cost × frequency ≤ budget).
 */

/** A stream whose polling is planned. */
export interface Candidate {
  readonly key: string;
  /** The data type: the API limits each separately. */
  readonly endpoint: string;
  /** Whether its experiment is in session, see `isLive`. */
  readonly live: boolean;
  /** Rows per hour that the stream lately brought, see `updateRate`; 0 if it never had any. */
  readonly rowsPerHour: number;
  /** Expected requests of a poll, at least 1. */
  readonly cost: number;
}

/** Requests that polls may use. */
export interface PollLimits {
  readonly perHour: number;
  readonly perEndpointPerMinute: number;
}

export interface IntervalBounds {
  /** No stream is polled more often. */
  readonly fastestMs: number;
  /** A live stream is polled at least this often while half of the budget allows that, with or without rows. */
  readonly discoveryMs: number;
  /** An idle stream is not polled more often. */
  readonly idleMs: number;
  /** No stream is polled less often while the limits allow that. */
  readonly slowestMs: number;
  /**
   * Rows per hour that any live, and any idle, stream is expected to bring in addition to those it brought; above 0.
   */
  readonly expectedRows: { readonly live: number; readonly idle: number };
}

export const BOUNDS: IntervalBounds = {
  fastestMs: 20_000,
  discoveryMs: 5 * MINUTE_MS,
  idleMs: HOUR_MS,
  slowestMs: DAY_MS,
  expectedRows: { live: 100, idle: 0.3 },
};

/** How often each stream is polled, and what that costs. */
export interface PollIntervals {
  /** Milliseconds between two polls of each stream, by key. */
  readonly of: ReadonlyMap<string, number>;
  /** Requests per hour that these polls take. */
  readonly requestsPerHour: number;
  /** 1 when the limits allow `slowestMs`; otherwise how many times slower the slowest streams are polled. */
  readonly slowedBy: number;
}

/** The bounds of a stream's frequency (polls per hour), and its weight. */
interface Share {
  readonly key: string;
  readonly cost: number;
  readonly weight: number;
  readonly least: number;
  readonly most: number;
}

/**
 * Desired milliseconds between polls of each candidate that the hourly and the per-endpoint limits allow.
 * Streams with more rows are not polled less often; the order of the candidates does not matter.
 */
export function pollIntervals(
  candidates: readonly Candidate[],
  limits: PollLimits,
  bounds: IntervalBounds = BOUNDS,
): PollIntervals {
  const daily = HOUR_MS / bounds.slowestMs;
  const perEndpoint = limits.perEndpointPerMinute * (HOUR_MS / MINUTE_MS);
  const groups = [...Map.groupBy(candidates, ({ endpoint }) => endpoint).values()];

  // What does not fit even if each is polled as rarely as allowed: first each endpoint alone, then all together.
  const carried = groups.map((group) => Math.min(1, perEndpoint / (daily * costOf(group))));
  const leastOfAll = groups.reduce((sum, group, i) => sum + daily * costOf(group) * (carried[i] ?? 1), 0);
  const carriedByHour = Math.min(1, limits.perHour / leastOfAll);

  const liveLeast = HOUR_MS / bounds.discoveryMs - daily;
  const discovery = (budget: number, of: readonly Candidate[]) => {
    const live = liveLeast * costOf(of.filter((candidate) => candidate.live));
    return Math.max(0, Math.min(1, (budget - daily * costOf(of)) / 2 / Math.max(live, Number.MIN_VALUE)));
  };
  const discoveryOfAll = discovery(limits.perHour, candidates);

  const shares = groups.map((group, i) => {
    const floor = daily * (carried[i] ?? 1) * carriedByHour;
    const liveFloor = floor + liveLeast * Math.min(discoveryOfAll, discovery(perEndpoint, group));
    return group.map((candidate) => shareOf(candidate, candidate.live ? liveFloor : floor, bounds));
  });
  // An endpoint held back by its own limit leaves the rest of the hour to the others.
  const levels = shares.map((group) => highestLevel(group, perEndpoint, (level) => requests(group, level)));
  const all = (level: number) => sum(shares, (group, i) => requests(group, Math.min(level, levels[i] ?? level)));
  const level = highestLevel(shares.flat(), limits.perHour, all);

  const intervals = new Map(
    shares.flatMap((group, i) =>
      group.map((share) => [share.key, intervalOf(frequency(share, Math.min(level, levels[i] ?? level)))] as const),
    ),
  );
  const slowedBy = 1 / Math.min(carriedByHour, ...carried.map((part) => part * carriedByHour));
  return { of: intervals, requestsPerHour: all(level), slowedBy };
}

/**
 * When a stream polled at a time is due again: its interval, shorter or longer by a hash, so that the streams of an
 * experiment are not due together. One of them then soon finds a session that no signal showed. Never later than the
 * longer of its interval and `slowestMs`.
 */
export function dueAt(key: string, polledAt: number, intervalMs: number, bounds: IntervalBounds = BOUNDS): number {
  const width = intervalMs < bounds.idleMs ? SPREAD.live : SPREAD.idle;
  const spread = 1 - width / 2 + width * hash(`${key} ${polledAt}`);
  return polledAt + Math.min(intervalMs * spread, Math.max(intervalMs, bounds.slowestMs));
}

/** Uneven intervals make rows wait longer, by a twelfth of the square: almost nothing for a live stream. */
const SPREAD = { live: 0.2, idle: 1 };

/** FNV-1a with a final mix: evenly from 0 to 1. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  return ((h ^ (h >>> 13)) >>> 0) / 2 ** 32;
}

function shareOf({ key, cost, live, rowsPerHour }: Candidate, least: number, bounds: IntervalBounds): Share {
  const { fastestMs, idleMs, expectedRows } = bounds;
  const rows = Math.max(0, rowsPerHour) + (live ? expectedRows.live : expectedRows.idle);
  const most = HOUR_MS / (live ? fastestMs : idleMs);
  return {
    key,
    cost: Math.max(1, cost),
    weight: Math.sqrt(rows / Math.max(1, cost)),
    least,
    most: Math.max(most, least),
  };
}

function costOf(candidates: readonly Candidate[]): number {
  return candidates.reduce((total, { cost }) => total + Math.max(1, cost), 0);
}

function frequency({ weight, least, most }: Share, level: number): number {
  return Math.min(most, Math.max(least, weight * level));
}

/** Requests per hour of a group of streams whose frequencies are a given multiple of their weights. */
function requests(group: readonly Share[], level: number): number {
  let total = 0;
  for (const share of group) total += share.cost * frequency(share, level);
  return total;
}

function sum<T>(items: readonly T[], of: (item: T, i: number) => number): number {
  return items.reduce((total, item, i) => total + of(item, i), 0);
}

/** The highest level whose requests stay within a budget, by bisection from below; Infinity when all do. */
function highestLevel(shares: readonly Share[], budget: number, requestsAt: (level: number) => number): number {
  if (requestsAt(Infinity) <= budget) return Infinity;
  let low = Infinity;
  let high = 0;
  for (const { weight, least, most } of shares) {
    low = Math.min(low, least / weight);
    high = Math.max(high, most / weight);
  }
  if (low === 0) return 0;
  // Levels span many powers of ten: halve their ratio, to a millionth of the highest level.
  while (high > low * (1 + 1e-6)) {
    const middle = Math.sqrt(low) * Math.sqrt(high);
    if (requestsAt(middle) <= budget) low = middle;
    else high = middle;
  }
  return low;
}

/** Whole milliseconds, rounded up, ignoring the rounding error of a division. */
function intervalOf(perHour: number): number {
  return Math.ceil(HOUR_MS / perHour - 1e-6);
}
