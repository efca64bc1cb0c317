import type { Clock } from '../shared/clock.ts';
import type { Log } from '../shared/log.ts';
import { HOUR_MS, MINUTE_MS } from '../shared/time.ts';
import { noteGrowth } from '../warehouse/state.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import type { Notifier } from './systemd.ts';

const WATCH_EVERY_MS = 10_000;
const KEY_LOOK_MS = 15_000;
const GROWTH_EVERY_MS = HOUR_MS;
const ALERTS_EVERY_MS = MINUTE_MS;

/** What is watched, and what is notified. */
export interface Watched {
  readonly clock: Clock;
  readonly log: Log;
  readonly warehouse: Warehouse;
  readonly notifier: Notifier;
  /** The timeout of systemd's watchdog, if there is one. */
  readonly watchdogMs: number | undefined;
  readonly isAlive: () => boolean;
  /** One line for `systemctl status`. */
  readonly status: () => string;
  readonly followKey: () => void;
  readonly checkAlerts: (signal: AbortSignal) => Promise<void>;
  /** Publishes if it is due, and does not wait for it. */
  readonly publish: () => void;
}

/**
 * Does what is regularly due until the signal is aborted: systemd's watchdog, a new key, alerts, the warehouse's
 * growth.
 */
export async function watch(watched: Watched, signal: AbortSignal): Promise<void> {
  const { clock, notifier, warehouse, log, watchdogMs = Infinity } = watched;
  const every = Math.min(WATCH_EVERY_MS, watchdogMs / 4);
  // By the time since boot, as the clock may be changed.
  let [keyAt, growthAt, alertsAt] = [clock.uptime() + KEY_LOOK_MS, 0, clock.uptime() + ALERTS_EVERY_MS];
  let checking = Promise.resolve();
  while (!signal.aborted) {
    try {
      const up = clock.uptime();
      if (watched.isAlive()) notifier.watchdog();
      notifier.status(watched.status());
      if (up >= keyAt) {
        keyAt = up + KEY_LOOK_MS;
        watched.followKey();
      }
      if (up >= alertsAt) {
        alertsAt = up + ALERTS_EVERY_MS;
        // A channel that hangs delays the next check, and nothing else.
        checking = checking
          .then(() => watched.checkAlerts(signal))
          .catch((error: unknown) => {
            if (!signal.aborted) log.error({ err: error }, 'the alerts could not be checked');
          });
      }
      watched.publish();
      if (up >= growthAt) {
        growthAt = up + GROWTH_EVERY_MS;
        noteGrowth(warehouse.db, clock.now());
        warehouse.tendForReaders();
      }
    } catch (error) {
      log.error(
        { err: error },
        'internal error (a bug in hyperstudy-warehouse) in the daemon’s watch, which continues',
      );
    }
    await clock.sleep(every, signal).catch(() => undefined);
  }
}
