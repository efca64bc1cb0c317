import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Config } from '../../src/config/schema.ts';
import { createBackground } from '../../src/daemon/background.ts';
import { createNotices, type Notices } from '../../src/daemon/notices.ts';
import { createWalGuard, type WalBounds } from '../../src/daemon/wal-guard.ts';
import { datasetNamed } from '../../src/datasets/registry.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { canonicalJson, type Json } from '../../src/shared/json.ts';
import { silentLog } from '../../src/shared/log.ts';
import { createApi } from '../../src/simulator/api.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { DEMO_KEY, startSimulator } from '../../src/simulator/server.ts';
import { createWorld } from '../../src/simulator/world.ts';
import { records } from '../../src/warehouse/records.ts';
import { remember } from '../../src/warehouse/state.ts';
import { walBytes } from '../../src/warehouse/wal.ts';
import { openWarehouse } from '../../src/warehouse/warehouse.ts';
import { SimulatedNetwork } from '../simulation/network.ts';
import { virtualTime } from '../simulation/virtual-time.ts';
import { fastClock } from '../support/fast-clock.mjs';
import { START, temporaryFolder } from '../support/lab.ts';
import { startVirtualEngine } from '../support/virtual-engine.ts';
import { MINUTE_MS as MINUTE } from '../../src/shared/time.ts';

const MB = 1024 ** 2;
const PATIENTLY = { timeout: 30_000, interval: 300 };
/** A first read of thousands of rows, on a machine that is busy with other things. */
const VERY_PATIENTLY = { timeout: 150_000, interval: 300 };
/** What the first reads that are under way together may still commit. */
const TRANSACTIONS = 2 * MB;
/** What a poll of a page writes at most, its place in the ledger included. */
const POLL_BYTES = 200 * 1024;

/** Another process that keeps a read transaction open, as a forgotten session of R does; gives what ends it. */
async function keepReading(path: string): Promise<() => Promise<void>> {
  const script = `const db = new (require('better-sqlite3'))(process.argv[1], { readonly: true });
    db.exec('BEGIN'); db.prepare('SELECT count(*) FROM rooms').get(); console.log('reading'); setInterval(() => {}, 1e6);`;
  const reader = spawn(process.execPath, ['-e', script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = once(reader, 'exit');
  onTestFinished(() => void reader.kill('SIGKILL'));
  await once(reader.stdout, 'data');
  return async () => {
    reader.kill('SIGKILL');
    await gone;
  };
}

/** The daemon's engine with a real server and a real file, by a clock that runs `times` as fast. */
async function startEngine(walBounds: WalBounds, times: number) {
  const clock = fastClock({ start: START + 30 * MINUTE, from: Date.now(), speed: times }, systemClock);
  const now = () => clock.now();
  const world = { experiments: 1, roomsPerExperiment: 26, videoSeconds: 120, roomEveryMs: 2 * MINUTE };
  const limits = { perHour: 1e6, perEndpointPerMinute: 1e6 };
  const simulator = await startSimulator({ world, limits, now });
  const path = join(temporaryFolder(), 'w.db');
  const data: Config['data'] = ['ratings/continuous', 'events', 'rooms'];
  const options = { path, network: simulator, clock, random: Math.random, data, pageSize: 100, limits, walBounds };
  const engine = startVirtualEngine(options);
  const most = { wal: 0 };
  const sampling = setInterval(() => (most.wal = Math.max(most.wal, walBytes(path))), 10);
  onTestFinished(async () => {
    clearInterval(sampling);
    await engine.stop();
    await simulator.close();
  });
  return { path, notices: engine.notices, simulator, most, now };
}

function told({ notices }: { readonly notices: Notices }) {
  return notices.recent().filter(({ code }) => code === 'WAL_LARGE');
}

/** What a reader sees who opens the file now. */
function ask(path: string, sql: string): number {
  const db = new Database(path, { readonly: true });
  try {
    return Number(db.prepare(sql).pluck().get());
  } finally {
    db.close();
  }
}

describe('the write-ahead log while another process keeps a read transaction open', () => {
  const bounds = { large: MB, tooLarge: 3 * MB };
  it(
    'stops long first reads, lets new data in, and is emptied when the process has gone',
    { timeout: 300_000 },
    async () => {
      const engine = await startEngine(bounds, 30);
      const { path, simulator, most, now } = engine;
      const held = () => ask(path, 'SELECT count(*) FROM ratings_continuous');
      const unread = "SELECT group_concat(data) = 'ratings/continuous' FROM _streams WHERE NOT backfilled";
      await expect.poll(() => ask(path, unread), PATIENTLY).toBe(1);
      const leave = await keepReading(path);
      await expect.poll(() => told(engine).length, PATIENTLY).toBe(1);
      const events = () => ask(path, 'SELECT count(*) FROM events');
      await new Promise((resolve) => setTimeout(resolve, 300));
      const [ratings, before, asked, size] = [held(), events(), simulator.requests.length, walBytes(path)];
      expect(most.wal).toBeLessThan(bounds.tooLarge + TRANSACTIONS);
      await expect.poll(events, PATIENTLY).toBeGreaterThan(before + 50);
      expect(held()).toBe(ratings);
      expect(most.wal).toBeLessThan(size + (simulator.requests.length - asked) * POLL_BYTES);
      expect(told(engine)).toEqual([
        expect.objectContaining({
          text: expect.stringContaining('First reads wait until that program closes the file') as string,
          hint: 'Close old R, Python or MATLAB sessions that have the file open.',
        }),
      ]);

      await leave();
      await expect.poll(held, PATIENTLY).toBeGreaterThan(ratings);
      await expect.poll(() => walBytes(path), PATIENTLY).toBeLessThan(bounds.tooLarge);
      const id = simulator.world.experimentIds[0] ?? '';
      const lacking = () => {
        const db = new Database(path, { readonly: true });
        const mirrored = new Set(
          [...records(db, datasetNamed('ratings/continuous'))].map(({ record }) => canonicalJson(record)),
        );
        db.close();
        const truth = simulator.world.records('ratings/continuous', id, now() - 10 * MINUTE);
        return truth.filter((record) => !mirrored.has(canonicalJson(record as Json))).length;
      };
      await expect.poll(lacking, VERY_PATIENTLY).toBe(0);
    },
  );

  it('is looked at with every page, however fast they come between two ticks of the engine', async () => {
    const time = virtualTime(START + 2 * 60 * MINUTE);
    const { clock } = time;
    const world = createWorld({
      seed: 1,
      start: START,
      experiments: 1,
      roomsPerExperiment: 1,
      participantsPerRoom: 2,
      videoSeconds: 1800,
      roomEveryMs: MINUTE,
    });
    const limits = { perHour: 1e5, perEndpointPerMinute: 1e4 };
    const handle = createApi({ world, keys: [{ key: DEMO_KEY, scopes: ['*'] }], limits });
    const network = new SimulatedNetwork((request) => {
      time.pass(10);
      return { reply: handle(request, clock.now()) };
    });
    const path = join(temporaryFolder(), 'w.db');
    const random = createRandom(1);
    const walBounds = { large: MB, tooLarge: 12 * MB };
    const options = { path, network, clock, random: () => random.next(), pageSize: 50, limits, walBounds };
    const engine = startVirtualEngine(options);
    const reader = new Database(path, { readonly: true });
    onTestFinished(() => void reader.close());
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM rooms').get();
    await time.until(clock.sleep(2 * MINUTE));
    expect(told(engine)).toHaveLength(1);
    expect(walBytes(path)).toBeLessThan(walBounds.tooLarge + TRANSACTIONS);
    await time.until(engine.stop());
  });
});

describe('the guard of the write-ahead log', () => {
  const SMALL = { large: MB, tooLarge: 4 * MB };

  /** A warehouse with a reader, and what the guard is handed. */
  function guarded(bounds = SMALL) {
    const time = { now: START };
    const clock = { ...systemClock, now: () => time.now };
    const warehouse = openWarehouse(join(temporaryFolder(), 'w.db'), { clock, history: false });
    const reader = new Database(warehouse.path, { readonly: true });
    onTestFinished(() => {
      reader.close();
      warehouse.close();
    });
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM rooms').get();
    const around = {
      warehouse: { db: warehouse.db, path: warehouse.path },
      clock,
      log: silentLog,
      notices: createNotices(),
      background: createBackground(),
    };
    return { time, warehouse, reader, around, guard: createWalGuard(around, bounds) };
  }

  it('stops what can wait at once when the log is too large, says so once, and lets it go on once the log is empty', () => {
    const { time, warehouse, reader, around, guard } = guarded();
    remember(warehouse.db, 'filler', 'x'.repeat(MB), time.now);
    expect(guard.mayWrite()).toBe(true);
    expect(around.background.signal.aborted).toBe(false);
    remember(warehouse.db, 'filler', 'y'.repeat(4 * MB), time.now);
    expect(guard.mayWrite()).toBe(false);
    expect(around.background.signal.aborted).toBe(true);
    around.background.resume();
    for (let i = 0; i < 5; i++) {
      time.now += 10_000;
      expect(guard.mayWrite()).toBe(false);
    }
    expect(around.background.signal.aborted).toBe(false);
    expect(told(around)).toHaveLength(1);
    reader.exec('COMMIT');
    time.now += 10_000;
    expect(guard.mayWrite()).toBe(true);
    expect(walBytes(warehouse.path)).toBe(0);
  });

  it('says what the disk says when that does not let the log be emptied, and blames no reader', () => {
    const { time, warehouse, around } = guarded();
    remember(warehouse.db, 'filler', 'x'.repeat(5 * MB), time.now);
    const db = new Database(warehouse.path, { readonly: true });
    onTestFinished(() => void db.close());
    const { notices } = around;
    const guard = createWalGuard({ ...around, warehouse: { db, path: warehouse.path } }, SMALL);
    expect(guard.mayWrite()).toBe(false);
    expect(notices.recent()).toEqual([expect.objectContaining({ code: 'WAREHOUSE_UNWRITABLE' })]);
  });
});
