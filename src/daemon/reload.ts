import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../shared/clock.ts';
import { WarehouseError } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import type { Notices } from './notices.ts';

/** Follows the configuration while the daemon runs. */
export interface ConfigFollower {
  /**
   * Reads it again and uses it; one that is invalid or needs a restart is reported, and the previous one stays in use.
   */
  reload(): void;
  /** Uses a key, or an expiry date, that has changed since; call it regularly. */
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
  /** Switches to the configuration over a new connection. */
  readonly renew: (next: Config) => void;
  /** Switches to the configuration without a new connection. */
  readonly keep: (next: Config) => void;
}

/** Settings that cannot change while the daemon runs: with such a change the new configuration is not used. */
const FIXED = ['warehouse', 'derive', 'history', 'privacy'] as const;
/** Settings that change only after a restart; the others are used at once. */
const NEED_RESTART = ['http', 'log'] as const;

export function followConfig(options: FollowOptions): ConfigFollower {
  const { started, read, clock, log, notices, inUse, renew, keep } = options;
  return {
    reload() {
      try {
        const next = checked(started, read());
        renew(next);
        log.info('the configuration was read again');
        reportWhatNeedsRestart(options, next);
      } catch (error) {
        const said = error instanceof WarehouseError ? error : new WarehouseError('CONFIG_INVALID', String(error));
        notices.note({ at: clock.now(), code: said.code, text: said.message, hint: said.hint });
        log.error({ code: said.code, hint: said.hint }, `the previous configuration stays in use: ${said.message}`);
      }
    },
    followKey() {
      const written = currentKey(read);
      const config = inUse();
      if (written?.key === undefined) return;
      // A key for another server or organization is not used before a reload, which changes those too.
      if (written.baseUrl !== config.api.baseUrl || written.organization !== config.api.organization) return;
      const next = { ...config, api: { ...config.api, ...written } };
      if (written.key !== config.api.key) {
        log.info('the API key has changed; the new one is used from now on');
        renew(next);
      } else if (written.keyExpiresAt !== config.api.keyExpiresAt) {
        log.info('the date in api.keyExpires has changed');
        keep(next);
      }
    },
  };
}

/** @throws WarehouseError when the new configuration needs a restart. */
function checked(started: Config, next: Config): Config {
  const changed = FIXED.filter((name) => !isDeepStrictEqual(next[name], started[name]));
  if (changed.length === 0) return next;
  throw new WarehouseError('CONFIG_INVALID', `${changed.join(' and ')} cannot change while the daemon runs.`, {
    hint: 'Restart the daemon to use what you changed.',
  });
}

function reportWhatNeedsRestart({ started, clock, log, notices }: FollowOptions, next: Config): void {
  const later = NEED_RESTART.filter((part) => !isDeepStrictEqual(started[part], next[part]));
  if (later.length === 0) return;
  const text = `The configuration was read again, but a change of ${later.join(' and ')} needs a restart; until then the previous settings stay in use.`;
  notices.note({ at: clock.now(), code: 'CONFIG_INVALID', text, hint: 'Restart the daemon to use the new settings.' });
  log.warn(text);
}

/** The key, its server and its date in the file now; undefined while the file cannot be read, as while it is edited. */
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
