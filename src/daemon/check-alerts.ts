import { hostname } from 'node:os';
import { recall, remember } from '../warehouse/state.ts';
import type { Db } from '../warehouse/open.ts';
import { channelsOf, sendAlerts, type AlertStore } from '../alerts/deliver.ts';
import { issuesOf } from '../status/issues.ts';
import { snapshotOf, type Shown } from './snapshot.ts';
import type { Clock } from '../shared/clock.ts';
import type { Log } from '../shared/log.ts';

/** What a check for alerts needs. */
export interface AlertCheck extends Shown {
  readonly log: Log;
  readonly store: AlertStore;
}

/** Stores which alerts were sent in the warehouse; in memory while it cannot be written, as when its disk is full. */
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
        log.warn({ err: error }, 'which alerts were sent could not be stored: after a restart they may be sent again');
      }
    },
  };
}

/** Sends alerts about what is wrong now, and what is over, to the configured channels. Checks must not overlap. */
export async function checkAlerts(check: AlertCheck, signal: AbortSignal): Promise<void> {
  const { connection, store, clock, log } = check;
  const { alerts } = connection().config;
  const channels = channelsOf(alerts, `hyperstudy-warehouse on ${hostname()}`);
  if (channels.length === 0) return;
  await sendAlerts(issuesOf(snapshotOf(check)), { channels, store, clock, log, signal, afterMs: alerts.afterMs });
}
