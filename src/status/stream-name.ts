import type { StoredPosition } from '../warehouse/positions.ts';

type Named = Pick<StoredPosition, 'experimentId' | 'data' | 'scope'>;

/** The same text for the same stream. */
export function idOf({ experimentId, data, scope }: Named): string {
  return `${experimentId}/${data}/${scope}`;
}

/** A stream within its experiment: `chat`, `variables, room r1`. */
export function partOf({ data, scope }: Pick<Named, 'data' | 'scope'>): string {
  return `${data}${placeOf(scope)}`;
}

/** The name of a stream in a list: `chat of exp_1`, `variables of exp_1 (room:r1)`. */
export function nameOf({ experimentId, data, scope }: Named): string {
  return `${data} of ${experimentId}${scope === 'experiment' ? '' : ` (${scope})`}`;
}

/** A part of an experiment in the words of `streamText`, from the text in the position. */
export function placeOf(scope: string): string {
  const [, part = '', filter = ''] = /^([^?]*)(?:\?(.*))?$/s.exec(scope) ?? [];
  const filters = filter.split('&').filter((text) => text !== '');
  const place = part
    .replace(/^experiment$/, '')
    .replace(/^participant:(.*)@(.*)$/s, ', participant $1 in room $2')
    .replace(/^(room|deployment):/, ', $1 ');
  return `${place}${filters.map((text) => `, only ${text.replace('=', ' ')}`).join('')}`;
}
