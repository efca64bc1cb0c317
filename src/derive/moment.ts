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
