import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { followExperiments } from '../../../src/daemon/experiments.ts';
import { silentLog } from '../../../src/shared/log.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import { formatTime } from '../../../src/shared/time.ts';
import type { StreamResult } from '../../../src/sync/stream.ts';
import { openWarehouse } from '../../../src/warehouse/warehouse.ts';
import { START, temporaryFolder } from '../../support/lab.ts';

it('an experiment that sends rows stays live when another of its streams brings old ones', () => {
  const clock = { ...systemClock, now: () => START };
  const warehouse = openWarehouse(join(temporaryFolder(), 'w.db'), { clock, history: true });
  onTestFinished(() => warehouse.close());
  const experiments = followExperiments({ experiments: [{ id: 'e' }] }, { warehouse, clock, log: silentLog });
  const brought = (watermark: number): StreamResult => ({
    experiment: 'e',
    data: 'events',
    status: 'ok',
    fetched: 1,
    inserted: 1,
    updated: 0,
    unchanged: 0,
    deleted: 0,
    requests: 1,
    oldestNew: null,
    watermark: formatTime(watermark),
    complete: true,
  });
  expect(experiments.isLive('e')).toBe(false);
  experiments.note(brought(START - 60_000));
  expect(experiments.isLive('e')).toBe(true);
  experiments.note(brought(START - 30 * 86_400_000));
  expect(experiments.isLive('e')).toBe(true);
});
