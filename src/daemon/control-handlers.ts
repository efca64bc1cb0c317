import { WarehouseError } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import { plainError } from '../warehouse/open.ts';
import type { About, ControlRequest, Notify } from '../control/protocol.ts';
import type { ControlHandlers } from '../control/socket.ts';
import type { UserRequests } from './user-requests.ts';
import type { WaitingUsers } from './waiting-users.ts';

/** It would read something else than its own configuration says, and call that up to date. */
function otherConfig(): WarehouseError {
  return new WarehouseError(
    'USAGE',
    'A daemon keeps this warehouse, and its configuration reads something else than this one. Nothing was done.',
    {
      hint: 'If the configuration was changed, have the daemon read it again (systemctl reload hyperstudy-warehouse, or kill -HUP and its process id), and try again.',
    },
  );
}

/** What the requests of the command line are answered with. */
export interface ControlParts {
  readonly requests: UserRequests;
  /** Path of the warehouse. */
  readonly path: string;
  readonly log: Log;
  /** Aborted when the daemon is to stop. */
  readonly signal: AbortSignal;
  readonly waitingUsers: WaitingUsers;
  readonly about: () => About;
  /** What the configuration in use reads. */
  readonly reads: () => string;
}

/** Has the engine do what the command line asks for. */
export function createControlHandlers(parts: ControlParts): ControlHandlers {
  const { requests, path, log, signal, waitingUsers, about, reads } = parts;
  const handle = async <T>(
    request: Exclude<ControlRequest, { ask: 'about' }>,
    notify: Notify,
    work: () => Promise<T>,
  ): Promise<T> => {
    log.info({ request }, 'a request came from the command line');
    if (request.reads !== reads()) throw otherConfig();
    const leave = waitingUsers.add(notify);
    try {
      return await work();
    } catch (error) {
      // Said as a command says it that writes the warehouse itself.
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
    about: () => Promise.resolve(about()),
  };
}
