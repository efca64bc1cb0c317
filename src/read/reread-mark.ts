import type { Stream } from '../datasets/stream.ts';
import { rereadDoubt, type Doubt } from '../warehouse/doubts.ts';
import type { Position } from '../warehouse/positions.ts';
import type { Difference } from '../warehouse/records.ts';

/** As long as fewer known rows, or a smaller share of them, differ in a reading, they count as changed one by one. */
const FEW = 5;
const SHARE = 0.02;

/** Whether so many known rows differ in a reading that the server may have derived the others again as well. */
export function areMany(changed: number, unchanged: number): boolean {
  return changed >= FEW && changed >= SHARE * (changed + unchanged);
}

/** Why it is to be read again, until the sync that met the changes says what they are. */
const CHANGED_AT_ONCE = 'the server changed many rows at once';

/**
 * Marks a stream to be read again if many of its known rows differ: with the rows, as the next sync finds these
 * unchanged if this one is killed before it concludes.
 */
export function rereadMark(
  { dataset }: Stream,
  { backfilled, rereadReason }: Position,
  rows: number,
  { changed, missing }: Difference,
): { readonly rereadReason: string; readonly doubts: readonly Doubt[] } | undefined {
  const isWatched = dataset.read === 'incremental' && backfilled && rereadReason === undefined;
  if (!isWatched || !areMany(changed.length, rows - missing.length - changed.length)) return undefined;
  return { rereadReason: CHANGED_AT_ONCE, doubts: [rereadDoubt(CHANGED_AT_ONCE, changed.length)] };
}
