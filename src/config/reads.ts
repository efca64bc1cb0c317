import { createHash } from 'node:crypto';
import type { Config } from './schema.ts';

/**
 * A digest of what a configuration says of what is read: where two agree, a sync by either reads the same. How often and
 * how fast is not part of it.
 */
export function readsOf({ api, data, experiments, options, lookbackMs, deletes }: Config): string {
  const read = experiments.map((experiment) => ({ ...experiment, schedule: undefined }));
  const all = [api.baseUrl, api.organization, data, read, options, lookbackMs, deletes];
  return createHash('sha256').update(JSON.stringify(all, inOrder)).digest('hex').slice(0, 16);
}

/** In whatever order somebody wrote the keys of an object, they say the same. */
function inOrder(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
