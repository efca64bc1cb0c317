import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isObject, parseJson, type Json, type JsonObject } from '../../src/shared/json.ts';

/** An answer of the API that was published as a file. */
export interface PublishedAnswer {
  readonly file: string;
  readonly body: JsonObject;
  readonly records: readonly JsonObject[];
}

/** What one simulated account answers at a path below `/api/v3`. */
export type Account = (path: string, query: URLSearchParams) => Answer | undefined;

interface Answer {
  readonly status: number;
  readonly body: JsonObject;
  /** The published files that it is made of. */
  readonly files: readonly string[];
}

export function readAnswer(folder: string, file: string): PublishedAnswer {
  const body = parseJson(readFileSync(join(folder, file), 'utf8'));
  if (!isObject(body)) throw new Error(`${file} holds no object`);
  const { data } = body;
  return { file, body, records: (Array.isArray(data) ? data : [data ?? null]).filter((record) => isObject(record)) };
}

/** The id of a record, or another field that holds text. */
export function idOf(record: JsonObject | undefined, field = 'id'): string {
  const value = record?.[field];
  if (typeof value !== 'string') throw new Error(`a published record has no ${field}`);
  return value;
}

/** The answer as it was published, whatever is asked. */
export function asPublished({ file, body }: PublishedAnswer, status = 200): Answer {
  return { status, body, files: [file] };
}

/** An answer that was not published, of one page. */
export function madeUp(data: Json): Answer {
  const count = Array.isArray(data) ? data.length : 1;
  const pagination = { total: count, returned: count, hasMore: false };
  return { status: 200, body: { status: 'success', data, metadata: { pagination } }, files: [] };
}

/**
 * Published pages of one list: a request that asks for one of them gets it as it is, any other one (a time range, the
 * newest first, another offset) gets the records that it asks for, in the same envelope.
 */
export function listing(pages: readonly PublishedAnswer[], query: URLSearchParams): Answer {
  const files = pages.map(({ file }) => file);
  const offset = Number(query.get('offset') ?? 0);
  const limit = Number(query.get('limit') ?? 1000);
  const starts = pages.map((_, i) => pages.slice(0, i).reduce((sum, { records }) => sum + records.length, 0));
  const asked = pages[starts.indexOf(offset)];
  const [first = asked] = pages;
  if (first === undefined) return madeUp([]);
  const { metadata } = first.body;
  const echo = isObject(metadata) ? metadata['query'] : undefined;
  // Recordings echo no time filter (tests/fixtures/recordings_response.json): they are not filtered.
  const filters = !isObject(echo) || 'startTime' in echo || 'category' in echo;
  const [from, to] = [query.get('startTime'), query.get('endTime')];
  const isPlain = (!filters || (from === null && to === null)) && query.get('order') !== 'desc';
  if (isPlain && asked !== undefined && limit >= asked.records.length) return asPublished(asked);

  const times = [query.get('sort'), 'timestamp', 'startTime', 'startedAt', 'joinedAt'];
  const at = (record: JsonObject) =>
    Date.parse(idOf(record, times.find((time) => time !== null && typeof record[time] === 'string') ?? 'timestamp'));
  const found = pages
    .flatMap(({ records }) => records)
    .filter((record) => !filters || from === null || at(record) >= Date.parse(from))
    .filter((record) => !filters || to === null || at(record) <= Date.parse(to))
    .sort((a, b) => (query.get('order') === 'desc' ? at(b) - at(a) : at(a) - at(b)));
  const most = pages.length > 1 ? Math.min(limit, first.records.length) : limit;
  const data = found.slice(offset, offset + most);
  const next = offset + data.length;
  const hasMore = next < found.length;
  const counts = { total: found.length, returned: data.length, hasMore, limit: most, offset };
  const pagination = hasMore ? { ...counts, nextOffset: next } : counts;
  const told = isObject(echo) ? { query: { ...echo, ...asEcho(echo, query) } } : {};
  return {
    status: 200,
    body: { ...first.body, data, metadata: { ...(isObject(metadata) ? metadata : {}), ...told, pagination } },
    files,
  };
}

/** The parameters of a request that the endpoint says it parsed. */
function asEcho(echo: JsonObject, query: URLSearchParams): JsonObject {
  return Object.fromEntries(
    Object.keys(echo)
      .filter((name) => query.has(name))
      .map((name) => [name, typeof echo[name] === 'number' ? Number(query.get(name)) : query.get(name)]),
  );
}

/** Serves accounts over HTTP, each below its own name; what none of them answers is empty or not found. */
export async function servePublished(accounts: Readonly<Record<string, Account>>) {
  const served = new Set<string>();
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://published');
    const [, name = '', path = ''] = /^\/([^/]+)\/api\/v3(\/.*)$/.exec(url.pathname) ?? [];
    const { status, body, files } = accounts[name]?.(path, url.searchParams) ?? unpublished(path);
    for (const file of files) served.add(file);
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    urlOf: (name: string) => `http://127.0.0.1:${port}/${name}/api/v3`,
    /** The files of which something was asked for. */
    served: served as ReadonlySet<string>,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function unpublished(path: string): Answer {
  if (path.startsWith('/data/') || path.endsWith('/sessions') || path === '/deployments') return madeUp([]);
  if (path.endsWith('/config')) return madeUp({});
  return { status: 404, body: { status: 'error', error: { code: 'NOT_FOUND', message: 'not found' } }, files: [] };
}
