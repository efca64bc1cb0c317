import type { Row } from '../datasets/normalise.ts';
import type { Page, PageRequest } from './reader.ts';

/** key: by time, as `startTime` works here; offset: by place, as it does not. */
export interface Way {
  readonly by: 'key' | 'offset';
  /** Whether to ask for an order by time. */
  readonly sorted: boolean;
}

/** Where an answer begins: at a time, less a millisecond, and so many records further on. */
export interface Place {
  readonly from: number | undefined;
  readonly offset: number;
}

export function pageAt({ by, sorted }: Way, { from, offset }: Place, further = 0): PageRequest {
  return {
    from: by === 'key' && from !== undefined ? from - 1 : undefined,
    order: sorted ? 'asc' : undefined,
    offset: offset + further,
  };
}

/** By key the next answer begins at the time of the rows carried over; where that is no progress, or by offset, at their place. */
export function after({ by }: Way, { from, offset }: Place, time: number | undefined, places: number): Place {
  return by === 'key' && time !== undefined && time > (from ?? -Infinity)
    ? { from: time, offset: 0 }
    : { from, offset: offset + places };
}

/**
 * An answer that does not begin with the first record of all begins so many records before the rows carried over: where
 * one of another time stands there still, none of theirs has moved in front of the reader, in whatever order they come.
 */
export function guardOf({ offset }: Place, [row]: readonly Row[]): 0 | 1 {
  return offset > 0 && row?.time !== undefined ? 1 : 0;
}

/** Whether one of the rows carried over, or of their time, stands where one of another time did. */
export function isGuardGone({ rows: [row], places }: Page, guard: number, time: number | undefined): boolean {
  return guard > 0 && row !== undefined && row.time === time && places[0] === 0;
}

/** The part of a page between two of its places, its own places counted from the first one on. */
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
