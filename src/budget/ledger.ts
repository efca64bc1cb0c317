import type { Database } from 'better-sqlite3';
import type { Clock } from '../shared/clock.ts';
import { allowed, HOUR_MS, MINUTE_MS } from './limits.ts';

/**
 * A request that may start now, or how long to wait (milliseconds) before asking again, and for what: the hour's limit,
 * which holds for every endpoint, the minute's limit of this endpoint, or the time that the API asked for on it.
 */
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
  /**
   * Nothing starts at the endpoint before so many milliseconds, or nowhere where none is named: the API said so, as
   * somebody else uses the key.
   */
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
}

/** An entry by the time since this boot. */
interface Aged extends Entry {
  /** Milliseconds since the answer arrived; negative while it may still come, or while a pause lasts. */
  readonly ageMs: number;
  readonly isPause: boolean;
  readonly isCarriedOver: boolean;
}

/** Marks a ledger row that is no request but a pause; its end is when the pause is over. */
const PAUSE = 'pause:';

/**
 * Opens the ledger in the warehouse's `_ledger` table. Ages are measured by the time since the machine started, which
 * nobody can set. Only what an earlier boot left is placed by the wall clock, once, where a time in the future counts
 * as now; from then on it ages as everything else does, so that a clock that was wrong delays requests by a window at most.
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
  const carryOver = db.prepare('UPDATE _ledger SET boot_id = ?, started_up = ?, ended_up = ? WHERE id = ?');

  /** The entry by the time since this boot; an uptime ahead of ours is another boot's (a container started anew). */
  const placed = (entry: Entry): Entry => {
    const [up, at] = times(clock);
    if (entry.boot_id === clock.bootId && entry.started_up <= up) return entry;
    const started = up - Math.max(at - entry.started_at, 0);
    const ended = entry.ended_up === null ? null : started + Math.max(entry.ended_up - entry.started_up, 0);
    return { ...entry, boot_id: clock.bootId, started_up: started, ended_up: ended };
  };
  const readEntries = (): Aged[] =>
    select.all(keyId).map((recorded) => {
      const entry = placed(recorded);
      const ageMs = clock.uptime() - (entry.ended_up ?? entry.started_up + deadlineMs);
      return { ...entry, ageMs, isPause: entry.endpoint.startsWith(PAUSE), isCarriedOver: entry !== recorded };
    });

  const tryStart = db.transaction((endpoint: string): Grant => {
    const entries = readEntries();
    for (const { id, boot_id, started_up, ended_up, ageMs, isPause, isCarriedOver } of entries) {
      if (ageMs >= (isPause ? 0 : HOUR_MS)) remove.run(id);
      else if (isCarriedOver) carryOver.run(boot_id, started_up, ended_up, id);
    }
    const everywhere = pauseOf(entries, PAUSE);
    const here = pauseOf(entries, PAUSE + endpoint);
    const hour = Math.max(everywhere, wait(spent(entries, HOUR_MS), perHour, HOUR_MS));
    const minute = wait(spent(entries, MINUTE_MS, endpoint), perMinute, MINUTE_MS);
    const waitMs = Math.max(hour, minute, here);
    if (waitMs > 0) return { waitMs, limit: hour === waitMs ? 'hour' : minute === waitMs ? 'minute' : 'paused' };
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
      const endpoints = new Set(entries.filter(({ isPause }) => !isPause).map(({ endpoint }) => endpoint));
      return {
        hour: { used: spent(entries, HOUR_MS).length, allowed: perHour },
        minute: new Map(
          [...endpoints].map((endpoint) => [
            endpoint,
            { used: spent(entries, MINUTE_MS, endpoint).length, allowed: perMinute },
          ]),
        ),
      };
    },
  };
}

/** The requests that a window still holds, of one endpoint or of all. */
function spent(entries: readonly Aged[], windowMs: number, endpoint?: string): readonly Aged[] {
  return entries.filter(
    (entry) => !entry.isPause && entry.ageMs < windowMs && (endpoint === undefined || entry.endpoint === endpoint),
  );
}

/** Milliseconds until so many of the oldest answers are a window old that one more request fits. */
function wait(used: readonly Aged[], most: number, windowMs: number): number {
  if (used.length < most) return 0;
  const ages = used.map(({ ageMs }) => ageMs).sort((a, b) => b - a);
  return Math.max(Math.ceil(windowMs - (ages[used.length - most] ?? 0)), 1);
}

/** Milliseconds for which the longest pause of that name still lasts. */
function pauseOf(entries: readonly Aged[], name: string): number {
  return entries.reduce(
    (longest, { endpoint, ageMs }) => (endpoint === name ? Math.max(longest, Math.ceil(-ageMs)) : longest),
    0,
  );
}

/** Rounded up, so that a token never returns a fraction of a millisecond early. */
function times(clock: Clock): [up: number, at: number] {
  return [Math.ceil(clock.uptime()), Math.ceil(clock.now())];
}
