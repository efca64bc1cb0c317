import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { followExperiments } from '../../../src/daemon/experiments.ts';
import { silentLog } from '../../../src/shared/log.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import { formatTime } from '../../../src/shared/time.ts';
import type { StreamResult } from '../../../src/sync/stream.ts';
import { openWarehouse } from '../../../src/warehouse/warehouse.ts';
import { START, temporaryFolder } from '../../support/lab.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;

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
