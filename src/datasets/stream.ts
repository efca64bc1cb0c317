import { cleanLine } from '../shared/clean-text.ts';
import type { Dataset, ScopeKind } from './define.ts';

/** The part of an experiment that a stream covers. */
export type Scope =
  | { readonly kind: 'experiment' }
  | { readonly kind: 'room'; readonly id: string }
  | { readonly kind: 'participant'; readonly id: string; readonly room: string }
  | { readonly kind: 'deployment'; readonly id: string };

/** One data type of one experiment, or of a part of it: the unit that is read, positioned and reported. */
export interface Stream {
  readonly experimentId: string;
  readonly dataset: Dataset;
  readonly scope: Scope;
  /** Fields by whose value the API filters, such as `category`. */
  readonly filter?: Readonly<Record<string, string | boolean>>;
}

/** The stream's part of its experiment as `_streams.scope` holds it. */
export function scopeText({ scope, filter = {} }: Pick<Stream, 'scope' | 'filter'>): string {
  const part =
    scope.kind === 'experiment'
      ? 'experiment'
      : scope.kind === 'participant'
        ? `participant:${scope.id}@${escapedRoom(scope.room)}`
        : `${scope.kind}:${scope.id}`;
  const filters = Object.entries(filter).map(([field, value]) => `${field}=${value}`);
  return filters.length === 0 ? part : `${part}?${filters.join('&')}`;
}

/** Parses the text of `scopeText`; the values of filters are strings. */
export function partIn(text: string): Pick<Stream, 'scope' | 'filter'> {
  const [part = '', ...search] = text.split('?');
  const pairs = search
    .join('?')
    .split('&')
    .filter((pair) => pair !== '');
  const filter =
    pairs.length === 0 ? {} : { filter: Object.fromEntries(pairs.map((pair) => cut(pair, pair.indexOf('=')))) };
  const [kind, id] = cut(part, part.indexOf(':'));
  if (kind === 'room' || kind === 'deployment') return { scope: { kind, id }, ...filter };
  if (kind !== 'participant') return { scope: { kind: 'experiment' }, ...filter };
  // The id of a participant may be an email address.
  const [participant, room] = cut(id, id.lastIndexOf('@'));
  return { scope: { kind, id: participant, room: room.replace(/%40|%25/g, decodeURIComponent) }, ...filter };
}

/** Without `@`, so that `a@b` in room `c` is not `a` in room `b@c`. An id that holds no `@` mostly stays as it is. */
function escapedRoom(room: string): string {
  return room.replace(/@|%(?=40|25)/g, encodeURIComponent);
}

function cut(text: string, at: number): [before: string, after: string] {
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

/** The path of a stream and the query parameters that belong to its scope. */
export function addressOf({
  dataset,
  scope,
  experimentId,
  filter,
}: Stream): [path: string, query: Readonly<Record<string, string | boolean>>] {
  const id =
    scope.kind === 'experiment' || (scope.kind === 'deployment' && dataset.path === undefined)
      ? experimentId
      : scope.id;
  const asked: ScopeKind = scope.kind === 'deployment' ? 'experiment' : scope.kind;
  const template = dataset.path ?? `/data/${dataset.name}/${asked}/{id}`;
  const [path = '', search = ''] = template.replace('{id}', () => encodedId(id)).split('?');
  return [
    path,
    {
      ...Object.fromEntries(new URLSearchParams(search)),
      ...(scope.kind === 'participant' ? { roomId: scope.room } : {}),
      ...(scope.kind === 'deployment' && dataset.path === undefined ? { deploymentId: scope.id } : {}),
      ...filter,
    },
  ];
}

/** An id in a path. A text with half a character has no encoding, and any other one may be the id of something else. */
function encodedId(id: string): string {
  return id.isWellFormed() ? encodeURIComponent(id) : '';
}

/**
 * The endpoint by which the API's per-minute limit may count a stream's requests: the data type or, outside /data, the
 * first segment of the path, because it is not documented whether `/experiments/{id}` and `/experiments/{id}/config`
 * are two endpoints.
 */
export function endpointOf({ dataset: { name, path } }: Pick<Stream, 'dataset'>): string {
  return path?.split(/[/?]/)[1] ?? name;
}

/** A stream's name in messages: `events of exp_1, room room_2`. */
export function streamText({ experimentId, dataset, ...part }: Stream): string {
  return cleanLine(`${dataset.name} of ${experimentId}${placeText(part)}`);
}

/** The stream's part of its experiment, such as `, room room_2`; empty for the whole experiment. */
export function placeText({ scope, filter = {} }: Pick<Stream, 'scope' | 'filter'>): string {
  const part =
    scope.kind === 'experiment'
      ? ''
      : scope.kind === 'participant'
        ? `, participant ${scope.id} in room ${scope.room}`
        : `, ${scope.kind} ${scope.id}`;
  const only = Object.entries(filter).map(([field, value]) => `, only ${field} ${value}`);
  return `${part}${only.join('')}`;
}
