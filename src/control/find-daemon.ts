import { askDaemon, socketPath } from './socket.ts';
import type { About } from './protocol.ts';
import { WarehouseError } from '../shared/errors.ts';

/**
 * Whether a daemon keeps a warehouse: `about` where it says so (one that is busy or of another version may not), and
 * `foreign` where only its own user can ask it.
 */
export type FoundDaemon =
  | { readonly kind: 'none' }
  | { readonly kind: 'foreign' }
  | { readonly kind: 'running'; readonly about: About | undefined };

/** A daemon that is well answers within milliseconds. */
const LONGEST_ANSWER_MS = 2000;

/** Asks the daemon of a warehouse, which it does not disturb. */
export async function findDaemon(warehouse: string): Promise<FoundDaemon> {
  const patience = AbortSignal.timeout(LONGEST_ANSWER_MS);
  try {
    const about = await askDaemon(socketPath(warehouse), { ask: 'about' }, () => undefined, patience);
    return about === undefined ? { kind: 'none' } : { kind: 'running', about };
  } catch (error) {
    if (!(error instanceof WarehouseError)) throw error;
    return error.code === 'WAREHOUSE_BUSY' ? { kind: 'foreign' } : { kind: 'running', about: undefined };
  }
}
