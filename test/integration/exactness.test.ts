import { describe, expect, it } from 'vitest';
import type { SimReply, SimRequest } from '../../src/simulator/reply.ts';
import type { Fault } from '../../src/simulator/server.ts';
import { reconcile } from '../../src/sync/rolling.ts';
import { knownStreams } from '../../src/sync/run.ts';
import { configFor, HOUR, openLab, type Lab } from '../support/lab.ts';
import { silentLog } from '../../src/shared/log.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { DAY_MS as DAY } from '../../src/shared/time.ts';

/** An answer that warns and lacks every third record. */
function lacking(reply: SimReply): SimReply {
  const body = JSON.parse(reply.body) as { data: unknown[]; metadata: Record<string, unknown> };
  body.metadata['_warnings'] = ['MISSING_INDEX: Results may be incomplete.'];
  return { ...reply, body: JSON.stringify({ ...body, data: body.data.filter((_, i) => i % 3 !== 0) }) };
}

function warnWhere(matches: (request: SimRequest) => boolean): (request: SimRequest) => Fault | undefined {
  return (request) => (matches(request) ? { kind: 'change', change: lacking } : undefined);
}

function expectMirror(lab: Lab, data: string): void {
  for (const id of lab.simulator.world.experimentIds)
    expect(lab.mirrored(data, id), `${data} of ${id}`).toEqual(lab.truth(data, id));
}

function asked(lab: Lab, since: number): string[] {
  return lab.simulator.requests.slice(since).map(({ path }) => path);
}

function nightly(lab: Lab, change: Parameters<typeof configFor>[2] = {}, allowance = 1000) {
  const config = configFor(lab.simulator.url, lab.warehouse.path, change);
  const clock = { ...systemClock, now: () => lab.now, sleep: () => Promise.resolve() };
  const { client, warehouse } = lab;
  const context = { client, warehouse, config, clock, log: silentLog, full: true, acceptDeletes: false };
  const streams = knownStreams(
    { config, warehouse, selection: {}, full: true },
    lab.simulator.world.experimentIds.map((id) => ({ id })),
  );
  return reconcile(context, streams, allowance);
}

describe('an answer that says that it lacks records', () => {
  it('is requested room by room, and complete if no room warns', async () => {
    const lab = await openLab({ fault: warnWhere(({ path }) => path.startsWith('/data/chat/experiment/')) });
    const result = await lab.sync({ selection: { data: ['rooms', 'chat'] } });
    expect(result.streams.map(({ status, complete }) => [status, complete])).toEqual(
      result.streams.map(() => ['ok', true]),
    );
    expectMirror(lab, 'chat');
  });

  it('is requested in parts of its time range, and complete if no part warns', async () => {
    const isLong = ({ path, query }: SimRequest) => path.includes('/events/experiment/') && !query.has('startTime');
    const lab = await openLab({ fault: warnWhere(isLong) });
    await lab.sync({ selection: { data: ['events'] } });
    // The first part has no start either: only what lies behind it came whole.
    for (const id of lab.simulator.world.experimentIds)
      expect(lab.mirrored('events', id).length).toBeLessThan(lab.truth('events', id).length);
    lab.now += HOUR;
    const warning = await openLab({
      fault: warnWhere(({ path, query }) => path.includes('/events/experiment/') && query.get('order') === 'desc'),
    });
    await warning.sync({ selection: { data: ['events'] } });
    warning.now += 5 * HOUR;
    const later = await warning.sync({ selection: { data: ['events'] } });
    expect(later.streams.every(({ complete }) => complete)).toBe(true);
    expectMirror(warning, 'events');
  });

  it('stays incomplete if no narrower request helps, which is tried twice, and then once a day', async () => {
    const lab = await openLab({ fault: warnWhere(({ path }) => path.includes('/chat/')) });
    for (let times = 0; times < 2; times++) await lab.sync({ selection: { data: ['rooms', 'chat'] } });
    const before = lab.simulator.requests.length;
    const again = await lab.sync({ selection: { data: ['chat'] } });
    expect(again.streams.map(({ status, watermark }) => [status, watermark])).toEqual(
      again.streams.map(() => ['incomplete', null]),
    );
    expect(asked(lab, before).filter((path) => path.includes('/chat/')).length).toBe(again.streams.length);
    lab.now += DAY + HOUR;
    const next = lab.simulator.requests.length;
    await lab.sync({ selection: { data: ['chat'] } });
    expect(asked(lab, next).filter((path) => path.includes('/chat/')).length).toBeGreaterThan(again.streams.length);
  });

  it('leaves the watermark, and the next sync continues from there, not from the newest row', async () => {
    let isWarning = false;
    const warns = warnWhere(({ path }) => path.includes('/events/'));
    const lab = await openLab({
      world: { experiments: 1, roomsPerExperiment: 12, roomEveryMs: HOUR },
      fault: (request) => (isWarning ? warns(request) : undefined),
    });
    const selection = { data: ['events'] };
    await lab.sync({ selection });
    lab.now += 6 * HOUR;
    isWarning = true;
    const doubted = await lab.sync({ selection });
    expect(doubted.streams.map(({ status }) => status)).toEqual(['incomplete']);
    const [id = ''] = lab.simulator.world.experimentIds;
    expect(lab.mirrored('events', id).length).toBeLessThan(lab.truth('events', id).length);
    isWarning = false;
    lab.now += 1000;
    await lab.sync({ selection });
    expectMirror(lab, 'events');
  });

  it('leaves a listing without a time filter incomplete as well', async () => {
    const lab = await openLab({ fault: warnWhere(({ path }) => path.startsWith('/data/eyetracking/experiment/')) });
    const result = await lab.sync({ selection: { data: ['rooms', 'eyetracking'] } });
    expect(result.streams.every(({ complete }) => complete)).toBe(true);
    expectMirror(lab, 'eyetracking');
  });
});

describe('a large listing', () => {
  it('is brought up to date by the rooms that may still change, without reading finished rooms', async () => {
    const { api } = configFor('', '');
    const lab = await openLab({
      world: { experiments: 1, roomsPerExperiment: 8 },
      config: { api: { ...api, pageSize: 40 } },
    });
    lab.now += 20 * HOUR;
    const selection = { data: ['rooms', 'eyetracking'] };
    await lab.sync({ selection });
    lab.now += 2 * DAY;
    await lab.sync({ selection });
    const before = lab.simulator.requests.length;
    const [id = ''] = lab.simulator.world.experimentIds;
    const [sample] = lab.simulator.world.records('eyetracking', id, lab.now);
    lab.simulator.world.insert('eyetracking', id, { ...sample, x: 0.123 }, lab.now + 1);
    lab.now += DAY + HOUR;
    await lab.sync({ selection });
    expectMirror(lab, 'eyetracking');
    const whole = asked(lab, before).filter((path) => path.includes('/eyetracking/experiment/')).length;
    expect(whole).toBeGreaterThan(5);
    // Everything is over and verified by room: the next day costs one page.
    lab.now += DAY + HOUR;
    await lab.sync({ selection });
    lab.now += DAY + HOUR;
    const quiet = lab.simulator.requests.length;
    await lab.sync({ selection });
    expect(asked(lab, quiet).filter((path) => path.includes('/eyetracking/')).length).toBe(1);
  });

  it('reads only the rooms that are running', async () => {
    const lab = await openLab({
      world: { experiments: 1, roomsPerExperiment: 60, videoSeconds: 30, roomEveryMs: HOUR },
      config: { lookbackMs: 1800_000 },
    });
    const selection = { data: ['rooms', 'eyetracking'] };
    lab.now += 40 * HOUR;
    await lab.sync({ selection });
    lab.now += HOUR;
    await lab.sync({ selection });
    lab.now += HOUR;
    const before = lab.simulator.requests.length;
    const result = await lab.sync({ selection });
    const paths = asked(lab, before).filter((path) => path.includes('/eyetracking/'));
    expect(paths.filter((path) => path.includes('/experiment/')).length).toBe(1);
    expect(new Set(paths.filter((path) => path.includes('/room/'))).size).toBeLessThan(10);
    expect(result.streams.every(({ complete }) => complete)).toBe(true);
    expectMirror(lab, 'eyetracking');
  });
});

describe('the rolling reconcile', () => {
  it('finds an edit and a deleted row of any age within thirty nights, within its allowance', async () => {
    const lab = await openLab({ world: { experiments: 1, roomsPerExperiment: 8 } });
    lab.now += 10 * HOUR;
    await lab.sync();
    const [id = ''] = lab.simulator.world.experimentIds;
    const { world } = lab.simulator;
    const all = world.records('ratings/continuous', id, lab.now);
    const [edited, gone] = [all[50], all[3000]];
    lab.now += 10 * DAY;
    await lab.sync();
    const matches = (record: unknown) => (other: unknown) => record === other;
    world.edit('ratings/continuous', id, matches(edited), (record) => ({ ...record, value: 777 }), lab.now);
    world.remove('ratings/continuous', id, matches(gone), lab.now);
    world.insert('ratings/continuous', id, { ...edited, ratingId: 'came-for-it' }, lab.now);
    const nights: number[] = [];
    for (let night = 0; night < 30; night++) {
      lab.now += DAY;
      nights.push((await nightly(lab)).requests);
    }
    expectMirror(lab, 'ratings/continuous');
    const pages = all.length / 100;
    expect(Math.max(...nights)).toBeLessThan(pages + 100);
    const verified = lab.warehouse.db
      .prepare<[], { verified_at: string }>("SELECT verified_at FROM _streams WHERE data = 'ratings/continuous'")
      .get();
    expect(lab.now - Date.parse(verified?.verified_at ?? '')).toBeLessThanOrEqual(30 * DAY);
  });

  it('stops when its allowance is used up, and continues with the streams that waited longest', async () => {
    const lab = await openLab();
    await lab.sync();
    lab.now += 3 * DAY;
    const first = await nightly(lab, {}, 10);
    expect(first).toMatchObject({ isDone: false });
    expect(first.requests).toBeLessThan(40);
    const second = await nightly(lab);
    expect(second.isDone).toBe(true);
    expect(await nightly(lab)).toMatchObject({ streams: 0, requests: 0, isDone: true });
  });

  it('continues with the other streams if one of them has an internal error, night after night', async () => {
    const lab = await openLab({ world: { experiments: 1 } });
    await lab.sync();
    const [id = ''] = lab.simulator.world.experimentIds;
    const { world } = lab.simulator;
    for (const data of ['chat', 'events'])
      for (const record of world.records(data, id, lab.now).slice(0, 1))
        world.edit(
          data,
          id,
          (other) => other === record,
          (before) => ({ ...before, content: 'edited' }),
          lab.now,
        );
    lab.warehouse.db.exec(
      "CREATE TEMP TRIGGER mistake BEFORE UPDATE ON main.chat BEGIN SELECT RAISE(ABORT, 'a mistake'); END",
    );
    for (let night = 0; night < 2; night++) {
      lab.now += DAY;
      expect(await nightly(lab)).toMatchObject({ isDone: true });
      expectMirror(lab, 'events');
    }
    lab.warehouse.db.exec('DROP TRIGGER mistake');
    lab.now += DAY;
    expect(await nightly(lab)).toMatchObject({ isDone: true });
    expectMirror(lab, 'chat');
  });
});

describe('the rolling reconcile with streams that cannot be read', () => {
  it('reaches the other streams, although those that fail use up its allowance', async () => {
    let fails = false;
    const lost = { status: 404, headers: {}, body: '{"status":"error","error":{"code":"NOT_FOUND","message":"gone"}}' };
    const lab = await openLab({
      world: { experiments: 1, roomsPerExperiment: 8 },
      fault: ({ path }) => (fails && path.includes('/variables/') ? { kind: 'reply', reply: lost } : undefined),
    });
    lab.now += 20 * HOUR;
    await lab.sync();
    const [id = ''] = lab.simulator.world.experimentIds;
    const oldest = lab.simulator.world.records('events', id, lab.now)[1];
    lab.simulator.world.remove('events', id, (record) => record === oldest, lab.now + 1);
    // The rooms are those that waited longest.
    lab.warehouse.db.exec(
      "UPDATE _streams SET counted_at = last_sync_at, verified_at = NULL WHERE data <> 'variables'",
    );
    lab.warehouse.db.exec("UPDATE _streams SET verified_at = NULL WHERE data = 'variables'");
    fails = true;
    lab.now += 2 * DAY;
    for (let part = 0; part < 12; part++) {
      lab.now += HOUR;
      await nightly(lab, {}, 4);
    }
    // A second reading has to miss the row as well.
    await lab.sync({ selection: { data: ['events'] } });
    expectMirror(lab, 'events');
  });
});

describe('the page size', () => {
  const world = { experiments: 1, roomsPerExperiment: 45, videoSeconds: 60 };
  const requests = async (overLimit: 'accepted' | 'clamped' | 'rejected') => {
    const { api } = configFor('', '');
    const lab = await openLab({
      world,
      readings: { overLimit, maxLimit: 1000 },
      config: { api: { ...api, pageSize: 'auto' } },
    });
    lab.now += 60 * HOUR;
    const ofStream = () => lab.simulator.requests.filter(({ path }) => path.startsWith('/data/')).length;
    await lab.sync({ selection: { data: ['ratings/continuous'] } });
    expectMirror(lab, 'ratings/continuous');
    const first = ofStream();
    await lab.sync({ selection: { data: ['ratings/continuous'] }, full: true });
    const again = ofStream() - first;
    const limits = lab.simulator.requests.map(({ query }) => new URLSearchParams(query).get('limit') ?? '');
    const rows = lab.truth('ratings/continuous', lab.simulator.world.experimentIds[0] ?? '').length;
    return { first, again, rows, larger: limits.filter((n) => +n > 1000) };
  };

  it('grows if the server serves more than documented', async () => {
    const { first, again, rows } = await requests('accepted');
    expect(rows).toBeGreaterThan(15_000);
    expect(first).toBeLessThan(rows / 1000 / 2);
    expect(again).toBeLessThanOrEqual(Math.ceil(rows / 5000) + 1);
  });

  it.each(['clamped', 'rejected'] as const)('is tried in vain only once if more is %s', async (reading) => {
    const { first, again, rows, larger } = await requests(reading);
    expect(larger.length).toBe(1);
    expect(first).toBeLessThanOrEqual(Math.ceil(rows / 990) + 2);
    expect(again).toBeLessThanOrEqual(Math.ceil(rows / 990) + 1);
  });
});

describe('a malformed record', () => {
  it('is kept, makes its stream incomplete until the API repairs it, and stops no other row', async () => {
    let isBad = true;
    const lab = await openLab({
      fault: ({ path }) =>
        isBad && path.includes('/chat/')
          ? {
              kind: 'change',
              change: (reply) => {
                const body = JSON.parse(reply.body) as { data: unknown[] };
                return { ...reply, body: JSON.stringify({ ...body, data: [...body.data, 'no record'] }) };
              },
            }
          : undefined,
    });
    const selection = { data: ['chat'] };
    for (let times = 0; times < 2; times++) {
      const result = await lab.sync({ selection });
      expect(result.status).toBe('partial');
      expectMirror(lab, 'chat');
    }
    expect(lab.warehouse.db.prepare('SELECT DISTINCT record FROM _quarantine').pluck().all()).toEqual(['"no record"']);
    isBad = false;
    lab.now += 1000;
    expect((await lab.sync({ selection })).status).toBe('ok');
    expect(lab.warehouse.db.prepare('SELECT count(*) FROM _quarantine').pluck().get()).toBe(0);
  });
});

describe('the runs among a room’s agent decisions', () => {
  it('are not stored as decisions', async () => {
    const cut = (reply: SimReply) => {
      const body = JSON.parse(reply.body) as { metadata: Record<string, unknown> };
      body.metadata['truncated'] = true;
      return { ...reply, body: JSON.stringify(body) };
    };
    const lab = await openLab({
      readings: { runsAmongDecisions: 'present' },
      fault: ({ path }) =>
        path.includes('/agent-decisions/experiment/') ? { kind: 'change', change: cut } : undefined,
    });
    await lab.sync();
    expectMirror(lab, 'agent-decisions');
    expectMirror(lab, 'agent-runs');
  });
});
