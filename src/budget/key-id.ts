import { createHash } from 'node:crypto';

/** Identifies a key in the warehouse without revealing it. */
export function keyIdOf(key: string | undefined): string {
  return createHash('sha256')
    .update(`hyperstudy-warehouse ledger ${key ?? ''}`)
    .digest('base64url')
    .slice(0, 16);
}
