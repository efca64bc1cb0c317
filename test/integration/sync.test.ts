import { describe, expect, it } from 'vitest';
import { HOUR, MIRRORED, openLab } from '../support/lab.ts';

describe('a sync', () => {
  it('leaves every table equal to what the API holds, and again after the API has grown', async () => {
    const lab = await openLab();
    for (const now of [lab.now, lab.now + HOUR]) {
      lab.now = now;
      const result = await lab.sync();
      expect(result.status).toBe('ok');
      for (const id of lab.simulator.world.experimentIds) {
        for (const data of MIRRORED) expect(lab.mirrored(data, id), `${data} of ${id}`).toEqual(lab.truth(data, id));
      }
    }
    expect(lab.mirrored('events', lab.simulator.world.experimentIds[0] ?? '').length).toBeGreaterThan(0);
  });

  it('costs at most one request for each stream and changes no row if nothing is new', async () => {
    const lab = await openLab({ config: { lookbackMs: 1800_000 } });
    lab.now += 5 * HOUR;
    await lab.sync();
    await lab.sync();
    const before = lab.simulator.requests.length;
    const rows = () => lab.warehouse.db.prepare('SELECT total_changes()').pluck().get();
    expect(rows()).toBeGreaterThan(0);
    const again = await lab.sync();
    expect(again.streams.filter(({ requests }) => requests > 1)).toEqual([]);
    expect(again.streams.reduce((sum, { inserted, updated, deleted }) => sum + inserted + updated + deleted, 0)).toBe(
      0,
    );
    // One more than the streams: `all: true` asks which experiments there are.
    expect(lab.simulator.requests.length - before).toBeLessThanOrEqual(again.streams.length + 1);
  });

  it('finds a row that arrives late, within the lookback, at the next sync', async () => {
    const lab = await openLab();
    lab.now += 2 * HOUR;
    await lab.sync();
    const [id = ''] = lab.simulator.world.experimentIds;
    const byTime = lab.simulator.world
      .records('ratings/continuous', id, lab.now)
      .map((record) => [String(record['timestamp']), record] as const);
    const [, sample] = byTime.sort(([a], [b]) => (a < b ? -1 : 1)).at(-200) ?? [];
    lab.simulator.world.insert('ratings/continuous', id, { ...sample, ratingId: 'late' }, lab.now + 1);
    lab.now += 2;
    const result = await lab.sync({ selection: { data: ['ratings/continuous'] } });
    expect(lab.mirrored('ratings/continuous', id)).toEqual(lab.truth('ratings/continuous', id));
    expect(result.streams.find(({ experiment }) => experiment === id)?.inserted).toBe(1);
  });

  it('keeps the former version of a row that changes in place', async () => {
    const lab = await openLab();
    await lab.sync();
    const [id = ''] = lab.simulator.world.experimentIds;
    const changed = lab.simulator.world.edit(
      'participants',
      id,
      () => true,
      (record) => ({ ...record, role: 'observer' }),
      lab.now + 1,
    );
    lab.now += 2;
    await lab.sync({ selection: { data: ['participants'] } });
    expect(lab.mirrored('participants', id)).toEqual(lab.truth('participants', id));
    const kept = lab.warehouse.db
      .prepare("SELECT count(*) FROM _history WHERE table_name = 'participants' AND what = 'changed'")
      .pluck()
      .get();
    expect(kept).toBe(changed);
  });

  it('moves a row to the history if two readings, a minute apart, no longer find it', async () => {
    const lab = await openLab();
    await lab.sync();
    const [id = ''] = lab.simulator.world.experimentIds;
    const gone = lab.simulator.world.records('recordings', id, lab.now)[0]?.['recordingId'];
    lab.simulator.world.remove('recordings', id, ({ recordingId }) => recordingId === gone, lab.now + 1);
    const before = lab.mirrored('recordings', id);
    const selection = { data: ['recordings'] };
    for (const wait of [2, 10_000]) {
      lab.now += wait;
      expect((await lab.sync({ selection })).status).toBe('partial');
      expect(lab.mirrored('recordings', id)).toEqual(before);
    }
    lab.now += 60_000;
    expect((await lab.sync({ selection })).status).toBe('ok');
    expect(lab.mirrored('recordings', id)).toEqual(lab.truth('recordings', id));
    expect(lab.warehouse.db.prepare("SELECT count(*) FROM _history WHERE what = 'deleted'").pluck().get()).toBe(1);
  });

  it('keeps the rows and reports it if all of a stream would be deleted at once', async () => {
    const lab = await openLab();
    await lab.sync();
    const [id = ''] = lab.simulator.world.experimentIds;
    const before = lab.mirrored('recordings', id);
    lab.simulator.world.remove('recordings', id, () => true, lab.now + 1);
    for (const wait of [2, 60_000, 60_000]) {
      lab.now += wait;
      const result = await lab.sync({ selection: { data: ['recordings'] } });
      expect(result.status).toBe('partial');
      expect(lab.mirrored('recordings', id)).toEqual(before);
    }
    await lab.sync({ selection: { data: ['recordings'] }, acceptDeletes: true });
    expect(lab.mirrored('recordings', id)).toEqual([]);
  });

  it('never moves the watermark past a page that the API warns about', async () => {
    let warn = true;
    const lab = await openLab({
      fault: ({ path }) =>
        warn && path.includes('/chat/')
          ? {
              kind: 'change',
              change: (reply) => {
                const body = JSON.parse(reply.body) as { data: unknown[]; metadata: Record<string, unknown> };
                body.metadata['_warnings'] = ['MISSING_INDEX: Results may be incomplete.'];
                return { ...reply, body: JSON.stringify({ ...body, data: body.data.slice(1) }) };
              },
            }
          : undefined,
    });
    const first = await lab.sync({ selection: { data: ['chat'] } });
    expect(first.streams.map(({ status, watermark }) => [status, watermark])).toEqual(
      first.streams.map(() => ['incomplete', null]),
    );
    warn = false;
    const second = await lab.sync({ selection: { data: ['chat'] } });
    expect(second.status).toBe('ok');
    for (const id of lab.simulator.world.experimentIds) expect(lab.mirrored('chat', id)).toEqual(lab.truth('chat', id));
  });

  it('keeps the pages of a first read that is interrupted, and continues after them', async () => {
    const interruption = new AbortController();
    const pages = ({ path }: { path: string }) => path.includes('/ratings/continuous/');
    const lab = await openLab({
      world: { experiments: 1 },
      fault(request) {
        if (pages(request) && ++asked === 4) interruption.abort(new Error('stop'));
        return undefined;
      },
    });
    let asked = 0;
    const selection = { data: ['ratings/continuous'] };
    await expect(lab.sync({ selection, signal: interruption.signal })).rejects.toMatchObject({ code: 'INTERRUPTED' });
    const [id = ''] = lab.simulator.world.experimentIds;
    // Of each page the last timestamp is left to the next, so that its rows come from one answer.
    expect(lab.mirrored('ratings/continuous', id).length).toBeGreaterThan(280);
    const before = lab.simulator.requests.length;
    await lab.sync({ selection });
    const [first] = lab.simulator.requests.slice(before).filter(pages);
    expect(first?.query).toContain('startTime=');
    expect(lab.mirrored('ratings/continuous', id)).toEqual(lab.truth('ratings/continuous', id));
  });

  it('skips what the key may not read, names the scope, and reads the rest', async () => {
    const key = `hst_test_${'k'.repeat(64)}`;
    const lab = await openLab({ keys: [{ key, scopes: ['read:events', 'read:experiments'] }] });
    const result = await lab.sync();
    const chat = result.streams.find(({ data }) => data === 'chat');
    expect(chat).toMatchObject({ status: 'skipped', error: { code: 'SCOPE_MISSING' } });
    expect(chat?.error?.message).toContain('read:chat');
    expect(result.streams.find(({ data }) => data === 'events')?.status).toBe('ok');
    expect(result.status).toBe('ok');
    expect((await lab.sync({ selection: { data: ['chat'] } })).status).toBe('partial');
  });

  it('stops all requests when the key is refused', async () => {
    const lab = await openLab({ keys: [{ key: `hst_test_${'k'.repeat(64)}`, scopes: ['*'], revoked: true }] });
    await expect(lab.sync()).rejects.toMatchObject({ code: 'KEY_REFUSED', exitStatus: 3 });
    expect(lab.simulator.requests.length).toBe(1);
    await expect(lab.sync()).rejects.toMatchObject({ code: 'KEY_REFUSED' });
    expect(lab.simulator.requests.length).toBe(1);
  });

  it('reads only the rooms, people and deployments that the configuration names', async () => {
    const lab = await openLab();
    const { world } = lab.simulator;
    const [id = ''] = world.experimentIds;
    const [room, other] = world.records('rooms', id, lab.now).map((record) => String(record['id']));
    const person = world.records('participants', id, lab.now).find(({ roomId }) => roomId === other);
    const participants = [{ id: String(person?.['id']), room: other ?? '' }];
    await lab.sync({
      config: { experiments: [{ id, rooms: [room ?? ''], participants }] },
      selection: { data: ['sync', 'variables'] },
    });
    const wanted = (record: Readonly<Record<string, unknown>>) =>
      record['roomId'] === room || record['participantId'] === person?.['id'];
    const expected = world.records('sync', id, lab.now).filter(wanted).length;
    expect(lab.mirrored('sync', id).length).toBe(expected);
    expect(expected).toBeGreaterThan(0);
    await lab.sync({
      config: { experiments: [{ id, deployments: [String(world.records('deployments', id, lab.now)[0]?.['id'])] }] },
    });
    expect(lab.mirrored('sync', id)).toEqual(lab.truth('sync', id));
  });

  it('finds every experiment that the key can see, beyond the first fifty', async () => {
    const lab = await openLab({ world: { experiments: 53, roomsPerExperiment: 0 } });
    const result = await lab.sync({ selection: { data: ['experiments'] } });
    expect(result.streams.length).toBe(53);
    expect(lab.simulator.requests.filter(({ path }) => path === '/experiments').length).toBe(2);
  });

  it('requests room by room if the API cuts agent decisions short', async () => {
    const lab = await openLab({
      world: { roomsPerExperiment: 2 },
      fault: ({ path }) =>
        path.includes('/agent-decisions/experiment/')
          ? {
              kind: 'change',
              change: (reply) => {
                const body = JSON.parse(reply.body) as { data: unknown[]; metadata: Record<string, unknown> };
                body.metadata['truncated'] = true;
                return { ...reply, body: JSON.stringify({ ...body, data: body.data.slice(0, 3) }) };
              },
            }
          : undefined,
    });
    const result = await lab.sync();
    for (const id of lab.simulator.world.experimentIds)
      expect(lab.mirrored('agent-decisions', id)).toEqual(lab.truth('agent-decisions', id));
    expect(result.streams.filter(({ data }) => data === 'agent-decisions').every(({ complete }) => complete)).toBe(
      true,
    );
  });
});
