import type { Row } from '../datasets/normalise.ts';
import { markOf } from './ordinals.ts';
import type { Page } from './page.ts';
import type { Way } from './place.ts';

/*
 * What a page shows of the rows of the last timestamp before it, which are carried over to it.
 */

/** Whether the page has more than the rows carried over. By key, rows of the millisecond before may come with them. */
export function bringsNew({ rows, bad }: Page, carried: readonly Row[], { by }: Pick<Way, 'by'>): boolean {
  const time = by === 'key' ? carried[0]?.time : undefined;
  const fresh = rows.filter((row) => time === undefined || row.time === undefined || row.time >= time);
  return bad.length > 0 || fresh.length > carried.length || !includesAll(carried, fresh);
}

/** Whether more may follow. If the page does not say, rows of the millisecond before may have filled it. */
export function mayHaveMore({ rows, hasMore }: Page, carried: readonly Row[], { by }: Pick<Way, 'by'>): boolean {
  const time = by === 'key' ? carried[0]?.time : undefined;
  const isCrowded = rows.some((row) => time !== undefined && row.time !== undefined && row.time < time);
  return hasMore ?? isCrowded;
}

/** Whether none of the rows just read came again, although the filter begins before them and other rows have room. */
export function lacksAll(rows: readonly Row[], carried: readonly Row[]): boolean {
  const time = carried[0]?.time;
  if (time === undefined || rows.every((row) => row.time === time)) return false;
  const marks = new Set(carried.map(markOf));
  return !rows.some((row) => marks.has(markOf(row)));
}

/** Whether two pages have the same records, each as often, in any order. */
export function isSame({ rows }: Page, other: Page | undefined): boolean {
  if (other?.rows.length !== rows.length) return false;
  const [marks, others] = [rows.map(markOf).sort(), other.rows.map(markOf).sort()];
  return marks.every((mark, i) => mark === others[i]);
}

/** Whether a page has exact repeats, so that a different page may look the same. */
export function hasRepeats({ rows }: Page): boolean {
  return new Set(rows.map(markOf)).size < rows.length;
}

/** Whether all of some rows are among others. */
export function includesAll(rows: readonly Row[], wanted: readonly Row[]): boolean {
  if (wanted.length === 0) return true;
  const present = new Set(rows.map(markOf));
  return wanted.every((row) => present.has(markOf(row)));
}
