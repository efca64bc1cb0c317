import type { Lab } from './lab.ts';

/** What to do next. A wait ends early when a backfill uses it. */
export type Job =
  | { readonly kind: 'poll'; readonly stream: number }
  | { readonly kind: 'look' }
  | { readonly kind: 'wait'; readonly until: number };

export interface Polled {
  readonly stream: number;
  /** When the API answered the first request: rows up to then are in. */
  readonly at: number;
  readonly newRows: number;
  /** Age of the oldest new row; 0 without any. */
  readonly oldestAgeMs: number;
  readonly requests: number;
}

export interface Policy {
  next(now: number): Job;
  polled?(result: Polled): void;
  looked?(now: number): void;
  /** Requests that a backfill may take in a rolling hour, at a time. */
  backfillPerHour(now: number): number;
}

/** What is the same for all policies. */
export interface Setting {
  readonly lab: Lab;
  readonly limits: { readonly perHour: number; readonly perEndpointPerMinute: number };
  /** Requests in the rolling hour that ends at a time. */
  readonly used: (now: number) => number;
  /** Whether a backfill has begun and is not done. */
  readonly isBackfilling: (now: number) => boolean;
}

/** The share of the hour that a backfill gets while it runs, for all policies alike. */
export const BACKFILL_SHARE = 0.3;
