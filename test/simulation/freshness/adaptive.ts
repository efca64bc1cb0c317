/** `schedule: adaptive` as the daemon runs it, on the real mathematics of `src/schedule` and `src/budget`. */
import { backfillBudget, pollBudget } from '../../../src/budget/priorities.ts';
import { isLive, noteLook, updateRate, type Look, type Signals } from '../../../src/schedule/activity.ts';
import { BOUNDS, dueAt, pollIntervals, type Candidate, type IntervalBounds } from '../../../src/schedule/intervals.ts';
import type { Lab } from './lab.ts';
import { BACKFILL_SHARE, type Policy, type Setting } from './policy.ts';
import { MINUTE_MS, HOUR_MS } from '../../../src/shared/time.ts';

const LOOK_EVERY_MS = MINUTE_MS;
const REPLAN_EVERY_MS = MINUTE_MS / 2;
const LOOKS_PER_HOUR = HOUR_MS / LOOK_EVERY_MS;

/** What the API's signals are worth: they change as documented, never, or at every look. */
export type SignalsMode = 'honest' | 'silent' | 'noisy';

export interface AdaptiveOptions {
  readonly signals?: SignalsMode;
  readonly bounds?: IntervalBounds;
}

interface State {
  rate: number;
  cost: number;
  polledAt: number;
  interval: number;
  due: number;
}

export function adaptive(options: AdaptiveOptions = {}) {
  const { signals: mode = 'honest', bounds = BOUNDS } = options;
  return ({ lab, limits, used, isBackfilling }: Setting): Policy => {
    const states = lab.streams.map((): State => ({ rate: 0, cost: 1, polledAt: -HOUR_MS, interval: HOUR_MS, due: 0 }));
    const looks = createLooks(lab, mode);
    const signals = Array.from({ length: lab.experiments }, (): Signals => ({ rooms: [] }));
    let live = signals.map(() => false);
    let [lookAt, planAt, planned] = [0, 0, 0];

    const plan = (now: number) => {
      live = signals.map((one) => isLive(one, now));
      const candidates = lab.streams.map((stream, i): Candidate => {
        const { rate, cost } = states[i] ?? { rate: 0, cost: 1 };
        const { dataType: endpoint } = stream;
        return { key: String(i), endpoint, live: live[stream.experiment] ?? false, rowsPerHour: rate, cost };
      });
      const others = LOOKS_PER_HOUR + (isBackfilling(now) ? BACKFILL_SHARE * limits.perHour : 0);
      const perHour = pollBudget({ allowed: limits.perHour, used: used(now), others });
      const intervals = pollIntervals(candidates, { ...limits, perHour }, bounds);
      planned = intervals.requestsPerHour;
      states.forEach((state, i) => {
        state.interval = intervals.of.get(String(i)) ?? HOUR_MS;
        state.due = dueAt(String(i), state.polledAt, state.interval);
      });
      planAt = now + REPLAN_EVERY_MS;
    };

    return {
      next: (now) => {
        if (now >= lookAt) {
          lookAt = now + LOOK_EVERY_MS;
          return { kind: 'look' };
        }
        if (now >= planAt) plan(now);
        let [stream, most, until] = [-1, 1, Math.min(lookAt, planAt)];
        states.forEach(({ due, polledAt }, i) => {
          until = Math.min(until, due);
          const lateness = (now - polledAt) / (due - polledAt);
          if (lateness >= most) [stream, most] = [i, lateness];
        });
        return stream < 0 ? { kind: 'wait', until } : { kind: 'poll', stream };
      },
      looked: (now) => {
        looks(now).forEach((look, i) => {
          signals[i] = noteLook(signals[i] ?? { rooms: [] }, look, now);
        });
        if (signals.some((one, i) => isLive(one, now) !== live[i])) planAt = now;
      },
      polled: ({ stream, at, newRows, oldestAgeMs, requests }) => {
        const state = states[stream];
        const of = lab.streams[stream];
        if (state === undefined || of === undefined) return;
        const result = { newRows, elapsedMs: at - state.polledAt, ...(newRows > 0 ? { spanMs: oldestAgeMs } : {}) };
        state.rate = updateRate(state.rate, result);
        state.cost = of.listed ? requests : 1;
        state.polledAt = at;
        state.due = dueAt(String(stream), at, state.interval);
        const before = signals[of.experiment] ?? { rooms: [] };
        const rooms =
          of.dataType === 'rooms' && mode !== 'silent' ? roomsOf(lab, of.experiment, at, before) : before.rooms;
        const after = { ...before, rooms, ...(newRows > 0 ? { rowsAt: at } : {}) };
        signals[of.experiment] = after;
        if (isLive(after, at) !== live[of.experiment]) planAt = at;
      },
      backfillPerHour: (now) =>
        backfillBudget({ allowed: limits.perHour, used: used(now), planned: planned + LOOKS_PER_HOUR }),
    };
  };
}

/** What `GET /experiments` says of each experiment. */
function createLooks(lab: Lab, mode: SignalsMode): (now: number) => Look[] {
  const sessions = Array.from({ length: lab.experiments }, (_, experiment) =>
    lab.sessions.filter((session) => session.experiment === experiment).sort((a, b) => a.start - b.start),
  );
  const joined = lab.streams.filter(({ dataType }) => dataType === 'participants').map(({ arrivals }) => arrivals);
  const counts = sessions.map(() => ({ rooms: 0, people: 0 }));
  return (now) =>
    counts.map((count, i) => {
      const own = sessions[i] ?? [];
      while ((own[count.rooms]?.start ?? Infinity) - 2 * MINUTE_MS <= now) count.rooms++;
      const times = joined[i]?.at ?? [];
      while ((times[count.people] ?? Infinity) <= now) count.people++;
      if (mode === 'silent') return {};
      const changed = own[count.rooms - 1]?.start ?? 0;
      const updatedAt = new Date(mode === 'noisy' ? now : changed).toISOString();
      return { updatedAt, roomCount: count.rooms, participantCount: count.people };
    });
}

/** The rooms as their listing shows them: the newest, and whether it is over. */
function roomsOf(lab: Lab, experiment: number, now: number, { rooms }: Signals): Signals['rooms'] {
  const room = lab.sessions.findLast((one) => one.experiment === experiment && one.start - 2 * MINUTE_MS <= now);
  if (room === undefined) return [];
  const status = now < room.end ? 'active' : 'completed';
  return rooms[0]?.status === status ? rooms : [{ status, since: now }];
}
