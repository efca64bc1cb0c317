/** One large stream of continuous ratings, made as it is asked for. */

const EVERY_MS = 100;

export interface Ratings {
  readonly experimentId: string;
  readonly rows: number;
  /** The time of the first, in milliseconds since 1970 UTC. */
  readonly start: number;
  /** The largest page that is served. */
  readonly mostPage: number;
}

/** The API's answer to a query for a page of them, as JSON. */
export function answerRatings(ratings: Ratings, query: URLSearchParams): string {
  const { rows, start, mostPage } = ratings;
  const number = (name: string, otherwise: number) => Number(query.get(name) ?? otherwise);
  const place = (name: string, otherwise: number) => {
    const time = query.get(name);
    const at = time === null ? otherwise : Math.ceil((Date.parse(time) - start) / EVERY_MS);
    return Math.min(rows, Math.max(0, at));
  };
  const [from, to] = [place('startTime', 0), place('endTime', rows)];
  const total = Math.max(0, to - from);
  const offset = number('offset', 0);
  const returned = Math.max(0, Math.min(total - offset, number('limit', 1000), mostPage));
  const nth = query.get('order') === 'desc' ? (i: number) => to - 1 - offset - i : (i: number) => from + offset + i;
  const data = Array.from({ length: returned }, (_, i) => rating(ratings, nth(i)));
  const pagination = { total, returned, hasMore: offset + returned < total };
  return JSON.stringify({ status: 'success', data, metadata: { pagination } });
}

/**
 * The same rating for the same place: an id that is not in order, and a raw value with as many digits as sliders have.
 */
export function rating({ experimentId, start }: Pick<Ratings, 'experimentId' | 'start'>, i: number) {
  const id = ((i * 2_654_435_761) % 4_294_967_296).toString(36).padStart(7, '0');
  const value = (i * 7) % 101;
  return {
    ratingId: `rat_${id}${i.toString(36)}`,
    experimentId,
    roomId: `room_${i % 50}`,
    participantId: `user_${i % 200}`,
    componentId: 'cmp_rating',
    timestamp: new Date(start + i * EVERY_MS).toISOString(),
    onset: i * EVERY_MS,
    value,
    normalizedValue: value / 100,
    rawValue: ((i * 7) % 321) / 3.21,
    scaleMin: 0,
    scaleMax: 100,
  };
}
