import type { Random } from './random.ts';
import type { Readings } from './readings.ts';
import type { SimRecord } from './life.ts';
import { HOUR_MS } from '../shared/time.ts';

const ISO_MS = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

/** A record as one answer shows it: with newly signed download URLs, and times in the configured form. */
export function shown(dataType: string, record: SimRecord, { times }: Readings, random: Random): SimRecord {
  const signed =
    dataType === 'recordings' && typeof record['downloadUrl'] === 'string'
      ? { ...record, downloadUrl: `${record['downloadUrl']}?X-Goog-Expires=900&X-Goog-Signature=${random.id(24)}` }
      : record;
  if (times === 'milliseconds') return signed;
  return Object.fromEntries(
    Object.entries(signed).map(([field, value]) => [
      field,
      typeof value === 'string' && ISO_MS.test(value) ? inForm(value, times) : value,
    ]),
  );
}

function inForm(time: string, form: 'seconds' | 'offset'): string {
  if (form === 'seconds') return time.endsWith('.000Z') ? `${time.slice(0, 19)}Z` : time;
  return `${new Date(Date.parse(time) + 2 * HOUR_MS).toISOString().slice(0, -1)}+02:00`;
}
