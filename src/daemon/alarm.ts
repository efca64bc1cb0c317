import { statfsSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { allPositions } from '../warehouse/positions.ts';
import { recall, remember } from '../warehouse/state.ts';
import { runningRooms } from '../warehouse/structure.ts';
import { conditionsOf, type Facts } from './conditions.ts';
import { channelsOf, tell } from './deliver.ts';
import type { Shown } from './overview.ts';
import type { Log } from '../shared/log.ts';

/** What a check of the alerts is made of. */
export interface Alarm extends Shown {
  readonly log: Log;
  /** When the daemon was started or given another key. */
  readonly connectedAt: () => number;
}

/** Tells whoever is configured to be told what is wrong now, and what is over. Checks must not overlap. */
export async function checkAlerts(alarm: Alarm, signal: AbortSignal): Promise<void> {
  const { connection, warehouse, clock, log } = alarm;
  const { alerts } = connection().config;
  const channels = channelsOf(alerts, `hyperstudy-warehouse on ${hostname()}`);
  if (alerts === undefined || channels.length === 0) return;
  await tell(conditionsOf(factsOf(alarm), alerts), {
    channels,
    store: {
      load: () => recall(warehouse.db, 'alerts'),
      save: (text) => remember(warehouse.db, 'alerts', text, clock.now()),
    },
    clock,
    log,
    signal,
    afterMs: alerts.afterMs,
  });
}

function factsOf({ engine, warehouse, troubles, clock, connection, connectedAt }: Alarm): Facts {
  const { db, path } = warehouse;
  const { bavail, blocks, bsize } = statfsSync(dirname(path));
  const planned = engine.experiments.planned();
  const configured = new Set(planned.map(({ id }) => id));
  return {
    positions: allPositions(db).filter(({ experimentId }) => configured.has(experimentId)),
    keyRefused: troubles.keyRefused(),
    keyExpiresAt: connection().config.api.keyExpiresAt,
    freeBytes: bavail * bsize,
    totalBytes: blocks * bsize,
    liveRooms: planned
      .filter(({ id }) => engine.experiments.isLive(id))
      .flatMap(({ id }) => runningRooms(db, id).map((room) => ({ experimentId: id, ...room }))),
    countsFrom: connectedAt(),
    now: clock.now(),
  };
}
