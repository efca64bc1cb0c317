/** Plays one policy against a lab's month: requests one after another, in virtual time, under the exact limits. */
import { createRandom } from '../../../src/simulator/random.ts';
import { createBudget } from './budget.ts';
import type { Lab, LabStream } from './lab.ts';
import { createStaleness, type Staleness } from './measure.ts';
import type { Policy, Polled, Setting } from './policy.ts';

const PAGE = 1000;

/** 1000 an hour and 100 a minute, less a reserve of 0.1. */
const LIMITS = { perHour: 900, perEndpointPerMinute: 90 };

export interface Play {
  readonly lab: Lab;
  readonly policy: (setting: Setting) => Policy;
  readonly seed: number;
  /** A first read of ratings that begins at a time and takes so many requests. */
  readonly backfill?: { readonly at: number; readonly requests: number };
}

export interface Result {
  readonly all: Staleness;
  readonly byType: ReadonlyMap<string, Staleness>;
  /** Rows that the server had and no one fetched by the end. */
  readonly unfetched: number;
  readonly requests: { readonly polls: number; readonly looks: number; readonly backfill: number };
  /** The most requests in any rolling hour. */
  readonly busiestHour: number;
  /** How long the backfill took; undefined where there was none or it did not end. */
  readonly backfillMs: number | undefined;
  /** The longest time in which some stream was not polled. */
  readonly longestPauseMs: number;
  /** How long requests waited for a token altogether. */
  readonly waitedMs: number;
}

export function play({ lab, policy: create, seed, backfill }: Play): Result {
  const random = createRandom(seed);
  const budget = createBudget(LIMITS.perHour, LIMITS.perEndpointPerMinute);
  const requests = { polls: 0, looks: 0, backfill: 0 };
  let [now, busiestHour, longestPauseMs, waitedMs] = [0, 0, 0, 0];
  let backfillMs: number | undefined;

  /** Waits for a token, sends, and is back with the answer; the rows of the answer are those at half of its time. */
  const request = (endpoint: string, of: keyof typeof requests): number => {
    const start = budget.free(endpoint, now);
    const latency = 150 + 150 * random.next() + (random.chance(0.02) ? 2000 * random.next() : 0);
    waitedMs += start - now;
    now = start + latency;
    budget.take(endpoint, now);
    requests[of]++;
    busiestHour = Math.max(busiestHour, budget.used(now - 1));
    return start + latency / 2;
  };

  const isBackfilling = (at: number) =>
    backfill !== undefined && at >= backfill.at && requests.backfill < backfill.requests;
  const policy = create({ lab, limits: LIMITS, used: budget.used, isBackfilling });
  const reader = createReader(lab);
  // A backfill keeps out of half of its endpoint's minute, so that the polls of that data type go on.
  const backfills = createBudget(LIMITS.perHour, LIMITS.perEndpointPerMinute / 2);
  const lastPolled = new Float64Array(lab.streams.length);

  while (now < lab.durationMs) {
    const job = policy.next(now);
    if (job.kind === 'look') {
      policy.looked?.(request('experiments', 'looks'));
    } else if (job.kind === 'poll') {
      const stream = lab.streams[job.stream];
      if (stream === undefined) throw new Error(`no stream ${job.stream}`);
      const polled = reader.poll(stream, () => ({ at: request(stream.dataType, 'polls'), answered: now }));
      longestPauseMs = Math.max(longestPauseMs, polled.at - (lastPolled[job.stream] ?? 0));
      lastPolled[job.stream] = polled.at;
      policy.polled?.(polled);
    } else if (isBackfilling(now)) {
      now = backfillUntil(job.until);
    } else {
      now = Math.max(job.until, now + 1);
    }
  }
  return { ...reader.result(), requests, busiestHour, backfillMs, longestPauseMs, waitedMs };

  /** One request of the backfill, or a step of the wait where it may not take any. */
  function backfillUntil(until: number): number {
    const may = Math.min(LIMITS.perHour, policy.backfillPerHour(now));
    const isFree = budget.free(BACKFILLED, now) <= now && backfills.free(BACKFILLED, now) <= now;
    if (!isFree || backfills.used(now) >= may) return Math.max(now + 1, Math.min(until, now + 2000));
    request(BACKFILLED, 'backfill');
    backfills.take(BACKFILLED, now);
    if (backfill !== undefined && requests.backfill === backfill.requests) backfillMs = now - backfill.at;
    return now;
  }
}

const BACKFILLED = 'ratings/continuous';

/** Follows what is fetched of each stream. */
function createReader(lab: Lab) {
  const all = createStaleness();
  const byType = new Map(lab.streams.map(({ dataType }) => [dataType, createStaleness()]));
  /** How many batches of each stream are fetched. */
  const fetched = new Int32Array(lab.streams.length);
  const rowsUpTo = (stream: LabStream, batches: number) => stream.arrivals.upTo[batches - 1] ?? 0;

  const poll = (stream: LabStream, request: () => { at: number; answered: number }): Polled => {
    const { index, arrivals, dataType } = stream;
    const from = fetched[index] ?? 0;
    const { at, answered: first } = request();
    let answered = first;
    let next = from;
    while (next < arrivals.at.length && (arrivals.at[next] ?? Infinity) <= at) next++;
    fetched[index] = next;
    const before = rowsUpTo(stream, from);
    const newRows = rowsUpTo(stream, next) - before;
    const oldestAgeMs = newRows === 0 ? 0 : at - (arrivals.at[from] ?? at);
    // As the reader does it: one page, newest first; where that is all new, a count, and then a walk from the oldest.
    const pages = stream.listed ? Math.ceil(rowsUpTo(stream, next) / PAGE) : Math.ceil(newRows / PAGE);
    let requests = 1;
    const more = () => {
      requests++;
      answered = request().answered;
    };
    const walks = !stream.listed && newRows >= PAGE;
    if (walks) more();
    let page = walks ? 0 : 1;
    for (let batch = from; batch < next; batch++) {
      while (!stream.listed && page * PAGE < rowsUpTo(stream, batch + 1) - before) {
        more();
        page++;
      }
      if (stream.listed && batch === from) while (requests < pages) more();
      const age = answered - (arrivals.at[batch] ?? answered);
      const rows = rowsUpTo(stream, batch + 1) - rowsUpTo(stream, batch);
      all.add(age, rows);
      byType.get(dataType)?.add(age, rows);
    }
    while (stream.listed && requests < pages) more();
    return { stream: index, at, newRows, oldestAgeMs, requests };
  };

  const result = () => ({
    all,
    byType,
    unfetched: lab.streams.reduce(
      (sum, stream) => sum + rowsUpTo(stream, stream.arrivals.at.length) - rowsUpTo(stream, fetched[stream.index] ?? 0),
      0,
    ),
  });
  return { poll, result };
}
