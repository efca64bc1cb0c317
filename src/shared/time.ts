/** ISO 8601 with a date, a time, optionally a fraction, and `Z` or an offset; a time without a zone is taken as UTC. */
const ISO = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?)\s*(Z|z|[+-]\d{2}:?\d{2})?$/;

/** The form in which the warehouse keeps its many times, and in which the API mostly sends them. */
const KEPT_FORM = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

/**
 * Milliseconds since 1970 UTC of an ISO 8601 time, any precision beyond a millisecond cut off;
 * undefined when the text is not such a time or lies outside the years 0000 to 9999.
 */
export function parseTime(text: string): number | undefined {
  if (!hasDay(text)) return undefined;
  if (KEPT_FORM.test(text)) return inRange(Date.parse(text));
  const parts = ISO.exec(text);
  if (parts === null) return undefined;
  const [, date = '', time = '', zone = 'Z'] = parts;
  const [clock = '', fraction = ''] = time.split(/[.,]/);
  const offset = zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone.toUpperCase();
  const ms = Date.parse(
    `${date}T${clock.length === 5 ? `${clock}:00` : clock}.${fraction.padEnd(3, '0').slice(0, 3)}${offset}`,
  );
  return inRange(ms);
}

/** Whether the month has that day: `Date.parse` takes 30 February for 2 March. */
function hasDay(text: string): boolean {
  const day = Number(text.slice(8, 10));
  return day <= 28 || new Date(`${text.slice(0, 10)}T00:00:00Z`).getUTCDate() === day;
}

/** Years 2001 to 2128 in seconds: numbers outside this range, and a thousand times it, are not times. */
const PLAUSIBLE_S = { from: 1e9, to: 5e9 };
/** A double does not hold every decimal fraction of a second: half a microsecond keeps the millisecond that was meant. */
const HALF_MICROSECOND = 5e-4;

/**
 * Milliseconds since 1970 UTC of a number of milliseconds or of seconds (devices send these, with or without a
 * fraction), any precision beyond a millisecond cut off; undefined when it is plausible as neither.
 */
export function parseEpoch(value: number): number | undefined {
  const isWithin = (seconds: number) => seconds >= PLAUSIBLE_S.from && seconds < PLAUSIBLE_S.to;
  if (isWithin(value)) return Math.floor(value * 1000 + HALF_MICROSECOND);
  return isWithin(value / 1000) ? Math.floor(value) : undefined;
}

function inRange(ms: number): number | undefined {
  return Number.isNaN(ms) || ms < EARLIEST || ms > LATEST ? undefined : ms;
}

const EARLIEST = Date.parse('0000-01-01T00:00:00.000Z');
const LATEST = Date.parse('9999-12-31T23:59:59.999Z');

/** A readable time, to the minute: `2026-01-12 09:00 UTC`. */
export function formatMinute(ms: number): string {
  return `${formatTime(ms).slice(0, 16).replace('T', ' ')} UTC`;
}

/** ISO 8601 UTC with milliseconds: the one form in which the warehouse keeps times; sorts as text. */
export function formatTime(ms: number): string {
  return new Date(ms).toISOString();
}

export const SECOND_MS = 1000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

const UNIT_MS = { ms: 1, s: SECOND_MS, m: MINUTE_MS, h: HOUR_MS, d: DAY_MS } as const;

/** Milliseconds of a duration such as `500ms`, `60s`, `15m`, `1h` or `30d`; undefined when it is not one. */
export function parseDuration(text: string): number | undefined {
  const parts = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/.exec(text.trim());
  if (parts === null) return undefined;
  return Number(parts[1]) * UNIT_MS[parts[2] as keyof typeof UNIT_MS];
}

/** A readable duration: `850 ms`, `12 s`, `3 min`, `2 h 5 min`, `4 d`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 90_000) return `${Math.round(ms / 1000)} s`;
  const minutes = Math.round(ms / 60_000);
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 48 * 60)
    return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.round(minutes / 1440)} d`;
}
