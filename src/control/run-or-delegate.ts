import type { Config } from '../config/schema.ts';
import { handOver, socketPath } from './socket.ts';
import type { Asking, Results, Tell } from './protocol.ts';
import { WarehouseError } from '../shared/errors.ts';

/**
 * Does something that writes the warehouse here or, while a daemon holds it, has the daemon do it.
 * @throws WarehouseError WAREHOUSE_BUSY when what holds it is no daemon.
 */
export async function hereOrByDaemon<A extends 'sync' | 'verify'>(
  here: () => Promise<Results[A]>,
  request: Asking<A>,
  { config, tell, signal }: { readonly config: Config; readonly tell: Tell; readonly signal: AbortSignal },
): Promise<Results[A]> {
  try {
    return await here();
  } catch (error) {
    if (!(error instanceof WarehouseError) || error.code !== 'WAREHOUSE_BUSY') throw error;
    const done = await handOver(socketPath(config.warehouse.path), request, tell, signal);
    if (done === undefined) throw error;
    return done;
  }
}
