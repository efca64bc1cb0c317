import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DATASETS, datasetNamed } from '../../../src/datasets/registry.ts';
import { description } from '../../../src/simulator/description.ts';
import { createWorld } from '../../../src/simulator/world.ts';
import { compareWithRegistry, fileOf, type Finding } from '../../../src/spec/compare.ts';
import { readDescription, type Endpoint } from '../../../src/spec/description.ts';

const chat = datasetNamed('chat');
const KINDS = {
  text: 'string',
  time: 'string',
  real: 'number',
  integer: 'integer',
  boolean: 'boolean',
  json: 'object',
  any: 'string',
};

const parameter = (name: string, maximum?: number) => ({ name, isInPath: false, maximum, values: [] });
const USUAL = ['startTime', 'sort', 'limit'].map((name) => parameter(name));

/** An endpoint of chat as this version knows it. */
function endpoint(change: Partial<Endpoint> = {}, scope = 'experiment'): Endpoint {
  const fields = new Map(Object.entries(chat.fields).map(([field, { kind }]) => [field, [KINDS[kind]]]));
  return { path: `/data/chat/${scope}/{id}`, parameters: USUAL, fields, ...change };
}

const compare = (change: Partial<Endpoint> = {}, more: readonly Endpoint[] = []): Finding[] =>
  compareWithRegistry(
    {
      version: '3.1.0',
      endpoints: [
        ...['experiment', 'room', 'participant'].map((scope) =>
          endpoint(change.path === undefined ? change : {}, scope),
        ),
        ...more,
      ],
      foreign: 0,
    },
    [chat],
  );

describe('comparing a description', () => {
  it('finds nothing where it says what is known', () => {
    expect(compare()).toEqual([]);
  });

  it('finds endpoints that no data type reads, once, and none that are left out', () => {
    const paths = ['/api/v3/data/gaze/room/{roomId}', '/data/gaze/room/{id}/', '/health', '/experiments/{id}/export'];
    expect(
      compare(
        {},
        paths.map((path) => endpoint({ path })),
      ),
    ).toEqual([
      {
        kind: 'endpoint',
        data: null,
        file: 'src/datasets/registry.ts',
        text: expect.stringContaining('GET /data/gaze/room/{} is described and not read') as string,
      },
    ]);
  });

  it('finds addresses that are not described', () => {
    const found = compareWithRegistry({ version: '3.1.0', endpoints: [endpoint()], foreign: 0 }, [chat]);
    expect(found.map(({ kind, text }) => [kind, text])).toEqual([
      ['endpoint', expect.stringContaining('GET /data/chat/room/{} is read and not described')],
      ['endpoint', expect.stringContaining('GET /data/chat/participant/{} is read and not described')],
    ]);
  });

  it('takes a path with the data type as a parameter for the paths of all that it lists', () => {
    const type = { name: 'dataType', isInPath: true, maximum: undefined, values: ['chat', 'gaze/raw'] };
    const paths = ['experiment', 'room', 'participant'].map((scope) =>
      endpoint({ path: `/data/{dataType}/${scope}/{id}`, parameters: [type, ...USUAL] }),
    );
    const found = compareWithRegistry({ version: '3.1.0', endpoints: paths, foreign: 0 }, [chat]);
    expect(found.map(({ text }) => text.split(' is ')[0])).toEqual([
      'GET /data/gaze/raw/experiment/{}',
      'GET /data/gaze/raw/room/{}',
      'GET /data/gaze/raw/participant/{}',
    ]);
  });

  it('finds fields that are new, are gone or have another type, and says where', () => {
    const fields = new Map(endpoint().fields);
    fields.set('mood', ['string']).set('onset', ['string']).set('bad\nname', []);
    fields.delete('content');
    const found = compare({ fields });
    expect(found.map(({ kind, data, file, text }) => [kind, data, file, text])).toEqual([
      ['field', 'chat', 'src/datasets/chat.ts', 'the field mood (string) is described: add it to fields'],
      ['field', 'chat', 'src/datasets/chat.ts', 'the field "bad\\nname" (of any type) is described: add it to fields'],
      ['field', 'chat', 'src/datasets/chat.ts', 'the field content is not described: check its name'],
      [
        'type',
        'chat',
        'src/datasets/chat.ts',
        'the field onset is real here and string in the description: check its kind',
      ],
    ]);
  });

  it.each(['experiments', 'agent-spend'])('says nothing of fields of %s that no record of the API has', (name) => {
    const dataset = datasetNamed(name);
    const inRecords = Object.entries(dataset.fields).filter(([, { isAdded }]) => isAdded !== true);
    const fields = new Map(inRecords.map(([field, { kind }]) => [field, [KINDS[kind]]]));
    const one: Endpoint = { path: dataset.path ?? '', parameters: USUAL, fields };
    expect(inRecords.length).toBeLessThan(Object.keys(dataset.fields).length);
    expect(compareWithRegistry({ version: '3.1.0', endpoints: [one], foreign: 0 }, [dataset])).toEqual([]);
  });

  it('says nothing of fields where none are described', () => {
    expect(compare({ fields: new Map() })).toEqual([]);
  });

  it('finds parameters that are new or missing', () => {
    const found = compare({ parameters: [parameter('limit'), parameter('sort'), parameter('senderId')] });
    expect(found.map(({ kind, text }) => [kind, text])).toEqual([
      ['parameter', expect.stringContaining('the parameter senderId is described')],
      ['parameter', expect.stringContaining('the parameter startTime is sent and not described')],
    ]);
  });

  it.each([
    [500, undefined, ['limit may be 500 at most, and the first page asks for 1000: set pageLimit to 500']],
    [1000, undefined, []],
    [5000, undefined, []],
    [200, 200, []],
    [5000, 200, ['limit may be 5000 at most, and pageLimit is 200: set pageLimit to 5000']],
  ])('finds a page of %j at most where pageLimit is %j', (maximum, pageLimit, texts) => {
    const parameters = [parameter('startTime'), parameter('sort'), parameter('limit', maximum)];
    const dataset = pageLimit === undefined ? chat : { ...chat, pageLimit };
    const endpoints = ['experiment', 'room', 'participant'].map((scope) => endpoint({ parameters }, scope));
    expect(compareWithRegistry({ version: '3.1.0', endpoints, foreign: 0 }, [dataset]).map(({ text }) => text)).toEqual(
      texts,
    );
  });

  it('names files that there are', () => {
    expect(DATASETS.map(fileOf).filter((file) => !existsSync(file))).toEqual([]);
  });

  it('knows every endpoint that the simulator describes', () => {
    const world = createWorld({
      seed: 1,
      start: Date.parse('2026-01-12T09:00:00.000Z'),
      experiments: 3,
      roomsPerExperiment: 3,
      participantsPerRoom: 2,
      videoSeconds: 60,
      roomEveryMs: 3_600_000,
    });
    const found = readDescription(description(world, Date.parse('2026-02-01')).body);
    if ('problem' in found) throw new Error(found.problem);
    const findings = compareWithRegistry(found, DATASETS);
    expect(found.endpoints.length).toBeGreaterThan(30);
    expect(findings.filter(({ kind, text }) => kind === 'endpoint' && text.includes('not read'))).toEqual([]);
    expect(findings.filter(({ kind }) => kind !== 'field').map(({ data, text }) => `${String(data)}: ${text}`)).toEqual(
      [expect.stringContaining('variables: the field value is any here and') as string],
    );
  });
});
