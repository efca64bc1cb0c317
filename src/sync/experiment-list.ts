import type { Client } from '../api/client.ts';
import { notTheApi } from '../api/failure.ts';
import { WarehouseError } from '../shared/errors.ts';
import { isObject, isRawNumber, textOfJson, type JsonObject } from '../shared/json.ts';
import type { Priority } from '../shared/priority.ts';

/** The documented page size of `GET /experiments` (HyperStudy API overview). */
const EXPERIMENTS_PAGE = 50;

/** A list shorter than this is not taken for a page of a longer one. */
const SHORTEST_PAGE = 20;

/** How many requests it takes to list this many experiments: a full page does not show that it is the last. */
export function listRequests(experiments: number): number {
  return (
    Math.floor(experiments / EXPERIMENTS_PAGE) +
    (experiments >= SHORTEST_PAGE && experiments < EXPERIMENTS_PAGE ? 2 : 1)
  );
}

/** The experiments or deployments of a list. */
export interface Listing {
  readonly listed: readonly Listed[];
  /** Whether nothing suggests that there are others. */
  readonly isWhole: boolean;
  /** What suggests it, as a clause. */
  readonly doubt: string | undefined;
}

/** A record with an id. */
export type Listed = JsonObject & { readonly id: string };

/** A list of more pages is not read to its end: 20,000 experiments, or a server that never comes to one. */
const MOST_PAGES = 400;

/** The id as a text; undefined where it is none, or empty. */
function idOf({ id }: JsonObject): string | undefined {
  const text = typeof id === 'number' || isRawNumber(id) ? textOfJson(id) : id;
  return typeof text === 'string' && text !== '' ? text : undefined;
}

/** The path of a list, and its name in messages. */
interface ListAddress {
  readonly path: string;
  readonly what: string;
}

const OWN: ListAddress = { path: '/experiments', what: 'the list of experiments' };

/** Every experiment of the key's own, as `GET /experiments` describes it. */
export async function listExperiments(client: Client, signal?: AbortSignal, priority?: Priority): Promise<Listing> {
  try {
    return await listAll(client, OWN, signal, priority);
  } catch (error) {
    throw withoutList(error);
  }
}

/** If the server has no list of experiments, the address is not the API's, whatever its health check says. */
export function withoutList(error: unknown): unknown {
  if (!(error instanceof WarehouseError) || error.code !== 'NOT_FOUND') return error;
  return notTheApi({ status: undefined, requestId: error.requestId }, 'it has no list of experiments there');
}

/**
 * Reads a list to its end. Requests another page until one brings nothing new, unless a page was short and neither
 * `hasMore` nor `total` contradicts that it was the last.
 */
export async function listAll(
  client: Client,
  { path, what }: ListAddress,
  signal?: AbortSignal,
  priority?: Priority,
): Promise<Listing> {
  const found = new Map<string, Listed>();
  let doubt: string | undefined;
  let [offset, total, nameless] = [0, 0, 0];
  for (let pages = 1; ; pages++) {
    const answer = await client.get({
      path,
      query: { limit: EXPERIMENTS_PAGE, offset },
      endpoint: path.split('/')[1] ?? path,
      what,
      ...(priority === undefined ? {} : { priority }),
      ...(signal === undefined ? {} : { signal }),
    });
    const { data, pagination } = answer;
    if (answer.warnings.length > 0 || answer.truncated)
      doubt = answer.warnings.length > 0 ? `the API warns: ${answer.warnings.join('; ')}` : 'the API cut it short';
    const before = found.size + nameless;
    for (const [place, record] of data.entries()) {
      const id = isObject(record) && answer.unclear?.has(place) !== true ? idOf(record) : undefined;
      if (isObject(record) && id !== undefined) found.set(id, { ...record, id });
      else nameless++;
    }
    offset += data.length;
    total = Math.max(total, pagination?.total ?? 0);
    const isShown = found.size + nameless;
    // A page may be shorter than documented, and its total no more than its length.
    const mayBeCut = offset === data.length && data.length >= SHORTEST_PAGE;
    const mayHaveMore = mayBeCut || data.length >= EXPERIMENTS_PAGE || pagination?.hasMore === true || total > isShown;
    const isEndless = pages >= MOST_PAGES;
    if (mayHaveMore && data.length > 0 && isShown > before && !isEndless) continue;
    if (mayHaveMore && isEndless) doubt ??= `it has no end: ${isShown} were listed in ${pages} pages`;
    if (nameless > 0) doubt ??= `${nameless} in the list have no id`;
    if (pagination?.hasMore === true) doubt ??= 'the API says that there are more, but sends none';
    if (total > isShown) doubt ??= `the API counts ${total}, but only ${isShown} could be listed`;
    return { listed: [...found.values()], isWhole: doubt === undefined, doubt };
  }
}
