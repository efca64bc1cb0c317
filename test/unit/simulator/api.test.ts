import { describe, expect, it } from 'vitest';
import type { SimRecord } from '../../../src/simulator/life.ts';
import { createWorld } from '../../../src/simulator/world.ts';
import { box, KEY, LATER, SMALL, START, type Answer } from './box.ts';

const PAGED = ['events', 'recordings', 'chat', 'videochat', 'ratings/continuous', 'ratings/sparse', 'sync'];
const ALSO_PAGED = ['eyetracking', 'components', 'participants', 'rooms'];

const sorted = (records: readonly SimRecord[]) => records.map((record) => JSON.stringify(unsigned(record))).sort();
const unsigned = ({ downloadUrl, ...rest }: SimRecord): SimRecord =>
  typeof downloadUrl === 'string' ? { ...rest, downloadUrl: downloadUrl.split('?')[0] } : rest;

function allPages(get: (target: string) => Answer, path: string, limit: number): SimRecord[] {
  const records: SimRecord[] = [];
  let offset: unknown = 0;
  do {
    const { data, metadata } = get(`${path}?limit=${limit}&offset=${String(offset)}`);
    records.push(...data);
    expect(metadata.pagination?.['returned']).toBe(data.length);
    expect('nextOffset' in (metadata.pagination ?? {})).toBe(metadata.pagination?.['hasMore']);
    offset = metadata.pagination?.['nextOffset'];
  } while (offset !== undefined);
  return records;
}

describe('the simulated API', () => {
  it.each([...PAGED, ...ALSO_PAGED])('gives every record of %s once over its pages', (dataType) => {
    const { get, world, first } = box();
    const path = `/data/${dataType}/experiment/${first}`;
    const truth = world.records(dataType, first, LATER);
    const limit = Math.max(1, Math.ceil(truth.length / 4));
    expect(sorted(allPages(get, path, limit))).toEqual(sorted(truth));
  });

  it('wraps an answer as documented', () => {
    const { get, first } = box();
    const { metadata } = get(`/data/chat/experiment/${first}?limit=1&sort=timestamp`);
    expect(metadata).toEqual({
      dataType: 'chat',
      scope: 'experiment',
      scopeId: first,
      timestamp: new Date(LATER).toISOString(),
      query: { startTime: null, endTime: null, limit: 1, offset: 0, sort: 'timestamp', order: 'asc' },
      processing: {
        experimentStartedAt: new Date(START + 90_000).toISOString(),
        processingTimeMs: 3,
        enriched: true,
        version: '3.0.0',
      },
      pagination: {
        total: expect.any(Number) as number,
        returned: 1,
        limit: 1,
        offset: 0,
        hasMore: true,
        nextOffset: 1,
      },
    });
  });

  it('narrows to a room, to a participant in a room, and to a deployment', () => {
    const { get, world, first } = box();
    const [person] = world.records('participants', first, LATER);
    const [id, room] = [String(person?.['id']), String(person?.['roomId'])];
    const events = world.records('events', first, LATER);
    const inRoom = events.filter((event) => event['roomId'] === room || event['sessionId'] === room);
    const byRoom = get(`/data/events/room/${room}?limit=1000`).data;
    expect(sorted(byRoom)).toEqual(sorted(inRoom));
    expect(sorted(get(`/data/events/experiment/${first}?roomId=${room}&limit=1000`).data)).toEqual(sorted(inRoom));
    const byPerson = get(`/data/events/participant/${id}?roomId=${room}&limit=1000`).data;
    expect(byPerson.length).toBeGreaterThan(0);
    expect(sorted(byPerson)).toEqual(sorted(inRoom.filter((event) => event['participantId'] === id)));
    const [deployment] = world.records('deployments', first, LATER);
    const path = `/data/events/experiment/${first}`;
    expect(get(`${path}?deploymentId=${String(deployment?.['id'])}`).metadata.pagination?.['total']).toBe(
      events.length,
    );
    expect(get(`${path}?deploymentId=dep_none`).data).toEqual([]);
  });

  it('filters by the fields that a data type names', () => {
    const { get, first } = box();
    const ask = (dataType: string, query: string) =>
      get(`/data/${dataType}/experiment/${first}?limit=1000&${query}`).data;
    for (const [dataType, field, value] of [
      ['events', 'category', 'questionnaire'],
      ['components', 'componentType', 'likertscale'],
      ['components', 'completed', true],
      ['participants', 'completionCode', 'SUCCESS'],
    ] as const) {
      const expected = ask(dataType, '').filter((record) => record[field] === value);
      expect(expected.length, field).toBeGreaterThan(0);
      expect(ask(dataType, `${field}=${String(value)}`)).toEqual(expected);
    }
    expect(ask('events', 'category=none')).toEqual([]);
  });

  it('sorts by any field in either order', () => {
    const { get, first } = box();
    const onsets = (order: string) =>
      get(`/data/events/experiment/${first}?limit=1000&sort=onset&order=${order}`).data.map(({ onset }) =>
        Number(onset),
      );
    expect(onsets('asc')).toEqual(onsets('asc').toSorted((a, b) => a - b));
    expect(onsets('desc')).toEqual(onsets('asc').toReversed());
    expect(get(`/data/events/experiment/${first}?order=up`).status).toBe(400);
  });

  it('signs recordings again in every answer', () => {
    const { get, first } = box();
    const ask = () => get(`/data/recordings/experiment/${first}`).data;
    const [once, again] = [ask(), ask()];
    expect(once.map(unsigned)).toEqual(again.map(unsigned));
    expect(once[0]?.['downloadUrl']).not.toBe(again[0]?.['downloadUrl']);
    const signed = get(`/${String(once[0]?.['downloadPath'])}`) as unknown as { data: { url: string } };
    expect(signed.data.url).toMatch(/^https:.*Signature=/);
    expect(get('/data/recordings/download/room_x/EG_x').status).toBe(404);
  });

  it('puts sync metrics of one participant in one window together', () => {
    const { get, first } = box();
    const path = `/data/sync/experiment/${first}?limit=1000`;
    const all = get(path).data;
    expect(sorted(get(`${path}&aggregationWindow=1`).data)).toEqual(sorted(all));
    const long = get(`${path}&aggregationWindow=86400000`).data;
    expect(long.length).toBe(new Set(all.map((metric) => metric['participantId'])).size);
    const drifts = all
      .filter((metric) => metric['participantId'] === long[0]?.['participantId'])
      .map((metric) => Number(metric['timeDrift']));
    expect(long[0]?.['timeDrift']).toBeCloseTo(drifts.reduce((sum, drift) => sum + drift, 0) / drifts.length);
    for (const wrong of ['0', 'x', '-5']) expect(get(`${path}&aggregationWindow=${wrong}`).status).toBe(400);
  });

  it("tells a room's variables as a log of writes and as the values after each", () => {
    const { get, world, first } = box();
    const [room] = world.records('rooms', first, LATER);
    const { data, metadata } = get(`/data/variables/room/${String(room?.['id'])}`);
    const rows = metadata['timeline'] as SimRecord[];
    expect(data.length).toBe(4);
    expect(rows.length).toBe(4);
    const last = (name: string) => data.findLast(({ variable }) => variable === name)?.['value'];
    expect(rows.at(-1)).toMatchObject({ condition: last('condition'), points: last('points'), choice: last('choice') });
    expect(metadata['variableNames']).toEqual(['condition', 'points', 'choice']);
    expect(metadata['droppedWrites']).toEqual([]);
    expect(metadata.pagination).toBeUndefined();
  });

  it('cuts agent decisions off at the limit of each room, and says so', () => {
    const { get, second, world } = box();
    const rooms = world.records('rooms', second, LATER).length;
    const path = `/data/agent-decisions/experiment/${second}`;
    const cut = get(`${path}?limit=5`);
    expect([cut.data.length, cut.metadata['truncated'], cut.metadata.pagination]).toEqual([5 * rooms, true, undefined]);
    const whole = get(`${path}?detail=true`);
    expect(whole.metadata['truncated']).toBe(false);
    expect(sorted(whole.data)).toEqual(sorted(world.records('agent-decisions', second, LATER)));
    expect(get(path).data.some((decision) => 'prompt' in decision)).toBe(false);
    const [one] = whole.data;
    const single = get(`/data/agent-decisions/room/${String(one?.['roomId'])}/decision/${String(one?.['id'])}`);
    expect(single.data).toEqual(one);
    expect(get(`/data/agent-decisions/room/${String(one?.['roomId'])}/decision/none`).status).toBe(404);
  });

  it('lists at most 5,000 rooms', () => {
    const world = createWorld(SMALL);
    const [first = ''] = world.experimentIds;
    for (let i = 0; i < 5010; i++)
      world.insert('rooms', first, { id: `r${i}`, createdAt: '2026-01-01T00:00:00Z' }, START);
    const { get } = box({ world });
    expect(get(`/data/rooms/experiment/${first}`).metadata.pagination?.['total']).toBe(5000);
  });

  it("counts a participant's records", () => {
    const { get, world, first } = box();
    const [person] = world.records('participants', first, LATER);
    const [id, room] = [String(person?.['id']), String(person?.['roomId'])];
    const [told] = get(`/data/counts/participant/${id}?roomId=${room}`).data as {
      counts: Record<string, number>;
      hasData: Record<string, boolean>;
    }[];
    for (const dataType of [...PAGED, 'eyetracking', 'components']) {
      const { metadata } = get(`/data/${dataType}/participant/${id}?roomId=${room}`);
      expect(told?.counts[dataType], dataType).toBe(metadata.pagination?.['total']);
      expect(told?.hasData[dataType], dataType).toBe(metadata.pagination?.['total'] !== 0);
    }
  });

  it('lists experiments by 50, finds them by name and description, and follows what happens in them', () => {
    const many = createWorld({ ...SMALL, experiments: 60, roomsPerExperiment: 0 });
    expect(allPages(box({ world: many }).get, '/experiments', 50).map(({ id }) => id)).toEqual(many.experimentIds);
    expect(box({ world: many }).get('/experiments').data.length).toBe(50);
    const { get, first, second } = box();
    expect(get('/experiments?search=gemeinsam').data.map(({ id }) => id)).toEqual([first]);
    expect(get('/experiments?search=AI PARTNER').data.map(({ id }) => id)).toEqual([second]);
    const rooms = (now: number) => get(`/experiments/${first}`, now).data[0]?.['roomCount'];
    expect([rooms(START - 1), rooms(START), rooms(LATER)]).toEqual([0, 1, 3]);
  });

  it('gives an experiment with its configuration, its export and its deployments', () => {
    const { get, world, first } = box();
    expect(get(`/experiments/${first}/config`).data).toEqual(world.records('experiment-configs', first, LATER)[0]);
    expect(get(`/experiments/${first}/export`).data).toMatchObject({ experiment: { id: first } });
    const [deployment] = world.records('deployments', first, LATER);
    const id = String(deployment?.['id']);
    expect(get(`/deployments?experimentId=${first}`).data).toEqual([deployment]);
    expect(get(`/deployments?experimentId=${first}&status=Archived`).data).toEqual([]);
    expect(get(`/deployments/${id}`).data).toEqual(deployment);
    expect(get(`/deployments/${id}/sessions`).data).toEqual(world.records('deployment-sessions', first, LATER));
    expect(get(`/data/check-access/experiment/${first}`).data).toEqual({ canView: true, canExport: true });
  });

  it('writes newline-delimited JSON and CSV with the same records', () => {
    const { ask, get, first } = box();
    const path = `/data/chat/experiment/${first}?limit=1000`;
    const { data } = get(path);
    const ndjson = ask(`${path}&format=ndjson`);
    expect(ndjson.headers['content-type']).toBe('application/x-ndjson');
    expect(
      ndjson.body
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(data);
    const csv = ask(`${path}&format=csv`);
    expect(csv.headers['content-type']).toMatch(/^text\/csv/);
    const [head = '', ...rows] = csv.body.trimEnd().split('\r\n');
    expect(head.split(',')).toEqual(Object.keys(data[0] ?? {}));
    expect(rows.length).toBe(data.length);
    expect(rows[0]).toContain(JSON.stringify(data[0]?.['recipientIds']).replaceAll('"', '""'));
    expect(get(`${path}&format=xml`).status).toBe(400);
  });

  it('is healthy without a key', () => {
    const { ask } = box();
    const reply = ask('/health', LATER, 'none');
    expect(JSON.parse(reply.body)).toEqual({
      status: 'healthy',
      version: '3.0.0',
      timestamp: new Date(LATER).toISOString(),
    });
  });
});

describe('a refusal', () => {
  it('meets a key that is missing, unknown, revoked or expired', () => {
    const keys = [
      { key: 'gone', scopes: ['*'], revoked: true },
      { key: 'old', scopes: ['*'], expiresAt: LATER },
    ];
    const { ask } = box({ keys });
    for (const key of ['unknown', 'gone', 'old', '']) expect(ask('/experiments', LATER, key).status, key).toBe(401);
    expect(ask('/experiments', LATER - 1, 'old').status).toBe(200);
    expect(JSON.parse(ask('/experiments', LATER, 'gone').body)).toMatchObject({
      status: 'error',
      error: { code: 'UNAUTHORIZED' },
    });
  });

  it('names the scope that is missing and those that are there', () => {
    const scopes = ['read:events', 'read:chat'];
    const { get, first, world } = box({ keys: [{ key: KEY, scopes }] });
    const asked = [...world.catalogue.values()].filter((entry) => entry.scopes.includes('experiment'));
    expect(asked.length).toBeGreaterThan(10);
    for (const { name, keyScopes } of asked) {
      const { status, error } = get(`/data/${name}/experiment/${first}`);
      expect(status, name).toBe(keyScopes.some((scope) => scopes.includes(scope)) ? 200 : 403);
      if (status === 403) expect(error.details).toEqual({ required: [keyScopes[0]], provided: scopes });
    }
    for (const path of ['/experiments', `/experiments/${first}/config`, '/deployments'])
      expect(get(path).error.details).toEqual({ required: ['read:experiments'], provided: scopes });
    expect(get('/data/recordings/download/a/b').status).toBe(403);
  });

  it('meets what is not there, or no longer', () => {
    const { get, world, first } = box();
    const [room] = world.records('rooms', first, LATER);
    const id = String(room?.['id']);
    for (const path of [
      '/nothing',
      '/data/nothing/experiment/x',
      '/data/toString/experiment/x',
      '/data/events/experiment/exp_none',
      '/data/events/room/room_none',
      `/data/events/participant/user_none?roomId=${id}`,
      `/data/events/experiment/${first}/more`,
      '/data/check-access/experiment/exp_none',
      '/experiments/exp_none',
      `/experiments/${first}/nothing`,
      '/deployments/dep_none',
    ])
      expect(get(path), path).toMatchObject({ status: 404, error: { code: 'NOT_FOUND' } });
    expect(get(`/data/events/room/${id}`).status).toBe(200);
    world.remove('rooms', first, (record) => record['id'] === id, LATER + 1);
    expect(get(`/data/events/room/${id}`, LATER + 1).status).toBe(404);
    world.remove('experiments', first, () => true, LATER + 2);
    expect(get(`/data/events/experiment/${first}`, LATER + 2).status).toBe(404);
    expect(get('/experiments', LATER + 2).data.map((experiment) => experiment['id'])).not.toContain(first);
  });

  it('meets parameters that make no sense', () => {
    const { get, ask, first } = box();
    for (const query of ['limit=0', 'limit=-1', 'limit=many', 'offset=x', 'startTime=yesterday', 'endTime=never'])
      expect(get(`/data/events/experiment/${first}?${query}`), query).toMatchObject({
        status: 400,
        error: { code: 'INVALID_PARAMETER' },
      });
    for (const path of [
      '/data/events/participant/user_1',
      `/data/rooms/room/${first}`,
      `/data/variables/experiment/${first}`,
      `/data/counts/experiment/${first}`,
      '/data/agent-runs/room/room_1',
      '/data/events/experiment/%E0%A4%A',
    ])
      expect(get(path).status, path).toBe(400);
    expect(ask('/experiments', LATER, KEY, 'POST').status).toBe(405);
  });
});
