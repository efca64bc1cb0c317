import type { Answer, Client } from '../api/client.ts';
import type { Config } from '../config/schema.ts';
import { normalise, type BadRecord, type Origin, type Row } from '../datasets/normalise.ts';
import type { ScopeKind } from '../datasets/define.ts';
import { endpointOf, streamText, type Stream } from '../datasets/stream.ts';
import { isObject, type Json } from '../shared/json.ts';
import type { Priority } from '../shared/priority.ts';
import { formatTime } from '../shared/time.ts';
import type { PageSize } from './page-size.ts';

/** What to ask of a stream. Times are milliseconds since 1970 UTC. */
export interface PageRequest {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly order?: 'asc' | 'desc' | undefined;
  readonly limit?: number | undefined;
  readonly offset?: number | undefined;
}

/** One answer, its records made rows. */
export interface Page {
  readonly rows: readonly Row[];
  /** Where each row stood in the answer's list, bad records counted. */
  readonly places: readonly number[];
  readonly bad: readonly BadRecord[];
  /** Records in the answer, bad ones included. */
  readonly returned: number;
  /** How many were asked for. */
  readonly limit: number;
  readonly total: number | undefined;
  readonly hasMore: boolean | undefined;
  /** The API stopped at a cap: a narrower request may get the rest. */
  readonly cut: boolean;
  /** Why the answer may lack records, in words; empty when there is no doubt. */
  readonly doubts: readonly string[];
}

/** Reads pages of one stream and counts what that costs. */
export interface Reader {
  readonly stream: Stream;
  readonly pageSize: number;
  page(request: PageRequest): Promise<Page>;
  readonly spent: { requests: number; fetched: number };
}

export interface ReaderOptions {
  readonly client: Client;
  readonly config: Pick<Config, 'options'>;
  readonly pageSize: PageSize;
  readonly priority: Priority;
  readonly signal?: AbortSignal | undefined;
  /** Where to count requests and records; by default anew. */
  readonly spent?: { requests: number; fetched: number };
  /** Called after each page with the records fetched so far and, where the API says, how many there are. */
  readonly onPage?: ((progress: { fetched: number; total: number | undefined }) => void) | undefined;
}

export function createReader(stream: Stream, options: ReaderOptions): Reader {
  const { client, config, pageSize, priority, signal, onPage, spent = { requests: 0, fetched: 0 } } = options;
  const [path, fixed] = address(stream);
  const ask = async (request: PageRequest, limit: number): Promise<Page> => {
    const answer = await client.get({
      path,
      query: {
        ...fixed,
        ...extras(stream, config),
        ...paging(stream, request, limit),
      },
      endpoint: endpointOf(stream),
      priority,
      what: streamText(stream),
      onTry: () => {
        spent.requests++;
      },
      ...(signal === undefined ? {} : { signal }),
    });
    spent.fetched += answer.data.length;
    onPage?.({ fetched: spent.fetched, total: answer.pagination?.total });
    return toPage(stream, answer, limit);
  };
  return {
    stream,
    get pageSize() {
      return pageSize.known;
    },
    spent,
    page: (request) =>
      request.limit === undefined ? pageSize.use((limit) => ask(request, limit)) : ask(request, request.limit),
  };
}

function toPage(stream: Stream, answer: Answer, limit: number): Page {
  const origin = originOf(stream);
  const rows: Row[] = [];
  const places: number[] = [];
  const bad: BadRecord[] = [];
  answer.data.forEach((record, place) => {
    if (isLeftOut(stream, record)) return;
    const row = normalise(stream.dataset, record, origin);
    if ('reason' in row) bad.push(row);
    else {
      rows.push(row);
      places.push(place);
    }
  });
  const { cap, unpaged, read } = stream.dataset;
  const total = answer.pagination?.total;
  const capped = cap !== undefined && (total ?? answer.data.length) >= cap;
  return {
    rows,
    places,
    bad,
    returned: answer.data.length,
    limit,
    total,
    hasMore: answer.pagination?.hasMore ?? (unpaged === true || read === 'single' ? false : undefined),
    cut: answer.truncated || capped,
    doubts: [
      ...answer.warnings.map((warning) => `the API warned: ${warning}`),
      ...(answer.truncated ? ['the API cut the answer short (truncated)'] : []),
      ...(capped ? [`the API lists at most ${cap} of them`] : []),
    ],
  };
}

function isLeftOut({ dataset }: Stream, record: Json): boolean {
  return isObject(record) && Object.entries(dataset.leavesOut ?? {}).some(([field, value]) => record[field] === value);
}

/** The path of a stream and the query parameters that belong to its scope. */
function address({
  dataset,
  scope,
  experimentId,
  filter,
}: Stream): [path: string, query: Record<string, string | boolean>] {
  const id =
    scope.kind === 'experiment' || (scope.kind === 'deployment' && dataset.path === undefined)
      ? experimentId
      : scope.id;
  const asked: ScopeKind = scope.kind === 'deployment' ? 'experiment' : scope.kind;
  const template = dataset.path ?? `/data/${dataset.name}/${asked}/{id}`;
  const [path = '', search = ''] = template.replace('{id}', encodeURIComponent(id)).split('?');
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

/** Configured parameters that are no filters: filters are part of the stream. */
function extras({ dataset }: Stream, { options }: ReaderOptions['config']): Record<string, string | number | boolean> {
  const configured = Object.entries(options[dataset.name] ?? {});
  return Object.fromEntries(
    configured.filter(
      (option): option is [string, string | number | boolean] =>
        !Object.hasOwn(dataset.fields, option[0]) && typeof option[1] !== 'object',
    ),
  );
}

function paging({ dataset }: Stream, request: PageRequest, limit: number): Record<string, string | number> {
  const { from, to, order, offset = 0 } = request;
  if (dataset.read === 'single') return {};
  if (dataset.unpaged === true)
    return { ...(request.limit === undefined ? {} : { limit }), ...(offset === 0 ? {} : { offset }) };
  return {
    limit,
    offset,
    ...(from === undefined ? {} : { startTime: formatTime(from) }),
    ...(to === undefined ? {} : { endTime: formatTime(to) }),
    ...(order === undefined || dataset.timeField === undefined ? {} : { sort: dataset.timeField, order }),
  };
}

function originOf({ experimentId, dataset, scope }: Stream): Origin {
  return {
    experimentId,
    ...(dataset.read === 'single' ? { key: experimentId } : {}),
    fill:
      scope.kind === 'room'
        ? { roomId: scope.id }
        : scope.kind === 'participant'
          ? { roomId: scope.room, participantId: scope.id }
          : scope.kind === 'deployment' && dataset.path !== undefined
            ? { deploymentId: scope.id }
            : {},
  };
}
