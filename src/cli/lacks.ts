import { completenessOf } from '../export/codebook/completeness.ts';
import type { Db } from '../warehouse/open.ts';
import type { StoredPosition } from '../warehouse/positions.ts';

/** What the data of experiments may lack, in a sentence each, and what of them the key may not read. */
export function lacksOf(
  db: Db,
  experiments: readonly string[],
  positions: readonly StoredPosition[],
  issues: readonly { readonly message: string }[],
) {
  const all = experiments.map((id) => completenessOf(db, id, positions));
  return {
    lacks: [...new Set([...issues.map(({ message }) => message), ...all.flatMap(({ lacks }) => lacks)])],
    unreadable: [...new Set(all.flatMap(({ unreadable }) => unreadable))],
    isComplete:
      issues.length === 0 && all.every(({ data }) => Object.values(data).every(({ isLacking }) => !isLacking)),
  };
}
