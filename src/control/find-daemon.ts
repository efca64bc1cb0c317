import { askDaemon } from './socket.ts';
import { socketPath } from './place.ts';
import type { About } from './protocol.ts';
import { WarehouseError } from '../shared/errors.ts';

/**
 * Whether a daemon is running for a warehouse: `about` if it answers (one that is busy or of another version may not),
 * and `foreign` if it belongs to another user and cannot be asked.
 */
export type FoundDaemon =
  | { readonly kind: 'none' }
  | { readonly kind: 'foreign' }
  | { readonly kind: 'running'; readonly about: About | undefined };

/** A healthy daemon answers within milliseconds. */
const LONGEST_ANSWER_MS = 2000;

/** Looks for the daemon of a warehouse, without disturbing it. */
export async function findDaemon(warehouse: string): Promise<FoundDaemon> {
  const socket = socketPath(warehouse);
  if (socket === undefined) return { kind: 'none' };
  const patience = AbortSignal.timeout(LONGEST_ANSWER_MS);
  try {
    const about = await askDaemon(socket, { ask: 'about' }, () => undefined, patience);
    return about === undefined ? { kind: 'none' } : { kind: 'running', about };
  } catch (error) {
    if (!(error instanceof WarehouseError)) throw error;
    const isForeign = error.code === 'WAREHOUSE_BUSY' || error.code === 'PLACE_UNSAFE';
    return isForeign ? { kind: 'foreign' } : { kind: 'running', about: undefined };
  }
}
