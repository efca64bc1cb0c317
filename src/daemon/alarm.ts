import { statfsSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { namesData } from '../schedule/streams.ts';
import { allPositions, type StoredPosition } from '../warehouse/positions.ts';
import { recall, remember } from '../warehouse/state.ts';
import type { Db } from '../warehouse/open.ts';
import { runningRooms, SENT_DATA } from '../warehouse/structure.ts';
import { conditionsOf, type Facts } from '../status/conditions.ts';
import { channelsOf, tell, type AlertStore } from '../alerts/deliver.ts';
import { earliest } from '../status/summary.ts';
import type { Shown } from './snapshot.ts';
import type { Clock } from '../shared/clock.ts';
import type { Log } from '../shared/log.ts';

/** What a check of the alerts is made of. */
export interface Alarm extends Shown {
  readonly log: Log;
  readonly store: AlertStore;
  /** When the daemon was started or given another key. */
  readonly connectedAt: () => number;
}

/** What was told, in the warehouse; and in memory for as long as that cannot be written, as when its disk is full. */
export function createAlertStore(db: Db, clock: Clock, log: Log): AlertStore {
  let unsaved: string | undefined;
  return {
    load: () => unsaved ?? recall(db, 'alerts'),
    save(text) {
      unsaved = text;
      try {
        remember(db, 'alerts', text, clock.now());
        unsaved = undefined;
      } catch (error) {
        log.warn({ err: error }, 'what the alerts told could not be stored: after a restart it may be told again');
      }
    },
  };
}

/** Tells whoever is configured to be told what is wrong now, and what is over. Checks must not overlap. */
export async function checkAlerts(alarm: Alarm, signal: AbortSignal): Promise<void> {
  const { connection, store, clock, log } = alarm;
  const { alerts } = connection().config;
  const channels = channelsOf(alerts, `hyperstudy-warehouse on ${hostname()}`);
  if (channels.length === 0) return;
  await tell(conditionsOf(factsOf(alarm), alerts), {
    channels,
    store,
    clock,
    log,
    signal,
    afterMs: alerts.afterMs,
  });
}

function factsOf({ engine, warehouse, outage, clock, connection, connectedAt }: Alarm): Facts {
  const { db, path } = warehouse;
  const { bavail, blocks, bsize } = statfsSync(dirname(path));
  const planned = engine.experiments.planned();
  const gone = new Set(engine.experiments.gone().keys());
  const configured = new Set([...planned.map(({ id }) => id), ...gone]);
  const positions = allPositions(db).filter(({ experimentId }) => configured.has(experimentId));
  const { config } = connection();
  return {
    positions,
    isNamed: (stream) => namesData(config, stream),
    gone,
    seesNothingSince: engine.experiments.seesNothingSince(),
    trouble: outage.current(),
    keyRefused: outage.keyRefused(),
    keyExpiresAt: config.api.keyExpiresAt,
    freeBytes: bavail * bsize,
    totalBytes: blocks * bsize,
    liveRooms: planned
      .filter(({ id }) => engine.experiments.isLive(id))
      .flatMap(({ id }) =>
        runningRooms(db, id).map((room) => ({ experimentId: id, ...room, readTo: readTo(positions, id, room.room) })),
      ),
    countsFrom: Math.max(connectedAt(), outage.overSince()),
    now: clock.now(),
  };
}

/**
 * Until when everything was read that a room sends; undefined where something never was, or nothing of it is read at all.
 * What never had rows counts only where nothing had, as it is looked at more seldom.
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
