import type { Config } from '../config/schema.ts';
import type { ApiConnection } from '../runtime/api-connection.ts';
import type { Clock } from '../shared/clock.ts';

/** The connection in use. */
export interface Connections {
  readonly current: ApiConnection;
  /** Since when it is used (milliseconds since 1970 UTC). */
  readonly since: number;
  /** Whether what was met over a connection says something of the one in use: a former key or server means nothing for it. */
  isCurrent(connection: ApiConnection): boolean;
  /** Opens another one and uses it from now on. Gives the former, which the caller closes. */
  replace(config: Config): ApiConnection;
  /** Uses another configuration over the connection in use. */
  keep(config: Config): void;
  /** Times that lie ahead do not count any more. */
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
