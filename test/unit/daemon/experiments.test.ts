import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { followExperiments } from '../../../src/daemon/experiments.ts';
import { silentLog } from '../../../src/shared/log.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import { formatTime, MINUTE_MS as MINUTE, DAY_MS as DAY } from '../../../src/shared/time.ts';
import type { StreamResult } from '../../../src/sync/stream.ts';
import { enrol } from '../../../src/sync/roster.ts';
import { openWarehouse } from '../../../src/warehouse/warehouse.ts';
import { openLab, START, temporaryFolder } from '../../support/lab.ts';
import { listFault } from '../../support/list.ts';

/** An experiment by itself, and what its streams bring. */
function followed() {
  const clock = { ...systemClock, now: () => START };
  const warehouse = openWarehouse(join(temporaryFolder(), 'w.db'), { clock, history: true });
  onTestFinished(() => warehouse.close());
  const experiments = followExperiments({ experiments: [{ id: 'e' }] }, { warehouse, clock, log: silentLog });
  const bring = (data: string, rows: Pick<StreamResult, 'watermark' | 'oldestNew'>) =>
    experiments.note({
      experiment: 'e',
      data,
      status: 'ok',
      fetched: 1,
      inserted: 1,
      updated: 0,
      unchanged: 0,
      deleted: 0,
      marked: 0,
      requests: 1,
      complete: true,
      ...rows,
    });
  return { bring, isLive: () => experiments.isLive('e') };
}

describe('an experiment', () => {
  it('that sends rows stays live when another of its streams brings old ones', () => {
    const { bring, isLive } = followed();
    expect(isLive()).toBe(false);
    bring('events', { watermark: formatTime(START - MINUTE), oldestNew: formatTime(START - DAY) });
    expect(isLive()).toBe(true);
    bring('chat', { watermark: formatTime(START - 30 * DAY), oldestNew: formatTime(START - 31 * DAY) });
    expect(isLive()).toBe(true);
  });

  it('is live with new participants, and not when a first read brings those of former days', () => {
    const { bring, isLive } = followed();
    bring('participants', { watermark: null, oldestNew: formatTime(START - 30 * DAY) });
    expect(isLive()).toBe(false);
    bring('participants', { watermark: null, oldestNew: formatTime(START - MINUTE) });
    expect(isLive()).toBe(true);
  });
});

/** Looks at the list of a simulated API, which a test may shorten. */
async function looking(config: Parameters<typeof followExperiments>[0] = { experiments: [{ all: true }] }) {
  const list = listFault();
  const lab = await openLab({ world: { experiments: 2, roomsPerExperiment: 0 }, fault: list.fault });
  await lab.sync({ selection: { data: ['rooms'] } });
  const clock = { ...systemClock, now: () => lab.now };
  const follow = () => followExperiments(config, { warehouse: lab.warehouse, clock, log: silentLog });
  const experiments = follow();
  const look = async (afterMs: number) => {
    lab.now += afterMs;
    await experiments.look({ client: lab.client });
  };
  const planned = () => experiments.planned().map(({ id }) => id);
  const [first = '', second = ''] = [...lab.simulator.world.experimentIds].sort();
  return { lab, list, experiments, follow, look, planned, first, second };
}

describe('the list of experiments that the daemon looks at', () => {
  it('has an experiment gone when a second look, a minute later, does not show it either', async () => {
    const { list, experiments, look, planned, first, second } = await looking();
    await look(0);
    list.hidden = [first];
    await look(MINUTE);
    expect([planned().sort(), experiments.gone().size]).toEqual([[first, second], 0]);
    await look(MINUTE);
    expect([planned(), [...experiments.gone().keys()]]).toEqual([[second], [first]]);
    list.hidden = [];
    await look(MINUTE);
    expect([planned().sort(), experiments.gone().size]).toEqual([[first, second], 0]);
  });

  it('loses none that only some looks do not show, or that the API may have left out', async () => {
    const { list, look, planned, first, second } = await looking();
    for (const hidden of [[first], [], [second], [], [first]]) {
      list.hidden = hidden;
      await look(MINUTE);
    }
    list.warnings = ['MISSING_INDEX'];
    for (let i = 0; i < 3; i++) await look(MINUTE);
    expect(planned().sort()).toEqual([first, second]);
  });

  it('says that it is empty when a second look agrees, and that an experiment is gone over a restart', async () => {
    const { lab, list, experiments, follow, look, planned, first, second } = await looking();
    list.hidden = 'all';
    await look(0);
    expect(experiments.seesNothingSince()).toBeUndefined();
    const since = lab.now;
    await look(MINUTE);
    expect(experiments.seesNothingSince()).toBe(since);
    expect(planned()).toEqual([]);
    enrol(lab.warehouse, { config: { data: 'all', options: {} }, experiments: [], gone: [first, second] });
    const restarted = follow();
    expect([[...restarted.gone().keys()].sort(), restarted.planned()]).toEqual([[first, second], []]);
    list.hidden = [];
    await look(MINUTE);
    expect(experiments.seesNothingSince()).toBeUndefined();
  });

  it('does not decide over experiments that the configuration names', async () => {
    const { list, experiments, look, planned } = await looking({ experiments: [{ id: 'exp_mine' }] });
    list.hidden = 'all';
    for (let i = 0; i < 3; i++) await look(MINUTE);
    expect([planned(), experiments.gone().size, experiments.seesNothingSince()]).toEqual([['exp_mine'], 0, undefined]);
  });
});
