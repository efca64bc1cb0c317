import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import type { Stream } from '../../../src/datasets/stream.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import { enrol } from '../../../src/sync/roster.ts';
import { knownStreams } from '../../../src/sync/run.ts';
import { NEVER_READ, readPosition, writePosition } from '../../../src/warehouse/positions.ts';
import { openWarehouse } from '../../../src/warehouse/warehouse.ts';
import { cpuMs } from '../../support/cpu.ts';
import { configFor, temporaryFolder } from '../../support/lab.ts';

/** A warehouse with an experiment of 5,000 rooms, all of which but one are finished. */
function manyRooms() {
  const path = join(temporaryFolder(), 'w.db');
  const warehouse = openWarehouse(path, { clock: systemClock, history: true });
  onTestFinished(() => warehouse.close());
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
  const read = { ...NEVER_READ, doubts: [], backfilled: true, dataAsOf: 1e12, verifiedAt: 1e12, lastSyncAt: 1e12 };
  db.transaction(() => {
    for (const id of rooms) insert.run(id, id);
    variables.forEach((stream, i) => writePosition(db, stream, { ...read, finished: i > 0 }));
  })();
  const config = configFor('', path, { data: ['rooms', 'variables'] });
  return { warehouse, db, variables, config };
}

describe('the streams of an experiment with thousands of finished rooms', () => {
  it('are found without a query for each room, because the daemon needs them every second', () => {
    const { warehouse, db, variables, config } = manyRooms();
    const known = (full: boolean) => knownStreams({ config, warehouse, selection: {}, full }, [{ id: 'exp_1' }]);
    expect(known(true)).toHaveLength(5001);
    expect(known(false).map(({ dataset, scope }) => [dataset.name, scope])).toEqual([
      ['rooms', { kind: 'experiment' }],
      ['variables', { kind: 'room', id: 'room_0' }],
    ]);
    expect(cpuMs(() => known(false))).toBeLessThan(
      cpuMs(() => variables.map((stream) => readPosition(db, stream))) / 2,
    );
  });

  it('are enrolled in the time of some reads, and without a write if all are known', () => {
    const { warehouse, db, variables, config } = manyRooms();
    const wanted = { config, experiments: [{ id: 'exp_1' }], gone: [] };
    const changes = db.prepare<[], number>('SELECT total_changes()').pluck();
    const before = Number(changes.get());
    enrol(warehouse, wanted);
    const first = Number(changes.get());
    // The list of rooms was never read.
    expect(first - before).toBe(1);
    expect(cpuMs(() => enrol(warehouse, wanted))).toBeLessThan(
      cpuMs(() => variables.map((stream) => readPosition(db, stream))) * 2,
    );
    expect(changes.get()).toBe(first);
  });
});
