import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import type { Stream } from '../../../src/datasets/stream.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import { knownStreams } from '../../../src/sync/run.ts';
import { NEVER_READ, readPosition, writePosition } from '../../../src/warehouse/positions.ts';
import { openWarehouse } from '../../../src/warehouse/warehouse.ts';
import { configFor, temporaryFolder } from '../../support/lab.ts';

/** Milliseconds of this process, which other processes do not lengthen; the shortest of some tries. */
function cpuMs(run: () => unknown): number {
  const tries = Array.from({ length: 5 }, () => {
    const before = process.cpuUsage();
    run();
    return process.cpuUsage(before).user / 1000;
  });
  return Math.min(...tries);
}

describe('the streams of an experiment with thousands of finished rooms', () => {
  it('are known without looking at each room, as the daemon asks for them every second', () => {
    const path = join(temporaryFolder(), 'w.db');
    const warehouse = openWarehouse(path, { clock: systemClock, history: true });
    const { db } = warehouse;
    const rooms = Array.from({ length: 5000 }, (_, i) => `room_${i}`);
    const variables = rooms.map((id): Stream => ({
      experimentId: 'exp_1',
      dataset: datasetNamed('variables'),
      scope: { kind: 'room', id },
    }));
    const insert = db.prepare(
      "INSERT INTO rooms (experiment_id, key, id, first_seen_at, synced_at) VALUES ('exp_1', ?, ?, '', '')",
    );
    const read = {
      ...NEVER_READ,
      complete: true,
      backfilled: true,
      dataAsOf: 1e12,
      verifiedAt: 1e12,
      lastSyncAt: 1e12,
    };
    db.transaction(() => {
      for (const id of rooms) insert.run(id, id);
      variables.forEach((stream, i) => writePosition(db, stream, { ...read, finished: i > 0 }));
    })();
    const config = configFor('', path, { data: ['rooms', 'variables'] });
    const known = (full: boolean) =>
      knownStreams({ config, warehouse: { db }, selection: {}, full }, [{ id: 'exp_1' }]);
    expect(known(true)).toHaveLength(5001);
    expect(known(false).map(({ dataset, scope }) => [dataset.name, scope])).toEqual([
      ['rooms', { kind: 'experiment' }],
      ['variables', { kind: 'room', id: 'room_0' }],
    ]);
    expect(cpuMs(() => known(false))).toBeLessThan(
      cpuMs(() => variables.map((stream) => readPosition(db, stream))) / 2,
    );
    warehouse.close();
  });
});
