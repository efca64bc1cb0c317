import { describe, expect, it } from 'vitest';
import { DATASETS } from '../../src/datasets/registry.ts';
import { allPositions } from '../../src/warehouse/positions.ts';
import { HOUR, MIRRORED, openLab, START, type Lab } from '../support/lab.ts';

const RANGE = { from: START, to: START + HOUR, dryRun: false };

async function opened(): Promise<Lab> {
  const lab = await openLab();
  await lab.sync();
  return lab;
}

/** Everything that the file holds beside the requests spent and what was learned of the API. */
function contents({ warehouse: { db } }: Lab): Record<string, unknown[]> {
  const tables = db
    .prepare<[], string>(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('_ledger', '_endpoints')",
    )
    .pluck()
    .all();
  return Object.fromEntries(tables.map((table) => [table, db.prepare(`SELECT * FROM "${table}"`).all()]));
}

function tamper({ warehouse: { db } }: Lab): void {
  db.exec(`
    UPDATE events SET content = 'wrong' WHERE key IN (SELECT key FROM events ORDER BY timestamp LIMIT 5);
    DELETE FROM chat WHERE key = (SELECT key FROM chat ORDER BY timestamp LIMIT 1);
    UPDATE participants SET role = 'wrong' WHERE key = (SELECT min(key) FROM participants)`);
}

describe('a sync of a range of time', () => {
  it('makes the range equal the API, is recorded as one run, and leaves the positions', async () => {
    const lab = await opened();
    const watermarks = () =>
      allPositions(lab.warehouse.db).map(({ data, scope, watermark }) => [data, scope, watermark]);
    const before = watermarks();
    tamper(lab);
    const result = await lab.sync({ reread: RANGE });
    expect(result.status).toBe('ok');
    expect(result.streams.reduce((sum, { inserted, updated }) => sum + inserted + updated, 0)).toBe(7);
    expect(watermarks()).toEqual(before);
    for (const id of lab.simulator.world.experimentIds)
      for (const data of MIRRORED) expect(lab.mirrored(data, id), `${data} of ${id}`).toEqual(lab.truth(data, id));
    const run = lab.warehouse.db
      .prepare('SELECT options, outcome, inserted, updated FROM _runs ORDER BY id DESC')
      .get();
    expect(run).toEqual({
      options: JSON.stringify({ from: '2026-01-12T09:00:00.000Z', to: '2026-01-12T10:00:00.000Z' }),
      outcome: 'complete',
      inserted: 1,
      updated: 6,
    });
  });

  it('reads by range what the API filters by time, lists other data whole, and skips data without a time', async () => {
    const lab = await opened();
    const before = lab.simulator.requests.length;
    const { streams } = await lab.sync({ reread: RANGE });
    const listed = new Set(streams.filter((stream) => stream.listed === true).map(({ data }) => data));
    const read = new Set(streams.map(({ data }) => data));
    for (const { name, read: how, timeField } of DATASETS) {
      const isTimed = timeField !== undefined && how !== 'single';
      if (!isTimed) expect(read.has(name), name).toBe(false);
      else if (read.has(name)) expect(listed.has(name), name).toBe(how !== 'incremental');
    }
    expect(read.size).toBeGreaterThan(10);
    const asked = lab.simulator.requests.slice(before);
    const timed = asked.filter(({ path }) => path.includes('/data/events/'));
    expect(timed.some(({ query }) => query.includes('startTime=2026-01-12T08'))).toBe(true);
  });

  it('reads only the experiment and the data that are selected', async () => {
    const lab = await opened();
    const [id = ''] = lab.simulator.world.experimentIds;
    tamper(lab);
    const { streams } = await lab.sync({ reread: RANGE, selection: { experiments: [id], data: ['chat'] } });
    expect(streams.map(({ experiment, data }) => [experiment, data])).toEqual([[id, 'chat']]);
    expect(lab.warehouse.db.prepare("SELECT count(*) FROM events WHERE content = 'wrong'").pluck().get()).toBe(5);
  });

  it('reports the same in a dry run, with as many requests, and writes nothing', async () => {
    const lab = await opened();
    tamper(lab);
    const before = contents(lab);
    const dry = await lab.sync({ reread: { ...RANGE, dryRun: true } });
    expect(contents(lab)).toEqual(before);
    const wet = await lab.sync({ reread: RANGE });
    const changes = ({ streams }: typeof dry) =>
      streams.map(({ data, inserted, updated, marked }) => [data, inserted, updated, marked].join(' ')).sort();
    expect(changes(dry)).toEqual(changes(wet));
    expect(Math.abs(dry.requests - wet.requests)).toBeLessThanOrEqual(3);
    expect(dry.status).toBe('ok');
  });

  it('leaves the streams of a warehouse that was never synced incomplete', async () => {
    const lab = await openLab({ world: { experiments: 1 } });
    const result = await lab.sync({ reread: RANGE });
    expect(result.status).toBe('partial');
    const events = result.streams.find(({ data }) => data === 'events');
    expect(events).toMatchObject({ status: 'incomplete', complete: false, watermark: null });
    expect((await lab.sync()).status).toBe('ok');
    const [id = ''] = lab.simulator.world.experimentIds;
    for (const data of MIRRORED) expect(lab.mirrored(data, id), data).toEqual(lab.truth(data, id));
  });
});
