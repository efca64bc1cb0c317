import type { Database } from 'better-sqlite3';
import type { Clock } from '../shared/clock.ts';
import { MINUTE_MS, HOUR_MS } from '../shared/time.ts';

/** A row of `_ledger`; times are milliseconds since a boot (`_up`) and since 1970 UTC (`_at`). */
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
export interface Aged extends Entry {
  /** Milliseconds since the answer arrived; negative while it may still come, or while a pause lasts. */
  readonly ageMs: number;
  readonly isPause: boolean;
  readonly isOthers: boolean;
  readonly isCarriedOver: boolean;
}

/** Marks a ledger row that is no request but a pause; its end is when the pause is over. */
export const PAUSE = 'pause:';
/** Marks a ledger row for a request that another program is taken to have spent: of the endpoint's minute or, unnamed, of the hour. */
export const OTHERS = 'others:';

/** What the ledger holds of one key. */
export interface Entries {
  read(): Aged[];
  /** Drops what no window holds any more, and places what an earlier boot left. */
  tidy(entries: readonly Aged[]): void;
  /** Adds a request that starts now. */
  start(endpoint: string, priority: number): number;
  end(id: number): void;
  /** Adds a row that is no request of ours, from and until so many milliseconds from now. */
  mark(name: string, from: number, until: number): void;
  forget(name: string): void;
}

/** The rows of `_ledger` for one key; see `openLedger` for how they age. */
export function openEntries(db: Database, keyId: string, clock: Clock, deadlineMs: number): Entries {
  const select = db.prepare<[string], Entry>(
    'SELECT id, endpoint, priority, boot_id, started_up, started_at, ended_up FROM _ledger WHERE key_id = ? ORDER BY id',
  );
  const insert = db.prepare(
    'INSERT INTO _ledger (key_id, endpoint, priority, boot_id, started_up, started_at, ended_up, ended_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  );
  const end = db.prepare('UPDATE _ledger SET ended_up = ?, ended_at = ? WHERE id = ?');
  const remove = db.prepare('DELETE FROM _ledger WHERE id = ?');
  const forget = db.prepare('DELETE FROM _ledger WHERE key_id = ? AND endpoint = ?');
  const carryOver = db.prepare('UPDATE _ledger SET boot_id = ?, started_up = ?, ended_up = ? WHERE id = ?');

  /** The entry by the time since this boot; an uptime ahead of ours is another boot's (a container started anew). */
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
        const { id, endpoint, priority, boot_id, started_up, started_at, ended_up } = entry;
        const ageMs = up - (ended_up ?? started_up + deadlineMs);
        const isPause = endpoint.startsWith(PAUSE);
        const isOthers = endpoint.startsWith(OTHERS);
        const marks = { ageMs, isPause, isOthers, isCarriedOver: entry !== recorded };
        return { id, endpoint, priority, boot_id, started_up, started_at, ended_up, ...marks };
      });
    },
    tidy(entries) {
      for (const { id, boot_id, started_up, ended_up, ageMs, isPause, isCarriedOver } of entries) {
        if (ageMs >= (isPause ? 0 : HOUR_MS)) remove.run(id);
        else if (isCarriedOver) carryOver.run(boot_id, started_up, ended_up, id);
      }
    },
    start: (endpoint, priority) =>
      Number(insert.run(keyId, endpoint, priority, clock.bootId, ...times(clock), null, null).lastInsertRowid),
    end(id) {
      end.run(...times(clock), id);
    },
    mark(name, from, until) {
      const [up, at] = times(clock);
      insert.run(keyId, name, 0, clock.bootId, up + from, at + from, up + until, at + until);
    },
    forget(name) {
      forget.run(keyId, name);
    },
  };
}

/** The requests that a window still holds, of one endpoint or of all, with what others are taken to have spent of it. */
export function spent(entries: readonly Aged[], windowMs: number, endpoint?: string): readonly Aged[] {
  const others = OTHERS + (endpoint ?? '');
  return entries.filter(
    ({ endpoint: at, ageMs, isPause, isOthers }) =>
      !isPause && ageMs < windowMs && (isOthers ? at === others : endpoint === undefined || at === endpoint),
  );
}

/** Whether it tells that another endpoint was refused within the last minute: then it is the hour's limit, which they share. */
export function isOthersElsewhere({ endpoint: name, ageMs, isOthers }: Aged, endpoint: string): boolean {
  return isOthers && name !== OTHERS && name !== OTHERS + endpoint && ageMs < MINUTE_MS;
}

/**
 * Rounded up, and ahead by as much as the time since boot may lag behind, so that a token never returns a fraction of a
 * second early.
 */
function times(clock: Clock): [up: number, at: number] {
  return [Math.ceil(clock.uptime() + (clock.uptimeStepMs ?? 0)), Math.ceil(clock.now())];
}
