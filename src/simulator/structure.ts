import { roomOf } from './catalogue/entry.ts';
import type { SimRecord } from './life.ts';
import { ApiError, jsonReply, type SimReply, type SimRequest } from './reply.ts';
import { visible, type World } from './world.ts';

/** Answers with records in the envelope, in pages if the endpoint has them. */
export type List = (
  dataType: string,
  scope: string,
  id: string,
  records: readonly SimRecord[],
  extra?: SimRecord,
) => SimReply;

export function counts(world: World, experimentId: string, participant: string, room: string, now: number): SimReply {
  const types = [...world.catalogue.values()]
    .filter(({ name, scopes }) => scopes.includes('participant') || ['variables', 'agent-decisions'].includes(name))
    .map(({ name }) => name);
  const numbers = Object.fromEntries(
    types.map((dataType) => [
      dataType,
      world
        .lives(dataType, experimentId)
        .filter((life) => life.participant === participant)
        .map((life) => visible(life, now))
        .filter((record) => record !== undefined && roomOf(world.catalogue.get(dataType), record) === room).length,
    ]),
  );
  const hasData = Object.fromEntries(Object.entries(numbers).map(([dataType, count]) => [dataType, count > 0]));
  return jsonReply({
    status: 'success',
    data: [{ counts: numbers, hasData }],
    metadata: { dataType: 'counts', scope: 'participant', scopeId: participant },
  });
}

export function exists(world: World, experimentId: string, now: number): boolean {
  return world.experimentIds.includes(experimentId) && world.records('experiments', experimentId, now).length > 0;
}

/** An experiment whose counts and `updatedAt` follow its records. */
function experimentAt(world: World, experimentId: string, now: number): SimRecord {
  const [base = {}] = world.records('experiments', experimentId, now);
  const rooms = world.records('rooms', experimentId, now);
  const participants = world.records('participants', experimentId, now);
  const times = [...rooms, ...participants]
    .flatMap((record) => [record['createdAt'], record['endedAt'], record['joinedAt']])
    .filter((time) => typeof time === 'string');
  const updatedAt = [base['updatedAt'], ...times]
    .filter((time) => typeof time === 'string')
    .sort()
    .at(-1);
  return { ...base, roomCount: rooms.length, participantCount: participants.length, updatedAt };
}

export function experiments(
  world: World,
  [, id, part]: readonly string[],
  { query }: SimRequest,
  now: number,
  list: List,
): SimReply {
  if (id === undefined) {
    const wanted = query.get('search')?.toLowerCase() ?? '';
    const all = world.experimentIds
      .filter((experimentId) => exists(world, experimentId, now))
      .map((experimentId) => experimentAt(world, experimentId, now));
    return list(
      'experiments',
      'user',
      'me',
      all.filter(({ name, description }) => `${String(name)}\n${String(description)}`.toLowerCase().includes(wanted)),
    );
  }
  if (!exists(world, id, now)) throw new ApiError(404, `experiment not found: ${id}`);
  const single = (data: unknown) =>
    jsonReply({ status: 'success', data, metadata: { dataType: 'experiments', scope: 'experiment', scopeId: id } });
  const [config = {}] = world.records('experiment-configs', id, now);
  if (part === 'config') return single(config);
  if (part === 'export') return single({ experiment: experimentAt(world, id, now), config });
  if (part !== undefined) throw new ApiError(404, 'no such endpoint');
  return single([experimentAt(world, id, now)]);
}

export function deployments(
  world: World,
  [, id, part]: readonly string[],
  { query }: SimRequest,
  now: number,
  list: List,
): SimReply {
  const all = world.experimentIds.flatMap((experimentId) => world.records('deployments', experimentId, now));
  if (id === undefined) {
    const wanted = (field: string, name: string) => (record: SimRecord) =>
      query.get(name) === null || record[field] === query.get(name);
    return list(
      'deployments',
      'none',
      'me',
      all.filter(wanted('experimentId', 'experimentId')).filter(wanted('status', 'status')),
    );
  }
  const found = all.find((deployment) => deployment['id'] === id);
  if (found === undefined) throw new ApiError(404, `deployment not found: ${id}`);
  if (part === undefined) return jsonReply({ status: 'success', data: found, metadata: { dataType: 'deployments' } });
  if (part === 'agent-spend') return agentSpend(world, found, now);
  if (part !== 'sessions') throw new ApiError(404, 'no such endpoint');
  const sessions = world
    .records('deployment-sessions', String(found['experimentId']), now)
    .filter((session) => session['deploymentId'] === id);
  return list('deployment-sessions', 'none', id, sessions);
}

/** The cost of a deployment's agents; a deployment without agents has none. */
function agentSpend(world: World, { id, experimentId }: SimRecord, now: number): SimReply {
  const [data] = world.records('agent-spend', String(experimentId), now);
  if (data === undefined) throw new ApiError(404, `deployment has no agents: ${String(id)}`);
  return jsonReply({ status: 'success', data, metadata: { dataType: 'agent-spend' } });
}
