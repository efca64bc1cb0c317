import { NOTHING_READ, type Reading } from './session.ts';
import type { Batch } from './sink.ts';

/** What a look at the places shows where the records of some rows were before. */
export interface LookedBehind {
  /** Whether a record is still where it is held, so that a row with its id is another one. */
  readonly isMet?: (key: string) => boolean;
  /** The reading that it took. */
  readonly reading: Reading;
}

export const NOTHING_BEHIND: LookedBehind = { reading: NOTHING_READ };

/** Whether one of them says so; undefined if there is none. */
export function either(...all: readonly Batch['isMet'][]): Batch['isMet'] {
  const some = all.filter((isMet) => isMet !== undefined);
  return some.length === 0 ? undefined : (key) => some.some((isMet) => isMet(key));
}
