import type { Priority } from '../shared/priority.ts';

/** What decides how the requests of an hour are divided. */
export interface Demand {
  /** Requests in any rolling hour. */
  readonly allowed: number;
  /** Requests of every kind in the last hour, as the ledger has them. */
  readonly used: number;
  /** Requests per hour of polls and looks, as planned now. */
  readonly planned: number;
  /** The share that the configuration gives to reconcile. */
  readonly reconcileShare: number;
}

const all = () => 1;

/**
 * Whose requests go first (a lower rank), and which part of each limit they may use: what can wait never uses up what
 * urgent reads need. The ledger keeps the rank of each request.
 */
export const PRIORITIES = {
  /** What a user requested and is waiting for. */
  user: { rank: 0, shareOf: all },
  /** Streams of experiments that are in session. */
  live: { rank: 2, shareOf: all },
  /** Other streams that were read before. */
  fresh: { rank: 4, shareOf: all },
  /** The default. */
  other: { rank: 5, shareOf: all },
  /** First reads. */
  backfill: { rank: 6, shareOf: (demand: Demand) => Math.max(backfillBudget(demand), 1) / demand.allowed },
  /** The nightly run, and data that the server derived again. */
  reconcile: { rank: 8, shareOf: ({ reconcileShare }: Demand) => reconcileShare },
  /** The addresses of files. */
  media: { rank: 9, shareOf: () => 0.1 },
} as const;

export function rankNow(priority: Priority = PRIORITIES.other.rank): number {
  return typeof priority === 'function' ? priority() : priority;
}

/** The part of each limit, from 0 to 1, that requests of a rank may use. */
export function shareOf(rank: number, demand: Demand): number {
  return (
    Object.values(PRIORITIES)
      .find((priority) => priority.rank === rank)
      ?.shareOf(demand) ?? 1
  );
}

/** The share of the hour that no plan uses: polls of more than one page cannot be foreseen. */
const SLACK = 0.1;

/** How much less is planned for each request that used the slack. Below 6, polls had to wait in the simulation. */
const HOLD_BACK = 6;

/** The share of the hour that is left for first reads when polls are planned, while there are any. */
const LEFT_FOR_BACKFILL = 0.15;

/** Requests per hour that a plan of polls leaves to first reads and to reconcile, while there are any. */
export function leftByPolls(
  { allowed, reconcileShare }: Pick<Demand, 'allowed' | 'reconcileShare'>,
  { isBackfilling, isReconciling }: { isBackfilling: boolean; isReconciling: boolean },
): number {
  return (isBackfilling ? LEFT_FOR_BACKFILL * allowed : 0) + (isReconciling ? reconcileShare * allowed : 0);
}

/**
 * Requests per hour that polls may plan with.
 * @param others requests per hour to leave: for looks at signals, and for a backfill or a reconcile that is running.
 */
export function pollBudget({ allowed, used, others }: Pick<Demand, 'allowed' | 'used'> & { others: number }): number {
  const planned = allowed * (1 - SLACK);
  return Math.max(planned / 3, planned - others - HOLD_BACK * Math.max(0, used - planned));
}

/**
 * How many requests a backfill may have used in a rolling hour when it wants one more. It could use up the hour in ten
 * minutes, and nothing would be polled for the rest of it: so half of the hour is kept for a session that may start,
 * and the slack for polls.
 */
export function backfillBudget({ allowed, used, planned }: Pick<Demand, 'allowed' | 'used' | 'planned'>): number {
  const usable = allowed * (1 - SLACK);
  return used >= usable ? 0 : usable - Math.min(Math.max(planned, allowed / 2), (allowed * 2) / 3);
}
