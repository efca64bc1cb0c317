/** Seconds since 1970 UTC of a time as the tables hold it. */
export function secondsOf(timestamp: string | null): number | null {
  return timestamp === null ? null : Date.parse(timestamp) / 1000;
}

/** The years 0000 to 9999, in ms since 1970 UTC. */
const YEARS = { from: Date.parse('0000-01-01T00:00:00.000Z'), to: Date.parse('9999-12-31T23:59:59.999Z') };

/** A computed time in the form of the tables; null where an odd onset leads to no such time. */
export function timeText(ms: number | undefined): string | null {
  return ms === undefined || !(ms >= YEARS.from && ms <= YEARS.to) ? null : new Date(ms).toISOString();
}

/** When something happened, and which row says so. */
export interface Timed {
  readonly key: string;
  readonly timestamp: string | null;
  readonly onset: number | null;
}

/**
 * What a person did, in the order in which it happened. That is the order of the onsets, as a clock that was wrong is
 * corrected there; what has none is placed by its timestamp, against the first row that has both. What has neither comes
 * first.
 */
export function inOrder<Row extends Timed>(rows: readonly Row[]): Row[] {
  const known = rows.find(({ timestamp, onset }) => timestamp !== null && onset !== null);
  const zero = known === undefined ? 0 : Date.parse(known.timestamp ?? '') - (known.onset ?? 0);
  const moment = ({ timestamp, onset }: Row) =>
    onset ?? (timestamp === null ? -Infinity : Date.parse(timestamp) - zero);
  const placed = rows.map((row) => ({ row, at: moment(row) }));
  return placed.sort((a, b) => compare(a.at, b.at) || compareRows(a.row, b.row)).map(({ row }) => row);
}

function compareRows(a: Timed, b: Timed): number {
  return compare(a.timestamp ?? '', b.timestamp ?? '') || compare(a.key, b.key);
}

function compare<Value extends string | number>(a: Value, b: Value): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
