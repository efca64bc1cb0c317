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

/** Whose something is, and when it happened. */
export interface Timed {
  readonly participant_id: string | null;
  readonly timestamp: string | null;
  readonly onset: number | null;
}

/**
 * Rows that are sorted by onset, timestamp and key, in the order in which they happened. That is the order of their
 * onsets, as a clock that was wrong is corrected there; what has none is placed by its timestamp, against another row of
 * the same person. What has neither comes first.
 */
export function inOrder<Row extends Timed>(rows: readonly Row[]): Row[] {
  const [first, last] = [rows.at(0), rows.at(-1)];
  if (first === undefined || last === undefined || first.onset !== null || last.onset === null) return [...rows];
  const zeros = zerosIn(rows);
  const moment = ({ participant_id, timestamp, onset }: Timed) => {
    if (onset !== null) return onset;
    const zero = zeros.get(participant_id) ?? zeros.get(undefined);
    return timestamp === null || zero === undefined ? -Infinity : Date.parse(timestamp) - zero;
  };
  const placed = rows.map((row, i) => ({ row, i, at: moment(row) }));
  return placed.sort((a, b) => (a.at === b.at ? a.i - b.i : a.at - b.at)).map(({ row }) => row);
}

/** When onset 0 was, in ms since 1970 UTC, by the first row of each person that shows it; of anybody under undefined. */
function zerosIn(rows: readonly Timed[]): ReadonlyMap<string | null | undefined, number> {
  const zeros = new Map<string | null | undefined, number>();
  for (const { participant_id, timestamp, onset } of rows) {
    if (timestamp === null || onset === null) continue;
    for (const person of [participant_id, undefined])
      if (!zeros.has(person)) zeros.set(person, Date.parse(timestamp) - onset);
  }
  return zeros;
}
