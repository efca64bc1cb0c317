import { dirname } from 'node:path';
import { namesData } from '../schedule/streams.ts';
import { scopeText, streamText } from '../datasets/stream.ts';
import type { Clock } from '../shared/clock.ts';
import { wantedBy } from '../media/round.ts';
import { issuesOf } from '../status/issues.ts';
import type { ExperimentView, LiveRoom, Running, Snapshot, StreamView } from '../status/snapshot.ts';
import { SCHEMA_NEWS_MS } from '../status/schema-issues.ts';
import { idOf } from '../status/stream-name.ts';
import { earliest } from '../status/summary.ts';
import type { DaemonView } from '../status/view.ts';
import { diskOf } from '../warehouse/disk.ts';
import { NO_EXPERIMENTS } from '../warehouse/experiment-list.ts';
import { countMedia } from '../warehouse/media.ts';
import { allPositions, NEVER_READ, type StoredPosition } from '../warehouse/positions.ts';
import type { Refusal } from '../warehouse/refusal.ts';
import { schemaChangesAfter } from '../warehouse/schema-changes.ts';
import { standingOf } from '../warehouse/standing.ts';
import { readGrowth } from '../warehouse/state.ts';
import { runningRooms, SENT_DATA } from '../warehouse/structure.ts';
import { walBytes } from '../warehouse/wal.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import type { ApiConnection } from '../runtime/api-connection.ts';
import type { Engine } from './engine.ts';
import type { Outage } from './outage.ts';
import type { Notices } from './notices.ts';

/** What a snapshot of the daemon is made from. */
export interface Shown {
  readonly version: string;
  readonly startedAt: number;
  readonly clock: Clock;
  readonly warehouse: Warehouse;
  readonly engine: Engine;
  readonly notices: Notices;
  readonly outage: Outage;
  readonly connection: () => ApiConnection;
  readonly lastProgressAt: () => number | undefined;
  readonly refusal: () => Refusal | undefined;
  /** When the last of the requests that wait for a limit may start. */
  readonly limitedUntil: () => number | undefined;
  /** How long it may go without progress, in milliseconds. */
  readonly patienceMs: () => number;
}

/** How many hours the dashboard shows. */
const GROWTH_POINTS = 168;

/** The current view of the daemon. */
export function viewOf(shown: Shown): DaemonView {
  const { version, warehouse, notices, connection } = shown;
  const snapshot = snapshotOf(shown);
  return {
    ...snapshot,
    version,
    schedule: connection().config.schedule,
    issues: issuesOf(snapshot),
    recent: notices.recent(),
    growth: readGrowth(warehouse.db, GROWTH_POINTS),
  };
}

/** Everything that is known at this moment. */
export function snapshotOf(shown: Shown): Snapshot & Running {
  const { clock, warehouse, engine, connection } = shown;
  const { config } = connection();
  const all = streamsNow(shown);
  const streams = all.filter(({ standing }) => standing !== 'unconfigured');
  const emptyAt = engine.experiments.seesNothingSince();
  return {
    ...runningOf(shown, streams),
    now: clock.now(),
    experiments: experimentsOf(shown, streams),
    unconfigured: all.filter(({ standing }) => standing === 'unconfigured'),
    list: emptyAt === undefined ? [] : [{ ...NO_EXPERIMENTS, since: emptyAt }],
    schemaChanges: schemaChangesAfter(warehouse.db, clock.now() - SCHEMA_NEWS_MS),
    keyExpiresAt: config.api.keyExpiresAt,
    refusal: shown.refusal(),
    reserve: config.api.limits.reserve,
    warehouse: { path: warehouse.path, walBytes: walBytes(warehouse.path), ...diskOf(dirname(warehouse.path)) },
    media: config.media.recordings ? countMedia(warehouse.db, wantedBy(config)) : undefined,
    leastFree: config.alerts.diskFree,
    comparing: config.reconcile.budgetShare,
  };
}

function runningOf(shown: Shown, streams: readonly StreamView[]): Running {
  const { startedAt, outage, engine, warehouse, connection } = shown;
  const { hour, minute, perMinute } = connection().budget.usage();
  const limitedUntil = shown.limitedUntil();
  const live = engine.experiments.planned().filter(({ id }) => engine.experiments.isLive(id));
  return {
    startedAt,
    lastProgressAt: shown.lastProgressAt(),
    patienceMs: shown.patienceMs(),
    keyRefused: outage.keyRefused(),
    outage: outage.current(),
    waitsUntil: Math.max(limitedUntil ?? 0, outage.restsUntil(), outage.overSince()) || undefined,
    countsFrom: Math.max(engine.connectedAt, outage.overSince()),
    budget: {
      hour,
      minute: [...minute].map(([endpoint, used]) => ({ endpoint, ...used })),
      perMinute,
      waitsUntil: limitedUntil,
    },
    work: [...engine.leases.held.values()].map(({ stream, since, fetched, total }) => ({
      stream: streamText(stream),
      since,
      fetched,
      total,
    })),
    liveRooms: live.flatMap(({ id }) =>
      runningRooms(warehouse.db, id).map((room): LiveRoom => ({
        experimentId: id,
        ...room,
        readTo: readTo(streams, id, room.room),
      })),
    ),
  };
}

/** Every stream that was read or is planned. */
function streamsNow({ engine, warehouse, connection }: Shown): StreamView[] {
  const planned = engine.dueTimes.entries.map(({ stream, dueAt }) => ({
    ...NEVER_READ,
    experimentId: stream.experimentId,
    data: stream.dataset.name,
    scope: scopeText(stream),
    nextAt: Number.isFinite(dueAt) ? dueAt : undefined,
  }));
  const due = new Map(planned.map((stream) => [idOf(stream), stream.nextAt]));
  const read = allPositions(warehouse.db);
  const known = new Set(read.map(idOf));
  const unread = planned.filter((stream) => !known.has(idOf(stream)));
  const { config } = connection();
  return [...read, ...unread].map((stream) => ({
    ...stream,
    standing: standingOf(stream),
    isNamed: namesData(config, stream),
    nextAt: due.get(idOf(stream)),
  }));
}

function experimentsOf({ engine }: Shown, streams: readonly StreamView[]): ExperimentView[] {
  const { experiments } = engine;
  const of = Map.groupBy(streams, ({ experimentId }) => experimentId);
  const gone = new Set(experiments.gone().keys());
  return [...experiments.planned().map(({ id }) => id), ...gone].map((id) => ({
    id,
    name: experiments.nameOf(id),
    live: experiments.isLive(id),
    isGone: gone.has(id),
    streams: of.get(id) ?? [],
  }));
}

/**
 * The time up to which everything that a room sends was read; undefined if some of it was never read, or none of it is
 * configured. Streams that never had rows count only if none had, as they are polled less often.
 */
export function readTo(positions: readonly StoredPosition[], experimentId: string, room: string): number | undefined {
  const sent = positions.filter(
    (position) =>
      position.experimentId === experimentId &&
      position.lastStatus !== 'skipped' &&
      SENT_DATA.has(position.data) &&
      ['experiment', `room:${room}`].includes(position.scope),
  );
  const withRows = sent.filter(({ rows, dataAsOf }) => rows > 0 || dataAsOf === undefined);
  const counted = (withRows.length > 0 ? withRows : sent).map(({ dataAsOf }) => dataAsOf);
  return counted.includes(undefined) ? undefined : earliest(counted);
}
