import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openBudget } from '../../../src/runtime/budget.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import { openWarehouse } from '../../../src/warehouse/warehouse.ts';
import { configFor, openLab, temporaryFolder } from '../../support/lab.ts';

describe('a disk that is full', () => {
  it('is said in words where a request is to be counted, before anything is asked', async () => {
    const path = join(temporaryFolder(), 'w.db');
    const warehouse = openWarehouse(path, { clock: systemClock, history: true });
    const budget = openBudget(configFor('', path), warehouse.db, systemClock);
    warehouse.db.pragma('max_page_count = 1');
    const spend = async () => {
      for (let i = 0; i < 500; i++) await budget.spend({ endpoint: 'chat', priority: 2 }, () => Promise.resolve());
    };
    await expect(spend()).rejects.toMatchObject({ code: 'WAREHOUSE_FULL', exitStatus: 4 });
    warehouse.close();
  });

  it('is not taken for a bug where a stream is read', async () => {
    const lab = await openLab({ world: { experiments: 1, roomsPerExperiment: 1 } });
    await lab.sync();
    lab.warehouse.db.pragma('max_page_count = 1');
    // With nothing new, only the requests are counted.
    const experiments = lab.simulator.world.experimentIds.map((id) => ({ id }));
    const again = async () => {
      for (let i = 0; i < 50; i++) await lab.sync({ config: { experiments } });
    };
    await expect(again()).rejects.toMatchObject({ code: 'WAREHOUSE_FULL' });
  });
});
