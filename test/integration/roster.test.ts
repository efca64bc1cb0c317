import { describe, expect, it } from 'vitest';
import type { ExperimentConfig } from '../../src/config/schema.ts';
import { allPositions, type StoredPosition } from '../../src/warehouse/positions.ts';
import { listExperiments } from '../../src/sync/experiment-list.ts';
import type { SyncResult } from '../../src/sync/run.ts';
import { HOUR, openLab, type Lab } from '../support/lab.ts';
import { listFault } from '../support/list.ts';

const positions = ({ warehouse }: Lab, of: Partial<StoredPosition> = {}) =>
  allPositions(warehouse.db).filter(({ experimentId, data, scope }) =>
    Object.entries(of).every(([name, value]) => ({ experimentId, data, scope })[name] === value),
  );
const kinds = (found: readonly StoredPosition[]) => [
  ...new Set(found.flatMap(({ doubts }) => doubts.map(({ kind }) => kind))),
];
const codes = ({ issues }: SyncResult) => issues.map(({ code, experiment }) => `${code} ${experiment ?? ''}`.trim());
const listings = ({ simulator }: Lab) => simulator.requests.filter(({ path }) => path === '/experiments').length;

async function labWithList(options: Parameters<typeof openLab>[0] = {}) {
  const list = listFault();
  const lab = await openLab({ world: { experiments: 2, roomsPerExperiment: 2 }, ...options, fault: list.fault });
  const [first = '', second = ''] = lab.simulator.world.experimentIds;
  return { lab, list, first, second };
}

describe('a stream that is configured and was never read', () => {
  it('is in _freshness as incomplete, although a sync selected other data', async () => {
    const lab = await openLab({ world: { experiments: 2, roomsPerExperiment: 1 } });
    const result = await lab.sync({ selection: { data: ['chat'] } });
    expect(result.status).toBe('ok');
    const fresh = lab.warehouse.db
      .prepare<[], { data: string; complete: number; reason: string | null }>(
        'SELECT DISTINCT data, complete, reason FROM _freshness ORDER BY data',
      )
      .all();
    expect(fresh.filter(({ complete }) => complete === 1).map(({ data }) => data)).toEqual(['chat']);
    expect(fresh.length).toBeGreaterThan(12);
    expect(fresh.filter(({ complete }) => complete === 0).every(({ reason }) => reason === 'not read yet')).toBe(true);
  });

  it('is in _freshness although a sync selected another experiment', async () => {
    const lab = await openLab({ world: { experiments: 2, roomsPerExperiment: 1 } });
    const [first = '', second = ''] = lab.simulator.world.experimentIds;
    await lab.sync({ selection: { experiments: [first], data: ['chat'] } });
    expect(kinds(positions(lab, { experimentId: second }))).toEqual(['unread']);
    await lab.sync();
    await lab.sync({ selection: { experiments: [first], data: ['chat'] } });
    expect(kinds(positions(lab))).toEqual([]);
  });

  it('is in _freshness although the first sync was interrupted, including the rooms that were found', async () => {
    const cut = new AbortController();
    const lab = await openLab({
      world: { experiments: 1, roomsPerExperiment: 2 },
      fault({ path }) {
        if (path.startsWith('/data/variables/')) cut.abort(new Error('stop'));
        return undefined;
      },
    });
    await expect(lab.sync({ signal: cut.signal })).rejects.toMatchObject({ code: 'INTERRUPTED' });
    const variables = positions(lab, { data: 'variables' });
    expect(variables.map(({ scope }) => scope.split(':')[0])).toEqual(['room', 'room']);
    expect(kinds(variables)).toEqual(['unread']);
  });
});

describe('a stream that is no longer configured', () => {
  const narrowed = { experiments: [{ all: true as const }], data: ['rooms' as const] };

  it('is marked and keeps its rows; once it is configured again, the next read completes it', async () => {
    const lab = await openLab({ world: { experiments: 1, roomsPerExperiment: 1 } });
    await lab.sync();
    const [id = ''] = lab.simulator.world.experimentIds;
    const held = lab.mirrored('chat', id);
    expect((await lab.sync({ config: narrowed })).status).toBe('ok');
    const chat = positions(lab, { data: 'chat' });
    expect(kinds(chat)).toEqual(['unconfigured']);
    expect(chat[0]?.reason).toBe('it is no longer configured; the rows are as of 2026-01-12 11:01 UTC');
    expect(lab.mirrored('chat', id)).toEqual(held);

    await lab.sync({ selection: { data: ['rooms'] } });
    expect(positions(lab, { data: 'chat' })).toMatchObject([{ complete: false, doubts: [{ kind: 'unread' }] }]);
    expect((await lab.sync()).status).toBe('ok');
    expect(positions(lab).every(({ complete }) => complete)).toBe(true);
  });

  it('is read again once it is configured again, even if its room is over', async () => {
    const lab = await openLab({ world: { experiments: 1, roomsPerExperiment: 2 } });
    lab.now += 48 * 3_600_000;
    await lab.sync();
    await lab.sync();
    expect(positions(lab, { data: 'variables' }).every(({ finished }) => finished)).toBe(true);
    await lab.sync({ config: narrowed });
    expect(kinds(positions(lab, { data: 'variables' }))).toEqual(['unconfigured']);
    const again = await lab.sync();
    expect(again.streams.filter(({ data }) => data === 'variables')).toHaveLength(2);
    expect(positions(lab, { data: 'variables' }).every(({ complete }) => complete)).toBe(true);
  });

  it('may be one whose filter changed, or whose room is no longer named', async () => {
    const lab = await openLab({ world: { experiments: 1, roomsPerExperiment: 2 } });
    const [id = ''] = lab.simulator.world.experimentIds;
    const [room = '', other = ''] = lab.simulator.world
      .records('rooms', id, lab.now)
      .map((record) => String(record['id']));
    await lab.sync();
    const filtered = { options: { events: { category: ['component'] } }, data: ['events' as const, 'rooms' as const] };
    await lab.sync({ config: filtered });
    expect(positions(lab, { data: 'events' }).map(({ scope, complete }) => [scope, complete])).toEqual([
      ['experiment', false],
      ['experiment?category=component', true],
    ]);
    await lab.sync({ config: { experiments: [{ id, rooms: [room] }] } });
    expect(kinds(positions(lab, { data: 'variables', scope: `room:${room}` }))).toEqual([]);
    expect(kinds(positions(lab, { data: 'variables', scope: `room:${other}` }))).toEqual(['unconfigured']);
  });

  it('leaves no trace if it was never read', async () => {
    const lab = await openLab({ world: { experiments: 1, roomsPerExperiment: 1 } });
    await lab.sync({ selection: { data: ['rooms'] } });
    expect(positions(lab).length).toBeGreaterThan(12);
    await lab.sync({ config: narrowed });
    expect(positions(lab).map(({ data }) => data)).toEqual(['rooms']);
  });
});

describe('a room that the API no longer lists', () => {
  it.each(['room?a', 'room?a=1&b', 'room#1', 'room/1', 'room:1?', 'room@x'])(
    'is gone, not unconfigured, whatever its id: %s',
    async (room) => {
      const lab = await openLab({ world: { experiments: 1, roomsPerExperiment: 1 } });
      const { world } = lab.simulator;
      const [id = ''] = world.experimentIds;
      world.insert('rooms', id, { ...world.records('rooms', id, lab.now)[0], id: room }, lab.now);
      const selection = { data: ['rooms', 'variables'] };
      await lab.sync({ selection });
      lab.warehouse.db.prepare('DELETE FROM rooms WHERE id = ?').run(room);
      world.remove('rooms', id, (record) => record['id'] === room, lab.now);
      await lab.sync({ selection });
      expect(kinds(positions(lab, { data: 'variables', scope: `room:${room}` }))).toEqual(['gone']);
    },
  );

  it('is gone, not unconfigured', async () => {
    const lab = await openLab({ world: { experiments: 1, roomsPerExperiment: 12 } });
    await lab.sync();
    const [id = ''] = lab.simulator.world.experimentIds;
    const room = String(lab.simulator.world.records('rooms', id, lab.now)[0]?.['id']);
    lab.warehouse.db.prepare('DELETE FROM rooms WHERE id = ?').run(room);
    lab.simulator.world.remove('rooms', id, (record) => record['id'] === room, lab.now);
    await lab.sync();
    const [variables] = positions(lab, { data: 'variables', scope: `room:${room}` });
    expect(variables?.doubts.map(({ kind }) => kind)).toEqual(['gone']);
    expect(variables?.reason).toContain(`room ${room} of ${id} is no longer listed: deleted, or no longer shared; `);
  });
});

describe('an experiment that has left the list', () => {
  it('is gone if a second listing agrees: one issue, exit status 1, and its rows stay', async () => {
    const { lab, list, first, second } = await labWithList();
    expect((await lab.sync()).status).toBe('ok');
    const held = lab.mirrored('events', first);
    list.hidden = [first];
    const before = listings(lab);
    const result = await lab.sync();
    expect(listings(lab) - before).toBe(2);
    expect(result.status).toBe('partial');
    expect(codes(result)).toEqual([`EXPERIMENT_GONE ${first}`]);
    expect(new Set(result.streams.map(({ experiment }) => experiment))).toEqual(new Set([second]));
    const gone = positions(lab, { experimentId: first });
    expect(gone.every(({ doubts }) => doubts.some(({ kind }) => kind === 'gone'))).toBe(true);
    expect(gone[0]?.reason).toBe(
      `${first} is no longer in the list of experiments that the key can see: deleted, or no longer shared; its rows are kept as of 2026-01-12 11:01 UTC`,
    );
    expect(lab.mirrored('events', first)).toEqual(held);
    expect(kinds(positions(lab, { experimentId: second }))).toEqual([]);

    const told = listings(lab);
    const later = await lab.sync({ selection: { data: ['chat'] } });
    expect([later.status, codes(later)]).toEqual(['partial', [`EXPERIMENT_GONE ${first}`]]);
    expect(listings(lab) - told).toBe(1);

    list.hidden = [];
    const back = await lab.sync();
    expect([back.status, back.issues]).toEqual(['ok', []]);
    expect(kinds(positions(lab))).toEqual([]);
  });

  it('is read as before if the second listing contains it', async () => {
    const { lab, list, first } = await labWithList();
    await lab.sync();
    list.hidden = [first];
    list.answers = 1;
    const result = await lab.sync();
    expect([result.status, result.issues]).toEqual(['ok', []]);
    expect(result.streams.some(({ experiment }) => experiment === first)).toBe(true);
  });

  it.each([
    ['the API warns', { warnings: ['MISSING_INDEX: Results may be incomplete.'] }],
    ['the API counts more than it lists', { told: { total: 2 } }],
    ['the API says that there are more, but sends none', { told: { hasMore: true } }],
  ])('is read as before, with an issue, while %s', async (_, fault) => {
    const { lab, list, first } = await labWithList();
    await lab.sync();
    list.hidden = [first];
    Object.assign(list, fault);
    const result = await lab.sync();
    expect([result.status, codes(result)]).toEqual(['partial', ['LIST_INCOMPLETE']]);
    expect(result.streams.some(({ experiment }) => experiment === first)).toBe(true);
    expect(kinds(positions(lab))).toEqual([]);
  });

  it('is not gone but requested if the configuration names it', async () => {
    const { lab, list, first } = await labWithList();
    const config = { experiments: [{ all: true as const }, { id: first }] };
    await lab.sync({ config });
    list.hidden = [first];
    const result = await lab.sync({ config });
    expect([result.status, result.issues]).toEqual(['ok', []]);
  });

  it('leads to an issue if the key sees no other experiment, even at a first sync', async () => {
    const { lab, list, first, second } = await labWithList();
    list.hidden = 'all';
    const empty = await lab.sync();
    expect([empty.status, codes(empty), empty.streams]).toEqual(['partial', ['NO_EXPERIMENTS'], []]);
    list.hidden = [];
    await lab.sync();
    list.hidden = 'all';
    const result = await lab.sync();
    expect([result.status, codes(result)]).toEqual([
      'partial',
      ['NO_EXPERIMENTS', ...[first, second].sort().map((id) => `EXPERIMENT_GONE ${id}`)],
    ]);
  });
});

describe('the list of experiments', () => {
  it.each([
    ['a full last page is followed by another request', 50, {}, 2],
    ['a full page that says it is the last is not believed', 53, { hasMore: false, total: 50 }, 2],
    ['a short page that nothing contradicts is the last', 19, {}, 1],
    ['a page of twenty or more may be one of a longer list', 49, {}, 2],
  ])('%s', async (_, experiments, told, requests) => {
    const list = listFault();
    const lab = await openLab({ world: { experiments, roomsPerExperiment: 0 }, fault: list.fault });
    list.told = told;
    const { listed, isWhole } = await listExperiments(lab.client);
    expect([listed.length, isWhole]).toEqual([experiments, true]);
    expect(listings(lab)).toBe(requests);
  });
});

describe('a scope that was lost', () => {
  it('makes streams fail that were read before; streams that the key could never read stay skipped', async () => {
    const scopes = ['*'];
    const lab = await openLab({
      world: { experiments: 1, roomsPerExperiment: 1 },
      keys: [{ key: `hst_test_${'k'.repeat(64)}`, scopes }],
    });
    await lab.sync({ selection: { data: ['chat'] } });
    scopes.splice(0, 1, 'read:events', 'read:experiments');
    const result = await lab.sync();
    const statusOf = (name: string) => result.streams.find(({ data }) => data === name)?.status;
    expect([statusOf('chat'), statusOf('sync'), result.status]).toEqual(['failed', 'skipped', 'partial']);
    scopes.splice(0, 2, '*');
    expect((await lab.sync()).status).toBe('ok');
  });

  it('makes a room fail that was never read, if other rooms of its data type were', async () => {
    let isRefused = true;
    const reply = { status: 403, headers: {}, body: '{"status":"error","error":{"code":"FORBIDDEN","message":"no"}}' };
    const lab = await openLab({
      world: { experiments: 1, roomsPerExperiment: 2 },
      fault: ({ path }) =>
        isRefused && path.endsWith(`/variables/room/${last}`) ? { kind: 'reply', reply } : undefined,
    });
    lab.now += 20 * HOUR;
    const { world } = lab.simulator;
    const last = String(world.records('rooms', world.experimentIds[0] ?? '', lab.now).at(-1)?.['id']);
    const refused = async () => {
      const { status, streams } = await lab.sync({ selection: { data: ['rooms', 'variables'] } });
      return [status, streams.find(({ room }) => room === last)?.status];
    };
    await refused();
    expect(await refused()).toEqual(['partial', 'failed']);
    isRefused = false;
    expect(await refused()).toEqual(['ok', 'ok']);
  });
});

describe('a row that two streams share, as the configuration changed', () => {
  async function sharedLab() {
    const lab = await openLab({ world: { experiments: 1, roomsPerExperiment: 2 } });
    lab.now += 20 * HOUR;
    const [id = ''] = lab.simulator.world.experimentIds;
    const { world } = lab.simulator;
    const [event = {}] = world.records('events', id, lab.now).filter(({ roomId }) => typeof roomId === 'string');
    const room = String(event['roomId']);
    const isIt = (record: Readonly<Record<string, unknown>>) => record['id'] === event['id'];
    const sync = (experiments: readonly ExperimentConfig[]) => {
      lab.now += HOUR / 4;
      return lab.sync({ config: { experiments, data: ['events'] }, full: true });
    };
    await lab.sync({ config: { data: ['rooms', 'events'] } });
    return {
      lab,
      id,
      whole: () => sync([{ all: true }]),
      ofRoom: () => sync([{ id, rooms: [room] }]),
      remove: () => world.remove('events', id, isIt, lab.now),
      bringBack: () => {
        world.insert('events', id, event, lab.now);
      },
      isHeld: () => lab.mirrored('events', id).some((text) => text.includes(String(event['id']))),
    };
  }

  it('is missing in neither once one of them has deleted it', async () => {
    const { lab, id, whole, ofRoom, remove, isHeld } = await sharedLab();
    await ofRoom();
    remove();
    await ofRoom();
    await whole();
    await ofRoom();
    expect(isHeld()).toBe(false);
    const { streams } = await whole();
    expect(streams).toMatchObject([{ data: 'events', complete: true }]);
    expect(lab.mirrored('events', id)).toEqual(lab.truth('events', id));
  });

  it('is no longer missing after a full read if it is not held, as an earlier version left it', async () => {
    const { lab, id, whole } = await sharedLab();
    lab.warehouse.db.exec(`UPDATE _streams SET missing_rows = 1 WHERE data = 'events' AND scope = 'experiment';
      INSERT INTO _missing_rows VALUES ('${id}', 'events', 'experiment', 'gone', '2026-01-12T12:00:00.000Z', '2026-01-12T12:00:00.000Z')`);
    expect((await whole()).streams).toMatchObject([{ data: 'events', complete: true }]);
  });

  it('is not deleted on one reading of a stream that had missed it before it came back in the other', async () => {
    const { whole, ofRoom, remove, bringBack, isHeld } = await sharedLab();
    await ofRoom();
    remove();
    await whole();
    bringBack();
    await ofRoom();
    remove();
    await whole();
    expect(isHeld()).toBe(true);
    await whole();
    expect(isHeld()).toBe(false);
  });
});
