import { createTask } from 'node-cron';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** A schedule that comes round less often than monthly may wait for its next slot after a longer stop. */
const LONGEST_LOOK_MS = 32 * 24 * HOUR_MS;

/** A cron schedule in a time zone. */
export interface Schedule {
  /** The latest slot after `since` and not after `now` (milliseconds since 1970 UTC); undefined when there was none. */
  lastSlot(since: number, now: number): number | undefined;
  /** The first slot after `now`. */
  nextSlot(now: number): number | undefined;
}

/**
 * A cron expression as slots in time. node-cron tells which wall clock time is a slot; its own timers are not used, as
 * they drop a slot that the machine slept through, skip what a clock put forward leaves out, and run twice what a clock
 * put back repeats. Here a slot within an hour that is left out comes when the clock is put forward; one within an hour
 * that is repeated comes once, unless the schedule says every hour.
 */
export function openSchedule(expression: string, timeZone: string): Schedule {
  const task = createTask(expression, () => undefined, { timezone: 'UTC' });
  const wallOf = wallClock(timeZone);
  const fields = expression.trim().split(/\s+/);
  const hasSeconds = fields.length === 6;
  const stepMs = hasSeconds ? 1000 : MINUTE_MS;
  const isHourly = fields.at(-4)?.startsWith('*') === true;

  /** Whether one of the wall clock's minutes that begin with the one at `at` is a slot. */
  const isSlot = (at: number): boolean => {
    const wall = wallOf(at);
    const passed = wall - wallOf(at - stepMs);
    const isRepeated = wallOf(at - HOUR_MS) === wall;
    if (isRepeated && !isHourly) return false;
    for (let left = Math.max(passed, stepMs) - stepMs; left >= 0; left -= stepMs)
      if (task.match(new Date(wall - left))) return true;
    return false;
  };
  let lookedTo = -Infinity;
  let latest: number | undefined;
  /** What was found ahead and how long it holds: every stream asks for it, and a rare slot takes a second to find. */
  let ahead: { from: number; to: number; slot?: number } = { from: Infinity, to: -Infinity };
  const floor = (ms: number) => Math.floor(ms / stepMs) * stepMs;
  const longestMs = hasSeconds ? HOUR_MS : LONGEST_LOOK_MS;
  return {
    lastSlot(since, now) {
      // A clock that was set back makes what is known worth nothing.
      if (now < lookedTo) [lookedTo, latest] = [-Infinity, undefined];
      const earliest = Math.max(lookedTo, now - longestMs);
      for (let at = floor(now); at > earliest; at -= stepMs) {
        if (!isSlot(at)) continue;
        latest = at;
        break;
      }
      lookedTo = now;
      return latest !== undefined && latest > since ? latest : undefined;
    },
    nextSlot(now) {
      if (now < ahead.from || now >= ahead.to) {
        let at = floor(now) + stepMs;
        while (at <= now + longestMs && !isSlot(at)) at += stepMs;
        ahead = at <= now + longestMs ? { from: now, to: at, slot: at } : { from: now, to: now + longestMs / 2 };
      }
      return ahead.slot;
    },
  };
}

/** What the clock on the wall shows, as if it were UTC. Time zones change by quarters of an hour. */
function wallClock(timeZone: string): (ms: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const quarter = 15 * MINUTE_MS;
  const offsets = new Map<number, number>();
  return (ms) => {
    const begin = Math.floor(ms / quarter) * quarter;
    let offset = offsets.get(begin);
    if (offset === undefined) {
      const part = Object.fromEntries(format.formatToParts(begin).map(({ type, value }) => [type, Number(value)]));
      const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
      offset = Date.UTC(year, month - 1, day, hour, minute, second) - begin;
      if (offsets.size > 10_000) offsets.clear();
      offsets.set(begin, offset);
    }
    return ms + offset;
  };
}
