import { createTask } from 'node-cron';
import { MINUTE_MS, HOUR_MS } from '../shared/time.ts';

/** A schedule with slots less often than monthly may wait for its next one after a longer stop. */
const LONGEST_LOOK_MS = 32 * 24 * HOUR_MS;

/** A cron schedule in a time zone. */
export interface Schedule {
  /** The latest slot after `since` and not after `now` (milliseconds since 1970 UTC); undefined when there was none. */
  lastSlot(since: number, now: number): number | undefined;
  /** The first slot after `now`. */
  nextSlot(now: number): number | undefined;
}

/** Returns the schedule of an expression in a time zone, and creates each only once. */
export function createSchedules(): (expression: string, timeZone: string) => Schedule {
  const schedules = new Map<string, Schedule>();
  return (expression, timeZone) => {
    const name = `${timeZone} ${expression}`;
    const schedule = schedules.get(name) ?? openSchedule(expression, timeZone);
    schedules.set(name, schedule);
    return schedule;
  };
}

/**
 * A cron expression as slots in time. node-cron says which wall clock time is a slot; its own timers are not used, as
 * they drop a slot that the machine slept through, skip slots when the clock goes forward, and run slots twice when it
 * goes back. Here a slot in a skipped hour comes when the clock goes forward; one in a repeated hour comes once, unless
 * the schedule says every hour.
 */
export function openSchedule(expression: string, timeZone: string): Schedule {
  const wallOf = wallClock(timeZone);
  const fields = expression.trim().split(/\s+/);
  const task = createTask(fields.slice(-5).join(' '), () => undefined, { timezone: 'UTC' });
  const seconds = fields.length === 6 ? secondsOf(fields[0] ?? '') : [0];
  const isHourly = fields.at(-4)?.startsWith('*') === true;

  /** Whether there is a slot in the wall clock minutes that start at `at`. */
  const hasSlots = (at: number): boolean => {
    const wall = wallOf(at);
    const passed = wall - wallOf(at - MINUTE_MS);
    const isRepeated = wallOf(at - HOUR_MS) === wall;
    if (isRepeated && !isHourly) return false;
    for (let left = Math.max(passed, MINUTE_MS) - MINUTE_MS; left >= 0; left -= MINUTE_MS)
      if (task.match(new Date(wall - left))) return true;
    return false;
  };
  let lookedTo = -Infinity;
  let latest: number | undefined;
  /**
   * The slot that was found and how long it is valid: every stream needs it, and a rare slot takes a second to find.
   */
  let ahead: { from: number; to: number; slot?: number } = { from: Infinity, to: -Infinity };
  const floor = (ms: number) => Math.floor(ms / MINUTE_MS) * MINUTE_MS;
  const slotsOf = (at: number) => (hasSlots(at) ? seconds.map((second) => at + second * 1000) : []);
  return {
    lastSlot(since, now) {
      // After a clock was set back, what is known is useless.
      if (now < lookedTo) [lookedTo, latest] = [-Infinity, undefined];
      const earliest = Math.max(lookedTo, now - LONGEST_LOOK_MS);
      for (let at = floor(now); at + MINUTE_MS > earliest; at -= MINUTE_MS) {
        const slot = slotsOf(at).findLast((one) => one <= now);
        if (slot === undefined) continue;
        latest = slot;
        break;
      }
      lookedTo = now;
      return latest !== undefined && latest > since ? latest : undefined;
    },
    nextSlot(now) {
      if (now < ahead.from || now >= ahead.to) {
        let slot: number | undefined;
        for (let at = floor(now); slot === undefined && at <= now + LONGEST_LOOK_MS; at += MINUTE_MS)
          slot = slotsOf(at).find((one) => one > now);
        ahead = slot === undefined ? { from: now, to: now + LONGEST_LOOK_MS / 2 } : { from: now, to: slot, slot };
      }
      return ahead.slot;
    },
  };
}

/** The seconds of a minute that the first of six fields matches. */
function secondsOf(field: string): number[] {
  const task = createTask(`${field} * * * * *`, () => undefined, { timezone: 'UTC' });
  return Array.from({ length: 60 }, (_, second) => second).filter((second) => task.match(new Date(second * 1000)));
}

/** The wall clock time, as if it were UTC. Time zones change by quarters of an hour. */
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
