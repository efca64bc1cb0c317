import { endpointOf, type Stream } from '../datasets/stream.ts';
import { MINUTE_MS, HOUR_MS } from '../shared/time.ts';

/** The part of a stream's position that its cost depends on. */
export interface KnownPosition {
  readonly backfilled: boolean;
  readonly rows: number;
}

export interface StreamCost {
  readonly stream: Stream;
  /** A lower bound: a first read takes as many as there are pages. */
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

/** The limits minus the reserve, and how much of them is spent. */
export interface Spent {
  readonly perHour: number;
  readonly perEndpointPerMinute: number;
  /** How many requests may run at once. */
  readonly concurrency: number;
  /**
   * Milliseconds since the answer of each request of the last hour; the endpoint of other programs' requests is not
   * known.
   */
  readonly ages: readonly { readonly endpoint: string | null; readonly ageMs: number }[];
}

/** The assumed duration of a request, which is not known in advance. */
const REQUEST_MS = 500;

/**
 * What a sync costs, and when each of its streams is done under the limits. Pure; sends no request.
 * @param listings requests for the list of experiments, which comes first.
 */
export function estimate(
  streams: readonly { stream: Stream; position: KnownPosition; full: boolean; pageSize: number }[],
  spent: Spent,
  listings = 0,
): Cost {
  const costs = streams.map(({ stream, position, full, pageSize }): Omit<StreamCost, 'doneInMs'> => {
    if (!position.backfilled) return { stream, requests: 1, why: 'first read' };
    if (full) return { stream, requests: Math.max(1, Math.ceil(position.rows / pageSize)), why: 'everything' };
    return { stream, requests: 1, why: 'what is new' };
  });
  const [listed = 0, ...done] = forecast(
    [
      { endpoint: 'experiments', requests: listings },
      ...costs.map(({ stream, requests }) => ({ endpoint: endpointOf(stream), requests })),
    ],
    spent,
  );
  return {
    streams: costs.map((cost, i) => ({ ...cost, doneInMs: done[i] ?? 0 })),
    requests: costs.reduce((sum, { requests }) => sum + requests, listings),
    firstReads: costs.filter(({ why }) => why === 'first read').length,
    doneInMs: done.reduce((last, at) => Math.max(last, at), listed),
  };
}

/**
 * When each of a list of jobs is done, in milliseconds from now, if requests start as soon as the limits allow, in the
 * list's order except where the limits of their endpoints hold them back.
 */
export function forecast(jobs: readonly { endpoint: string; requests: number }[], spent: Spent): number[] {
  const { perHour, perEndpointPerMinute, concurrency, ages } = spent;
  const hour = leavesOf(ages, HOUR_MS);
  const places = Array<number>(concurrency).fill(0);
  const done = jobs.map(() => 0);
  // Jobs of one endpoint wait together: the first of them represents all.
  const lines = [...Map.groupBy(jobs.keys(), (i) => jobs[i]?.endpoint ?? '')].map(([endpoint, waiting]) => ({
    turns: waiting.flatMap((i) => Array<number>(jobs[i]?.requests ?? 0).fill(i)),
    at: 0,
    minute: leavesOf(
      ages.filter((request) => request.endpoint === endpoint),
      MINUTE_MS,
    ),
  }));
  for (let open = lines.filter(({ turns }) => turns.length > 0); open.length > 0;) {
    const free = Math.max(Math.min(...places), freeAt(hour, perHour));
    const heads = open.map((line) => ({
      line,
      job: line.turns[line.at] ?? 0,
      startAt: Math.max(free, freeAt(line.minute, perEndpointPerMinute)),
    }));
    const first = heads.reduce((best, head) =>
      head.startAt < best.startAt || (head.startAt === best.startAt && head.job < best.job) ? head : best,
    );
    const end = first.startAt + REQUEST_MS;
    places[places.indexOf(Math.min(...places))] = end;
    hour.push(end + HOUR_MS);
    first.line.minute.push(end + MINUTE_MS);
    done[first.job] = end;
    if (++first.line.at === first.line.turns.length) open = open.filter((line) => line !== first.line);
  }
  return done;
}

/** When each request leaves a window that still holds it, in order. */
function leavesOf(ages: Spent['ages'], windowMs: number): number[] {
  return ages
    .filter(({ ageMs }) => ageMs < windowMs)
    .map(({ ageMs }) => windowMs - ageMs)
    .sort((a, b) => a - b);
}

/** When a window has room for one more, given when each of its requests leaves it, in order. */
function freeAt(leaves: readonly number[], most: number): number {
  return leaves.length < most ? 0 : (leaves[leaves.length - most] ?? 0);
}
