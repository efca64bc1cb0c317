import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { scopeText, streamText } from '../datasets/stream.ts';
import type { Clock } from '../shared/clock.ts';
import { allPositions, NEVER_READ } from '../warehouse/positions.ts';
import { standingOf } from '../warehouse/standing.ts';
import { readGrowth } from '../warehouse/state.ts';
import { walBytes } from '../warehouse/wal.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import type { ApiConnection } from '../runtime/api-connection.ts';
import type { Engine } from './engine.ts';
import { expiryOf, latestRead, type Expiry } from '../status/expiry.ts';
import type { Problem, Problems } from './problems.ts';
import type { Outage } from './outage.ts';
import type { DaemonView, StreamView } from '../status/view.ts';
import { goneIssue, NO_EXPERIMENTS, type ListIssue } from '../warehouse/experiment-list.ts';

/** What the daemon's view is made of. */
export interface Shown {
  readonly version: string;
  readonly startedAt: number;
  readonly clock: Clock;
  readonly warehouse: Warehouse;
  readonly engine: Engine;
  readonly problems: Problems;
  readonly outage: Outage;
  readonly connection: () => ApiConnection;
  readonly lastProgressAt: () => number | undefined;
  readonly refusedAt: () => number | undefined;
  /** When the last of the requests that wait for a limit may start. */
  readonly limitedUntil: () => number | undefined;
}

/** Hours that the dashboard shows. */
const GROWTH_POINTS = 168;

/** What the daemon shows of itself, as it is now. */
export function viewOf(shown: Shown): DaemonView {
  const { version, startedAt, clock, warehouse, engine, problems, outage, connection } = shown;
  const now = clock.now();
  const { budget, config } = connection();
  const { hour, minute, perMinute } = budget.usage();
  const experiments = experimentsOf(shown);
  const readAt = latestRead(experiments.flatMap(({ streams }) => streams));
  const expiry = expiryOf({ keyExpiresAt: config.api.keyExpiresAt, readAt, now });
  return {
    version,
    startedAt,
    now,
    lastProgressAt: shown.lastProgressAt(),
    warehouse: { path: warehouse.path, walBytes: walBytes(warehouse.path), freeBytes: freeBytes(warehouse.path) },
    keyRefused: outage.keyRefused(),
    trouble: troubleOf(outage),
    waitsUntil: Math.max(shown.limitedUntil() ?? 0, outage.restsUntil(), outage.overSince()) || undefined,
    schedule: config.schedule,
    budget: {
      hour,
      minute: [...minute].map(([endpoint, used]) => ({ endpoint, ...used })),
      perMinute,
      refusedAt: shown.refusedAt(),
      waitsUntil: shown.limitedUntil(),
    },
    work: [...engine.leases.held.values()].map(({ stream, since, fetched, total }) => ({
      stream: streamText(stream),
      since,
      fetched,
      total,
    })),
    experiments,
    problems: [
      ...(expiry === undefined ? [] : [keyProblem(expiry)]),
      ...listProblems(engine.experiments),
      ...problems.recent(),
    ],
    growth: readGrowth(warehouse.db, GROWTH_POINTS),
  };
}

function troubleOf(outage: Outage): DaemonView['trouble'] {
  const trouble = outage.current();
  if (trouble === undefined) return undefined;
  const { since, code, text, hint } = trouble;
  return { since, code, text, hint };
}

function keyProblem({ since, subject, text, hint }: Expiry): Problem {
  return { at: since, code: 'KEY_EXPIRES', text: `${subject}. ${text}`, hint };
}

/** What is wrong with the list of experiments as long as it lasts. */
function listProblems(experiments: Engine['experiments']): Problem[] {
  const problem = (at: number, { code, message, hint }: ListIssue) => ({ at, code, text: message, hint });
  const emptyAt = experiments.seesNothingSince();
  return [
    ...(emptyAt === undefined ? [] : [problem(emptyAt, NO_EXPERIMENTS)]),
    ...[...experiments.gone()].map(([id, at]) => problem(at, goneIssue(id))),
  ];
}

function experimentsOf({ engine, warehouse }: Shown): DaemonView['experiments'] {
  const named = ({ experimentId, data, scope }: { experimentId: string; data: string; scope: string }) =>
    `${experimentId} ${data} ${scope}`;
  const planned = engine.dueTimes.entries.map(({ stream, dueAt }) => ({
    ...NEVER_READ,
    experimentId: stream.experimentId,
    data: stream.dataset.name,
    scope: scopeText(stream),
    nextAt: Number.isFinite(dueAt) ? dueAt : undefined,
  }));
  const due = new Map(planned.map((stream) => [named(stream), stream.nextAt]));
  const read = allPositions(warehouse.db);
  const known = new Set(read.map(named));
  const unread = planned.filter((stream) => !known.has(named(stream)));
  const judged = [...read, ...unread].map((stream) => ({ ...stream, standing: standingOf(stream) }));
  const configured = judged.filter(({ standing }) => standing !== 'unconfigured');
  const streams = Map.groupBy(configured, ({ experimentId }) => experimentId);
  const gone = [...engine.experiments.gone().keys()].map((id) => ({ id }));
  return [...engine.experiments.planned(), ...gone].map(({ id }) => ({
    id,
    name: engine.experiments.nameOf(id),
    live: engine.experiments.isLive(id),
    streams: (streams.get(id) ?? []).map(
      ({ data, scope, rows, complete, standing, reason, dataAsOf, verifiedAt, lastStatus }): StreamView => ({
        data,
        scope,
        rows,
        complete,
        standing,
        reason,
        dataAsOf,
        verifiedAt,
        lastStatus,
        nextAt: due.get(`${id} ${data} ${scope}`),
      }),
    ),
  }));
}

/** Bytes that this user can still write on the disk of the warehouse. */
export function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(dirname(path));
  return bavail * bsize;
}
