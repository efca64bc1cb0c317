import { stringify } from 'yaml';
import type { Entry } from './catalogue/entry.ts';
import type { SimRecord } from './life.ts';
import type { SimReply } from './reply.ts';
import type { World } from './world.ts';

/** Records from which the fields of a data type are told. */
const SAMPLE = 500;

/** Paths outside of /data, by the data type that they give. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  experiments: '/experiments/{id}',
  'experiment-configs': '/experiments/{id}/config',
  deployments: '/deployments',
  'deployment-sessions': '/deployments/{id}/sessions',
  'agent-spend': '/deployments/{id}/agent-spend',
};

/** `GET /openapi.yaml`: what this API says of itself, from its catalogue and the records that it has. */
export function description(world: World, now: number): SimReply {
  const paths = [...world.catalogue.values()].flatMap((entry) => {
    const item = { get: operation(entry, fieldsOf(world, entry.name, now)) };
    const elsewhere = ELSEWHERE[entry.name];
    const own = elsewhere === undefined ? [] : [elsewhere];
    return [...own, ...entry.scopes.map((scope) => `/data/${entry.name}/${scope}/{id}`)].map(
      (path) => [path, item] as const,
    );
  });
  const body = {
    openapi: '3.1.0',
    info: { title: 'HyperStudy API v3 (simulator)', version: '3.0.0' },
    paths: Object.fromEntries(paths),
    components: {
      parameters: Object.fromEntries(
        COMMON.map(([name, type]) => [
          name,
          { name, in: 'query', schema: { type, ...(name === 'limit' ? { maximum: 1000 } : {}) } },
        ]),
      ),
    },
  };
  return {
    status: 200,
    headers: { 'content-type': 'application/yaml' },
    body: stringify(body, { aliasDuplicateObjects: false }),
  };
}

const COMMON: readonly (readonly [name: string, type: string])[] = [
  ...['startTime', 'endTime', 'sort', 'order', 'format', 'roomId', 'deploymentId'].map(
    (name) => [name, 'string'] as const,
  ),
  ['limit', 'integer'],
  ['offset', 'integer'],
];

/** Query parameters of single data types. */
const OPTIONS: Readonly<Record<string, string>> = { sync: 'aggregationWindow', 'agent-decisions': 'detail' };

function operation({ name, time, filters = [], isUnpaged }: Entry, fields: SimRecord) {
  const isFiltered = (parameter: string) => time !== undefined || !['startTime', 'endTime', 'sort'].includes(parameter);
  const isPaged = (parameter: string) => isUnpaged !== true || !['limit', 'offset'].includes(parameter);
  const common = COMMON.map(([parameter]) => parameter).filter(
    (parameter) => isFiltered(parameter) && isPaged(parameter),
  );
  const option = OPTIONS[name];
  const data = { type: 'array', items: { type: 'object', properties: fields } };
  return {
    summary: name,
    parameters: [
      ...common.map((parameter) => ({ $ref: `#/components/parameters/${parameter}` })),
      ...[...filters, ...(option === undefined ? [] : [option])].map((filter) => ({
        name: filter,
        in: 'query',
        schema: { type: 'string' },
      })),
    ],
    responses: {
      200: {
        description: 'The records.',
        content: {
          'application/json': { schema: { type: 'object', properties: { status: { type: 'string' }, data } } },
        },
      },
    },
  };
}

/** The fields of the records that there are, with the types of their values. */
function fieldsOf(world: World, dataType: string, now: number): SimRecord {
  const records = world.experimentIds.flatMap((id) => world.records(dataType, id, now).slice(0, SAMPLE));
  const types = new Map<string, Set<string>>();
  for (const [field, value] of records.flatMap((record) => Object.entries(record)))
    types.set(field, new Set([...(types.get(field) ?? []), typeOf(value)]));
  return Object.fromEntries(
    [...types].map(([field, all]) => [field, { type: all.size === 1 ? [...all][0] : [...all].sort() }]),
  );
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}
