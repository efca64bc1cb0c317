import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Priority } from '../../src/shared/priority.ts';
import { createApi } from '../../src/simulator/api.ts';
import { createRandom } from '../../src/simulator/random.ts';
import type { SimReply } from '../../src/simulator/reply.ts';
import { DEMO_KEY } from '../../src/simulator/server.ts';
import { createWorld } from '../../src/simulator/world.ts';
import { scopeText } from '../../src/datasets/stream.ts';
import { PRIORITIES, rankNow } from '../../src/budget/priorities.ts';
import { SimulatedNetwork } from '../simulation/network.ts';
import { virtualTime } from '../simulation/virtual-time.ts';
import { HOUR, START, temporaryFolder } from '../support/lab.ts';
import { startVirtualEngine } from '../support/virtual-engine.ts';
import { MINUTE_MS as MINUTE } from '../../src/shared/time.ts';

const LIMITS = { perHour: 1000, perEndpointPerMinute: 100 };

/** The list of experiments as if some were not there. */
function without(reply: SimReply, hidden: readonly string[]): SimReply {
  const { data, ...rest } = JSON.parse(reply.body) as { data: { id: string }[]; metadata: object };
  const shown = data.filter(({ id }) => !hidden.includes(id));
  return { ...reply, body: JSON.stringify({ ...rest, metadata: {}, data: shown }) };
}

/** Two experiments whose ratings fill hundreds of pages; each opens another room in an hour. */
function lab() {
  const time = virtualTime(START + 2 * HOUR);
  const { clock } = time;
  const world = createWorld({
    seed: 1,
    start: START,
    experiments: 2,
    roomsPerExperiment: 2,
    participantsPerRoom: 2,
    videoSeconds: 720,
    roomEveryMs: 3 * HOUR,
  });
  const handle = createApi({ world, keys: [{ key: DEMO_KEY, scopes: ['*'] }], limits: LIMITS });
  const network = new SimulatedNetwork((request) => {
    time.pass(100);
    const reply = handle(request, clock.now());
    return { reply: request.path === '/experiments' ? without(reply, hidden) : reply };
  });
  const hidden: string[] = [];
  const random = createRandom(1);
  const asked: { at: number; now: number; later: () => number }[] = [];
  const onSpend = ({ priority }: { priority?: Priority | undefined }) =>
    asked.push({ at: clock.now(), now: rankNow(priority), later: () => rankNow(priority) });
  const daemon = startVirtualEngine({
    path: join(temporaryFolder(), 'w.db'),
    network,
    clock,
    random: () => random.next(),
    pageSize: 15,
    limits: LIMITS,
    onSpend,
  });
  const wait = (ms: number) => time.until(clock.sleep(ms));
  const ask = (sql: string) => daemon.warehouse.db.prepare<[], string>(sql).pluck().all();
  return { ...daemon, world, clock, wait, ask, asked, hidden, stop: () => time.until(daemon.stop()) };
}

const UNREAD = "SELECT DISTINCT data FROM _streams WHERE NOT backfilled AND last_status IS NOT 'skipped' ORDER BY data";

describe('a first read of many pages', () => {
  it('keeps no short stream waiting', async () => {
    const { wait, ask, stop, world, clock } = lab();
    await wait(5 * MINUTE);
    expect(ask(UNREAD)).toContain('ratings/continuous');
    for (const data of ['events', 'chat', 'components', 'participants'])
      expect(ask(`SELECT count(*) FROM ${data}`), data).toEqual([
        world.experimentIds.flatMap((id) => world.records(data, id, clock.now())).length,
      ]);
    await stop();
  });

  it('does not hold up a room that opens meanwhile', async () => {
    const { wait, ask, stop, world, clock } = lab();
    await wait(HOUR + 12 * MINUTE);
    expect(ask(UNREAD)).toContain('ratings/continuous');
    for (const data of ['rooms', 'participants', 'variables']) {
      const there = world.experimentIds.flatMap((id) => world.records(data, id, clock.now() - 7 * MINUTE));
      expect(ask(`SELECT count(*) FROM ${data}`)[0], data).toBeGreaterThanOrEqual(there.length);
    }
    await stop();
  });

  it('asks for the rooms as soon as the list of experiments counts another one', async () => {
    const { wait, ask, stop } = lab();
    await wait(HOUR);
    expect(ask('SELECT count(*) FROM rooms')).toEqual([2]);
    await wait(1.5 * MINUTE);
    expect(ask('SELECT count(*) FROM rooms')).toEqual([4]);
    await stop();
  });
});

describe('a poll that waits for a limit', () => {
  it('goes first as soon as its experiment is in session, although it was not when the poll began', async () => {
    const { wait, asked, stop, clock } = lab();
    await wait(50 * MINUTE);
    const idle = asked.filter(({ at, now }) => now === PRIORITIES.fresh.rank && clock.now() - at < 40 * MINUTE);
    expect(idle.length).toBeGreaterThan(0);
    expect(idle.map(({ later }) => later())).toEqual(idle.map(() => PRIORITIES.fresh.rank));
    await wait(14 * MINUTE);
    expect(idle.map(({ later }) => later())).toEqual(idle.map(() => PRIORITIES.live.rank));
    await stop();
  });

  it('waits an hour at most for the experiments that are in session', async () => {
    const { wait, asked, stop } = lab();
    await wait(50 * MINUTE);
    await stop();
    const idle = asked.filter(({ now }) => now === PRIORITIES.fresh.rank).slice(-1);
    expect(idle).toHaveLength(1);
    await wait(55 * MINUTE);
    expect(idle.map(({ later }) => later())).toEqual([PRIORITIES.fresh.rank]);
    await wait(HOUR);
    expect(idle.map(({ later }) => later())).toEqual([PRIORITIES.live.rank]);
  });

  it('has the same priority as a sync for a user that starts after it', async () => {
    const { wait, asked, stop, engine } = lab();
    await wait(50 * MINUTE);
    const poll = asked.findLast(({ now }) => now === PRIORITIES.fresh.rank);
    const { signal } = new AbortController();
    const request = { selection: { data: ['rooms'] }, full: false, acceptDeletes: false, acceptSchema: false };
    const sync = engine.requests.sync(request, { signal });
    expect(poll?.later()).toBe(PRIORITIES.user.rank);
    await wait(10 * MINUTE);
    expect(await sync).toMatchObject({ status: 'ok' });
    expect(poll?.later()).not.toBe(PRIORITIES.user.rank);
    await stop();
  });
});

describe('the streams that the daemon plans', () => {
  it('are in _freshness before they are read, the rooms as soon as they are known', async () => {
    const { wait, ask, stop, engine } = lab();
    await wait(5 * MINUTE);
    const planned = engine.dueTimes.entries.map(
      ({ stream }) => `${stream.experimentId} ${stream.dataset.name} ${scopeText(stream)}`,
    );
    const enrolled = ask("SELECT experiment_id || ' ' || data || ' ' || scope FROM _freshness");
    expect(planned.filter((name) => !enrolled.includes(name))).toEqual([]);
    expect(enrolled.some((name) => name.includes('variables room:'))).toBe(true);
    expect(ask('SELECT DISTINCT reason FROM _freshness WHERE last_sync_at IS NULL')).toEqual(['not read yet']);
    await stop();
  });

  it('of an experiment that has left the list say so within three minutes, and are read again once it is back', async () => {
    const { wait, ask, stop, world, hidden, engine } = lab();
    const [id = ''] = world.experimentIds;
    await wait(HOUR / 2);
    hidden.push(id);
    const gone = `SELECT DISTINCT doubts LIKE '%"gone"%' FROM _streams WHERE experiment_id = '${id}'`;
    expect(ask(gone)).toEqual([0]);
    await wait(3 * MINUTE);
    expect(ask(gone)).toEqual([1]);
    expect(engine.dueTimes.entries.some(({ stream }) => stream.experimentId === id)).toBe(false);
    hidden.pop();
    await wait(1.5 * MINUTE);
    expect(ask(gone)).toEqual([0]);
    await wait(HOUR / 2);
    expect(ask('SELECT data FROM _streams WHERE NOT complete AND last_status IS NOT NULL AND backfilled')).toEqual([]);
    await stop();
  });
});
