import { mayRead, type SimKey } from './access.ts';
import { agentDecision, agentDecisions } from './agents.ts';
import { aggregated } from './aggregate.ts';
import { roomOf } from './catalogue/entry.ts';
import { isAmong, type Faults } from './faults.ts';
import { signedAddress } from './media.ts';
import type { SimRecord } from './life.ts';
import type { Readings } from './readings.ts';
import { ApiError, jsonReply, type SimReply, type SimRequest } from './reply.ts';
import { requireShared, type Sharing } from './sharing.ts';
import { readCount } from './select.ts';
import { counts, exists, type List } from './structure.ts';
import { visible, type World } from './world.ts';

/** A request under /data and what its answer is made from. */
export interface Asked {
  readonly world: World;
  readonly sharing: Sharing;
  readonly request: SimRequest;
  readonly key: SimKey;
  readonly now: number;
  readonly list: List;
  readonly readings: Readings;
  readonly faults: Faults;
}

/** The most rooms that are ever listed (API data types page). */
const MOST_ROOMS = 5000;

/** Not a data type: the number of records of each data type. */
const COUNTS = { keyScopes: ['read:events'], scopes: ['participant'] } as const;

/** The endpoints under /data; `steps` is the path below it. */
export function data(steps: readonly string[], asked: Asked): SimReply {
  const { world, request, now, list } = asked;
  if (steps[0] === 'check-access') return checkAccess(steps, asked);
  if (steps[0] === 'recordings' && steps[1] === 'download') return download(steps, asked);
  const dataType = steps[0] === 'ratings' ? `ratings/${steps[1] ?? ''}` : (steps[0] ?? '');
  const [scope = '', id = '', part, partId] = steps.slice(dataType.split('/').length);
  const entry = dataType === 'counts' ? COUNTS : world.catalogue.get(dataType);
  const scopes: readonly string[] = entry?.scopes ?? [];
  if (entry === undefined || scopes.length === 0) throw new ApiError(404, `no such data type: ${dataType}`);
  requireScope(entry.keyScopes, asked);
  if (!scopes.includes(scope)) throw new ApiError(400, `${dataType} has no ${scope} scope`);
  const experimentId = experimentAsked(scope, id, asked);
  requireShared(asked.sharing, experimentId, scope !== 'experiment' || request.query.has('deploymentId'));
  if (dataType === 'counts') return counts(world, experimentId, id, request.query.get('roomId') ?? '', now);
  const own = inScope(dataType, experimentId, scope, id, asked);
  const records = [...own, ...leaked(dataType, experimentId, scope, own, asked)];
  if (dataType === 'agent-decisions' && part === 'decision') return agentDecision(records, partId);
  if (part !== undefined) throw new ApiError(404, 'no such endpoint');
  switch (dataType) {
    case 'rooms':
      return list(dataType, scope, id, records.slice(0, MOST_ROOMS));
    case 'variables':
      return list(dataType, scope, id, records, timeline(records, world.catalogue.get(dataType)?.time));
    case 'agent-decisions':
      return decisions({ scope, id, experimentId }, records, asked);
    case 'sync':
      return list(dataType, scope, id, aggregated(records, aggregationWindow(request.query)));
    default:
      return list(dataType, scope, id, records);
  }
}

function decisions(
  { scope, id, experimentId }: { scope: string; id: string; experimentId: string },
  records: readonly SimRecord[],
  asked: Asked,
): SimReply {
  const { request, now, list, readings, faults } = asked;
  const hasRuns = scope === 'room' && readings.runsAmongDecisions === 'present';
  const runs = hasRuns ? inScope('agent-runs', experimentId, scope, id, asked) : [];
  const cut = faults.strike('truncated', { dataType: 'agent-decisions', scope, now });
  const { rows, truncated } = agentDecisions(records, runs, request.query, cut?.perRoom);
  return list('agent-decisions', scope, id, rows, { truncated });
}

/** @throws ApiError 403 when the key has none of the accepted scopes, or a fault removed them. */
export function requireScope(
  needed: readonly string[],
  { key, faults, now }: Pick<Asked, 'key' | 'faults' | 'now'>,
): void {
  const lost = faults.inForce('scopeLost', now).map(({ scope }) => scope);
  // A fault that removes every scope does not affect the lists outside of /data.
  const isLost = (scope: string) => lost.includes(scope) || (lost.includes(undefined) && scope !== 'read:experiments');
  const left = needed.filter((scope) => !isLost(scope));
  if (left.length > 0 && mayRead(key, left)) return;
  const provided = left.length < needed.length ? [] : key.scopes;
  throw new ApiError(403, 'Insufficient permissions', { required: needed.slice(0, 1), provided });
}

/**
 * The experiment that a request is about.
 * @throws ApiError 404 when the experiment, room or participant does not exist, or no longer does.
 */
function experimentAsked(scope: string, id: string, { world, request, now }: Asked): string {
  const missing = new ApiError(404, `${scope} not found: ${id}`);
  const isIn = inRoom(world);
  if (scope === 'experiment') {
    if (!exists(world, id, now)) throw missing;
    return id;
  }
  const room = scope === 'room' ? id : request.query.get('roomId');
  if (room === null) throw new ApiError(400, 'roomId is required at participant scope');
  const experimentId = world.experimentOf(room);
  if (experimentId === undefined) throw missing;
  const isThere = (dataType: string, participant?: string) =>
    world
      .lives(dataType, experimentId)
      .some(
        (life) =>
          isIn(room, dataType, visible(life, now)) && (participant === undefined || life.participant === participant),
      );
  if (!isThere('rooms') || (scope === 'participant' && !isThere('participants', id))) throw missing;
  return experimentId;
}

function inScope(
  dataType: string,
  experimentId: string,
  scope: string,
  id: string,
  { world, request, now }: Asked,
): SimRecord[] {
  const isIn = inRoom(world);
  const room = scope === 'room' ? id : request.query.get('roomId');
  const deployment = request.query.get('deploymentId');
  const roomsOf = new Set(
    deployment === null
      ? []
      : world
          .records('rooms', experimentId, now)
          .filter((record) => record['deploymentId'] === deployment)
          .map((record) => record['id']),
  );
  const isOf = (record: SimRecord) =>
    record['deploymentId'] === deployment || roomsOf.has(roomOf(world.catalogue.get(dataType), record));
  return world
    .lives(dataType, experimentId)
    .filter((life) => scope !== 'participant' || life.participant === id)
    .map((life) => visible(life, now))
    .filter((record) => record !== undefined)
    .filter((record) => room === null || isIn(room, dataType, record))
    .filter((record) => deployment === null || isOf(record));
}

/** The records of other rooms that are in a room's answer as well. */
function leaked(
  dataType: string,
  experimentId: string,
  scope: string,
  own: readonly SimRecord[],
  { world, now, faults }: Asked,
): SimRecord[] {
  const of = scope === 'room' ? faults.strike('leaked', { dataType, scope, now })?.of : undefined;
  if (of === undefined) return [];
  const isOwn = new Set(own);
  return world.records(dataType, experimentId, now).filter((record) => !isOwn.has(record) && isAmong(of, record));
}

function inRoom({ catalogue }: World) {
  return (room: string, dataType: string, record: SimRecord | undefined): boolean =>
    record !== undefined && roomOf(catalogue.get(dataType), record) === room;
}

function checkAccess([, scope, id = '']: readonly string[], { world, sharing, now }: Asked): SimReply {
  if (scope !== 'experiment' || !exists(world, id, now)) throw new ApiError(404, `experiment not found: ${id}`);
  return jsonReply({
    status: 'success',
    data: { canView: true, canExport: sharing.viewOnly?.includes(id) !== true },
    metadata: {},
  });
}

/** A recording's signed URL, different in every answer. */
function download([, , room = '', egressId = '']: readonly string[], asked: Asked): SimReply {
  const { world, now } = asked;
  const entry = world.catalogue.get('recordings');
  requireScope(entry?.keyScopes ?? [], asked);
  const isThere = world
    .records('recordings', world.experimentOf(room) ?? '', now)
    .some((recording) => roomOf(entry, recording) === room && recording['egressId'] === egressId);
  if (!isThere) throw new ApiError(404, `recording not found: ${egressId}`);
  return jsonReply({
    status: 'success',
    data: { url: signedAddress(asked.request, room, egressId, now) },
    metadata: {},
  });
}

function aggregationWindow(query: URLSearchParams): number | undefined {
  if (!query.has('aggregationWindow')) return undefined;
  const windowMs = readCount(query, 'aggregationWindow', 0);
  if (windowMs === 0) throw new ApiError(400, 'aggregationWindow must be at least 1 ms');
  return windowMs;
}

/** What the metadata of a room's variables derive from their writes: the value of every variable after each write. */
function timeline(records: readonly SimRecord[], time = 'timestamp'): SimRecord {
  const writes = records.toSorted((a, b) => Date.parse(String(a[time])) - Date.parse(String(b[time])));
  const variableNames = [...new Set(writes.map(({ variable }) => String(variable)))];
  let values: SimRecord = {};
  const rows = writes.map(({ onset, variable, value, [time]: at }) => {
    values = { ...values, [String(variable)]: value };
    return { timestamp: at, onset, ...values };
  });
  const matrixColumns = ['timestamp', 'onset', ...variableNames];
  return { timeline: rows, variableNames, matrixColumns, droppedWrites: [], mode: 'writes' };
}
