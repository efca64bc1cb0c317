/** What adaptive polling is compared with: each gets the same budget. */
import { DAY, type Lab } from './lab.ts';
import { BACKFILL_SHARE, type Policy, type Setting } from './policy.ts';
import { MINUTE_MS, HOUR_MS } from '../../../src/shared/time.ts';

/** Every stream at every slot, one after another; a slot that comes while they still run is left out. */
export function cron(everyMs: number) {
  return ({ lab, limits }: Setting): Policy => {
    let next = lab.streams.length;
    return {
      next: (now) => {
        if (next < lab.streams.length) return { kind: 'poll', stream: next++ };
        const slot = Math.ceil(now / everyMs) * everyMs;
        if (slot > now) return { kind: 'wait', until: slot };
        next = 1;
        return { kind: 'poll', stream: 0 };
      },
      backfillPerHour: () => BACKFILL_SHARE * limits.perHour,
    };
  };
}

/** One stream after another without end, evenly over the hour. */
export function roundRobin({ lab, limits, isBackfilling }: Setting): Policy {
  const pace = createPace();
  let next = 0;
  return {
    next: (now) => {
      const wait = pace.wait(now, paceOf(limits.perHour, isBackfilling(now)));
      return wait ?? { kind: 'poll', stream: next++ % lab.streams.length };
    },
    polled: ({ requests }) => pace.spend(requests),
    backfillPerHour: () => BACKFILL_SHARE * limits.perHour,
  };
}

/**
 * Knows at each moment which rows wait: polls where their ages come to most for a request, and each stream daily. Not
 * proven to be the best possible, but far better informed than anyone can be.
 */
export function clairvoyant({ lab, limits, isBackfilling }: Setting): Policy {
  const pace = createPace(30);
  const waiting = lab.streams.map(() => ({ next: 0, rows: 0, times: 0 }));
  const polledAt = new Float64Array(lab.streams.length);
  const gain = (index: number, now: number): number => {
    const state = waiting[index];
    const arrivals = lab.streams[index]?.arrivals;
    if (state === undefined || arrivals === undefined) return 0;
    for (; (arrivals.at[state.next] ?? Infinity) <= now; state.next++) {
      const rows = (arrivals.upTo[state.next] ?? 0) - (arrivals.upTo[state.next - 1] ?? 0);
      state.rows += rows;
      state.times += rows * (arrivals.at[state.next] ?? 0);
    }
    const overdue = now - (polledAt[index] ?? 0) >= DAY - HOUR_MS ? Infinity : 0;
    const requests = state.rows < 1000 ? 1 : 2 + Math.ceil(state.rows / 1000);
    return (state.rows * now - state.times) / requests + overdue;
  };
  return {
    next: (now) => {
      const wait = pace.wait(now, paceOf(limits.perHour, isBackfilling(now)));
      if (wait !== undefined) return wait;
      let [best, most] = [-1, 0];
      for (let index = 0; index < lab.streams.length; index++) {
        const here = gain(index, now);
        if (here > most) [best, most] = [index, here];
      }
      return best < 0 ? { kind: 'wait', until: now + 1000 } : { kind: 'poll', stream: best };
    },
    polled: ({ stream, at, requests }) => {
      pace.spend(requests);
      polledAt[stream] = at;
      waiting[stream] = { next: nextBatch(lab, stream, at), rows: 0, times: 0 };
    },
    backfillPerHour: () => BACKFILL_SHARE * limits.perHour,
  };
}

function nextBatch(lab: Lab, stream: number, at: number): number {
  const times = lab.streams[stream]?.arrivals.at ?? new Float64Array();
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? Infinity) <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}

function paceOf(perHour: number, isBackfilling: boolean): number {
  return (isBackfilling ? 1 - BACKFILL_SHARE : 1) * perHour;
}

/** Spreads requests over the hour, with a few saved up for a burst. */
function createPace(saved = 1) {
  let [tokens, at] = [saved, 0];
  return {
    wait: (now: number, perHour: number) => {
      tokens = Math.min(saved, tokens + ((now - at) * perHour) / HOUR_MS);
      at = now;
      if (tokens >= 1 - 1e-6) return undefined;
      return { kind: 'wait' as const, until: now + Math.min(MINUTE_MS, ((1 - tokens) * HOUR_MS) / perHour) };
    },
    spend: (requests: number) => {
      tokens -= requests;
    },
  };
}
