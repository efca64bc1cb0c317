import type { Row } from '../datasets/normalise.ts';
import type { Page, PageRequest } from './page.ts';

/** key: by time, if `startTime` works; offset: by place, if it does not. */
export interface Way {
  readonly by: 'key' | 'offset';
  /** Whether to request an order by time. */
  readonly sorted: boolean;
  /** The most records to request at once. */
  readonly atMost?: number | undefined;
}

/** Where an answer begins: one millisecond before a time, and `offset` records further on. */
export interface Place {
  readonly from: number | undefined;
  readonly offset: number;
}

export function pageAt({ by, sorted, atMost }: Way, { from, offset }: Place, further = 0): PageRequest {
  return {
    from: by === 'key' && from !== undefined ? from - 1 : undefined,
    order: sorted ? 'asc' : undefined,
    offset: offset + further,
    atMost,
  };
}

/**
 * The next answer begins at the time of the rows carried over; by offset, or if the time is the same, at their place.
 */
export function after({ by }: Way, { from, offset }: Place, time: number | undefined, places: number): Place {
  return by === 'key' && time !== undefined && time > (from ?? -Infinity)
    ? { from: time, offset: 0 }
    : { from, offset: offset + places };
}

/**
 * How many records an answer begins before the rows carried over: one, unless it begins with the very first record. If
 * that record still has another time, none of the rows carried over has moved before this place, in any order.
 */
export function guardOf({ offset }: Place, [row]: readonly Row[]): 0 | 1 {
  return offset > 0 && row?.time !== undefined ? 1 : 0;
}

/** Whether a row with the time of the rows carried over is now where a row of another time was. */
export function isGuardGone({ rows: [row], places }: Page, guard: number, time: number | undefined): boolean {
  return guard > 0 && row !== undefined && row.time === time && places[0] === 0;
}

/** The part of a page between two of its places, with its places counted from there. */
export function between(page: Page, from: number, to = Infinity): Page {
  const isIn = (place = 0) => place >= from && place < to;
  return {
    ...page,
    rows: page.rows.filter((_, i) => isIn(page.places[i])),
    places: page.places.filter(isIn).map((place) => place - from),
    bad: page.bad.filter((_, i) => isIn(page.badPlaces[i])),
    badPlaces: page.badPlaces.filter(isIn).map((place) => place - from),
  };
}
