import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/config/schema.ts';
import type { ApiFault } from '../../src/simulator/faults.ts';
import type { SimReply, SimRequest } from '../../src/simulator/reply.ts';
import { runVerify } from '../../src/sync/verify.ts';
import { HOUR, openLab, type Lab } from '../support/lab.ts';

const WORLD = { experiments: 2, roomsPerExperiment: 2, videoSeconds: 5 };

async function structureLab(data: readonly string[], { faults = [], change, ...config }: Changes = {}) {
  const lab = await openLab({
    world: WORLD,
    faults,
    config: { data: [...data], ...config },
    fault: (request) =>
      change === undefined ? undefined : { kind: 'change', change: (reply) => change(reply, request) },
  });
  lab.now += 20 * HOUR;
  return lab;
}

interface Changes extends Partial<Config> {
  readonly faults?: readonly ApiFault[];
  readonly change?: (reply: SimReply, request: SimRequest) => SimReply;
}

/** Adds a room with this id, and the records that another room has. */
function addRoom({ simulator: { world }, now }: Lab, id: unknown, data: readonly string[]): void {
  const [experiment = ''] = world.experimentIds;
  const [room = {}] = world.records('rooms', experiment, now);
  for (const type of data) {
    const records = world.records(type, experiment, now).filter(({ roomId }) => roomId === room['id']);
    for (const record of records) world.insert(type, experiment, { ...record, roomId: id }, now);
  }
  world.insert('rooms', experiment, { ...room, id }, now);
}

const reasonOf = ({ warehouse, simulator }: Lab, data: string) =>
  warehouse.db
    .prepare<[string, string], { complete: number; reason: string | null }>(
      'SELECT complete, reason FROM _streams WHERE experiment_id = ? AND data = ?',
    )
    .get(simulator.world.experimentIds[0] ?? '', data);

const verify = (lab: Lab) => runVerify({ ...lab.context(), selection: {}, deep: true, repair: false });

describe('a room that is over', () => {
  it('is read until two readings agree, as the first may lack its records', async () => {
    let isEmpty = true;
    const lab = await structureLab(['rooms', 'variables'], {
      change: (reply, { path }) =>
        isEmpty && path.startsWith('/data/variables/')
          ? { ...reply, body: JSON.stringify({ status: 'success', data: [], metadata: { dataType: 'variables' } }) }
          : reply,
    });
    await lab.sync();
    isEmpty = false;
    await lab.sync();
    const ids = lab.simulator.world.experimentIds;
    for (const id of ids) expect(lab.mirrored('variables', id)).toEqual(lab.truth('variables', id));
    await lab.sync();
    const { streams } = await lab.sync();
    expect(streams.filter(({ data }) => data === 'variables')).toEqual([]);
  });
});

describe('a room with an id that no request can name', () => {
  it.each([
    ['a number', 7],
    ['a text with a NUL', 'a\u0000b'],
  ])('leaves the list of rooms incomplete if data are only read by room (%s)', async (_, id) => {
    const lab = await structureLab(['rooms', 'variables']);
    addRoom(lab, id, ['variables']);
    await lab.sync();
    const reason = '1 room has an id that no request can name, so that variables cannot be read there';
    expect(reasonOf(lab, 'rooms')).toEqual({ complete: 0, reason });
    const { streams } = await verify(lab);
    expect(streams).toContainEqual(expect.objectContaining({ data: 'rooms', status: 'unknown' }));
  });

  it('is no obstacle if nothing is read by room', async () => {
    const lab = await structureLab(['rooms', 'components']);
    addRoom(lab, 7, ['components']);
    await lab.sync();
    expect(reasonOf(lab, 'rooms')).toEqual({ complete: 1, reason: null });
  });

  it('keeps the rooms from counting as the whole, also if the experiment does not count its rooms', async () => {
    const lab = await structureLab(['experiments', 'rooms', 'components'], {
      faults: [{ kind: 'warned', scopes: ['experiment'], dataTypes: ['components'] }],
      change: (reply, { path }) =>
        path.startsWith('/experiments') ? { ...reply, body: reply.body.replaceAll('"roomCount"', '"rooms"') } : reply,
    });
    addRoom(lab, 7, ['components']);
    await lab.sync();
    expect(reasonOf(lab, 'components')).toMatchObject({
      complete: 0,
      reason: expect.stringContaining('MISSING_INDEX') as string,
    });
  });
});

describe('an experiment whose id is half a character', () => {
  it('is not requested, and the others are read', async () => {
    const lab = await structureLab(['events']);
    const [id = ''] = lab.simulator.world.experimentIds;
    const { streams } = await lab.sync({ config: { experiments: [{ id: '\ud83d' }, { id }] } });
    expect(streams.map(({ status, error }) => [status, error?.code])).toEqual([
      ['failed', 'PARAMETER_REFUSED'],
      ['ok', undefined],
    ]);
  });
});

describe('an answer for a room of another experiment', () => {
  it('is not stored, though that room is known', async () => {
    const kept = new Map<string, SimReply>();
    const rooms = new Map<string, string>();
    const lab = await structureLab(['rooms', 'variables'], {
      change(reply, { path }) {
        if (!path.startsWith('/data/variables/room/')) return reply;
        kept.set(path, reply);
        return kept.get(rooms.get(path) ?? path) ?? reply;
      },
    });
    await lab.sync();
    const [first = [], second = []] = lab.simulator.world.experimentIds.map((id) =>
      lab.simulator.world.records('rooms', id, lab.now).map((room) => `/data/variables/room/${String(room['id'])}`),
    );
    first.forEach((path, i) => rooms.set(path, second[i] ?? ''));
    lab.now += HOUR;
    const { streams } = await lab.sync({ full: true });
    const [id = ''] = lab.simulator.world.experimentIds;
    const ofFirst = streams.filter(({ data, experiment }) => data === 'variables' && experiment === id);
    expect(ofFirst.map(({ status }) => status)).toEqual(['failed', 'failed']);
    expect(lab.mirrored('variables', id)).toEqual(lab.truth('variables', id));
  });
});

describe('a room that left the list', () => {
  it('is no longer proven to equal the API by verify, and is again once it is back', async () => {
    const lab = await structureLab(['rooms', 'variables']);
    const { world } = lab.simulator;
    const [id = ''] = world.experimentIds;
    await lab.sync();
    const [room = {}] = world.records('rooms', id, lab.now);
    world.remove('rooms', id, (one) => one['id'] === room['id'], lab.now + 1);
    for (let times = 0; times < 2; times++) {
      lab.now += HOUR;
      await lab.sync();
    }
    const of = (words: object): unknown => expect.objectContaining({ data: 'variables', room: room['id'], ...words });
    const { streams } = await verify(lab);
    expect(streams).toContainEqual(of({ status: 'unknown', requests: 0 }));
    expect(streams.map(({ reason = '' }) => reason).join()).toContain(
      `room ${String(room['id'])} of ${id} is no longer listed`,
    );
    world.insert('rooms', id, room, lab.now);
    lab.now += HOUR;
    await lab.sync();
    expect((await verify(lab)).streams).toContainEqual(of({ status: 'equal' }));
  });
});

describe('a deployment whose rooms are not listed', () => {
  it.each(['components', 'recordings', 'participants', 'ratings/sparse'])(
    'leaves what names only rooms unproven, and once they are what is gone is deleted (%s)',
    async (data) => {
      const lab = await structureLab([data], { deletes: { maxShare: 1 } });
      const { world } = lab.simulator;
      const [id = ''] = world.experimentIds;
      const [deployment] = world.records('deployments', id, lab.now);
      const only = { experiments: [{ id, deployments: [String(deployment?.['id'])] }] };
      const sync = async (names: readonly string[]) => {
        lab.now += HOUR;
        const { streams } = await lab.sync({ full: true, config: { ...only, data: [...names] } });
        return streams.find((stream) => stream.data === data);
      };
      const doubted = {
        complete: false,
        reason: expect.stringContaining('data has to include deployment-sessions') as string,
      };
      expect(await sync([data])).toMatchObject(doubted);
      const [first] = world.records(data, id, lab.now);
      expect(world.remove(data, id, (record) => isDeepStrictEqual(record, first), lab.now + 1)).toBe(1);
      for (let times = 0; times < 2; times++) expect(await sync([data])).toMatchObject(doubted);
      const context = lab.context();
      const config = { ...context.config, ...only };
      const { streams } = await runVerify({ ...context, config, selection: {}, deep: true, repair: false });
      expect(streams).toContainEqual(expect.objectContaining({ data, status: 'unknown' }));
      for (let times = 0; times < 2; times++) await sync([data, 'deployment-sessions']);
      expect(await sync([data, 'deployment-sessions'])).toMatchObject({ complete: true });
      expect(lab.mirrored(data, id)).toEqual(lab.truth(data, id));
    },
  );
});
