import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../shared/clock.ts';
import { WarehouseError } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import type { Notices } from './notices.ts';

/** Follows the configuration while the daemon runs. */
export interface ConfigFollower {
  /** Reads it again and uses it; one that is wrong, or needs a new start, leaves the former in use, and that is said. */
  reload(): void;
  /** Uses a key or its date that was changed since; to be called now and then. */
  followKey(): void;
}

export interface FollowOptions {
  /** The configuration that the daemon was started with. */
  readonly started: Config;
  /** @throws WarehouseError */
  readonly read: () => Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly notices: Notices;
  /** The configuration in use. */
  readonly inUse: () => Config;
  /** Asks over a new connection from now on. */
  readonly renew: (next: Config) => void;
  /** Uses the configuration without another connection. */
  readonly keep: (next: Config) => void;
}

/** Settings that hold from start to stop. */
const FIXED = ['warehouse', 'history'] as const;
/** Settings of which a change takes a restart, beside which the others are used at once. */
const TAKE_RESTART = ['http', 'log'] as const;

export function followConfig(options: FollowOptions): ConfigFollower {
  const { started, read, clock, log, notices, inUse, renew, keep } = options;
  return {
    reload() {
      try {
        const next = checked(started, read());
        renew(next);
        log.info('the configuration was read again');
        sayWhatTakesRestart(options, next);
      } catch (error) {
        const said = error instanceof WarehouseError ? error : new WarehouseError('CONFIG_INVALID', String(error));
        notices.note({ at: clock.now(), code: said.code, text: said.message, hint: said.hint });
        log.error({ code: said.code, hint: said.hint }, `the former configuration stays in use: ${said.message}`);
      }
    },
    followKey() {
      const written = currentKey(read);
      const config = inUse();
      if (written?.key === undefined) return;
      // A key that is meant for another server or organization waits until that is read as well.
      if (written.baseUrl !== config.api.baseUrl || written.organization !== config.api.organization) return;
      const next = { ...config, api: { ...config.api, ...written } };
      if (written.key !== config.api.key) {
        log.info('there is a new API key; it is used from now on');
        renew(next);
      } else if (written.keyExpiresAt !== config.api.keyExpiresAt) {
        log.info('there is another date in api.keyExpires');
        keep(next);
      }
    },
  };
}

/** @throws WarehouseError when the new configuration needs a new start. */
function checked(started: Config, next: Config): Config {
  const changed = FIXED.filter((name) => !isDeepStrictEqual(next[name], started[name]));
  if (changed.length === 0) return next;
  throw new WarehouseError('CONFIG_INVALID', `${changed.join(' and ')} cannot change while the daemon runs.`, {
    hint: 'Restart it to use what you changed.',
  });
}

function sayWhatTakesRestart({ started, clock, log, notices }: FollowOptions, next: Config): void {
  const later = TAKE_RESTART.filter((part) => !isDeepStrictEqual(started[part], next[part]));
  if (later.length === 0) return;
  const text = `The configuration was read again, but ${later.join(' and ')} changed, which takes a restart: until then the former stays in use.`;
  notices.note({ at: clock.now(), code: 'CONFIG_INVALID', text, hint: 'Restart the daemon to use it.' });
  log.warn(text);
}

/** The key, its server and its date as they are written now; undefined while that cannot be read, as while it is edited. */
function currentKey(
  read: () => Config,
): Pick<Config['api'], 'baseUrl' | 'organization' | 'key' | 'keyExpiresAt'> | undefined {
  try {
    const { baseUrl, organization, key, keyExpiresAt } = read().api;
    return { baseUrl, organization, key, keyExpiresAt };
  } catch (error) {
    if (error instanceof WarehouseError) return undefined;
    throw error;
  }
}
