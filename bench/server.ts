/**
 * A process that serves one experiment with one large stream of ratings, and counts the requests. The records are made
 * once and pages are cut out of one buffer, so that the server takes little of the CPU that is being measured.
 */
import { createServer } from 'node:http';
import { rating } from './ratings.ts';

const START = Date.parse('2026-01-01T00:00:00.000Z');
const MOST_PAGE = 1000;
export const EXPERIMENT = 'exp_1';

/** What the bench says to the server. */
export type Order = { readonly do: 'count' } | { readonly do: 'change' } | { readonly do: 'restore' };

/** What changed upstream, by the ids of the ratings. */
export interface Changes {
  readonly late: readonly string[];
  /** With the new values. */
  readonly edited: Readonly<Record<string, number>>;
  readonly deleted: readonly string[];
}

/** What the server says to the bench. */
export type Answer = { readonly port: number } | { readonly requests: number } | { readonly changes: Changes };

type Rating = ReturnType<typeof rating>;

/** Ratings in order of time, as JSON, and where each begins. */
interface Listing {
  readonly times: readonly number[];
  readonly json: Buffer;
  readonly begins: readonly number[];
}

function listingOf(ratings: readonly Rating[]): Listing {
  const texts = ratings.map((one) => JSON.stringify(one));
  const begins: number[] = [];
  let at = 0;
  for (const text of texts) {
    begins.push(at);
    at += Buffer.byteLength(text) + 1;
  }
  return {
    times: ratings.map(({ timestamp }) => Date.parse(timestamp)),
    json: Buffer.from(`${texts.join(',')},`),
    begins,
  };
}

/** The place of the first rating at a time or after it. */
function placeOf(times: readonly number[], time: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? Infinity) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A page of the listing, in the API's envelope. */
function page({ times, json, begins }: Listing, query: URLSearchParams): Buffer {
  const place = (name: string, otherwise: number) => {
    const time = query.get(name);
    return time === null ? otherwise : placeOf(times, Date.parse(time));
  };
  const [from, to] = [place('startTime', 0), place('endTime', times.length)];
  const total = Math.max(0, to - from);
  const offset = Number(query.get('offset') ?? 0);
  const returned = Math.max(0, Math.min(total - offset, Number(query.get('limit') ?? MOST_PAGE), MOST_PAGE));
  const hasMore = offset + returned < total;
  const pagination = { total, returned, offset, hasMore, ...(hasMore ? { nextOffset: offset + returned } : {}) };
  const beginOf = (i: number) => begins[i] ?? json.length;
  const one = (i: number) => json.subarray(beginOf(i), beginOf(i + 1));
  const records =
    query.get('order') === 'desc'
      ? Buffer.concat(Array.from({ length: returned }, (_, i) => one(to - 1 - offset - i)))
      : json.subarray(beginOf(from + offset), beginOf(from + offset + returned));
  return Buffer.concat([
    Buffer.from('{"status":"success","data":['),
    records.subarray(0, Math.max(0, records.length - 1)),
    Buffer.from(`],"metadata":${JSON.stringify({ pagination })}}`),
  ]);
}

/** What happens upstream: 50 ratings arrive late, 50 change in place, and 20 are deleted, all over the stream. */
function change(ratings: readonly Rating[]): { ratings: Rating[]; changes: Changes } {
  const every = (count: number, shift: number) =>
    Array.from({ length: count }, (_, i) => Math.floor(((i + shift) / (count + 1)) * (ratings.length - 2)));
  const late = every(50, 0.2).flatMap((i) => {
    const near = ratings[i];
    return near === undefined ? [] : [{ near, rating: { ...near, ratingId: `late_${near.ratingId}` } }];
  });
  const edited = new Map(
    every(50, 0.5).flatMap((i) => {
      const old = ratings[i];
      return old === undefined ? [] : [[old.ratingId, { ...old, value: old.value + 1 }]];
    }),
  );
  // The next one that is not edited.
  const deleted = new Set(
    every(20, 0.8).flatMap(
      (i) => ratings.slice(i, i + 2).find(({ ratingId }) => !edited.has(ratingId))?.ratingId ?? [],
    ),
  );
  const lateAfter = new Map(late.map(({ near, rating: one }) => [near.ratingId, one]));
  const after = ratings.flatMap((one) => {
    const added = lateAfter.get(one.ratingId);
    return [
      ...(deleted.has(one.ratingId) ? [] : [edited.get(one.ratingId) ?? one]),
      ...(added === undefined ? [] : [added]),
    ];
  });
  return {
    ratings: after,
    changes: {
      late: [...lateAfter.values()].map(({ ratingId }) => ratingId),
      edited: Object.fromEntries([...edited].map(([id, { value }]) => [id, value])),
      deleted: [...deleted],
    },
  };
}

function serve(rows: number, say: (answer: Answer) => void): void {
  const original = Array.from({ length: rows }, (_, i) => rating({ experimentId: EXPERIMENT, start: START }, i));
  const first = listingOf(original);
  let listing = first;
  let requests = 0;
  const experiment = { id: EXPERIMENT, name: 'Bench', roomCount: 50, participantCount: 200 };
  const server = createServer((message, response) => {
    requests++;
    const { pathname, searchParams } = new URL(message.url ?? '/', 'http://bench');
    const pagination = { total: 1, returned: 1, offset: 0, hasMore: false };
    response.setHeader('content-type', 'application/json; charset=utf-8');
    if (pathname.includes('/data/')) response.end(page(listing, searchParams));
    else response.end(JSON.stringify({ status: 'success', data: [experiment], metadata: { pagination } }));
  });
  process.on('message', (order: Order) => {
    if (order.do === 'count') {
      say({ requests });
      requests = 0;
      return;
    }
    const next = order.do === 'change' ? change(original) : undefined;
    listing = next === undefined ? first : listingOf(next.ratings);
    say({ changes: next?.changes ?? { late: [], edited: {}, deleted: [] } });
  });
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    if (typeof address === 'object' && address !== null) say({ port: address.port });
  });
}

process.on('disconnect', () => process.exit());
if (process.send !== undefined) serve(Number(process.argv[2]), (answer) => process.send?.(answer));
