import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { queryIndexesOf } from '../../../src/datasets/define.ts';
import { normalise } from '../../../src/datasets/normalise.ts';
import { DATASETS, datasetNamed } from '../../../src/datasets/registry.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import type { PositionChange } from '../../../src/warehouse/positions.ts';
import { openWarehouse, type Warehouse } from '../../../src/warehouse/warehouse.ts';
import { temporaryFolder } from '../../support/lab.ts';

const ratings = datasetNamed('ratings/continuous');
const COURSE = 'ratings_continuous_by_experiment_participant_component_onset_value';
const NEAREST = 'events_by_room_onset';

function open(path = join(temporaryFolder(), 'w.db'), queryIndexes?: boolean): Warehouse {
  const warehouse = openWarehouse(path, {
    clock: systemClock,
    history: true,
    ...(queryIndexes === undefined ? {} : { queryIndexes }),
  });
  onTestFinished(() => {
    if (warehouse.db.open) warehouse.close();
  });
  return warehouse;
}

/** Stores a few records of an experiment. */
function store(warehouse: Warehouse, experimentId: string, position: PositionChange, dataset = ratings): void {
  const rows = Array.from({ length: 5 }, (_, i) => {
    const record = { id: `x${i}`, ratingId: `r${i}`, participantId: 'p', roomId: 'r', onset: i, value: i };
    const row = normalise(dataset, record, { experimentId });
    if ('reason' in row) throw new Error(row.reason);
    return row;
  });
  warehouse.commit({ experimentId, dataset, scope: { kind: 'experiment' } }, { rows, position });
}

const indexes = ({ db }: Warehouse) =>
  DATASETS.flatMap(queryIndexesOf)
    .map(({ name }) => name)
    .filter((name) => db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = ?").get(name));
const plan = ({ db }: Warehouse, sql: string) =>
  db
    .prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
    .all()
    .map(({ detail }) => detail)
    .join('; ');

describe('indexes for what readers ask', () => {
  it('are built when every first read of the data type has ended', () => {
    const warehouse = open();
    store(warehouse, 'one', { backfilled: true });
    store(warehouse, 'two', { backfilled: false });
    warehouse.tendForReaders();
    expect(indexes(warehouse)).toEqual([]);

    store(warehouse, 'two', { backfilled: true });
    warehouse.tendForReaders();
    expect(indexes(warehouse)).toEqual([COURSE]);
  });

  it('answer the means of an experiment without reading its table, and find the nearest event in a room', () => {
    const warehouse = open();
    store(warehouse, 'one', { backfilled: true });
    store(warehouse, 'one', { backfilled: true }, datasetNamed('events'));
    warehouse.tendForReaders();
    const means = `SELECT participant_id, component_id, avg(value) FROM ratings_continuous
      WHERE experiment_id = 'one' GROUP BY participant_id, component_id`;
    expect(plan(warehouse, means)).toBe(`SEARCH ratings_continuous USING COVERING INDEX ${COURSE} (experiment_id=?)`);
    const nearest = "SELECT key FROM events WHERE room_id = 'r' AND onset <= 3 ORDER BY onset DESC LIMIT 1";
    expect(plan(warehouse, nearest)).toBe(`SEARCH events USING INDEX ${NEAREST} (room_id=? AND onset<?)`);
  });

  it('are dropped where the configuration does not want them, and built again where it does', () => {
    const path = join(temporaryFolder(), 'w.db');
    const steps = [undefined, false, true].map((isWanted) => {
      const warehouse = open(path, isWanted);
      store(warehouse, 'one', { backfilled: true });
      warehouse.tendForReaders();
      const found = indexes(warehouse);
      warehouse.close();
      return found;
    });
    expect(steps).toEqual([[COURSE], [], [COURSE]]);
  });

  it('leave what the planner knows of the tables as it was, because no row changed', () => {
    const warehouse = open();
    store(warehouse, 'one', { backfilled: true });
    warehouse.tendForReaders();
    const known = () => warehouse.db.prepare("SELECT * FROM sqlite_stat1 WHERE tbl = 'ratings_continuous'").all();
    const before = known();
    expect(before.length).toBeGreaterThan(3);
    const changes = warehouse.db.prepare('SELECT total_changes()').pluck();
    const changesBefore = changes.get();
    warehouse.tendForReaders();
    expect(known()).toEqual(before);
    expect(changes.get()).toBe(changesBefore);
  });
});
