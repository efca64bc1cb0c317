import type { Database } from 'better-sqlite3';
import type { Clock } from '../shared/clock.ts';
import { isOthersElsewhere, openEntries, spent, type Aged } from './entries.ts';
import { allowed } from './limits.ts';
import { PRIORITIES } from './priorities.ts';
import { MINUTE_MS, HOUR_MS } from '../shared/time.ts';

/**
 * A request that may start now, or how long to wait (milliseconds) before asking again, and for what: the hourly limit,
 * which holds for all endpoints, the per-minute limit of this endpoint, or the delay that the API asked for.
 */
export type Grant = { readonly token: number } | { readonly waitMs: number; readonly limit: Limit };

/** What a request waits for; `share` is the part of the limits that its priority may use. */
export type Limit = 'hour' | 'minute' | 'paused' | 'share';

export interface Usage {
  readonly hour: { readonly used: number; readonly allowed: number };
  /**
   * How many of the requests used in the last hour are assumed to be other programs', since the API refused one of
   * ours.
   */
  readonly others: number;
  readonly minute: ReadonlyMap<string, { readonly used: number; readonly allowed: number }>;
  /** Requests started in each of the last 60 minutes, oldest first. */
  readonly perMinute: readonly number[];
  /**
   * Milliseconds since the answer of each request of the last hour, negative while it may still come; those of others
   * have no endpoint.
   */
  readonly ages: readonly { readonly endpoint: string | null; readonly ageMs: number }[];
}

/** The durable record of requests spent, shared by every process that uses the warehouse file. */
export interface Ledger {
  /** Takes a token for a request to an endpoint, if every limit has one left. */
  tryStart(endpoint: string, priority?: number): Grant;
  /** The answer arrived, or will not: the token returns one full window from now. */
  finish(token: number): void;
  /**
   * The API answered 429: another program uses the key. No request to the endpoint starts for so many milliseconds, or
   * none at all if it is the hourly limit, and what is missing to that limit counts as spent by others.
   */
  pause(endpoint: string, waitMs: number): void;
  usage(): Usage;
}

export interface LedgerOptions {
  readonly clock: Clock;
  /** A digest of the key, never the key itself. */
  readonly keyId: string;
  readonly perHour: number;
  readonly perEndpointPerMinute: number;
  readonly reserve: number;
  /**
   * The part of each limit, from 0 to 1, that requests of a priority may use, so that what can wait never uses up what
   * urgent reads need; at least one request. Without it each may use all.
   * @param hour the requests of the last hour, and how many are allowed in one.
   */
  readonly shareOf?: ((priority: number, hour: Usage['hour']) => number) | undefined;
  /** The longest that a request can take: a request without an answer is counted from its end. */
  readonly deadlineMs: number;
}

const LIMITS: readonly Limit[] = ['hour', 'minute', 'paused', 'share'];

/** For limits far above the API's, what others spent is not stored: it would be a row for each request. */
const LARGEST_KEPT = 5000;

/** The longest wait that a per-minute limit can cause, plus the second by which an HTTP date may be rounded. */
const LONGEST_MINUTE_MS = MINUTE_MS + 1000;

/**
 * Opens the ledger in the warehouse's `_ledger` table. Ages are measured by the time since the machine started, which
 * cannot be set. Only what an earlier boot left is placed by the wall clock, once, with a time in the future counting
 * as now; from then on it ages like everything else, so that a wrong clock delays requests by one window at most.
 */
export function openLedger(db: Database, options: LedgerOptions): Ledger {
  const { clock, keyId, deadlineMs, shareOf = () => 1 } = options;
  const rows = openEntries(db, keyId, clock, deadlineMs);
  const perHour = allowed(options.perHour, options.reserve);
  const perMinute = allowed(options.perEndpointPerMinute, options.reserve);
  /** The entries of the last hour, those of them that are ours, and how many requests there are. */
  const hourOf = (entries: readonly Aged[]) => {
    const held = spent(entries, HOUR_MS, null);
    const ours = held.filter(({ kind }) => kind === 'request');
    return { held, ours, hour: { used: Math.min(held.length, Math.max(ours.length, perHour)), allowed: perHour } };
  };
  const tryStart = db.transaction((endpoint: string, priority: number): Grant => {
    const entries = rows.read();
    rows.tidy(entries);
    const everywhere = pauseOf(entries, null);
    const here = pauseOf(entries, endpoint);
    const hour = Math.max(everywhere, wait(spent(entries, HOUR_MS, null), perHour, HOUR_MS));
    const minute = wait(spent(entries, MINUTE_MS, endpoint), perMinute, MINUTE_MS);
    const part = shareOf(priority, hourOf(entries).hour);
    const alike = part < 1 ? entries.filter((entry) => entry.priority === priority && entry.kind === 'request') : [];
    const share = Math.max(
      wait(spent(alike, HOUR_MS, null), allowed(perHour, 1 - part), HOUR_MS),
      wait(spent(alike, MINUTE_MS, endpoint), allowed(perMinute, 1 - part), MINUTE_MS),
    );
    const waits = { hour, minute, paused: here, share };
    const waitMs = Math.max(...Object.values(waits));
    if (waitMs > 0) return { waitMs, limit: LIMITS.find((limit) => waits[limit] === waitMs) ?? 'hour' };
    return { token: rows.start(endpoint, priority) };
  });

  /**
   * The limit is used up, and the part that is not ours was spent by others, at an unknown time. The API says when the
   * first token returns, and the last returns within a window, so theirs are assumed to return evenly in between.
   */
  const pause = db.transaction((endpoint: string, waitMs: number) => {
    const entries = rows.read();
    const isHour = waitMs > LONGEST_MINUTE_MS || entries.some((entry) => isOthersElsewhere(entry, endpoint));
    const [windowMs, most, here] = isHour
      ? [HOUR_MS, options.perHour, null]
      : [MINUTE_MS, options.perEndpointPerMinute, endpoint];
    rows.mark('pause', here, 0, waitMs);
    rows.forgetOthers(here);
    const ours = spent(entries, windowMs, here).filter(({ kind }) => kind === 'request').length;
    const others = most <= LARGEST_KEPT ? Math.max(most - ours, 1) : 0;
    for (let i = 0; i < others; i++) {
      const returnsIn = Math.ceil(waitMs + (Math.max(windowMs - waitMs, 0) * i) / others);
      rows.mark('others', here, returnsIn - windowMs, returnsIn - windowMs);
    }
  });

  return {
    tryStart: (endpoint, priority = PRIORITIES.other.rank) => tryStart.immediate(endpoint, priority),
    finish(token) {
      rows.end(token);
    },
    pause(endpoint, waitMs) {
      pause.immediate(endpoint, Math.ceil(waitMs));
    },
    usage() {
      const entries = rows.read();
      const { held, ours, hour } = hourOf(entries);
      const endpoints = new Set(ours.flatMap(({ endpoint }) => endpoint ?? []));
      return {
        perMinute: perMinuteOf(ours, clock.uptime()),
        others: hour.used - ours.length,
        ages: held.map(({ endpoint, ageMs }) => ({ endpoint, ageMs })),
        hour,
        minute: new Map(
          [...endpoints].map((endpoint) => [
            endpoint,
            { used: Math.min(spent(entries, MINUTE_MS, endpoint).length, perMinute), allowed: perMinute },
          ]),
        ),
      };
    },
  };
}

const MINUTES = 60;

function perMinuteOf(entries: readonly Aged[], up: number): number[] {
  const counts = Array<number>(MINUTES).fill(0);
  for (const { started_up } of entries) {
    const ago = Math.floor(Math.max(up - started_up, 0) / MINUTE_MS);
    if (ago < MINUTES) counts[MINUTES - 1 - ago] = (counts[MINUTES - 1 - ago] ?? 0) + 1;
  }
  return counts;
}

/** Milliseconds until enough of the oldest answers are a window old for one more request to fit. */
function wait(used: readonly Aged[], most: number, windowMs: number): number {
  if (used.length < most) return 0;
  const ages = used.map(({ ageMs }) => ageMs).sort((a, b) => b - a);
  return Math.max(Math.ceil(windowMs - (ages[used.length - most] ?? 0)), 1);
}

/** Milliseconds for which the longest pause of an endpoint, or of all, still lasts. */
function pauseOf(entries: readonly Aged[], endpoint: string | null): number {
  const pauses = entries.filter((entry) => entry.kind === 'pause' && entry.endpoint === endpoint);
  return Math.max(0, ...pauses.map(({ ageMs }) => Math.ceil(-ageMs)));
}
