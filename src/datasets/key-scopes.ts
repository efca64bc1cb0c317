import { DATASETS } from './registry.ts';

/** The scopes to tick when a key is created for these data types. If one of several may be enough, all are included. */
export function scopesToTick(data: 'all' | readonly string[]): string[] {
  const wanted = DATASETS.filter(
    ({ name, path }) => data === 'all' || data.includes(name) || path === '/experiments/{id}',
  );
  return [...new Set(wanted.flatMap(({ keyScopes }) => keyScopes))].sort();
}

/** The scopes of which a key needs one for a data type; none if nothing says so. */
export function keyScopesOf(data: string): readonly string[] {
  return DATASETS.find(({ name }) => name === data)?.keyScopes ?? [];
}
