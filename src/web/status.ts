import { formatTime } from '../shared/time.ts';
import type { DaemonView } from '../status/view.ts';

/** The members of the view that are times. */
const TIMES = new Set([
  'startedAt',
  'now',
  'lastProgressAt',
  'refusedAt',
  'since',
  'at',
  'dataAsOf',
  'verifiedAt',
  'nextAt',
  'waitsUntil',
]);

/** The view as JSON text: times in ISO 8601 UTC, and null for what is not known, so that every member is there. */
export function statusJson(view: DaemonView): string {
  return JSON.stringify(view, (key, value: unknown) => {
    if (typeof value === 'number' && TIMES.has(key)) return formatTime(value);
    return isRecord(value) ? withNulls(value) : value;
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function withNulls(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, value === undefined ? null : value]));
}
