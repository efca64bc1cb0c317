import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import type { Clock } from '../shared/clock.ts';
import { command, queryRows, queryValues } from '../shared/sqlite.ts';
import { MINUTE_MS, HOUR_MS } from '../shared/time.ts';

/**
 * A row of `_ledger`: one of our requests, a pause that the API asked for, or a request that another program is assumed
 * to have spent. The latter two concern one endpoint or, without one, all of them. Times are milliseconds since a boot
 * (`_up`) and since 1970 UTC (`_at`); a pause ends when it is over.
 */
const Entry = z.object({
  id: z.number(),
  kind: z.enum(['request', 'pause', 'others']),
  endpoint: z.string().nullable(),
  priority: z.number(),
  boot_id: z.string(),
  started_up: z.number(),
  started_at: z.number(),
  ended_up: z.number().nullable(),
});
type Entry = z.infer<typeof Entry>;

/** An entry in time since this boot. */
export interface Aged extends Readonly<Entry> {
  /** Milliseconds since the answer arrived; negative while it may still come, or while a pause lasts. */
  readonly ageMs: number;
  readonly isCarriedOver: boolean;
}

/** What the ledger holds for one key. */
export interface Entries {
  read(): Aged[];
  /** Drops what has left every window, and places what an earlier boot left. */
  tidy(entries: readonly Aged[]): void;
  /** Adds a request that starts now. */
  start(endpoint: string, priority: number): number;
  end(id: number): void;
  /** Adds an entry that is not one of our requests, from and until so many milliseconds from now. */
  mark(kind: 'pause' | 'others', endpoint: string | null, from: number, until: number): void;
  forgetOthers(endpoint: string | null): void;
}

/** The rows of `_ledger` for one key; see `openLedger` for how they age. */
export function openEntries(db: Database, keyId: string, clock: Clock, deadlineMs: number): Entries {
  const select = queryRows(
    db,
    'SELECT id, kind, endpoint, priority, boot_id, started_up, started_at, ended_up FROM _ledger WHERE key_id = ? ORDER BY id',
    Entry,
  );
  const insert = queryValues(
    db,
    `INSERT INTO _ledger (key_id, kind, endpoint, priority, boot_id, started_up, started_at, ended_up, ended_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
    z.number(),
  );
  const end = command(db, 'UPDATE _ledger SET ended_up = ?, ended_at = ? WHERE id = ?');
  const remove = command(db, 'DELETE FROM _ledger WHERE id = ?');
  const forget = command(db, "DELETE FROM _ledger WHERE key_id = ? AND kind = 'others' AND endpoint IS ?");
  const carryOver = command(db, 'UPDATE _ledger SET boot_id = ?, started_up = ?, ended_up = ? WHERE id = ?');

  /** The entry in time since this boot; an uptime ahead of ours is that of another boot (a container started again). */
  const placed = (entry: Entry, [up, at]: ReturnType<typeof times>): Entry => {
    if (entry.boot_id === clock.bootId && entry.started_up <= up) return entry;
    const started = up - Math.max(at - entry.started_at, 0);
    const ended = entry.ended_up === null ? null : started + Math.max(entry.ended_up - entry.started_up, 0);
    return { ...entry, boot_id: clock.bootId, started_up: started, ended_up: ended };
  };
  return {
    read() {
      const [time, up] = [times(clock), clock.uptime()];
      return select.all(keyId).map((recorded) => {
        const entry = placed(recorded, time);
        const ageMs = up - (entry.ended_up ?? entry.started_up + deadlineMs);
        return { ...entry, ageMs, isCarriedOver: entry !== recorded };
      });
    },
    tidy(entries) {
      for (const { id, kind, boot_id, started_up, ended_up, ageMs, isCarriedOver } of entries) {
        if (ageMs >= (kind === 'pause' ? 0 : HOUR_MS)) remove(id);
        else if (isCarriedOver) carryOver(boot_id, started_up, ended_up, id);
      }
    },
    start(endpoint, priority) {
      const id = insert.get(keyId, 'request', endpoint, priority, clock.bootId, ...times(clock), null, null);
      if (id === undefined) throw new Error('the ledger did not store the row');
      return id;
    },
    end(id) {
      end(...times(clock), id);
    },
    mark(kind, endpoint, from, until) {
      const [up, at] = times(clock);
      insert.get(keyId, kind, endpoint, 0, clock.bootId, up + from, at + from, up + until, at + until);
    },
    forgetOthers(endpoint) {
      forget(keyId, endpoint);
    },
  };
}

/**
 * The requests that a window still holds, of one endpoint or of all, with what others are assumed to have spent of it.
 */
export function spent(entries: readonly Aged[], windowMs: number, endpoint: string | null): readonly Aged[] {
  return entries.filter(
    ({ kind, endpoint: at, ageMs }) =>
      kind !== 'pause' && ageMs < windowMs && (at === endpoint || (kind === 'request' && endpoint === null)),
  );
}

/** Whether another endpoint was refused within the last minute: then it is the hourly limit, which they share. */
export function isOthersElsewhere({ kind, endpoint: at, ageMs }: Aged, endpoint: string): boolean {
  return kind === 'others' && at !== null && at !== endpoint && ageMs < MINUTE_MS;
}

/**
 * Rounded up, plus as much as the time since boot may lag behind, so that a token never returns a fraction of a second
 * early.
 */
function times(clock: Clock): [up: number, at: number] {
  return [Math.ceil(clock.uptime() + (clock.uptimeStepMs ?? 0)), Math.ceil(clock.now())];
}
