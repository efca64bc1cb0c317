import { cleanLine } from '../shared/clean-text.ts';
import { partIn, placeText } from '../datasets/stream.ts';
import type { StoredPosition } from '../warehouse/positions.ts';

type Named = Pick<StoredPosition, 'experimentId' | 'data' | 'scope'>;

/** The same text for the same stream. */
export function idOf({ experimentId, data, scope }: Named): string {
  return `${experimentId}/${data}/${scope}`;
}

/** A stream within its experiment: `chat`, `variables, room r1`. */
export function partOf({ data, scope }: Pick<Named, 'data' | 'scope'>): string {
  return cleanLine(`${data}${placeText(partIn(scope))}`);
}

/** The name of a stream in a list: `chat of exp_1`, `variables of exp_1 (room:r1)`. */
export function nameOf({ experimentId, data, scope }: Named): string {
  return cleanLine(`${data} of ${experimentId}${scope === 'experiment' ? '' : ` (${scope})`}`);
}
