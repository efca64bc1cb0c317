import type { Database } from 'better-sqlite3';
import type { Clock } from '../shared/clock.ts';
import { allowed, HOUR_MS, MINUTE_MS } from './limits.ts';

/**
 * A request that may start now, or how long to wait (milliseconds) before asking again, and for what: the hour's limit,
 * which holds for every endpoint, the minute's limit of this endpoint, or the time that the API asked for on it.
 */
export type Grant = { readonly token: number } | { readonly waitMs: number; readonly limit: Limit };

/** What a request waits for; `share` is the part of the limits that its priority may use. */
export type Limit = 'hour' | 'minute' | 'paused' | 'share';

export interface Usage {
  readonly hour: { readonly used: number; readonly allowed: number };
  readonly minute: ReadonlyMap<string, { readonly used: number; readonly allowed: number }>;
  /** Requests started in each of the last 60 minutes, oldest first. */
  readonly perMinute: readonly number[];
  /** Milliseconds since the answer of each request that the hour still holds, by endpoint; negative while it may still come. */
  readonly ages: readonly { readonly endpoint: string; readonly ageMs: number }[];
}

/** The durable record of requests spent, shared by every process that uses the warehouse file. */
export interface Ledger {
  /** Takes a token for a request to an endpoint, if every limit has one left. */
  tryStart(endpoint: string, priority?: number): Grant;
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
  /**
   * The part of each limit, from 0 to 1, that requests of a priority may use, so that what can wait never takes what
   * should be fresh soon; at least one request. Without it each may use all.
   */
  readonly shareOf?: ((priority: number) => number) | undefined;
  /** The longest that a request can take: a request without an answer is counted from its end. */
  readonly deadlineMs: number;
}

interface Entry {
  readonly id: number;
  readonly endpoint: string;
  readonly priority: number;
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

const LIMITS: readonly Limit[] = ['hour', 'minute', 'paused', 'share'];

/** Marks a ledger row that is no request but a pause; its end is when the pause is over. */
const PAUSE = 'pause:';

/**
 * Opens the ledger in the warehouse's `_ledger` table. Ages are measured by the time since the machine started, which
 * nobody can set. Only what an earlier boot left is placed by the wall clock, once, where a time in the future counts
 * as now; from then on it ages as everything else does, so that a clock that was wrong delays requests by a window at most.
 */
export function openLedger(db: Database, options: LedgerOptions): Ledger {
  const { clock, keyId, deadlineMs, shareOf = () => 1 } = options;
  const perHour = allowed(options.perHour, options.reserve);
  const perMinute = allowed(options.perEndpointPerMinute, options.reserve);
  const select = db.prepare<[string], Entry>(
    'SELECT id, endpoint, priority, boot_id, started_up, started_at, ended_up FROM _ledger WHERE key_id = ? ORDER BY id',
  );
  const insert = db.prepare(
    'INSERT INTO _ledger (key_id, endpoint, priority, boot_id, started_up, started_at, ended_up, ended_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  );
  const end = db.prepare('UPDATE _ledger SET ended_up = ?, ended_at = ? WHERE id = ?');
  const remove = db.prepare('DELETE FROM _ledger WHERE id = ?');
  const carryOver = db.prepare('UPDATE _ledger SET boot_id = ?, started_up = ?, ended_up = ? WHERE id = ?');

  /** The entry by the time since this boot; an uptime ahead of ours is another boot's (a container started anew). */
  const placed = (entry: Entry, [up, at]: ReturnType<typeof times>): Entry => {
    if (entry.boot_id === clock.bootId && entry.started_up <= up) return entry;
    const started = up - Math.max(at - entry.started_at, 0);
    const ended = entry.ended_up === null ? null : started + Math.max(entry.ended_up - entry.started_up, 0);
    return { ...entry, boot_id: clock.bootId, started_up: started, ended_up: ended };
  };
  const readEntries = (): Aged[] => {
    const [time, up] = [times(clock), clock.uptime()];
    return select.all(keyId).map((recorded) => {
      const entry = placed(recorded, time);
      const { id, endpoint, priority, boot_id, started_up, started_at, ended_up } = entry;
      const ageMs = up - (ended_up ?? started_up + deadlineMs);
      const marks = { ageMs, isPause: endpoint.startsWith(PAUSE), isCarriedOver: entry !== recorded };
      return { id, endpoint, priority, boot_id, started_up, started_at, ended_up, ...marks };
    });
  };

  const tryStart = db.transaction((endpoint: string, priority: number): Grant => {
    const entries = readEntries();
    for (const { id, boot_id, started_up, ended_up, ageMs, isPause, isCarriedOver } of entries) {
      if (ageMs >= (isPause ? 0 : HOUR_MS)) remove.run(id);
      else if (isCarriedOver) carryOver.run(boot_id, started_up, ended_up, id);
    }
    const everywhere = pauseOf(entries, PAUSE);
    const here = pauseOf(entries, PAUSE + endpoint);
    const hour = Math.max(everywhere, wait(spent(entries, HOUR_MS), perHour, HOUR_MS));
    const minute = wait(spent(entries, MINUTE_MS, endpoint), perMinute, MINUTE_MS);
    const part = shareOf(priority);
    const alike = entries.filter((entry) => entry.priority === priority);
    const share = Math.max(
      wait(spent(alike, HOUR_MS), allowed(perHour, 1 - part), HOUR_MS),
      wait(spent(alike, MINUTE_MS, endpoint), allowed(perMinute, 1 - part), MINUTE_MS),
    );
    const waits = { hour, minute, paused: here, share: part < 1 ? share : 0 };
    const waitMs = Math.max(...Object.values(waits));
    if (waitMs > 0) return { waitMs, limit: LIMITS.find((limit) => waits[limit] === waitMs) ?? 'hour' };
    const { lastInsertRowid } = insert.run(keyId, endpoint, priority, clock.bootId, ...times(clock), null, null);
    return { token: Number(lastInsertRowid) };
  });

  return {
    tryStart: (endpoint, priority = 5) => tryStart.immediate(endpoint, priority),
    finish(token) {
      end.run(...times(clock), token);
    },
    pause(endpoint, waitMs) {
      const [up, at] = times(clock);
      insert.run(
        keyId,
        PAUSE + (endpoint ?? ''),
        0,
        clock.bootId,
        up,
        at,
        up + Math.ceil(waitMs),
        at + Math.ceil(waitMs),
      );
    },
    usage() {
      const entries = readEntries();
      const endpoints = new Set(entries.filter(({ isPause }) => !isPause).map(({ endpoint }) => endpoint));
      const held = spent(entries, HOUR_MS);
      return {
        perMinute: perMinuteOf(held, clock.uptime()),
        ages: held.map(({ endpoint, ageMs }) => ({ endpoint, ageMs })),
        hour: { used: held.length, allowed: perHour },
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

const MINUTES = 60;

function perMinuteOf(entries: readonly Aged[], up: number): number[] {
  const counts = Array<number>(MINUTES).fill(0);
  for (const { started_up } of entries) {
    const ago = Math.floor((up - started_up) / MINUTE_MS);
    if (ago >= 0 && ago < MINUTES) counts[MINUTES - 1 - ago] = (counts[MINUTES - 1 - ago] ?? 0) + 1;
  }
  return counts;
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
