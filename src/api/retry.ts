import { DAY_MS, MINUTE_MS } from '../shared/time.ts';
/** How often one request is tried before a passing failure is reported. */
export const MOST_TRIES = 5;
/** How many 429 answers one request waits out before it is reported. */
export const MOST_WAITS = 20;

const FIRST_BACKOFF_MS = 500;
const LONGEST_BACKOFF_MS = 30_000;
/** How long to wait after a 429 that does not say: the shorter of the API's two windows. */
const DEFAULT_RETRY_AFTER_MS = MINUTE_MS;

/** No window of the API is longer than an hour: a wait of more than a day is a mistake, not a limit. */
export const LONGEST_RETRY_AFTER_MS = DAY_MS;

/** What an answer's headers say about time. */
export interface WaitHeaders {
  readonly retryAfter: string | undefined;
  readonly date: string | undefined;
}

/**
 * Exponential backoff with full jitter, in milliseconds, before the next try after `failures` failed ones; no less than
 * the server asks for, up to the longest backoff.
 */
export function backoff(failures: number, random: () => number, headers?: WaitHeaders, now = 0): number {
  const waitMs = Math.ceil(random() * Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** failures));
  const asked = headers?.retryAfter === undefined ? 0 : retryAfter(headers, now);
  return Math.max(waitMs, Math.min(asked, LONGEST_BACKOFF_MS));
}

/**
 * Milliseconds to wait after a 429, never less than the server asks, but a day at most. `Retry-After` is a number of
 * seconds or an HTTP date, which is read against the answer's own `Date`, so that a wrong local clock does not matter.
 */
export function retryAfter(headers: WaitHeaders, now: number): number {
  return Math.min(asked(headers, now), LONGEST_RETRY_AFTER_MS);
}

function asked(headers: WaitHeaders, now: number): number {
  const text = headers.retryAfter?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Math.max(Number(text), 1) * 1000;
  // Date.parse accepts almost anything as a date.
  const until = /^[A-Z][a-z]{2}, \d{2} /.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(until)) return DEFAULT_RETRY_AFTER_MS;
  const serverNow = Date.parse(headers.date ?? '');
  // An HTTP date has whole seconds: one more is never too early.
  return Math.max(until - (Number.isNaN(serverNow) ? now : serverNow), 0) + 1000;
}
