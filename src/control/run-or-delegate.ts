import type { Config } from '../config/schema.ts';
import { askDaemon } from './socket.ts';
import { socketPath } from './place.ts';
import type { RequestOf, Results, Notify } from './protocol.ts';
import { WarehouseError } from '../shared/errors.ts';

/**
 * Runs something that writes the warehouse here or, while a daemon holds the warehouse, in the daemon.
 * What it does here may give more than a daemon does.
 * @throws WarehouseError WAREHOUSE_BUSY when it is held by a process that is not a daemon.
 */
export async function runOrDelegate<A extends 'sync' | 'verify' | 'erase', R extends Results[A]>(
  here: () => Promise<R>,
  request: RequestOf<A>,
  { config, notify, signal }: { readonly config: Config; readonly notify: Notify; readonly signal: AbortSignal },
): Promise<R | Results[A]> {
  try {
    return await here();
  } catch (error) {
    if (!(error instanceof WarehouseError) || error.code !== 'WAREHOUSE_BUSY') throw error;
    const socket = socketPath(config.warehouse.path);
    const done = socket === undefined ? undefined : await askDaemon(socket, request, notify, signal);
    if (done === undefined) throw error;
    return done;
  }
}
