import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient, type Client } from '../../src/api/client.ts';
import { openLedger } from '../../src/budget/ledger.ts';
import { createBudget } from '../../src/budget/queue.ts';
import type { Config } from '../../src/config/schema.ts';
import { datasetNamed } from '../../src/datasets/registry.ts';
import type { Clock } from '../../src/shared/clock.ts';
import { canonicalJson, type Json } from '../../src/shared/json.ts';
import { silentLog } from '../../src/shared/log.ts';
import { createApi } from '../../src/simulator/api.ts';
import type { SimReply } from '../../src/simulator/reply.ts';
import { DEMO_KEY } from '../../src/simulator/server.ts';
import { createWorld, type World } from '../../src/simulator/world.ts';
import { records } from '../../src/warehouse/records.ts';
import { createSeen } from '../../src/warehouse/seen.ts';
import { openWarehouse, type Warehouse } from '../../src/warehouse/warehouse.ts';
import { configFor, HOUR, START } from '../support/lab.ts';
import { httpReply, openRawServer, type RawAnswer, type RawRequest } from '../support/raw.ts';

/** What a fault does with the answer that the API would have given; `strike` counts from 0. */
export type Strike = (socket: Parameters<RawAnswer>[0], good: SimReply, strike: number) => void;

/** Which requests are struck, how often at most, and by what. */
export interface Striking {
  readonly hits: (request: RawRequest) => boolean;
  readonly most: number;
  readonly strike: Strike;
}

/** The simulated API behind a raw socket on which its answers can be spoilt, and a warehouse that mirrors it. */
export interface Bench {
  readonly warehouse: Warehouse;
  readonly world: World;
  readonly experimentId: string;
  readonly config: Config;
  readonly clock: Clock;
  /** The time of the API and of the warehouse, in ms since 1970 UTC. */
  now: number;
  /** Spoils answers from now on; the function given tells how many were. */
  spoil(striking: Striking): () => number;
  /** A client under the real budget, in whose time no one waits; once refused, it is refused for good. */
  client(timeoutMs: number): Client;
  /** The records of a data type in the warehouse, and those that the API holds, as sorted canonical JSON. */
  mirrored(data: string): string[];
  truth(data: string): string[];
  /** Runs something, and undoes all that it did to the warehouse. */
  undoing(run: () => Promise<void>): Promise<void>;
  close(): void;
}

/** Larger than any answer in the bench's world, in bytes. */
export const LARGEST_BODY = 200_000;
const LIMITS = { perHour: 1e9, perEndpointPerMinute: 1e9 };

export async function openBench({ pageSize = 20 } = {}): Promise<Bench> {
  const world = createWorld({
    seed: 3,
    start: START,
    experiments: 2,
    roomsPerExperiment: 3,
    participantsPerRoom: 2,
    videoSeconds: 20,
    roomEveryMs: HOUR,
  });
  let now = START + 1.5 * HOUR;
  let waited = 0;
  const handle = createApi({ world, keys: [{ key: DEMO_KEY, scopes: ['*'] }], limits: LIMITS });
  // Hours pass for the meter between two requests, so that it forgets the one before.
  let metered = 0;
  let spoiling: (Striking & { struck: number }) | undefined;
  const server = await openRawServer((socket, request) => {
    const good = handle({ ...request, path: request.path.replace('/api/v3', '') }, now, (metered += HOUR));
    const own = spoiling;
    if (own !== undefined && own.struck < own.most && own.hits(request)) own.strike(socket, good, own.struck++);
    else socket.write(httpReply(good.status, good.body, good.headers));
  });
  const clock: Clock = {
    now: () => now,
    uptime: () => waited,
    bootId: 'bench',
    sleep: (ms) => {
      waited += ms;
      return Promise.resolve();
    },
  };
  const folder = mkdtempSync(join(tmpdir(), 'hsw-'));
  const path = join(folder, 'bench.db');
  const baseUrl = `http://127.0.0.1:${server.port}/api/v3`;
  // Every cell is undone in the end, and an index would be built by a connection that waits for that.
  const opened = openWarehouse(path, { clock, history: true, queryIndexes: false });
  // Views and indexes follow from the tables, and to look for new columns takes longer than a sync of the bench.
  const untended = (own: Warehouse): Warehouse => ({
    ...own,
    during: (run) => untended(own.during(run)),
    tendForReaders: () => undefined,
  });
  const warehouse = untended(opened);
  // Made once, as SQLite reads its whole schema again when a table's making is undone.
  createSeen(warehouse.db).drop();
  // The second experiment is the one with agents.
  const experimentId = world.experimentIds[1] ?? '';
  const config = configFor(baseUrl, path, { lookbackMs: 10 * HOUR, experiments: [{ id: experimentId }] });
  return {
    warehouse,
    world,
    experimentId,
    config: { ...config, api: { ...config.api, pageSize } },
    clock,
    get now() {
      return now;
    },
    set now(to) {
      now = to;
    },
    spoil(striking) {
      const own = { ...striking, struck: 0 };
      spoiling = own;
      return () => own.struck;
    },
    client(timeoutMs) {
      const ledger = openLedger(warehouse.db, { clock, keyId: 'bench', ...LIMITS, reserve: 0, deadlineMs: timeoutMs });
      return createClient({
        baseUrl,
        key: DEMO_KEY,
        budget: createBudget({ ledger, clock, concurrency: 4 }),
        clock,
        random: () => 0.5,
        log: silentLog,
        timeoutMs,
        userAgent: 'bench',
        largestBody: LARGEST_BODY,
      });
    },
    mirrored: (data) =>
      [...records(warehouse.db, datasetNamed(data), [experimentId])].map(({ record }) => canonicalJson(record)).sort(),
    truth: (data) =>
      world
        .records(data, experimentId, now)
        .map((record) => canonicalJson(record as Json))
        .sort(),
    async undoing(run) {
      const { db } = warehouse;
      db.exec('BEGIN IMMEDIATE');
      try {
        await run();
      } finally {
        db.exec('ROLLBACK');
      }
    },
    close() {
      warehouse.close();
      server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
