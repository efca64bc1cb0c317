import type { Answer } from '../api/client.ts';
import { fallbackValues } from '../datasets/fallbacks.ts';
import { normalise, type BadRecord, type Origin, type Row } from '../datasets/normalise.ts';
import type { Stream } from '../datasets/stream.ts';
import { count } from '../shared/count.ts';
import { isObject, textOfJson, type Json, type JsonObject } from '../shared/json.ts';
import type { Doubt } from '../warehouse/doubts.ts';

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

/** What a page is made from. */
export interface Answered {
  readonly answer: Answer;
  readonly request: PageRequest;
  /** The limit that was sent, and all parameters. */
  readonly limit: number;
  readonly sent: Readonly<Record<string, string | number | boolean>>;
  /** Values for records that lack these fields. */
  readonly fill: Origin['fill'];
  /** Why the answer may be another one than was requested. */
  readonly doubt?: string | undefined;
}

/** An answer to a request for a part of a stream, with its records as rows. */
export function toPage(stream: Stream, { answer, request, limit, sent, fill, doubt }: Answered): Page {
  const { from, to, offset = 0 } = request;
  const { read, unpaged } = stream.dataset;
  // Without pages, no limit is sent, unless an answer that was cut is requested again.
  const hasRoom = unpaged === true && !('limit' in sent);
  const { total, hasMore, nextOffset, returned: reportedReturned } = answer.pagination ?? {};
  // The rows of an answer that has no bound would fill the memory.
  const most = hasRoom || read === 'single' ? Infinity : Math.max(2 * limit, SOME);
  const isFlood = answer.data.length > most;
  return {
    ...rowsOf(stream, isFlood ? { ...answer, data: answer.data.slice(0, most) } : answer, fill),
    returned: answer.data.length,
    limit: hasRoom ? Infinity : Math.min(limit, answer.pagination?.limit ?? Infinity, echoedLimit(answer)),
    offset,
    // An echo may repeat the limit that was sent, not the one that was applied.
    capacity: hasRoom ? Infinity : answer.pagination?.limit,
    isFiltered: from !== undefined || to !== undefined || isFilteredUnasked(answer),
    total,
    hasMore: hasMore ?? (read === 'single' ? false : undefined),
    nextOffset,
    reportedReturned,
    ignored: ignoredParameters(answer.echo, sent),
    ...withFlood(withDoubt(doubtsOf(stream, answer), doubt), isFlood ? answer.data.length : 0, limit),
  };
}

function withDoubt(said: Pick<Page, 'cut' | 'doubts'>, text: string | undefined): Pick<Page, 'cut' | 'doubts'> {
  return text === undefined ? said : { cut: said.cut, doubts: [...said.doubts, { kind: 'contradiction', text }] };
}

/** Whether the echo names a time, be it a default of the endpoint: then its total may not be that of the whole. */
function isFilteredUnasked({ echo = {} }: Answer): boolean {
  return typeof echo['startTime'] === 'string' || typeof echo['endTime'] === 'string';
}

/** As many as twice the largest page that is requested may come unasked. */
const SOME = 10_000;

function withFlood(said: Pick<Page, 'cut' | 'doubts'>, records: number, limit: number): Pick<Page, 'cut' | 'doubts'> {
  if (records === 0) return said;
  const text = `the API sent ${count(records)} records where ${count(limit)} were requested; the rest was not stored`;
  return { cut: said.cut, doubts: [...said.doubts, { kind: 'contradiction', text }] };
}

function rowsOf(
  stream: Stream,
  { data, unclear }: Answer,
  fill: Origin['fill'],
): Pick<Page, 'rows' | 'places' | 'bad' | 'badPlaces'> {
  const own = originOf(stream);
  const origin = { ...own, fill: { ...fill, ...own.fill } };
  const rows: Row[] = [];
  const places: number[] = [];
  const bad: BadRecord[] = [];
  const badPlaces: number[] = [];
  const others = ofOthers(stream, data);
  data.forEach((record, place) => {
    if (isLeftOut(stream, record) || others.has(record)) return;
    const normalised = normalise(stream.dataset, record, withOtherFields(stream, record, origin));
    const row = unclear?.has(place) === true ? unclearRecord(normalised, unclear.get(place), record) : normalised;
    if ('reason' in row) {
      bad.push(row);
      badPlaces.push(place);
    } else {
      rows.push(row);
      places.push(place);
    }
  });
  return { rows, places, bad, badPlaces };
}

function unclearRecord({ time }: Row | BadRecord, text: string | undefined, record: Json): BadRecord {
  return { reason: 'an object in it names a member twice', text: text ?? textOfJson(record), isUnclear: true, time };
}

/** Whether the answer may lack records according to itself, and why. */
function doubtsOf({ dataset: { cap } }: Stream, answer: Answer): Pick<Page, 'cut' | 'doubts'> {
  const { warnings, truncated, pagination, data } = answer;
  const isCapped = cap !== undefined && (pagination?.total ?? data.length) >= cap;
  return {
    cut: truncated || isCapped,
    doubts: [
      ...warnings.map((warning): Doubt => ({ kind: 'warned', text: `the API warned: ${warning}` })),
      ...(truncated ? [{ kind: 'cut', text: 'the API cut its answer short (truncated)' } as const] : []),
      ...(isCapped ? [{ kind: 'cut', text: `the API lists at most ${cap} of them` } as const] : []),
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

/**
 * Records of other experiments in an answer that has the requested one's as well: where the experiment is only a filter of the
 * request, the endpoint may ignore it.
 */
function ofOthers({ dataset, experimentId }: Stream, data: readonly Json[]): ReadonlySet<Json> {
  if (dataset.path?.includes('?') !== true) return new Set();
  const named = (record: Json) => (isObject(record) ? record['experimentId'] : undefined);
  if (!data.some((record) => named(record) === experimentId)) return new Set();
  const isOther = (id: Json | undefined) => typeof id === 'string' && id !== experimentId;
  return new Set(data.filter((record) => isOther(named(record))));
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
