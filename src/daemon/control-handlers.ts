import { WarehouseError } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import { plainError } from '../warehouse/open.ts';
import type { About, ControlRequest, Notify, Results } from '../control/protocol.ts';
import type { ControlHandlers } from '../control/socket.ts';
import type { UserRequests } from './user-requests.ts';
import type { WaitingUsers } from './waiting-users.ts';

/** With another configuration the daemon would read other data than the command asked for, and call it up to date. */
function otherConfig(): WarehouseError {
  return new WarehouseError(
    'USAGE',
    'A daemon is running for this warehouse with a configuration that reads other data than this one. Nothing was done.',
    {
      hint: 'If you changed the configuration, make the daemon reload it (systemctl reload hyperstudy-warehouse, or kill -HUP <process id>), and try again.',
    },
  );
}

/** What is needed to answer requests of the command line. */
export interface ControlParts {
  readonly requests: UserRequests;
  /** Path of the warehouse. */
  readonly path: string;
  readonly log: Log;
  /** Aborted when the daemon is to stop. */
  readonly signal: AbortSignal;
  readonly waitingUsers: WaitingUsers;
  readonly about: () => About;
  readonly dashboard: () => Results['dashboard'];
  /** What the configuration in use reads. */
  readonly reads: () => string;
}

/** Runs the requests of the command line in the engine. */
export function createControlHandlers(parts: ControlParts): ControlHandlers {
  const { requests, path, log, signal, waitingUsers, about, dashboard, reads } = parts;
  const handle = async <T>(
    request: Exclude<ControlRequest, { ask: 'about' | 'erase' | 'dashboard' }>,
    notify: Notify,
    work: () => Promise<T>,
  ): Promise<T> => {
    log.info({ request }, 'received a request from the command line');
    if (request.reads !== reads()) throw otherConfig();
    const leave = waitingUsers.add(notify);
    try {
      return await work();
    } catch (error) {
      // The same message as from a command that writes the warehouse itself.
      throw plainError(path, error) ?? error;
    } finally {
      leave();
    }
  };
  return {
    sync: (request, notify, gone) =>
      handle(request, notify, () =>
        requests.sync(request, {
          signal: AbortSignal.any([signal, gone]),
          onTally: (tally) => notify({ tally }),
          onPage: (stream, page) => notify({ stream, page }),
          onStream: ({ stream, result }) => notify({ stream, ...(result === undefined ? {} : { ended: result }) }),
        }),
      ),
    verify: (request, notify, gone) =>
      handle(request, notify, () =>
        requests.verify(request, {
          signal: AbortSignal.any([signal, gone]),
          onVerdict: (stream, verdict) => notify({ stream, verdict }),
        }),
      ),
    // Whom it is about reaches no log.
    erase: ({ participant, room, isTrial }) =>
      requests.erase({ participant, room }, isTrial).catch((error: unknown) => {
        throw plainError(path, error) ?? error;
      }),
    about: () => Promise.resolve(about()),
    dashboard: () => Promise.resolve(dashboard()),
  };
}
