import { describe, expect, it } from 'vitest';
import { datasetNamed } from '../../src/datasets/registry.ts';
import type { Stream } from '../../src/datasets/stream.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { silentLog } from '../../src/shared/log.ts';
import { reconcile } from '../../src/sync/rolling.ts';
import { verifyStream } from '../../src/sync/verify.ts';
import { readPosition } from '../../src/warehouse/positions.ts';
import { configFor, HOUR, openLab } from '../support/lab.ts';

const change = { deletes: { maxShare: 0.1 } };
const selection = { data: ['events'] };

/** A third of an experiment's events, all behind the lookback, is no longer in the API, and a night has found that. */
async function withheld() {
  let fails = false;
  const gone = { status: 404, headers: {}, body: '{"status":"error","error":{"code":"NOT_FOUND","message":"gone"}}' };
  const lab = await openLab({
    world: { experiments: 1, videoSeconds: 20 },
    config: change,
    fault: ({ path }) => (fails && path.includes('/events/') ? { kind: 'reply', reply: gone } : undefined),
  });
  const { simulator, warehouse, client } = lab;
  lab.now += 20 * HOUR;
  await lab.sync({ selection });
  const [id = ''] = simulator.world.experimentIds;
  const events = simulator.world.records('events', id, lab.now);
  const oldest = events.sort((a, b) => (String(a['timestamp']) < String(b['timestamp']) ? -1 : 1)).slice(0, 24);
  simulator.world.remove('events', id, (record) => oldest.includes(record), lab.now + 1);
  const stream: Stream = { experimentId: id, dataset: datasetNamed('events'), scope: { kind: 'experiment' } };
  const context = {
    client,
    warehouse,
    config: configFor(simulator.url, warehouse.path, change),
    clock: { ...systemClock, now: () => lab.now },
    log: silentLog,
    full: true,
    acceptDeletes: false,
  };
  const night = async () => {
    lab.now += 24 * HOUR;
    await reconcile(context, [stream], 1000);
  };
  const sync = async (accept = false) => {
    lab.now += 60_000;
    return lab.sync({ selection, acceptDeletes: accept });
  };
  await night();
  await night();
  return {
    lab,
    id,
    oldest,
    night,
    sync,
    repair: () => verifyStream({ ...context, acceptDeletes: true }, stream, { deep: false, repair: true }),
    fail: (so: boolean) => (fails = so),
    state: () => {
      const { complete, reason = '' } = readPosition(warehouse.db, stream);
      return { complete, reason };
    },
  };
}

const KEPT = expect.stringContaining('24 of 84 rows are no longer in the API and are withheld from deletion') as string;

describe('rows older than the lookback that the delete guard withholds', () => {
  it('keep their stream incomplete through polls and failures that do not cover them', async () => {
    const { state, sync, fail } = await withheld();
    expect(state()).toEqual({ complete: false, reason: KEPT });
    await sync();
    expect(state()).toEqual({ complete: false, reason: KEPT });
    fail(true);
    expect((await sync()).streams[0]?.status).toBe('failed');
    fail(false);
    await sync();
    expect(state()).toEqual({ complete: false, reason: KEPT });
  });

  it('are deleted as soon as their deletion is accepted, as the message says', async () => {
    const { lab, id, state, sync } = await withheld();
    await sync();
    await sync(true);
    expect(lab.mirrored('events', id)).toEqual(lab.truth('events', id));
    expect(state()).toEqual({ complete: true, reason: '' });
  });

  it('are no longer in doubt once they are repaired or come back', async () => {
    const repaired = await withheld();
    await repaired.repair();
    expect(repaired.state()).toEqual({ complete: true, reason: '' });
    const back = await withheld();
    for (const record of back.oldest) back.lab.simulator.world.insert('events', back.id, record, back.lab.now + 1);
    await back.sync();
    expect(back.state()).toEqual({ complete: true, reason: '' });
    await back.night();
    expect(back.state()).toEqual({ complete: true, reason: '' });
    await back.sync();
    expect(back.state()).toEqual({ complete: true, reason: '' });
  });
});
