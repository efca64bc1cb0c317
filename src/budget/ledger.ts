import type { Database } from 'better-sqlite3';
import type { Clock } from '../shared/clock.ts';
import { allowed, HOUR_MS, MINUTE_MS } from './limits.ts';

/** A request that may start now, or how long to wait (milliseconds) before asking again. */
export type Grant =
  { readonly token: number } | { readonly waitMs: number; readonly limit: 'hour' | 'minute' | 'paused' };

export interface Usage {
  readonly hour: { readonly used: number; readonly allowed: number };
  readonly minute: ReadonlyMap<string, { readonly used: number; readonly allowed: number }>;
}

/** The durable record of requests spent, shared by every process that uses the warehouse file. */
export interface Ledger {
  /** Takes a token for a request to an endpoint, if every limit has one left. */
  tryStart(endpoint: string): Grant;
  /** The answer arrived, or will not: the token returns one full window from now. */
  finish(token: number): void;
  /** Nothing starts before so many milliseconds: the API said so, or somebody else uses the key. */
  pause(endpoint: string | undefined, waitMs: number): void;
  usage(): Usage;
}

export interface LedgerOptions {
  readonly clock: Clock;
  /** A digest of the key, never the key. */
  readonly keyId: string;
  readonly perHour: number;
  readonly perEndpointPerMinute: number;
  readonly reserve: number;
  /** The longest that a request can take: a request without an answer is counted from its end. */
  readonly deadlineMs: number;
}

interface Entry {
  readonly id: number;
  readonly endpoint: string;
  readonly boot_id: string;
  readonly started_up: number;
  readonly started_at: number;
  readonly ended_up: number | null;
  readonly ended_at: number | null;
}

/** Marks a ledger row that is no request but a pause; its end is when the pause is over. */
const PAUSE = 'pause:';

/**
 * Opens the ledger in the warehouse's `_ledger` table. Ages are measured by the time since the machine started, which
 * nobody can set, and only across a reboot by the wall clock, where a time in the future counts as now.
 */
export function openLedger(db: Database, options: LedgerOptions): Ledger {
  const { clock, keyId, deadlineMs } = options;
  const perHour = allowed(options.perHour, options.reserve);
  const perMinute = allowed(options.perEndpointPerMinute, options.reserve);
  const select = db.prepare<[string], Entry>('SELECT * FROM _ledger WHERE key_id = ? ORDER BY id');
  const insert = db.prepare(
    'INSERT INTO _ledger (key_id, endpoint, boot_id, started_up, started_at, ended_up, ended_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  const end = db.prepare('UPDATE _ledger SET ended_up = ?, ended_at = ? WHERE id = ?');
  const remove = db.prepare('DELETE FROM _ledger WHERE id = ?');

  /** Milliseconds since the answer arrived; negative while it may still come, or while a pause lasts. */
  const age = (entry: Entry): number => {
    const sameBoot = entry.boot_id === clock.bootId;
    const since = sameBoot ? clock.uptime() - entry.started_up : clock.now() - entry.started_at;
    if (entry.ended_up === null || entry.ended_at === null) return Math.max(since, 0) - deadlineMs;
    if (sameBoot) return clock.uptime() - entry.ended_up;
    const duration = Math.max(entry.ended_up - entry.started_up, 0);
    return entry.endpoint.startsWith(PAUSE) ? Math.max(since, 0) - duration : Math.max(clock.now() - entry.ended_at, 0);
  };
  const spent = (endpoint: string | undefined, windowMs: number, entries: readonly (readonly [Entry, number])[]) =>
    entries.filter(
      ([entry, ms]) =>
        !entry.endpoint.startsWith(PAUSE) && ms < windowMs && (endpoint === undefined || entry.endpoint === endpoint),
    );
  const readEntries = () => select.all(keyId).map((entry) => [entry, age(entry)] as const);

  const tryStart = db.transaction((endpoint: string): Grant => {
    const entries = readEntries();
    for (const [entry, ms] of entries) if (ms >= (entry.endpoint.startsWith(PAUSE) ? 0 : HOUR_MS)) remove.run(entry.id);
    const pauses = entries.filter(
      ([entry, ms]) => ms < 0 && (entry.endpoint === PAUSE || entry.endpoint === PAUSE + endpoint),
    );
    if (pauses.length > 0) return { waitMs: Math.ceil(-Math.min(...pauses.map(([, ms]) => ms))), limit: 'paused' };
    const wait = (used: readonly (readonly [Entry, number])[], most: number, windowMs: number) => {
      // The wait ends when enough of the oldest answers are a window old.
      const ages = used.map(([, ms]) => ms).sort((a, b) => b - a);
      return used.length < most ? 0 : Math.ceil(windowMs - (ages[used.length - most] ?? 0));
    };
    const hour = wait(spent(undefined, HOUR_MS, entries), perHour, HOUR_MS);
    const minute = wait(spent(endpoint, MINUTE_MS, entries), perMinute, MINUTE_MS);
    if (hour > 0 || minute > 0) return { waitMs: Math.max(hour, minute, 1), limit: hour >= minute ? 'hour' : 'minute' };
    const { lastInsertRowid } = insert.run(keyId, endpoint, clock.bootId, ...times(clock), null, null);
    return { token: Number(lastInsertRowid) };
  });

  return {
    tryStart: (endpoint) => tryStart.immediate(endpoint),
    finish(token) {
      end.run(...times(clock), token);
    },
    pause(endpoint, waitMs) {
      const [up, at] = times(clock);
      insert.run(keyId, PAUSE + (endpoint ?? ''), clock.bootId, up, at, up + Math.ceil(waitMs), at + Math.ceil(waitMs));
    },
    usage() {
      const entries = readEntries();
      const endpoints = new Set(
        entries.map(([{ endpoint }]) => endpoint).filter((endpoint) => !endpoint.startsWith(PAUSE)),
      );
      return {
        hour: { used: spent(undefined, HOUR_MS, entries).length, allowed: perHour },
        minute: new Map(
          [...endpoints].map((endpoint) => [
            endpoint,
            { used: spent(endpoint, MINUTE_MS, entries).length, allowed: perMinute },
          ]),
        ),
      };
    },
  };
}

/** Rounded up, so that a token never returns a fraction of a millisecond early. */
function times(clock: Clock): [up: number, at: number] {
  return [Math.ceil(clock.uptime()), Math.ceil(clock.now())];
}
