import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { createClient } from '../../src/api/client.ts';
import { datasetNamed } from '../../src/datasets/registry.ts';
import { normalise } from '../../src/datasets/normalise.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { silentLog } from '../../src/shared/log.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { verifyStream, type VerifyOptions } from '../../src/sync/verify.ts';
import { openWarehouse } from '../../src/warehouse/warehouse.ts';
import { SimulatedNetwork } from '../simulation/network.ts';
import { configFor, HOUR, openLab, temporaryFolder, type Lab } from '../support/lab.ts';

function verify(lab: Lab, data: string, experimentId: string, options: VerifyOptions) {
  const config = configFor(lab.simulator.url, lab.warehouse.path);
  const clock = { ...systemClock, now: () => lab.now };
  const context = {
    client: lab.client,
    warehouse: lab.warehouse,
    config,
    clock,
    log: silentLog,
    full: true,
    acceptDeletes: false,
  };
  return verifyStream(context, { experimentId, dataset: datasetNamed(data), scope: { kind: 'experiment' } }, options);
}

/** The time of a record that is given as canonical JSON, as it was sent. */
const timeOf = (record: string) => z.object({ timestamp: z.string() }).parse(JSON.parse(record)).timestamp;

describe('verify', () => {
  it('proves that a synced warehouse equals the API', async () => {
    const lab = await openLab();
    await lab.sync();
    const [id = ''] = lab.simulator.world.experimentIds;
    for (const data of ['events', 'ratings/continuous', 'components', 'rooms']) {
      expect(await verify(lab, data, id, { deep: true, repair: false })).toMatchObject({
        status: 'equal',
        proof: 'content',
        missing: [],
        changed: [],
        extra: [],
      });
    }
    const quick = await verify(lab, 'ratings/continuous', id, { deep: false, repair: false });
    // One for each of sixteen parts, and one for the whole.
    expect(quick.requests).toBeLessThanOrEqual(17);
    expect(quick).toMatchObject({ status: 'equal', proof: 'counts' });
  });

  it('names missing, changed and surplus rows by key, changes nothing, and repairs them on request', async () => {
    const lab = await openLab();
    await lab.sync();
    const { world } = lab.simulator;
    const [id = ''] = world.experimentIds;
    const { db } = lab.warehouse;
    const keys = db
      .prepare<[string], string>('SELECT key FROM events WHERE experiment_id = ? ORDER BY timestamp')
      .pluck()
      .all(id);
    const [missing = '', changed = '', copied = ''] = [keys[3], keys[17], keys[30]];
    db.prepare('DELETE FROM events WHERE experiment_id = ? AND key = ?').run(id, missing);
    db.prepare("UPDATE events SET content = 'tampered' WHERE experiment_id = ? AND key = ?").run(id, changed);
    db.prepare(
      `INSERT INTO events (experiment_id, key, id, room_id, timestamp, first_seen_at, synced_at)
         SELECT experiment_id, 'too-much', id, room_id, timestamp, first_seen_at, synced_at
         FROM events WHERE experiment_id = ? AND key = ?`,
    ).run(id, copied);
    const expected = { missing: [missing], changed: [changed], extra: ['too-much'] };
    expect(await verify(lab, 'events', id, { deep: true, repair: false })).toMatchObject({
      status: 'different',
      ...expected,
    });
    expect(await verify(lab, 'events', id, { deep: true, repair: true })).toMatchObject({
      status: 'repaired',
      ...expected,
    });
    expect(lab.mirrored('events', id)).toEqual(lab.truth('events', id));
    expect(await verify(lab, 'events', id, { deep: true, repair: false })).toMatchObject({ status: 'equal' });
  });

  it('tells records dated after the last sync from missing ones, and stores both on request', async () => {
    const lab = await openLab();
    const [id = ''] = lab.simulator.world.experimentIds;
    const stored = lab.warehouse.db
      .prepare<[string], string>('SELECT key FROM events WHERE experiment_id = ? ORDER BY timestamp')
      .pluck();
    lab.now -= HOUR;
    await lab.sync();
    const before = lab.truth('events', id);
    const keys = new Set(stored.all(id));
    const syncedAt = new Date(lab.now).toISOString();
    lab.now += HOUR;
    const came = lab.truth('events', id).filter((record) => !before.includes(record));
    // The simulator also delivers a few records late, which nothing tells from missing ones.
    const [newer, late] = [true, false].map(
      (isNewer) => came.filter((record) => timeOf(record) >= syncedAt === isNewer).length,
    );
    expect([newer, late]).toEqual([expect.toSatisfy((n) => n > 0), expect.toSatisfy((n) => n > 0)]);
    const lost = [...keys].at(-1) ?? '';
    lab.warehouse.db.prepare('DELETE FROM events WHERE key = ?').run(lost);
    for (const deep of [false, true]) {
      const live = await verify(lab, 'events', id, { deep, repair: false });
      expect(live).toMatchObject({ status: 'different', changed: [], extra: [] });
      expect([live.newer, live.missing].map(({ length }) => length)).toEqual([newer, (late ?? 0) + 1]);
      expect(live.missing).toContain(lost);
    }
    const repaired = await verify(lab, 'events', id, { deep: true, repair: true });
    expect([repaired.status, repaired.newer.length]).toEqual(['repaired', newer]);
    expect(lab.mirrored('events', id)).toEqual(lab.truth('events', id));
    expect(await verify(lab, 'events', id, { deep: true, repair: false })).toMatchObject({
      status: 'equal',
      newer: [],
    });
  });

  it('calls a stream equal that has all that its last sync counted, also when later records came late', async () => {
    const lab = await openLab();
    const [id = ''] = lab.simulator.world.experimentIds;
    lab.now -= HOUR;
    await lab.sync();
    const [events, rooms] = ['events', 'rooms'].map((data) => lab.truth(data, id).length);
    lab.now += HOUR;
    for (const deep of [false, true]) {
      const live = await verify(lab, 'events', id, { deep, repair: false });
      expect(live).toMatchObject({ status: 'equal', missing: [], changed: [], extra: [], rows: events });
      expect(live.newer).toHaveLength(lab.truth('events', id).length - (events ?? 0));
    }
    expect((await verify(lab, 'rooms', id, { deep: true, repair: false })).newer).toHaveLength(
      lab.truth('rooms', id).length - (rooms ?? 0),
    );
  });

  it('finds 10 scattered differences among 1000 pages with at most 10 × (2 × log2(1000) + 3) requests', async () => {
    const [pages, pageSize, start] = [1000, 50, Date.parse('2026-01-01T00:00:00.000Z')];
    const dataset = datasetNamed('ratings/continuous');
    const random = createRandom(7);
    const record = (i: number) => ({
      ratingId: `r${i}`,
      experimentId: 'e',
      timestamp: new Date(start + i * 100).toISOString(),
      value: i % 100,
    });
    const all = Array.from({ length: pages * pageSize }, (_, i) => i);
    const differing = new Set<number>();
    while (differing.size < 10) differing.add(random.int(0, all.length - 1));
    const late = [...differing];
    const served = all;

    let requests = 0;
    const network = new SimulatedNetwork(({ query }) => {
      requests++;
      const bound = (name: string, open: number) =>
        query.has(name) ? (Date.parse(query.get(name) ?? '') - start) / 100 : open;
      const [from, to] = [bound('startTime', -Infinity), bound('endTime', Infinity)];
      const inRange = served.filter((i) => i >= from && i <= to);
      if (query.get('order') === 'desc') inRange.reverse();
      const offset = Number(query.get('offset'));
      const data = inRange.slice(offset, offset + Number(query.get('limit'))).map(record);
      const pagination = { total: inRange.length, hasMore: offset + data.length < inRange.length };
      return {
        reply: {
          status: 200,
          headers: {},
          body: JSON.stringify({ status: 'success', data, metadata: { pagination } }),
        },
      };
    });
    const path = join(temporaryFolder(), 'w.db');
    const warehouse = openWarehouse(path, { clock: systemClock, history: true });
    onTestFinished(() => warehouse.close());
    const stream = { experimentId: 'e', dataset, scope: { kind: 'experiment' as const } };
    const rows = all
      .filter((i) => !late.includes(i))
      .map((i) => normalise(dataset, record(i), { experimentId: 'e' }))
      .filter((row) => 'key' in row);
    warehouse.commit(stream, { rows, position: { backfilled: true } });
    const config = configFor('http://simulated/api/v3', path);
    const client = createClient({
      baseUrl: config.api.baseUrl,
      key: 'k',
      budget: { spend: (_, send) => send(), pause: () => undefined },
      clock: systemClock,
      random: () => 0,
      log: silentLog,
      timeoutMs: 60_000,
      userAgent: 'test',
      dispatcher: network,
    });
    const context = {
      client,
      warehouse,
      config: { ...config, api: { ...config.api, pageSize } },
      clock: systemClock,
      log: silentLog,
      full: true,
      acceptDeletes: false,
    };
    const verdict = await verifyStream(context, stream, { deep: false, repair: true });
    const key = (i: number) => `r${i}`;
    expect(verdict).toMatchObject({
      status: 'repaired',
      missing: late.map(key).sort(),
      extra: [],
      rows: served.length,
    });
    expect(requests).toBeLessThanOrEqual(10 * (2 * Math.log2(1000) + 3));
    expect((await verifyStream(context, stream, { deep: true, repair: false })).status).toBe('equal');
  });
});
