/** Tries of one request, the first included, before a passing failure is reported. */
export const MOST_TRIES = 5;
/** Answers 429 that one request waits out before it is reported. */
export const MOST_WAITS = 20;

const FIRST_BACKOFF_MS = 500;
const LONGEST_BACKOFF_MS = 30_000;
/** What is waited after a 429 that does not say how long: the shorter of the API's two windows. */
const DEFAULT_RETRY_AFTER_MS = 60_000;

/** Exponential backoff with full jitter, in milliseconds, before the try after `failures` failed ones. */
export function backoff(failures: number, random: () => number): number {
  return Math.ceil(random() * Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** failures));
}

/**
 * Milliseconds to wait after a 429, never less than the server asks. `Retry-After` is a number of seconds or an HTTP
 * date, which is read against the answer's own `Date`, so that a wrong local clock does no harm.
 */
export function retryAfter(headers: { retryAfter: string | undefined; date: string | undefined }, now: number): number {
  const text = headers.retryAfter?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Math.max(Number(text), 1) * 1000;
  // Date.parse takes almost anything for a date.
  const until = /^[A-Z][a-z]{2}, \d{2} /.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(until)) return DEFAULT_RETRY_AFTER_MS;
  const serverNow = Date.parse(headers.date ?? '');
  // An HTTP date has whole seconds: one more is never too early.
  return Math.max(until - (Number.isNaN(serverNow) ? now : serverNow), 0) + 1000;
}
