import type { Answer, Client } from '../api/client.ts';
import { STAYS } from '../api/failure.ts';
import type { Config } from '../config/schema.ts';
import { normalise, type BadRecord, type Origin, type Row } from '../datasets/normalise.ts';
import { fallbackValues } from '../datasets/fallbacks.ts';
import { addressOf, endpointOf, streamText, type Stream } from '../datasets/stream.ts';
import { WarehouseError } from '../shared/errors.ts';
import { isObject, type Json, type JsonObject } from '../shared/json.ts';
import type { Priority } from '../shared/priority.ts';
import { formatTime } from '../shared/time.ts';
import type { Doubt } from '../warehouse/doubts.ts';
import type { CostMeter } from './cost.ts';
import type { PageSize } from './page-size.ts';

/** What to request. Times are milliseconds since 1970 UTC. */
export interface PageRequest {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly order?: 'asc' | 'desc' | undefined;
  readonly limit?: number | undefined;
  /** How many records are needed at most; a page may be smaller. */
  readonly atMost?: number | undefined;
  readonly offset?: number | undefined;
}

/** One answer, with its records as rows. */
export interface Page {
  readonly rows: readonly Row[];
  /** The place of each row in the answer's list, malformed records counted. */
  readonly places: readonly number[];
  readonly bad: readonly BadRecord[];
  /** The place of each malformed record. */
  readonly badPlaces: readonly number[];
  /** Records in the answer, malformed ones included. */
  readonly returned: number;
  /** How many records were requested, or fewer if the answer names a lower limit; and from which offset. */
  readonly limit: number;
  readonly offset: number;
  /** How many records the answer could have held; undefined if it does not say. */
  readonly capacity: number | undefined;
  /** Whether the request named a time, so that the total is not that of the whole stream. */
  readonly isFiltered: boolean;
  /** What the answer says about its place in the listing; undefined if it does not say. */
  readonly total: number | undefined;
  readonly hasMore: boolean | undefined;
  readonly nextOffset: number | undefined;
  readonly reportedReturned: number | undefined;
  /** Parameters that were sent and are missing or different in the answer's echo of the query: they were ignored. */
  readonly ignored: readonly string[];
  /** The API stopped at a cap: a narrower request may get the rest. */
  readonly cut: boolean;
  /** Why the answer may lack records, according to the API itself. */
  readonly doubts: readonly Doubt[];
}

/** What the answers say about the server. */
export interface ServerInfo {
  /** Its clock, in milliseconds since 1970 UTC. */
  readonly serverTime: number | undefined;
  /** Its clock in the first answer. */
  readonly firstServerTime: number | undefined;
  /** The version of its processing and the start of the experiment, from which it computes onsets. */
  readonly basis: string | undefined;
  /** The members of the last answer's metadata that the data type keeps. */
  readonly metadata: Readonly<Record<string, Json>>;
}

/** Reads pages of one stream. */
export interface Reader {
  readonly stream: Stream;
  readonly pageSize: number;
  page(request: PageRequest): Promise<Page>;
  /** What the answers so far said of the server; the last one counts. */
  serverInfo(): ServerInfo;
}

export interface ReaderOptions {
  readonly client: Client;
  readonly config: Pick<Config, 'options'>;
  readonly pageSize: PageSize;
  readonly priority: Priority;
  readonly signal?: AbortSignal | undefined;
  /** Values for records that lack these fields. */
  readonly fill?: Origin['fill'];
  /** Treats "not found" and "invalid" as an answer without records. */
  readonly mayBeAbsent?: boolean;
  /** Called with the number of records in each answer. */
  readonly onLength?: ((length: number) => void) | undefined;
  /** Adds up requests and records. */
  readonly meter: CostMeter;
  /** Called after each page with the number of records fetched so far and, if the API says, how many there are. */
  readonly onPage?: ((progress: { fetched: number; total: number | undefined }) => void) | undefined;
}

export function createReader(stream: Stream, options: ReaderOptions): Reader {
  const { client, config, pageSize, priority, signal, onPage, meter } = options;
  const [path, fixed] = addressOf(stream);
  let serverInfo: ServerInfo = { serverTime: undefined, firstServerTime: undefined, basis: undefined, metadata: {} };
  const ask = async (requested: PageRequest, limit: number): Promise<Page> => {
    const sent = { ...fixed, ...extras(stream, config), ...paging(stream, requested, limit) };
    const request = {
      path,
      query: sent,
      endpoint: endpointOf(stream),
      priority,
      what: streamText(stream),
      onTry: meter.countRequest,
      ...(signal === undefined ? {} : { signal }),
    };
    const answer = await client.get(request).catch((error: unknown) => {
      if (options.mayBeAbsent === true && isAbsence(error)) return NO_RECORDS;
      throw error;
    });
    if (answer.isSingle === true) checkRecord(stream, answer);
    meter.countRecords(answer.data.length);
    serverInfo = {
      serverTime: answer.serverTime ?? serverInfo.serverTime,
      firstServerTime: serverInfo.firstServerTime ?? answer.serverTime,
      basis: answer.basis ?? serverInfo.basis,
      metadata: keptMetadata(stream, answer),
    };
    options.onLength?.(answer.data.length);
    onPage?.({ fetched: meter.cost().records, total: answer.pagination?.total });
    return toPage(stream, answer, requested, limit, sent, options.fill);
  };
  return {
    stream,
    get pageSize() {
      return pageSize.known;
    },
    serverInfo: () => serverInfo,
    page: (request) =>
      request.limit === undefined
        ? pageSize.use((limit) => ask(request, limit), request.atMost)
        : ask(request, request.limit),
  };
}

const NO_RECORDS: Answer = {
  data: [],
  metadata: {},
  warnings: [],
  truncated: false,
  pagination: undefined,
  echo: undefined,
  basis: undefined,
  serverTime: undefined,
  tries: 1,
};

/**
 * An object instead of a list is one record if it has an id. Without one it may wrap the list, or be something else.
 */
function checkRecord(stream: Stream, { data: [record] }: Answer): void {
  const { read, identity } = stream.dataset;
  const has = (field: string) => record !== undefined && isObject(record) && Object.hasOwn(record, field);
  if (read === 'single' || identity.some(has)) return;
  const message = `The answer for ${streamText(stream)} cannot be read: it holds an object instead of a list. ${STAYS}`;
  throw new WarehouseError('ANSWER_UNREADABLE', message, { hint: 'If it stays so, please report it.' });
}

function isAbsence(error: unknown): boolean {
  return error instanceof WarehouseError && (error.code === 'NOT_FOUND' || error.code === 'PARAMETER_REFUSED');
}

function keptMetadata({ dataset: { metadata = [] } }: Stream, answer: Answer): Readonly<Record<string, Json>> {
  return Object.fromEntries(
    metadata.flatMap((name) => {
      const value = answer.metadata[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function toPage(
  stream: Stream,
  answer: Answer,
  { from, to, offset = 0 }: PageRequest,
  limit: number,
  sent: Readonly<Record<string, string | number | boolean>>,
  known: Origin['fill'],
): Page {
  const own = originOf(stream);
  const origin = { ...own, fill: { ...known, ...own.fill } };
  const rows: Row[] = [];
  const places: number[] = [];
  const bad: BadRecord[] = [];
  const badPlaces: number[] = [];
  answer.data.forEach((record, place) => {
    if (isLeftOut(stream, record)) return;
    const row = normalise(stream.dataset, record, withOtherFields(stream, record, origin));
    if ('reason' in row) {
      bad.push(row);
      badPlaces.push(place);
    } else {
      rows.push(row);
      places.push(place);
    }
  });
  const { cap, read, unpaged } = stream.dataset;
  // Without pages, no limit is sent, unless an answer that was cut is requested again.
  const hasRoom = unpaged === true && !('limit' in sent);
  const { total, hasMore: saysMore, nextOffset, returned: reportedReturned } = answer.pagination ?? {};
  const hasMore = saysMore ?? (read === 'single' ? false : undefined);
  const capped = cap !== undefined && (total ?? answer.data.length) >= cap;
  return {
    rows,
    places,
    bad,
    badPlaces,
    returned: answer.data.length,
    limit: hasRoom ? Infinity : Math.min(limit, answer.pagination?.limit ?? Infinity, echoedLimit(answer)),
    offset,
    // An echo may repeat the limit that was sent, not the one that was applied.
    capacity: hasRoom ? Infinity : answer.pagination?.limit,
    isFiltered: from !== undefined || to !== undefined,
    total,
    hasMore,
    nextOffset,
    reportedReturned,
    ignored: ignoredParameters(answer.echo, sent),
    cut: answer.truncated || capped,
    doubts: [
      ...answer.warnings.map((warning): Doubt => ({ kind: 'warned', text: `the API warned: ${warning}` })),
      ...(answer.truncated ? [{ kind: 'cut', text: 'the API cut its answer short (truncated)' } as const] : []),
      ...(capped ? [{ kind: 'cut', text: `the API lists at most ${cap} of them` } as const] : []),
    ],
  };
}

/** The limit in the echo of the query: a lower one than was sent was clamped. */
function echoedLimit({ echo }: Answer): number {
  const limit = Number(echo?.['limit'] ?? Infinity);
  return limit > 0 ? limit : Infinity;
}

/**
 * Parameters that the echo shows as the endpoint parsed them, with its own defaults. `offset` is none of them: believed
 * wrongly, its absence would hide every page but the first.
 */
const ECHOED = ['startTime', 'endTime', 'sort', 'order'];

/**
 * Parameters that were sent and are not in the echo: they were ignored. An answer without an echo does not show any.
 */
function ignoredParameters(
  echo: JsonObject | undefined,
  sent: Readonly<Record<string, string | number | boolean>>,
): string[] {
  // An echo without a limit is not an echo of these parameters.
  if (echo === undefined || !('limit' in echo)) return [];
  return ECHOED.filter((name) => {
    const value = sent[name];
    if (value === undefined) return false;
    const said = echo[name];
    if (said === undefined || said === null) return true;
    return name === 'order' && !(typeof said === 'string' && said.toLowerCase() === value);
  });
}

function isLeftOut({ dataset }: Stream, record: Json): boolean {
  return isObject(record) && Object.entries(dataset.leavesOut ?? {}).some(([field, value]) => record[field] === value);
}

/** Configured parameters that are not filters: filters are part of the stream. */
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

/** Values from the request take precedence over values from elsewhere in the record. */
function withOtherFields({ dataset }: Stream, record: Json, origin: Origin): Origin {
  return isObject(record) ? { ...origin, fill: { ...fallbackValues(dataset, record), ...origin.fill } } : origin;
}

function originOf({ experimentId, dataset, scope }: Stream): Origin {
  return {
    experimentId,
    ...(dataset.read === 'single' ? { key: scope.kind === 'deployment' ? scope.id : experimentId } : {}),
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
