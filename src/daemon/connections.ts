import type { Config } from '../config/schema.ts';
import type { ApiConnection } from '../runtime/api-connection.ts';
import type { Clock } from '../shared/clock.ts';

/** The connection in use. */
export interface Connections {
  readonly current: ApiConnection;
  /** When it was opened (milliseconds since 1970 UTC). */
  readonly since: number;
  /** Whether an error on this connection applies to the one in use: one from a previous key or server does not. */
  isCurrent(connection: ApiConnection): boolean;
  /** Opens another connection and switches to it. Returns the previous one, which the caller closes. */
  replace(config: Config): ApiConnection;
  /** Switches to another configuration and keeps the connection in use. */
  keep(config: Config): void;
  /** Discards times that are now in the future. */
  clockSetBack(): void;
}

export function openConnections(config: Config, connect: (config: Config) => ApiConnection, clock: Clock): Connections {
  let current = connect(config);
  let since = clock.now();
  return {
    get current() {
      return current;
    },
    get since() {
      return since;
    },
    isCurrent: ({ client }) => client === current.client,
    replace(next) {
      const former = current;
      current = connect(next);
      since = clock.now();
      return former;
    },
    keep(next) {
      current = { ...current, config: next };
    },
    clockSetBack() {
      since = Math.min(since, clock.now());
    },
  };
}
