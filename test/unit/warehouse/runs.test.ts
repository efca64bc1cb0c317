import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { normalise, type Row } from '../../../src/datasets/normalise.ts';
import { datasetNamed } from '../../../src/datasets/registry.ts';
import type { Stream } from '../../../src/datasets/stream.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import { DAY_MS } from '../../../src/shared/time.ts';
import { beginRun, endRun, RUN_TABLES, type Run } from '../../../src/warehouse/runs.ts';
import { openWarehouse, type Warehouse } from '../../../src/warehouse/warehouse.ts';
import { temporaryFolder } from '../../support/lab.ts';

const chat: Stream = { experimentId: 'exp_1', dataset: datasetNamed('chat'), scope: { kind: 'experiment' } };
const rooms: Stream = { ...chat, dataset: datasetNamed('rooms') };
const NOW = Date.parse('2026-03-01T00:00:00.000Z');

function open(path = join(temporaryFolder(), 'w.db')) {
  const warehouse = openWarehouse(path, { clock: systemClock, history: true });
  onTestFinished(() => {
    if (warehouse.db.open) warehouse.close();
  });
  return { warehouse, path };
}

function begin({ db }: Warehouse, now = NOW): Run {
  const id = beginRun(db, { kind: 'sync now', version: '1.2.3', options: {}, now });
  return { id, requests: 7, readings: 2, incompleteStreams: 1 };
}

function row({ dataset }: Stream, id: string, content: string): Row {
  const name = dataset.name === 'chat' ? { messageId: id, content } : { id, status: content };
  const made = normalise(dataset, { ...name, roomId: 'room_1' }, { experimentId: 'exp_1' });
  if ('reason' in made) throw new Error(made.reason);
  return made;
}

const all = ({ db }: Warehouse, sql: string) => db.prepare<[], Record<string, unknown>>(sql).all();

describe('a run', () => {
  it('is named in each row that it wrote, even while another run writes', () => {
    const { warehouse } = open();
    const [one, other] = [begin(warehouse), begin(warehouse)];
    warehouse.during(one).commit(chat, { rows: [row(chat, 'a', 'hi'), row(chat, 'b', 'hi')] });
    warehouse.during(other).commit(chat, { rows: [row(chat, 'c', 'hi')] });
    warehouse.during(one).commit(chat, { rows: [row(chat, 'd', 'hi')] });
    // A row that is met again as it was keeps the run that wrote it.
    warehouse.during(other).commit(chat, { rows: [row(chat, 'a', 'hi'), row(chat, 'b', 'changed')] });
    expect(all(warehouse, 'SELECT message_id AS id, synced_run AS run FROM chat ORDER BY id')).toEqual([
      { id: 'a', run: one.id },
      { id: 'b', run: other.id },
      { id: 'c', run: other.id },
      { id: 'd', run: one.id },
    ]);
  });

  it('counts its changes, in total and by stream, in the transaction of the rows', () => {
    const { warehouse } = open();
    const run = begin(warehouse);
    const within = warehouse.during(run);
    const [a, b] = [row(chat, 'a', 'hi'), row(chat, 'b', 'hi')];
    within.commit(chat, { rows: [a, b] });
    within.commit(rooms, { rows: [row(rooms, 'room_1', 'active')] });
    within.commit(chat, { rows: [row(chat, 'a', 'changed')], missing: [b.key] });
    within.commit(chat, { rows: [], missing: [b.key] });
    within.commit(chat, { rows: [], deleted: [b.key] });
    expect(() =>
      within.commit(chat, { rows: [row(chat, 'c', 'hi'), { ...a, key: null as unknown as string }] }),
    ).toThrow();
    expect(all(warehouse, 'SELECT * FROM _runs')).toMatchObject([
      {
        id: run.id,
        kind: 'sync now',
        version: '1.2.3',
        inserted: 3,
        updated: 1,
        deleted: 1,
        marked_missing: 1,
        requests: 7,
      },
    ]);
    expect(all(warehouse, 'SELECT * FROM _run_streams ORDER BY data')).toEqual([
      {
        run_id: run.id,
        experiment_id: 'exp_1',
        data: 'chat',
        scope: 'experiment',
        inserted: 2,
        updated: 1,
        deleted: 1,
        marked_missing: 1,
      },
      {
        run_id: run.id,
        experiment_id: 'exp_1',
        data: 'rooms',
        scope: 'experiment',
        inserted: 1,
        updated: 0,
        deleted: 0,
        marked_missing: 0,
      },
    ]);
  });

  it('is named in the history of each row that it changed or deleted', () => {
    const { warehouse } = open();
    const [first, changing, deleting] = [begin(warehouse), begin(warehouse), begin(warehouse)];
    const a = row(chat, 'a', 'hi');
    warehouse.during(first).commit(chat, { rows: [a] });
    warehouse.during(changing).commit(chat, { rows: [row(chat, 'a', 'changed')] });
    warehouse.during(deleting).commit(chat, { rows: [], deleted: [a.key] });
    expect(all(warehouse, "SELECT what, run_id, record ->> 'synced_run' AS former FROM _history ORDER BY id")).toEqual([
      { what: 'changed', run_id: changing.id, former: first.id },
      { what: 'deleted', run_id: deleting.id, former: changing.id },
    ]);
  });

  it('without changes has no row for a stream, and is deleted after 30 days', () => {
    const { warehouse } = open();
    const [idle, busy] = [begin(warehouse), begin(warehouse)];
    warehouse.during(idle).commit(chat, { rows: [], position: { backfilled: true } });
    warehouse.during(busy).commit(chat, { rows: [row(chat, 'a', 'hi')] });
    for (const run of [idle, busy]) endRun(warehouse.db, run, { outcome: 'complete', now: NOW });
    expect(all(warehouse, 'SELECT run_id FROM _run_streams')).toEqual([{ run_id: busy.id }]);
    const later = begin(warehouse, NOW + 29 * DAY_MS);
    expect(all(warehouse, 'SELECT id FROM _runs')).toEqual([idle, busy, later].map(({ id }) => ({ id })));
    const last = begin(warehouse, NOW + 31 * DAY_MS);
    expect(all(warehouse, 'SELECT id FROM _runs')).toEqual([busy, later, last].map(({ id }) => ({ id })));
  });

  it('never gets the id of a deleted run', () => {
    const { warehouse } = open();
    const ids = Array.from({ length: 5 }, (_, i) => begin(warehouse, NOW + i * 40 * DAY_MS).id);
    expect(new Set(ids).size).toBe(5);
    expect(all(warehouse, 'SELECT id FROM _runs')).toEqual([{ id: ids.at(-1) }]);
  });

  it('without an end counts as interrupted when the file is opened again', () => {
    const { warehouse, path } = open();
    const [ended, running] = [begin(warehouse), begin(warehouse)];
    endRun(warehouse.db, ended, { outcome: 'incomplete', now: NOW });
    expect(all(warehouse, 'SELECT outcome FROM _runs')).toEqual([{ outcome: 'incomplete' }, { outcome: null }]);
    warehouse.close();
    const { warehouse: again } = open(path);
    expect(all(again, 'SELECT id, outcome, ended_at FROM _runs')).toEqual([
      { id: ended.id, outcome: 'incomplete', ended_at: '2026-03-01T00:00:00.000Z' },
      { id: running.id, outcome: 'interrupted', ended_at: null },
    ]);
  });

  it('is described in the data dictionary, with each of its columns', () => {
    const { warehouse } = open();
    for (const table of ['_runs', '_run_streams']) {
      const columns = all(warehouse, `SELECT name FROM pragma_table_info('${table}')`).map(({ name }) => name);
      expect(Object.keys(RUN_TABLES.find(({ name }) => name === table)?.columns ?? {})).toEqual(columns);
    }
    expect(
      all(warehouse, "SELECT type FROM _data_dictionary WHERE table_name = '_runs' AND column_name = 'requests'"),
    ).toEqual([{ type: 'INTEGER' }]);
  });
});
