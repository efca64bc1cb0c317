import { createMeter, mayRead, SCOPE_OF, type Limits, type SimKey } from './access.ts';
import { createRandom } from './random.ts';
import { ORDINARY, type Readings } from './readings.ts';
import { ApiError, csvReply, errorReply, jsonReply, ndjsonReply, type SimReply, type SimRequest } from './reply.ts';
import { selectPage } from './select.ts';
import { counts, deployments, experiments, type List } from './structure.ts';
import { shown } from './shown.ts';
import type { SimRecord } from './life.ts';
import { visible, type World } from './world.ts';

export interface ApiOptions {
  readonly world: World;
  readonly keys: readonly SimKey[];
  readonly limits: Limits;
  readonly readings?: Partial<Readings>;
}

/**
 * Answers one request at a time of the server's clock (ms since 1970 UTC).
 * @param meterNow the time by which limits count, where the server's clock is driven by hand.
 */
export type Handler = (request: SimRequest, now: number, meterNow?: number) => SimReply;

/** At most so many rooms are ever listed (API data types page). */
const MOST_ROOMS = 5000;
/** Decisions per room that agent-decisions gives unless asked for more (Python SDK 0.4.1). */
const DECISIONS_PER_ROOM = 5000;
const UNPAGED = new Set(['variables', 'agent-decisions', 'agent-runs']);

/** The HyperStudy API as one pure function of a world, its keys and limits, and the readings in force. */
export function createApi(options: ApiOptions): Handler {
  const readings = { ...ORDINARY, ...options.readings };
  const meter = createMeter(options.limits, readings.endpoint);
  const random = createRandom(4711);
  const { world } = options;

  const route = (request: SimRequest, key: SimKey, now: number): SimReply => {
    const steps = request.path
      .split('/')
      .filter((step) => step !== '')
      .map(decodeURIComponent);
    const list = (dataType: string, scope: string, id: string, records: readonly SimRecord[], extra: SimRecord = {}) =>
      listing({
        dataType,
        scope,
        id,
        records,
        request,
        readings,
        now,
        extra,
        random,
      });
    if (steps[0] === 'experiments') return experiments(world, steps, request, now, list);
    if (steps[0] === 'deployments') return deployments(world, steps, request, now, list);
    if (steps[0] === 'data') return data(world, steps.slice(1), request, key, now, list);
    throw new ApiError(404, 'no such endpoint');
  };

  return (request, now, meterNow = now) => {
    const date = { date: new Date(now).toUTCString() };
    if (request.path === '/health') {
      return jsonReply({ status: 'healthy', version: '3.0.0', timestamp: new Date(now).toISOString() }, 200, date);
    }
    try {
      if (request.method !== 'GET') throw new ApiError(405, 'this simulator only reads');
      const key = options.keys.find((known) => known.key === request.headers['x-api-key']);
      if (key === undefined || key.revoked === true || (key.expiresAt ?? Infinity) <= now)
        throw new ApiError(401, 'Invalid or expired API key');
      const wait = meter.take(key.key, dataTypeOf(request.path), request.path, meterNow);
      if (wait > 0)
        throw new ApiError(429, 'Rate limit exceeded', null, { 'retry-after': retryAfter(wait, now, readings) });
      const reply = route(request, key, now);
      return { ...reply, headers: { ...date, ...reply.headers } };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return errorReply(error.status, error.message, error.details, { ...date, ...error.headers });
    }
  };
}

function retryAfter(wait: number, now: number, { retryAfter: form }: Readings): string {
  const seconds = Math.ceil(wait / 1000);
  return form === 'seconds' ? String(seconds) : new Date(now + seconds * 1000).toUTCString();
}

/** What the per-minute limit may count by: `ratings/continuous` of `/data/ratings/continuous/room/r1`. */
function dataTypeOf(path: string): string {
  const [first = '', ...rest] = path.split('/').filter((step) => step !== '');
  if (first !== 'data') return first;
  const scope = rest.findIndex((step) => ['experiment', 'room', 'participant'].includes(step));
  return rest.slice(0, scope === -1 ? 1 : scope).join('/');
}

interface Listing {
  readonly dataType: string;
  readonly scope: string;
  readonly id: string;
  readonly records: readonly SimRecord[];
  readonly request: SimRequest;
  readonly readings: Readings;
  readonly now: number;
  /** Further members of the metadata. */
  readonly extra: SimRecord;
  readonly random: ReturnType<typeof createRandom>;
}

/** A list in the envelope, or as the format asked for. */
function listing({ dataType, scope, id, records, request, readings, now, extra, random }: Listing): SimReply {
  const isUnpaged = UNPAGED.has(dataType) || scope === 'none';
  const selected = isUnpaged
    ? { page: records, total: records.length, offset: 0, limit: records.length }
    : selectPage(dataType, records, request.query, readings, random);
  const { total, offset, limit } = selected;
  const page = selected.page.map((record) => shown(dataType, record, readings, random));
  const format = request.query.get('format') ?? 'json';
  if (format === 'csv') return csvReply(page);
  if (format === 'ndjson') return ndjsonReply(page);
  if (format !== 'json') throw new ApiError(400, 'format must be json, csv or ndjson');
  const hasMore = offset + page.length < total;
  const told = readings.total === 'wrong' ? total + 7 : total;
  const pagination = {
    ...(readings.total === 'missing' ? {} : { total: told }),
    returned: page.length,
    limit,
    offset,
    hasMore,
    ...(hasMore ? { nextOffset: offset + page.length } : {}),
  };
  const metadata = {
    dataType,
    scope,
    scopeId: id,
    timestamp: new Date(now).toISOString(),
    query: Object.fromEntries(request.query),
    processing: { processingTimeMs: 3, enriched: true, version: '3.0.0' },
    ...(isUnpaged || readings.pagination === 'missing' ? {} : { pagination }),
    ...extra,
  };
  return jsonReply({ status: 'success', data: page, metadata });
}

function data(
  world: World,
  steps: readonly string[],
  request: SimRequest,
  key: SimKey,
  now: number,
  list: List,
): SimReply {
  if (steps[0] === 'check-access' && steps[1] === 'experiment')
    return jsonReply({ status: 'success', data: { canView: true, canExport: true }, metadata: {} });
  if (steps[0] === 'recordings' && steps[1] === 'download') {
    requireScope(key, 'recordings');
    const url = `https://media.example.org/${steps[2] ?? ''}/${steps[3] ?? ''}.mp4?X-Goog-Signature=${now.toString(36)}`;
    return jsonReply({ status: 'success', data: { url }, metadata: {} });
  }
  const dataType = steps[0] === 'ratings' ? `ratings/${steps[1] ?? ''}` : (steps[0] ?? '');
  const [scope = '', id = ''] = steps.slice(steps[0] === 'ratings' ? 2 : 1);
  if (!(dataType in SCOPE_OF)) throw new ApiError(404, `no such data type: ${dataType}`);
  requireScope(key, dataType);
  const experimentId =
    scope === 'experiment' ? id : world.experimentOf(scope === 'room' ? id : (request.query.get('roomId') ?? ''));
  if (scope === 'participant' && request.query.get('roomId') === null)
    throw new ApiError(400, 'roomId is required at participant scope');
  if (experimentId === undefined || !world.experimentIds.includes(experimentId))
    throw new ApiError(404, `${scope} not found: ${id}`);
  if (dataType === 'counts') return counts(world, experimentId, id, request.query.get('roomId') ?? '', now);
  const records = inScope(world, dataType, experimentId, scope, id, request.query, now);
  return list(dataType, scope, id, capped(dataType, records, request.query), extraOf(dataType, records, request.query));
}

function requireScope(key: SimKey, dataType: string): void {
  if (mayRead(key, dataType)) return;
  throw new ApiError(403, 'Insufficient permissions', { required: [SCOPE_OF[dataType]], provided: key.scopes });
}

/** Where each scope is known (API data types page). */
const SCOPES: Readonly<Record<string, readonly string[]>> = {
  participants: ['experiment', 'room'],
  rooms: ['experiment'],
  variables: ['room'],
  'agent-decisions': ['experiment', 'room'],
  'agent-runs': ['experiment'],
};

function inScope(
  world: World,
  dataType: string,
  experimentId: string,
  scope: string,
  id: string,
  query: URLSearchParams,
  now: number,
): SimRecord[] {
  if (!(SCOPES[dataType] ?? ['experiment', 'room', 'participant']).includes(scope))
    throw new ApiError(400, `${dataType} has no ${scope} scope`);
  const room = scope === 'room' ? id : query.get('roomId');
  const deployment = query.get('deploymentId');
  const roomsOf = new Set(
    deployment === null
      ? []
      : world
          .records('rooms', experimentId, now)
          .filter((record) => record['deploymentId'] === deployment)
          .map((record) => record['id']),
  );
  return world
    .lives(dataType, experimentId)
    .filter((life) => room === null || life.room === room)
    .filter((life) => scope !== 'participant' || life.participant === id)
    .filter((life) => deployment === null || roomsOf.has(life.room))
    .map((life) => visible(life, now))
    .filter((record) => record !== undefined);
}

function capped(dataType: string, records: readonly SimRecord[], query: URLSearchParams): readonly SimRecord[] {
  if (dataType === 'rooms') return records.slice(0, MOST_ROOMS);
  if (dataType !== 'agent-decisions') return records;
  const detail = query.get('detail') === 'true';
  const most = decisionLimit(query);
  const met = new Map<unknown, number>();
  return records
    .filter((record) => {
      const count = (met.get(record['roomId']) ?? 0) + 1;
      met.set(record['roomId'], count);
      return count <= most;
    })
    .map((record) => (detail ? record : withoutDetail(record)));
}

function withoutDetail(record: SimRecord): SimRecord {
  return Object.fromEntries(
    Object.entries(record).filter(([field]) => !['prompt', 'reasoning', 'chain'].includes(field)),
  );
}

function decisionLimit(query: URLSearchParams): number {
  const text = query.get('limit');
  if (text !== null && !/^[1-9]\d*$/.test(text)) throw new ApiError(400, 'limit must be a positive whole number');
  return text === null ? DECISIONS_PER_ROOM : Number(text);
}

function extraOf(dataType: string, records: readonly SimRecord[], query: URLSearchParams): SimRecord {
  if (dataType === 'agent-decisions')
    return capped(dataType, records, query).length < records.length ? { truncated: true } : { truncated: false };
  if (dataType !== 'variables') return {};
  const variableNames = [...new Set(records.map((record) => record['variable']))];
  return { timeline: [], variableNames, matrixColumns: variableNames, droppedWrites: [], mode: 'writes' };
}
