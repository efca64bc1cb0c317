/** The API's limits, enforced exactly: a request's token comes back one window after its answer. */

/** When tokens come back, oldest first. */
interface Window {
  readonly size: number;
  readonly lengthMs: number;
  readonly back: number[];
  head: number;
}

export interface Budget {
  /** The earliest time from `now` on at which a request to that endpoint may start. */
  readonly free: (endpoint: string, now: number) => number;
  readonly take: (endpoint: string, answeredAt: number) => void;
  /** Requests in the rolling hour. */
  readonly used: (now: number) => number;
}

export function createBudget(perHour: number, perEndpointPerMinute: number): Budget {
  const hour = window(perHour, 3_600_000);
  const minutes = new Map<string, Window>();
  const minuteOf = (endpoint: string) => {
    const found = minutes.get(endpoint) ?? window(perEndpointPerMinute, 60_000);
    minutes.set(endpoint, found);
    return found;
  };
  return {
    free: (endpoint, now) => Math.max(freeOf(hour, now), freeOf(minuteOf(endpoint), now)),
    take: (endpoint, answeredAt) => {
      for (const one of [hour, minuteOf(endpoint)]) one.back.push(answeredAt + one.lengthMs);
    },
    used: (now) => drop(hour, now),
  };
}

function window(size: number, lengthMs: number): Window {
  return { size, lengthMs, back: [], head: 0 };
}

/** Drops the tokens that are back; how many are still out. */
function drop(one: Window, now: number): number {
  while ((one.back[one.head] ?? Infinity) <= now) one.head++;
  if (one.head > 10_000) {
    one.back.splice(0, one.head);
    one.head = 0;
  }
  return one.back.length - one.head;
}

function freeOf(one: Window, now: number): number {
  return drop(one, now) < one.size ? now : (one.back[one.back.length - one.size] ?? now);
}
