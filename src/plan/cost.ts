import { endpointOf, type Stream } from '../datasets/stream.ts';

/** The part of a stream's position that its cost depends on. */
export interface KnownPosition {
  readonly backfilled: boolean;
  readonly rows: number;
}

export interface StreamCost {
  readonly stream: Stream;
  /** At least so many: a first read takes as many as there are pages. */
  readonly requests: number;
  readonly why: 'first read' | 'everything' | 'what is new';
  /** When it would be done under the limits, in milliseconds from now. */
  readonly doneInMs: number;
}

export interface Cost {
  readonly streams: readonly StreamCost[];
  readonly requests: number;
  readonly firstReads: number;
  /** When all would be done under the limits, in milliseconds from now. */
  readonly doneInMs: number;
}

/** The limits less the reserve, and what of them is spent. */
export interface Spent {
  readonly perHour: number;
  readonly perEndpointPerMinute: number;
  /** Milliseconds since the answer of each request of the last hour. */
  readonly ages: readonly { readonly endpoint: string; readonly ageMs: number }[];
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** What a request is taken to last, as nobody knows before. */
const REQUEST_MS = 500;

/** What a sync costs, and when each of its streams is done under the limits. Pure; nothing is asked of the API. */
export function estimate(
  streams: readonly { stream: Stream; position: KnownPosition; full: boolean; pageSize: number }[],
  spent: Spent,
): Cost {
  const costs = streams.map(({ stream, position, full, pageSize }): Omit<StreamCost, 'doneInMs'> => {
    if (!position.backfilled) return { stream, requests: 1, why: 'first read' };
    if (full) return { stream, requests: Math.max(1, Math.ceil(position.rows / pageSize)), why: 'everything' };
    return { stream, requests: 1, why: 'what is new' };
  });
  const done = forecast(
    costs.map(({ stream, requests }) => ({ endpoint: endpointOf(stream), requests })),
    spent,
  );
  return {
    streams: costs.map((cost, i) => ({ ...cost, doneInMs: done[i] ?? 0 })),
    requests: costs.reduce((sum, { requests }) => sum + requests, 0),
    firstReads: costs.filter(({ why }) => why === 'first read').length,
    doneInMs: Math.max(0, ...done),
  };
}

/**
 * When each of a list of jobs is done, in milliseconds from now, if requests start as soon as the limits allow, in the
 * list's order as far as their endpoints' own limits do not hold them back.
 */
export function forecast(jobs: readonly { endpoint: string; requests: number }[], spent: Spent): number[] {
  const hour = spent.ages.map(({ ageMs }) => HOUR_MS - ageMs).sort((a, b) => a - b);
  const minutes = Map.groupBy(
    spent.ages.filter(({ ageMs }) => ageMs < MINUTE_MS),
    ({ endpoint }) => endpoint,
  );
  const ends = (endpoint: string) =>
    (minutes.get(endpoint) ?? []).map(({ ageMs }) => MINUTE_MS - ageMs).sort((a, b) => a - b);
  const windows = new Map([...new Set(jobs.map(({ endpoint }) => endpoint))].map((name) => [name, ends(name)]));
  const left = jobs.map(({ requests }) => requests);
  const done = jobs.map(() => 0);
  let open = jobs.map((_, i) => i).filter((i) => (left[i] ?? 0) > 0);
  for (let now = 0; open.length > 0;) {
    const startAt = (i: number) =>
      Math.max(
        now,
        freeAt(hour, spent.perHour),
        freeAt(windows.get(jobs[i]?.endpoint ?? '') ?? [], spent.perEndpointPerMinute),
      );
    // Jobs of one endpoint wait together: the first of them stands for all.
    const firsts = [...new Map(open.toReversed().map((i) => [jobs[i]?.endpoint, i])).values()].sort((a, b) => a - b);
    const next = firsts.reduce((best, i) => (startAt(i) < startAt(best) ? i : best));
    now = startAt(next);
    const end = now + REQUEST_MS;
    hour.push(end + HOUR_MS);
    windows.get(jobs[next]?.endpoint ?? '')?.push(end + MINUTE_MS);
    left[next] = (left[next] ?? 0) - 1;
    done[next] = end;
    if (left[next] === 0) open = open.filter((i) => i !== next);
  }
  return done;
}

/** When a window has room for one more, given when each of its requests leaves it, in order. */
function freeAt(leaves: readonly number[], most: number): number {
  return leaves.length < most ? 0 : (leaves[leaves.length - most] ?? 0);
}
