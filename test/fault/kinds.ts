import type { Client } from '../../src/api/client.ts';
import { datasetNamed } from '../../src/datasets/registry.ts';
import { silentLog } from '../../src/shared/log.ts';
import { runSync, type SyncResult } from '../../src/sync/run.ts';
import { verifyStream, type Verdict } from '../../src/sync/verify.ts';
import { HOUR } from '../support/lab.ts';
import type { RawRequest } from '../support/raw.ts';
import type { Bench } from './bench.ts';

/** A kind of request that a sync or a verification sends, and the state of things in which it does. */
export interface Kind {
  readonly name: string;
  /** The data type whose request is struck. */
  readonly data: string;
  /** What else is synced meanwhile, and must be right whatever happens. */
  readonly others: readonly string[];
  readonly hits: (request: RawRequest, bench: Bench) => boolean;
  /** Brings the warehouse and the world to the point where the request is sent. */
  readonly before: (bench: Bench) => Promise<void>;
  readonly run?: 'all experiments' | 'verify';
  /** A 400 here means that the endpoint does not take these parameters: it is asked in another way, which may be struck, too. */
  readonly adaptsTo400?: 'once' | 'always';
  /** What a warning comes to: by default the stream is incomplete. */
  readonly onWarning?: 'read in full instead' | 'not heeded';
  /** So small that there is a later page. */
  readonly pageSize?: number;
  /** Only part of the data type's streams is struck. */
  readonly room?: (bench: Bench) => string;
}

export type Run = { readonly sync: SyncResult } | { readonly verdict: Verdict };

/** Runs what sends the kind's request. */
export async function run(kind: Pick<Kind, 'data' | 'others' | 'run'>, bench: Bench, client: Client): Promise<Run> {
  const { warehouse, clock, experimentId } = bench;
  const experiments = kind.run === 'all experiments' ? [{ all: true as const }] : bench.config.experiments;
  const config = { ...bench.config, experiments };
  const context = { client, warehouse, config, clock, log: silentLog, full: false, acceptDeletes: false };
  if (kind.run === 'verify') {
    const stream = { experimentId, dataset: datasetNamed(kind.data), scope: { kind: 'experiment' as const } };
    return { verdict: await verifyStream({ ...context, full: true }, stream, { deep: true, repair: true }) };
  }
  const selection = { experiments: [experimentId], data: [kind.data, ...kind.others] };
  return { sync: await runSync({ ...context, selection }) };
}

const PATH = (data: string, { experimentId }: Bench) => `/api/v3/data/${data}/experiment/${experimentId}`;
const isEvents = (request: RawRequest, bench: Bench) => request.path === PATH('events', bench);

async function syncOnce(bench: Bench, data: string, others: readonly string[]): Promise<void> {
  const client = bench.client(5000);
  const { sync } = (await run({ data, others }, bench, client)) as Extract<Run, { sync: SyncResult }>;
  await client.close();
  if (sync.status !== 'ok') throw new Error(`the bench is not ready: ${JSON.stringify(sync)}`);
}

const synced =
  (data: string, others: readonly string[], hoursLater = 1) =>
  async (bench: Bench) => {
    await syncOnce(bench, data, others);
    bench.now += hoursLater * HOUR;
  };

/** A row that came late, far behind the newest page, so that counts differ and ranges are read again. */
async function withLateRow(bench: Bench): Promise<void> {
  bench.now += 2 * HOUR;
  await syncOnce(bench, 'events', ['chat']);
  const events = bench.world.records('events', bench.experimentId, bench.now);
  const sorted = events.toSorted((a, b) => (String(a['timestamp']) < String(b['timestamp']) ? -1 : 1));
  bench.world.insert('events', bench.experimentId, { ...sorted[5], id: 'late' }, bench.now + 1);
  bench.now += 2;
}

export const KINDS: readonly Kind[] = [
  {
    name: 'the list of experiments',
    data: 'events',
    others: ['chat'],
    run: 'all experiments',
    onWarning: 'not heeded',
    hits: ({ path }) => path === '/api/v3/experiments',
    before: synced('events', ['chat']),
  },
  {
    name: 'a first read, first page',
    data: 'events',
    others: ['chat'],
    adaptsTo400: 'once',
    hits: (request, bench) => isEvents(request, bench) && !request.query.has('startTime'),
    before: () => Promise.resolve(),
  },
  {
    name: 'a first read, a later page',
    data: 'events',
    others: ['chat'],
    adaptsTo400: 'always',
    hits: (request, bench) => isEvents(request, bench) && request.query.has('startTime'),
    before: () => Promise.resolve(),
  },
  {
    name: 'a poll',
    data: 'events',
    others: ['chat'],
    adaptsTo400: 'always',
    hits: (request, bench) => isEvents(request, bench) && request.query.get('order') === 'desc',
    before: synced('events', ['chat']),
  },
  {
    name: 'a count',
    data: 'events',
    others: ['chat'],
    onWarning: 'read in full instead',
    adaptsTo400: 'always',
    hits: (request, bench) => isEvents(request, bench) && request.query.get('limit') === '1',
    before: withLateRow,
  },
  {
    name: 'a range that is reconciled',
    data: 'events',
    others: ['chat'],
    adaptsTo400: 'always',
    hits: (request, bench) => isEvents(request, bench) && request.query.get('order') === 'asc',
    before: withLateRow,
  },
  {
    name: 'a listing, first page',
    data: 'components',
    others: ['chat'],
    adaptsTo400: 'once',
    hits: ({ path, query }, bench) => path === PATH('components', bench) && query.get('offset') === '0',
    before: synced('components', ['chat']),
  },
  {
    name: 'a listing, a later page',
    data: 'components',
    pageSize: 8,
    others: ['chat'],
    hits: ({ path, query }, bench) => path === PATH('components', bench) && query.get('offset') !== '0',
    before: synced('components', ['chat']),
  },
  {
    name: 'a single object',
    data: 'experiment-configs',
    others: ['chat'],
    hits: ({ path }) => path.endsWith('/config'),
    async before(bench) {
      await syncOnce(bench, 'experiment-configs', ['chat']);
      const change = (record: Readonly<Record<string, unknown>>) => ({ ...record, name: 'renamed' });
      bench.world.edit('experiment-configs', bench.experimentId, () => true, change, bench.now + 1);
      bench.now += HOUR;
    },
  },
  {
    name: 'agent decisions',
    data: 'agent-decisions',
    others: ['chat'],
    hits: ({ path }) => path.includes('/agent-decisions/'),
    before: synced('agent-decisions', ['chat']),
  },
  {
    name: 'a room',
    data: 'variables',
    others: ['rooms', 'chat'],
    room: ({ world, experimentId, now }) => String(world.records('rooms', experimentId, now).at(-1)?.['id']),
    hits: ({ path }, bench) =>
      path.endsWith(
        `/variables/room/${String(bench.world.records('rooms', bench.experimentId, bench.now).at(-1)?.['id'])}`,
      ),
    before: synced('variables', ['rooms', 'chat']),
  },
  {
    name: 'the sessions of a deployment',
    data: 'deployment-sessions',
    others: ['deployments', 'chat'],
    hits: ({ path }) => path.endsWith('/sessions'),
    before: synced('deployment-sessions', ['deployments', 'chat']),
  },
  {
    name: 'a verification',
    data: 'events',
    others: [],
    run: 'verify',
    adaptsTo400: 'once',
    hits: isEvents,
    async before(bench) {
      await syncOnce(bench, 'events', ['chat']);
      bench.warehouse.db.prepare('DELETE FROM events WHERE rowid IN (SELECT rowid FROM events LIMIT 3)').run();
    },
  },
];
