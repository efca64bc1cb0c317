import type { Answer, Client } from '../api/client.ts';
import { STAYS } from '../api/failure.ts';
import type { Config } from '../config/schema.ts';
import { policyOf } from '../datasets/policy.ts';
import type { Origin } from '../datasets/normalise.ts';
import { addressOf, endpointOf, streamText, type Stream } from '../datasets/stream.ts';
import { WarehouseError } from '../shared/errors.ts';
import { isObject, type Json } from '../shared/json.ts';
import type { Priority } from '../shared/priority.ts';
import { formatTime } from '../shared/time.ts';
import type { CostMeter } from './cost.ts';
import type { Novelty } from './novelty.ts';
import { agedText, type CheckOwn } from './own-answer.ts';
import { toPage, type Page, type PageRequest } from './page.ts';
import { OtherAnswer, type PageSize } from './page-size.ts';

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
  readonly config: Pick<Config, 'options' | 'privacy'>;
  readonly pageSize: PageSize;
  readonly priority: Priority;
  readonly signal?: AbortSignal | undefined;
  /** Values for records that lack these fields. */
  readonly fill?: Origin['fill'];
  /** Treats "not found" and "invalid" as an answer without records. */
  readonly mayBeAbsent?: boolean;
  /** Called with the number of records in each answer. */
  readonly onLength?: ((length: number) => void) | undefined;
  /** Recognises an answer to another request. */
  readonly checkOwn: CheckOwn;
  /** Ends a reading whose answers bring nothing new. */
  readonly novelty: Novelty;
  /** Adds up requests and records. */
  readonly meter: CostMeter;
  /** Called after each page with the number of records fetched so far and, if the API says, how many there are. */
  readonly onPage?: ((progress: { fetched: number; total: number | undefined }) => void) | undefined;
}

export function createReader(stream: Stream, options: ReaderOptions): Reader {
  const { client, config, pageSize, priority, signal, onPage, meter, novelty } = options;
  const [path, fixed] = addressOf(stream);
  const policy = policyOf(config.privacy);
  // Nothing behind this line sees what may not be stored.
  const storable = (answer: Answer): Answer =>
    policy === undefined
      ? answer
      : {
          ...answer,
          data: answer.data.map((record) => policy.record(stream.dataset, record)),
          // Their texts hold what the policy leaves out.
          unclear: new Map([...(answer.unclear?.keys() ?? [])].map((place) => [place, undefined])),
          metadata: policy.metadata(stream.dataset, answer.metadata),
        };
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
    const get = () =>
      client.get(request).then(storable, (error: unknown) => {
        if (options.mayBeAbsent === true && isAbsence(error)) return NO_RECORDS;
        throw error;
      });
    const foreignIn = (came: Answer) =>
      came === NO_RECORDS ? undefined : options.checkOwn({ stream, path, sent, answer: came });
    let answer = await get();
    if (foreignIn(answer) !== undefined) answer = await get();
    const foreign = foreignIn(answer);
    if (foreign?.of === 'another thing') throw otherAnswer(stream, foreign.text);
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
    const doubt =
      agedText(answer) ?? (foreign === undefined ? undefined : `an answer is not for its request: ${foreign.text}`);
    const page = toPage(stream, { answer, request: requested, limit, sent, fill: options.fill, doubt });
    novelty.note(page);
    return page;
  };
  return {
    stream,
    get pageSize() {
      return pageSize.known;
    },
    serverInfo: () => serverInfo,
    async page(request) {
      novelty.check();
      const { limit: fixedLimit, atMost } = request;
      return fixedLimit === undefined ? pageSize.use((limit) => ask(request, limit), atMost) : ask(request, fixedLimit);
    },
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
 * An object instead of a list is one record if it has an id and the answer says that it sent one. Otherwise it may wrap
 * the list, or be the first of its records: a listing of such answers would bring one record a request, or stop there.
 */
function checkRecord(stream: Stream, { data: [record], pagination = {} }: Answer): void {
  const { read, identity } = stream.dataset;
  const has = (field: string) => record !== undefined && isObject(record) && Object.hasOwn(record, field);
  if (read === 'single' || ((pagination.returned ?? pagination.total) === 1 && identity.some(has))) return;
  const message = `The answer for ${streamText(stream)} cannot be read: it holds an object instead of a list. ${STAYS}`;
  throw new WarehouseError('ANSWER_UNREADABLE', message, { hint: 'If this persists, please report it.' });
}

function otherAnswer(stream: Stream, text: string): WarehouseError {
  const message = `The answer for ${streamText(stream)} is not for this request: ${text}. ${STAYS}`;
  const hint = 'A proxy or cache in between may mix up answers. The next sync requests it again.';
  return new WarehouseError('ANSWER_UNREADABLE', message, { hint, cause: new OtherAnswer() });
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
