import { describe, expect, it } from 'vitest';
import { createWorld, type World } from '../../src/simulator/world.ts';
import type { Sharing } from '../../src/simulator/sharing.ts';
import { followExperiments } from '../../src/daemon/experiments.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { silentLog } from '../../src/shared/log.ts';
import { MINUTE_MS as MINUTE } from '../../src/shared/time.ts';
import { configuredExperiments } from '../../src/sync/roster.ts';
import { knownStreams } from '../../src/sync/run.ts';
import { shareRequests } from '../../src/sync/shares.ts';
import { HOUR, openLab, START } from '../support/lab.ts';

type Changing<T> = { -readonly [Name in keyof T]: T[Name] };

/** A key of the organization `org_1`, and what others share with it, which a test may change. */
async function sharedLab(share: (world: World) => Sharing, organization = 'org_1') {
  const world = createWorld({
    seed: 5,
    start: START,
    experiments: 2,
    roomsPerExperiment: 2,
    participantsPerRoom: 1,
    videoSeconds: 10,
    roomEveryMs: HOUR / 4,
  });
  const sharing: Changing<Sharing> = { ...share(world) };
  const lab = await openLab({ world, sharing, organization });
  const [own = '', other = ''] = world.experimentIds;
  const asked = (path: string) => lab.simulator.requests.filter((request) => request.path === path).length;
  const shared = () =>
    lab.warehouse.db.prepare('SELECT experiment_id, shared FROM experiments ORDER BY shared').raw().all();
  return { lab, world, sharing, own, other, asked, shared };
}

describe('what other organizations share', () => {
  it("is mirrored beside one's own experiments, and the table says which is which", async () => {
    const { lab, own, other, shared } = await sharedLab(({ experimentIds: [, id = ''] }) => ({ experiments: [id] }));
    const result = await lab.sync();
    expect([result.status, result.issues]).toEqual(['ok', []]);
    for (const data of ['events', 'rooms', 'variables'])
      expect(lab.mirrored(data, other)).toEqual(lab.truth(data, other));
    expect(lab.mirrored('events', other).length).toBeGreaterThan(0);
    expect(shared()).toEqual([
      [own, null],
      [other, 1],
    ]);
    // The record itself does not say it, and is given back as it came.
    expect(lab.mirrored('experiments', other).join()).not.toContain('shared');
    expect((await lab.sync()).streams.filter(({ updated }) => updated > 0)).toEqual([]);
  });

  it('is counted in a plan as the requests that the next sync sends, and agent spend once a deployment', async () => {
    const { lab, asked } = await sharedLab(({ experimentIds: [, id = ''] }) => ({ experiments: [id] }));
    await lab.sync();
    const { warehouse } = lab;
    const planned = () => shareRequests(warehouse.db, 'org_1', lab.now);
    expect(planned()).toBe(0);
    lab.now += HOUR;
    const before = asked('/experiments/shared') + asked('/deployments');
    const expected = planned();
    const { config } = lab.context();
    const wanted = configuredExperiments(warehouse.db, config);
    const streams = knownStreams({ config, warehouse, selection: {}, full: false }, wanted.experiments);
    const deployments = warehouse.db.prepare('SELECT count(*) FROM deployments').pluck().get();
    expect(streams.filter(({ dataset }) => dataset.name === 'agent-spend')).toHaveLength(Number(deployments));
    expect(Number(deployments)).toBeGreaterThan(0);
    await lab.sync({ selection: { data: ['chat'] } });
    expect([expected > 1, asked('/experiments/shared') + asked('/deployments') - before]).toEqual([true, expected]);
  });

  it('is requested at most every ten minutes or, from an API without such a list, once a day', async () => {
    const { lab, sharing, asked } = await sharedLab(() => ({}));
    expect((await lab.sync({ selection: { data: ['rooms'] } })).status).toBe('ok');
    lab.now += HOUR;
    expect((await lab.sync({ selection: { data: ['rooms'] } })).status).toBe('ok');
    expect([asked('/experiments/shared'), asked('/deployments') > 1]).toEqual([1, true]);
    sharing.experiments = [];
    lab.now += 24 * HOUR;
    await lab.sync({ selection: { data: ['rooms'] } });
    await lab.sync({ selection: { data: ['rooms'] } });
    expect(asked('/experiments/shared')).toBe(2);
    lab.now += 11 * MINUTE;
    await lab.sync({ selection: { data: ['rooms'] } });
    expect(asked('/experiments/shared')).toBe(3);
  });

  it('is gone if two lists agree, and not if the list itself is no longer available', async () => {
    const { lab, sharing, other } = await sharedLab(({ experimentIds: [, id = ''] }) => ({ experiments: [id] }));
    const sync = () => {
      lab.now += HOUR;
      return lab.sync({ selection: { data: ['rooms'] } });
    };
    await sync();
    const given = { ...sharing };
    delete sharing.experiments;
    expect((await sync()).issues).toEqual([]);
    Object.assign(sharing, given, { experiments: [] });
    sharing.deploymentsOf = [other];
    lab.now += 24 * HOUR;
    expect((await sync()).issues).toMatchObject([{ code: 'EXPERIMENT_GONE', experiment: other }]);
    Object.assign(sharing, given, { deploymentsOf: [] });
    expect((await sync()).issues).toEqual([]);
  });

  it('is followed by the daemon as well, which does not take a list without it as complete', async () => {
    const { lab, sharing, own, other } = await sharedLab(({ experimentIds: [, id = ''] }) => ({ experiments: [id] }));
    const clock = { ...systemClock, now: () => lab.now };
    const experiments = followExperiments(
      { experiments: [{ all: true }] },
      { warehouse: lab.warehouse, clock, log: silentLog },
    );
    const look = async (afterMs: number) => {
      lab.now += afterMs;
      await experiments.look({ client: lab.client });
      return experiments.planned().map(({ id }) => id);
    };
    const both = [own, other].sort();
    expect((await look(0)).sort()).toEqual(both);
    for (let minute = 1; minute < 10; minute++) expect((await look(MINUTE)).sort()).toEqual(both);
    sharing.experiments = [];
    sharing.deploymentsOf = [other];
    expect((await look(MINUTE)).sort()).toEqual(both);
    for (let minute = 1; minute < 10; minute++) expect((await look(MINUTE)).sort()).toEqual(both);
    expect(await look(MINUTE)).toEqual([own]);
    expect([...experiments.gone().keys()]).toEqual([other]);
  });

  it('may be only the deployments of an experiment, which are mirrored one by one', async () => {
    const { lab, own, other } = await sharedLab(({ experimentIds: [, id = ''] }) => ({ deploymentsOf: [id] }));
    await lab.sync();
    const result = await lab.sync();
    expect([result.status, result.issues]).toEqual(['ok', []]);
    const streams = result.streams.filter(({ experiment }) => experiment === other);
    expect(new Set(streams.filter(({ data }) => data === 'events').map(({ deployment }) => deployment))).toEqual(
      new Set(lab.warehouse.db.prepare('SELECT id FROM deployments WHERE experiment_id = ?').pluck().all(other)),
    );
    for (const data of ['rooms', 'chat', 'deployments', 'variables'])
      expect([data, lab.mirrored(data, other)]).toEqual([data, lab.truth(data, other)]);
    expect(lab.mirrored('rooms', other).length).toBeGreaterThan(0);
    expect(streams.map(({ data }) => data)).not.toContain('experiments');
    expect(result.streams.map(({ experiment }) => experiment)).toContain(own);
    const { experiments } = configuredExperiments(lab.warehouse.db, {
      data: 'all',
      options: {},
      experiments: [{ all: true }],
    });
    expect(experiments.find(({ id }) => id === other)).toMatchObject({ isPartlyShared: true });
  });
});
