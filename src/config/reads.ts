import { createHash } from 'node:crypto';
import type { Config } from './schema.ts';

/**
 * A digest of what a configuration says about what is read: if two are equal, a sync with either reads the same. How
 * often and how fast it reads is not part of it.
 */
export function readsOf({ api, data, experiments, options, lookbackMs, deletes }: Config): string {
  const read = experiments.map((experiment) => ({ ...experiment, schedule: undefined }));
  const all = [api.baseUrl, api.organization, data, read, options, lookbackMs, deletes];
  return createHash('sha256').update(JSON.stringify(all, inOrder)).digest('hex').slice(0, 16);
}

/** The order of an object's keys means nothing. */
function inOrder(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
