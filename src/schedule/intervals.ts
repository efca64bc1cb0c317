import { MINUTE_MS, HOUR_MS, DAY_MS } from '../shared/time.ts';
/**
 * How often `schedule: adaptive` polls each stream. Pure: what is known of the streams goes in, intervals come out.
 *
 * Rows that come at random wait half an interval on average. To make the mean wait of a row as short as a budget
 * of requests allows, each stream is polled in proportion to the square root of (rows an hour / requests a poll); a
 * stream that this would poll too often or too seldom stays at its bound and the others share the rest (KKT
 * conditions of min Σ rows/frequency subject to Σ cost × frequency ≤ budget).
 */

/** A stream as its polling is planned. */
export interface Candidate {
  readonly key: string;
  /** The data type: the API limits each by itself. */
  readonly endpoint: string;
  /** Whether its experiment is in session, see `isLive`. */
  readonly live: boolean;
  /** Rows an hour that the stream lately brought, see `updateRate`; 0 when never any. */
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
  /** A live stream is polled at least this often while half of the budget carries that, rows or none. */
  readonly discoveryMs: number;
  /** An idle stream is not polled more often. */
  readonly idleMs: number;
  /** No stream is polled less often while the limits carry that. */
  readonly slowestMs: number;
  /** Rows an hour that any live, and any idle, stream is expected to bring in addition to what it brought; above 0. */
  readonly expectedRows: { readonly live: number; readonly idle: number };
}

export const BOUNDS: IntervalBounds = {
  fastestMs: 20_000,
  discoveryMs: 5 * MINUTE_MS,
  idleMs: HOUR_MS,
  slowestMs: DAY_MS,
  expectedRows: { live: 100, idle: 0.3 },
};

/** Milliseconds between two polls of each stream, by key; and what they come to. */
export type PollIntervals = Map<string, number> & {
  /** Requests an hour that these polls take. */
  readonly requestsPerHour: number;
  /** 1 when the limits carry `slowestMs`; otherwise how many times slower the slowest streams are polled. */
  readonly slowedBy: number;
};

/** The frequencies (polls an hour) between which a stream is polled, and its weight. */
interface Share {
  readonly key: string;
  readonly cost: number;
  readonly weight: number;
  least: number;
  most: number;
}

/**
 * Desired milliseconds between polls of each candidate, such that the hourly and the per-endpoint limits carry them.
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

  // What does not even fit when each is polled as seldom as it may: an endpoint alone, then all together.
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
  // An endpoint that its own limit holds back leaves the rest of the hour to the others.
  const levels = shares.map((group) => highestLevel(group, perEndpoint, (level) => requests(group, level)));
  const all = (level: number) => sum(shares, (group, i) => requests(group, Math.min(level, levels[i] ?? level)));
  const level = highestLevel(shares.flat(), limits.perHour, all);

  const intervals = new Map(
    shares.flatMap((group, i) =>
      group.map((share) => [share.key, intervalOf(frequency(share, Math.min(level, levels[i] ?? level)))] as const),
    ),
  );
  const slowedBy = 1 / Math.min(carriedByHour, ...carried.map((part) => part * carriedByHour));
  return Object.assign(intervals, { requestsPerHour: all(level), slowedBy });
}

/**
 * When a stream polled at a time is due again: its interval, shorter or longer by a hash, so that the streams of an
 * experiment do not come due together. Then one of them soon finds a session of which no signal told. Never later than
 * the longer of its interval and `slowestMs`.
 */
export function dueAt(key: string, polledAt: number, intervalMs: number, bounds: IntervalBounds = BOUNDS): number {
  const width = intervalMs < bounds.idleMs ? SPREAD.live : SPREAD.idle;
  const spread = 1 - width / 2 + width * hash(`${key} ${polledAt}`);
  return polledAt + Math.min(intervalMs * spread, Math.max(intervalMs, bounds.slowestMs));
}

/** Uneven intervals make rows wait longer, by a twelfth of the square: next to nothing for a live stream. */
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

/** Requests an hour of a group of streams whose frequencies stand at a level of their weights. */
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

/** Whole milliseconds, upwards, but for the rounding of a division. */
function intervalOf(perHour: number): number {
  return Math.ceil(HOUR_MS / perHour - 1e-6);
}
