import { describe, expect, it } from 'vitest';
import { createNightlyRun } from '../../../src/daemon/nightly-run.ts';
import { createSchedules } from '../../../src/schedule/slots.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import { silentLog } from '../../../src/shared/log.ts';
import { knownStreams } from '../../../src/sync/run.ts';
import { configFor, HOUR, openLab } from '../../support/lab.ts';

/** A warehouse that was read by day, and its nightly run at a quarter past three. */
async function nightly() {
  const lab = await openLab({ world: { experiments: 1, roomsPerExperiment: 1 } });
  await lab.sync({ selection: { data: ['events', 'chat'] } });
  const { client, warehouse } = lab;
  const clock = { ...systemClock, now: () => lab.now };
  const config = configFor(lab.simulator.url, warehouse.path);
  const experiments = lab.simulator.world.experimentIds.map((id) => ({ id }));
  const streams = knownStreams({ config, warehouse, selection: { data: ['events', 'chat'] }, full: true }, experiments);
  const context = { client, config, warehouse, clock, log: silentLog, acceptDeletes: false };
  const nightlyRun = createNightlyRun(context);
  const schedule = createSchedules()('15 3 * * *', 'UTC');
  const isDue = () => nightlyRun.isDue(schedule, lab.now);
  const run = (allowance: number) => nightlyRun.run(context, streams, { allowance, claim: () => () => undefined });
  return { lab, nightlyRun, isDue, run };
}

describe('the nightly run', () => {
  it('is not due by day, begins at its slot, and is over once every stream was looked at', async () => {
    const { lab, isDue, run } = await nightly();
    expect(isDue()).toBe(false);
    lab.now += 24 * HOUR;
    expect(isDue()).toBe(true);
    await run(100);
    expect(isDue()).toBe(false);
    lab.now += 2 * HOUR;
    expect(isDue()).toBe(false);
  });

  it('continues in an hour if its allowance was spent, or at once if it is restarted', async () => {
    const { lab, nightlyRun, isDue, run } = await nightly();
    isDue();
    lab.now += 24 * HOUR;
    expect(isDue()).toBe(true);
    await run(1);
    expect(isDue()).toBe(false);
    lab.now += HOUR;
    expect(isDue()).toBe(true);
    const running = run(0);
    expect(nightlyRun.isRunning).toBe(true);
    nightlyRun.restart();
    expect(isDue()).toBe(false);
    await running;
    expect(isDue()).toBe(true);
  });
});
