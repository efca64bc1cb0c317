import { DATASETS } from './registry.ts';

/** The scopes to tick when a key is created for these data types. If one of several may be enough, all are included. */
export function scopesToTick(data: 'all' | readonly string[]): string[] {
  const wanted = DATASETS.filter(
    ({ name, path }) => data === 'all' || data.includes(name) || path === '/experiments/{id}',
  );
  return [...new Set(wanted.flatMap(({ keyScopes }) => keyScopes))].sort();
}
