import { z } from 'zod';
import type { PolicySettings } from '../datasets/policy.ts';
import { markOfKey } from '../shared/pseudonym.ts';
import type { Db } from './open.ts';
import { recall, remember } from './state.ts';

const NAME = 'privacy';

const Applied = z.object({
  drop: z.array(z.string()),
  pseudonymise: z.array(z.string()),
  /** By which the key of the pseudonyms in the file is known again; null: there are none. */
  key: z.string().nullable(),
});

/** The policy that holds for everything in the file. */
export type AppliedPolicy = z.infer<typeof Applied>;

export function appliedPolicy(db: Db): AppliedPolicy {
  const stored = recall(db, NAME);
  return stored === undefined ? { drop: [], pseudonymise: [], key: null } : Applied.parse(JSON.parse(stored));
}

/** Notes that nothing in the file is against a policy. The key of earlier pseudonyms stays known. */
export function noteApplied(db: Db, { drop, pseudonymise, key }: PolicySettings, now: number): void {
  const held = appliedPolicy(db);
  const mark = key === undefined || pseudonymise.length === 0 ? held.key : markOfKey(key);
  const next: AppliedPolicy = { drop: [...drop].sort(), pseudonymise: [...pseudonymise].sort(), key: mark };
  if (JSON.stringify(next) !== JSON.stringify(held)) remember(db, NAME, JSON.stringify(next), now);
}

/** The fields of which the file may hold what a policy does not allow, as they were stored under another one. */
export function notYetApplied(db: Db, { drop, pseudonymise }: PolicySettings): string[] {
  const held = appliedPolicy(db);
  return [
    ...drop.filter((name) => !held.drop.includes(name)),
    // Where a field was left out, no value of it can be there.
    ...pseudonymise.filter((name) => !held.pseudonymise.includes(name) && !held.drop.includes(name)),
  ];
}

/** Whether the file holds pseudonyms that were made with another key. */
export function hasOtherKey(db: Db, { pseudonymise, key }: PolicySettings): boolean {
  const held = appliedPolicy(db).key;
  return held !== null && pseudonymise.length > 0 && key !== undefined && held !== markOfKey(key);
}

/** What was done to a field at load, by the data type and the way to it; undefined where nothing was. */
export function handlingIn(db: Db): (data: string, path: string) => 'left out' | 'pseudonym' | undefined {
  const { drop, pseudonymise } = appliedPolicy(db);
  return (data, path) => {
    const isIn = (names: readonly string[]) => names.some((name) => `${data}.${path}.`.startsWith(`${name}.`));
    return isIn(drop) ? 'left out' : isIn(pseudonymise) ? 'pseudonym' : undefined;
  };
}

/** What is said of the policy in `_about`. */
export function policyText(db: Db): string {
  const { drop, pseudonymise } = appliedPolicy(db);
  if (drop.length + pseudonymise.length === 0) return 'Every field is stored as HyperStudy sends it.';
  const parts = [
    ...(drop.length === 0 ? [] : [`Never stored: ${drop.join(', ')}.`]),
    ...(pseudonymise.length === 0 ? [] : [`Stored as pseudonyms: ${pseudonymise.join(', ')}.`]),
  ];
  return `${parts.join(' ')} Everything else is stored as HyperStudy sends it.`;
}
