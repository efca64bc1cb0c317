import { describe, expect, it } from 'vitest';
import { reconcile } from '../../src/sync/rolling.ts';
import { knownStreams } from '../../src/sync/run.ts';
import { runVerify } from '../../src/sync/verify.ts';
import { VERSION } from '../../src/shared/version.ts';
import { DAY_MS } from '../../src/shared/time.ts';
import { errorReply } from '../../src/simulator/reply.ts';
import { HOUR, openLab, type Lab } from '../support/lab.ts';

const runs = ({ warehouse }: Lab) => warehouse.db.prepare<[], Record<string, unknown>>('SELECT * FROM _runs').all();

/** How many rows name each run, in all tables. */
function rowsByRun({ warehouse: { db } }: Lab): Map<unknown, number> {
  const tables = db
    .prepare<[], string>(
      "SELECT m.name FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name = 'synced_run'",
    )
    .pluck()
    .all();
  const counts = new Map<unknown, number>();
  for (const table of tables)
    for (const [run, n] of db
      .prepare<[], [unknown, number]>(`SELECT synced_run, count(*) FROM "${table}" GROUP BY 1`)
      .raw()
      .all())
      counts.set(run, (counts.get(run) ?? 0) + n);
  return counts;
}

describe('the record of runs', () => {
  it('has for each sync what it sent, read and changed, and how it ended', async () => {
    const lab = await openLab();
    const before = lab.simulator.requests.length;
    const first = await lab.sync();
    const requests = lab.simulator.requests.length - before;
    lab.now += HOUR;
    const second = await lab.sync({ selection: { data: ['chat'] } });
    const sum = (result: typeof first) => result.streams.reduce((total, { inserted }) => total + inserted, 0);
    expect(runs(lab)).toMatchObject([
      {
        kind: 'sync now',
        version: VERSION,
        options: null,
        outcome: 'complete',
        error: null,
        requests,
        readings: first.streams.length,
        inserted: sum(first),
      },
      {
        kind: 'sync now',
        options: '{"data":["chat"]}',
        outcome: 'complete',
        readings: second.streams.length,
        inserted: sum(second),
      },
    ]);
    expect(sum(second)).toBeGreaterThan(0);
    expect(rowsByRun(lab)).toEqual(
      new Map([
        [1, sum(first)],
        [2, sum(second)],
      ]),
    );
  });

  it('counts the streams that a run left incomplete, and names the error that ended one', async () => {
    let fault: 'server' | 'key' = 'server';
    const lab = await openLab({
      world: { experiments: 1 },
      fault: ({ path }) => {
        if (!path.includes('/chat/')) return undefined;
        return { kind: 'reply', reply: errorReply(fault === 'server' ? 400 : 401, 'No') };
      },
    });
    await lab.sync();
    fault = 'key';
    await expect(lab.sync()).rejects.toMatchObject({ code: 'KEY_REFUSED' });
    expect(runs(lab)).toMatchObject([
      { outcome: 'incomplete', incomplete_streams: 1, error: null },
      { outcome: 'failed', error: expect.stringMatching(/key/) as string },
    ]);
  });

  it('distinguishes the changes of a nightly run, a repair and a sync', async () => {
    const lab = await openLab({ world: { experiments: 1 } });
    await lab.sync();
    const [id = ''] = lab.simulator.world.experimentIds;
    const { warehouse, client, simulator } = lab;
    const edit = (how: string) => {
      const isFirst = () => {
        let n = 0;
        return () => n++ === 0;
      };
      lab.simulator.world.edit('chat', id, isFirst(), (record) => ({ ...record, content: how }), lab.now + 1);
      lab.now += DAY_MS;
    };
    const context = { ...lab.context(), full: true };
    edit('by night');
    const streams = knownStreams({ ...context, selection: { data: ['chat'] } }, [{ id }]);
    await reconcile(context, streams, 100);
    edit('by hand');
    const verification = { ...context, selection: { data: ['chat'] }, deep: true };
    await runVerify({ ...verification, repair: false });
    const sent = simulator.requests.length;
    await runVerify({ ...verification, repair: true });
    expect(runs(lab).slice(1)).toMatchObject([
      { kind: 'nightly reconcile', outcome: 'complete', readings: 1, updated: 1 },
      {
        kind: 'verify --repair',
        options: '{"data":["chat"],"deep":true}',
        readings: 1,
        updated: 1,
        requests: simulator.requests.length - sent,
      },
    ]);
    expect(
      warehouse.db.prepare("SELECT run_id FROM _history WHERE what = 'changed' ORDER BY id").pluck().all(),
    ).toEqual([2, 3]);
    expect(client.tries).toBe(simulator.requests.length);
  });
});
