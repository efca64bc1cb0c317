import { expect, it } from 'vitest';
import { openForReading } from '../../src/warehouse/open.ts';
import { experimentRows, type ExperimentRows } from '../../src/warehouse/experiment-rows.ts';
import { datasetNamed } from '../../src/datasets/registry.ts';
import { whose } from '../../src/derive/whose.ts';
import { HOUR, openLab } from '../support/lab.ts';

const WORLD = { experiments: 2, roomsPerExperiment: 3, participantsPerRoom: 3 };

const inRooms = ({ rooms }: ExperimentRows, data: string) =>
  Object.fromEntries(rooms.flatMap(({ id, rows }) => (rows.has(data) ? [[id, rows.get(data)]] : [])));

it('counts what the tables hold of an experiment, on a connection that cannot write', async () => {
  const lab = await openLab({ world: WORLD });
  lab.now += 5 * HOUR;
  await lab.sync();
  const { db } = lab.warehouse;
  const ids = db.prepare<[], string>('SELECT experiment_id FROM experiments ORDER BY 1').pluck().all();
  const [first = '', second = ''] = ids;
  const reader = openForReading(lab.warehouse.path);
  try {
    const rows = experimentRows(reader, first);
    expect(rows.rooms).toHaveLength(3);
    expect(rows.data.length).toBeGreaterThan(10);
    for (const data of rows.data) {
      const dataset = datasetNamed(data);
      const by = whose(dataset).room ?? '';
      const sql = `SELECT ${by} AS room, count(*) AS n FROM ${dataset.table} WHERE experiment_id = ? AND ${by} IS NOT NULL GROUP BY 1`;
      const truth = db.prepare<[string], { room: string; n: number }>(sql).all(first);
      expect([data, inRooms(rows, data)]).toEqual([data, Object.fromEntries(truth.map(({ room, n }) => [room, n]))]);
    }
    expect(rows.people.joined + rows.people.agents).toBe(9);
    expect([...rows.people.codes.values()].reduce((sum, n) => sum + n, 0)).toBe(rows.people.joined);
    expect(experimentRows(reader, second).rooms.map(({ id }) => id)).not.toEqual(rows.rooms.map(({ id }) => id));
    const none = experimentRows(reader, "exp_'; DROP TABLE rooms; --");
    expect([none.rooms, none.data, none.changes, none.people.joined]).toEqual([[], [], [], 0]);

    // More rows than are counted one by one: those that name a participant; the total still has all.
    db.exec(`UPDATE _streams SET rows = 5001 WHERE data = 'events' AND experiment_id = '${first}'`);
    const large = experimentRows(reader, first);
    const named = `SELECT room_id AS room, count(*) AS n FROM events WHERE experiment_id = ? AND participant_id IS NOT NULL
      AND room_id IS NOT NULL GROUP BY 1`;
    const truth = db.prepare<[string], { room: string; n: number }>(named).all(first);
    expect(large.byParticipant).toContain('events');
    expect(inRooms(large, 'events')).toEqual(Object.fromEntries(truth.map(({ room, n }) => [room, n])));
    expect(large.totals.get('events')).toBe(5001);

    const [room = ''] = rows.rooms.map(({ id }) => id);
    db.exec(`UPDATE rooms SET status = 'active', ended_at = NULL WHERE id = '${room}'`);
    db.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)
      INSERT INTO rooms (experiment_id, key, id, status, created_at, first_seen_at, synced_at)
      SELECT '${first}', 'more' || i, 'more' || i, 'completed', '2027-01-01T00:00:00.000Z', '', '' FROM n`);
    db.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
      INSERT INTO _history (table_name, experiment_id, key, what, at, record)
      SELECT 'chat', '${first}', i, 'changed', '2027-01-01T00:00:00.000Z', '{}' FROM n`);
    const many = experimentRows(reader, first);
    expect([many.rooms.length, many.moreRooms]).toEqual([40, 23]);
    expect([many.rooms[0]?.id, many.rooms[0]?.isOpen, many.rooms[1]?.isOpen]).toEqual([room, true, false]);
    expect(many.changes.find(({ data }) => data === 'chat')?.isMore).toBe(true);
  } finally {
    reader.close();
  }
});
