import { normalise, type BadRecord, type Row } from '../../src/datasets/normalise.ts';
import { datasetNamed } from '../../src/datasets/registry.ts';
import type { Stream } from '../../src/datasets/stream.ts';
import { timeOf } from '../../src/datasets/values.ts';
import { isObject, type Json, type JsonObject } from '../../src/shared/json.ts';
import { formatTime } from '../../src/shared/time.ts';
import { paginate, type PaginateOptions, type Chunk } from '../../src/read/paginate.ts';
import type { Page, PageRequest } from '../../src/read/page.ts';
import type { Reader } from '../../src/read/reader.ts';

const BASE = Date.parse('2026-01-12T09:00:00.000Z');

/** So many milliseconds after the fake experiment began, in milliseconds since 1970 UTC. */
export const at = (ms: number): number => BASE + ms;

/** A record that is nested too deeply for a row. */
export function malformed(ms?: number): JsonObject {
  const deep = Array.from({ length: 1000 }).reduce<Json>((inner) => [inner], 'deep');
  return { ...message('malformed', ms), content: deep };
}

/** A chat message, which has an id and, unless it is left out, a time. */
export function message(id: string, ms?: number): JsonObject {
  return { messageId: id, content: `text of ${id}`, ...(ms === undefined ? {} : { timestamp: formatTime(at(ms)) }) };
}

/** Chat messages m1, m2 … at these times. */
export function messages(...times: readonly (number | undefined)[]): JsonObject[] {
  return times.map((ms, i) => message(`m${i + 1}`, ms));
}

/** A video chat record, which has no id. */
export function callRecord(participantId: string, ms?: number): JsonObject {
  return { participantId, ...(ms === undefined ? {} : { timestamp: formatTime(at(ms)) }) };
}

/** The ids of `spaced`. */
export const ids = (count: number): string[] => Array.from({ length: count }, (_, i) => `m${i + 1}`);

/** Chat messages 10 ms apart. */
export const spaced = (count: number): JsonObject[] => messages(...ids(count).map((_, i) => 10 * (i + 1)));

/** What the API holds and how it answers; a test may change it at any time. */
export interface FakeApi {
  /** In the order in which they are listed where no order is asked for. */
  records: Json[];
  /** How many records are asked for where a request does not say. */
  pageSize: number;
  startTime: 'inclusive' | 'exclusive' | 'ignored';
  /** sorts: by time, records without one last. omits: those are left out. ignored: as they are listed. */
  order: 'sorts' | 'omits' | 'ignored';
  /** Whether records of one time come in another order in each answer. */
  ties: 'stable' | 'shuffled';
  offset: 'honoured' | 'ignored';
  /** The most records that an answer holds, whatever is asked for. */
  mostRecords: number;
  pagination: 'whole' | 'absent';
  /** Changes an answer, counted from 1. */
  lie: (page: Page, answer: number) => Page;
  /** Called before an answer is made, counted from 1. */
  before: (answer: number) => void;
}

export interface FakeReader extends Reader {
  readonly api: FakeApi;
  /** Every request so far; times in milliseconds after the experiment began. */
  readonly requests: readonly PageRequest[];
}

/** More requests than any of these small listings takes: a reading that goes on for ever fails instead. */
const MOST_REQUESTS = 500;

/** A reader of an API in memory. */
export function fakeReader(records: readonly Json[], change: Partial<FakeApi> = {}, data = 'chat'): FakeReader {
  const api: FakeApi = {
    records: [...records],
    pageSize: 4,
    startTime: 'inclusive',
    order: 'sorts',
    ties: 'stable',
    offset: 'honoured',
    mostRecords: Infinity,
    pagination: 'whole',
    lie: (page) => page,
    before: () => undefined,
    ...change,
  };
  const stream: Stream = { experimentId: 'exp_1', dataset: datasetNamed(data), scope: { kind: 'experiment' } };
  const requests: PageRequest[] = [];
  const random = seeded();
  return {
    api,
    requests,
    stream,
    serverInfo: () => ({ serverTime: undefined, firstServerTime: undefined, basis: undefined, metadata: {} }),
    get pageSize() {
      return api.pageSize;
    },
    page(request) {
      if (requests.length === MOST_REQUESTS) return Promise.reject(new Error(`more than ${MOST_REQUESTS} requests`));
      requests.push({ ...request, ...(request.from === undefined ? {} : { from: request.from - BASE }) });
      const answer = requests.length;
      api.before(answer);
      const page = api.lie(answerOf(api, stream, request, random), answer);
      return Promise.resolve(page);
    },
  };
}

/** Reads a fake stream to its end. */
export async function readPages(reader: FakeReader, change: Partial<PaginateOptions> = {}) {
  const chunks: Chunk[] = [];
  const options: PaginateOptions = { by: 'key', sorted: true, known: {}, end: 'claimed', ...change };
  for await (const chunk of paginate(reader, options)) chunks.push(chunk);
  const rows = chunks.flatMap((chunk) => chunk.rows);
  return {
    chunks,
    keys: rows.map(({ key }) => key),
    doubts: chunks.flatMap((chunk) => chunk.doubts.map(({ kind }) => kind)),
    bad: chunks.reduce((sum, chunk) => sum + chunk.bad.length, 0),
    isEnd: chunks.at(-1)?.isEnd,
    froms: reader.requests.map(({ from }) => from),
    offsets: reader.requests.map(({ offset }) => offset),
  };
}

/** What an API does that is at fault only where its knobs say so. */
function answerOf(api: FakeApi, stream: Stream, request: PageRequest, random: () => number): Page {
  const { from, to, order, atMost = Infinity, limit = Math.min(api.pageSize, atMost), offset = 0 } = request;
  const isAfter = (time: number | undefined) =>
    from === undefined ||
    api.startTime === 'ignored' ||
    (time !== undefined && (api.startTime === 'inclusive' ? time >= from : time > from));
  const timed = api.records.map((record) => ({ record, time: timeIn(stream, record), tie: random() }));
  const matching = timed.filter(
    ({ time }) => isAfter(time) && (to === undefined || (time !== undefined && time <= to)),
  );
  const listed = order === undefined || api.order === 'ignored' ? matching : sorted(matching, api, order);
  const start = api.offset === 'ignored' ? 0 : offset;
  const sent = listed.slice(start, start + Math.min(limit, api.mostRecords)).map(({ record }) => record);
  const end = start + sent.length;
  const hasMore = end < listed.length;
  const isSilent = api.pagination === 'absent';
  return {
    ...pageOf(stream, sent),
    limit,
    offset,
    capacity: isSilent ? undefined : Math.min(limit, api.mostRecords),
    isFiltered: from !== undefined || to !== undefined,
    total: isSilent ? undefined : listed.length,
    hasMore: isSilent ? undefined : hasMore,
    nextOffset: isSilent || !hasMore ? undefined : end,
    reportedReturned: isSilent ? undefined : sent.length,
  };
}

interface Timed {
  readonly record: Json;
  readonly time: number | undefined;
  readonly tie: number;
}

function sorted(records: readonly Timed[], { order: does, ties }: FakeApi, order: 'asc' | 'desc'): Timed[] {
  const sign = order === 'asc' ? 1 : -1;
  return records
    .filter(({ time }) => does !== 'omits' || time !== undefined)
    .toSorted((a, b) => {
      if (a.time !== b.time) return a.time === undefined ? 1 : b.time === undefined ? -1 : sign * (a.time - b.time);
      return ties === 'stable' ? 0 : a.tie - b.tie;
    });
}

function timeIn({ dataset: { timeField } }: Stream, record: Json): number | undefined {
  return isObject(record) && timeField !== undefined ? timeOf(record[timeField]) : undefined;
}

/** An answer that says nothing about others. */
export const SILENT_PAGE: Page = {
  rows: [],
  places: [],
  bad: [],
  badPlaces: [],
  returned: 0,
  limit: 10,
  offset: 0,
  capacity: undefined,
  isFiltered: false,
  total: undefined,
  hasMore: undefined,
  nextOffset: undefined,
  reportedReturned: undefined,
  ignored: [],
  cut: false,
  doubts: [],
};

/** Records as an answer holds them. */
function pageOf({ dataset, experimentId }: Stream, records: readonly Json[]): Page {
  const rows: Row[] = [];
  const places: number[] = [];
  const bad: BadRecord[] = [];
  const badPlaces: number[] = [];
  const leftOut = Object.entries(dataset.leavesOut ?? {});
  records.forEach((record, place) => {
    if (isObject(record) && leftOut.some(([field, value]) => record[field] === value)) return;
    const row = normalise(dataset, record, { experimentId });
    if ('reason' in row) {
      bad.push(row);
      badPlaces.push(place);
    } else {
      rows.push(row);
      places.push(place);
    }
  });
  return { ...SILENT_PAGE, rows, places, bad, badPlaces, returned: records.length, limit: records.length };
}

/** The same numbers between 0 and 1 in every run. */
function seeded(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state / 2 ** 32;
  };
}
