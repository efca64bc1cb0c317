import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Config } from '../../src/config/schema.ts';
import { normalise } from '../../src/datasets/normalise.ts';
import { datasetNamed } from '../../src/datasets/registry.ts';
import type { Stream } from '../../src/datasets/stream.ts';
import { systemClock } from '../../src/shared/clock.ts';
import type { JsonObject } from '../../src/shared/json.ts';
import { silentLog } from '../../src/shared/log.ts';
import { DAY_MS as DAY, formatTime, HOUR_MS as HOUR, MINUTE_MS as MINUTE } from '../../src/shared/time.ts';
import { numbered } from '../../src/read/ordinals.ts';
import type { Session } from '../../src/read/session.ts';
import { committing, type Batch, type Sink } from '../../src/read/sink.ts';
import { openSession, type SyncContext } from '../../src/sync/open-session.ts';
import { readPosition, type Position, type PositionChange } from '../../src/warehouse/positions.ts';
import { keysOf } from '../../src/warehouse/records.ts';
import { openWarehouse } from '../../src/warehouse/warehouse.ts';
import { clientOf, fakeApi, type FakeApi } from './fake-api.ts';
import { configFor, temporaryFolder } from './lab.ts';

export { MINUTE, HOUR, DAY };

const START = Date.parse('2026-01-12T09:00:00.000Z');

/** The instant so many minutes after nine o'clock. */
export const at = (minute: number): number => START + minute * MINUTE;

/** A record of the data type with that id and time. */
export type Make = (id: string, minute: number, more?: JsonObject) => JsonObject;

/** What a test may set of a session. */
export interface SessionChange {
  readonly full?: boolean;
  readonly acceptDeletes?: boolean;
  readonly config?: Partial<Config>;
}

export interface FakeStream {
  readonly api: FakeApi;
  readonly stream: Stream;
  readonly warehouse: ReturnType<typeof openWarehouse>;
  readonly make: Make;
  /** Records `PREFIX1`, `PREFIX2`, … of the minutes from `first` to `last`. */
  readonly series: (first: number, last: number, more?: JsonObject) => JsonObject[];
  /** The local clock. */
  now: number;
  /** Has the warehouse hold records, as a sync that is over left them; by default with nothing in doubt. */
  readonly hold: (records: readonly JsonObject[], position?: PositionChange) => void;
  /** Notes rooms as their listing left them, and what the experiment counts. */
  readonly listRooms: (rooms: Readonly<Record<string, JsonObject>>, listing?: Listed) => void;
  readonly session: (change?: SessionChange) => Session;
  /** What a sync, a verification or the nightly run works with. */
  readonly context: SyncContext;
  /** What the sinks of all sessions took. */
  readonly taken: Batch[];
  readonly position: () => Position;
  readonly held: () => string[];
}

/** How the listing of rooms went. */
export interface Listed {
  readonly isComplete?: boolean;
  /** Whether the experiment's own record was read. */
  readonly isHeld?: boolean;
  readonly roomCount?: number;
  readonly participantCount?: number;
}

/** A stream of a data type with a fake API and a real warehouse. Pages hold four records. */
export function fakeStream(data: string, config: Partial<Config> = {}, pageSize = 4): FakeStream {
  const dataset = datasetNamed(data);
  const stream: Stream = { experimentId: 'exp_1', dataset, scope: { kind: 'experiment' } };
  const api = fakeApi(at(600));
  let now = at(600);
  const clock = { ...systemClock, now: () => now, sleep: () => Promise.resolve() };
  const path = join(temporaryFolder(), 'w.db');
  const warehouse = openWarehouse(path, { clock, history: true });
  onTestFinished(() => warehouse.close());
  const make: Make = (id, minute, more = {}) => ({
    [dataset.identity[0] ?? 'componentId']: id,
    ...(dataset.timeField === undefined ? {} : { [dataset.timeField]: formatTime(at(minute)) }),
    ...more,
  });
  const taken: Batch[] = [];
  const defaults = configFor('http://127.0.0.1:9', path);
  const context = {
    client: clientOf(api, stream),
    warehouse,
    config: { ...defaults, api: { ...defaults.api, pageSize }, ...config },
    clock,
    log: silentLog,
    full: false,
    acceptDeletes: false,
  };
  return {
    api,
    stream,
    context,
    warehouse,
    make,
    taken,
    get now() {
      return now;
    },
    set now(to) {
      now = to;
      api.now = to;
    },
    series: (first, last, more) =>
      Array.from({ length: last - first + 1 }, (_, i) => make(`${dataset.name[0] ?? ''}${first + i}`, first + i, more)),
    hold(records, position) {
      holdRecords(warehouse, stream, records, { now, position });
    },
    listRooms(rooms, listed) {
      api.rooms = Object.keys(rooms).map((id) => ({ id }));
      listRooms(warehouse, rooms, { now, ...listed });
    },
    session({ config: change, ...rest } = {}) {
      const sink = watched(committing(warehouse, stream), taken);
      const session = openSession({ ...context, ...rest, config: { ...context.config, ...change } }, stream, sink);
      onTestFinished(() => sink.close());
      return session;
    },
    position: () => readPosition(warehouse.db, stream),
    held: () => (keysOf(warehouse.db, stream) ?? []).sort(),
  };
}

function holdRecords(
  warehouse: FakeStream['warehouse'],
  stream: Stream,
  records: readonly JsonObject[],
  { now, position }: { now: number; position?: PositionChange | undefined },
): void {
  const rows = records.map((record) => {
    const row = normalise(stream.dataset, record, { experimentId: stream.experimentId });
    if ('reason' in row) throw new Error(row.reason);
    return row;
  });
  const times = rows.map(({ time }) => time ?? 0);
  warehouse.commit(stream, {
    rows: numbered(rows).rows,
    position: {
      backfilled: true,
      doubts: [],
      watermark: times.length === 0 ? undefined : Math.max(...times),
      listedAt: now,
      accountedAt: now,
      ...position,
    },
  });
}

function listRooms(
  warehouse: FakeStream['warehouse'],
  rooms: Readonly<Record<string, JsonObject>>,
  { now, isComplete = true, isHeld = true, ...counts }: Listed & { readonly now: number },
): void {
  const of = (data: string): Stream => ({
    experimentId: 'exp_1',
    dataset: datasetNamed(data),
    scope: { kind: 'experiment' },
  });
  const records = Object.entries(rooms).map(([id, room]) => ({ id, createdAt: formatTime(START), ...room }));
  holdRecords(warehouse, of('rooms'), records, {
    now,
    position: { doubts: isComplete ? [] : [{ kind: 'cut', text: 'the list of rooms was cut' }] },
  });
  if (isHeld) holdRecords(warehouse, of('experiments'), [{ id: 'exp_1', ...counts }], { now });
}

/** A sink that notes every batch before it takes it. */
function watched(sink: Sink, taken: Batch[]): Sink {
  return {
    ...sink,
    take(batch) {
      taken.push(batch);
      return sink.take(batch);
    },
    get tally() {
      return sink.tally;
    },
    get hasSharedIds() {
      return sink.seen.hasSharedIds;
    },
  };
}
