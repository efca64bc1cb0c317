import { DATASETS } from './registry.ts';

/** The boxes to tick when a key is made for these data types; of several that may do for one, all, as that is sure. */
export function scopesToTick(data: 'all' | readonly string[]): string[] {
  const wanted = DATASETS.filter(
    ({ name, path }) => data === 'all' || data.includes(name) || path === '/experiments/{id}',
  );
  return [...new Set(wanted.flatMap(({ keyScopes }) => keyScopes))].sort();
}
