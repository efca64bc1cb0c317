import { createHash } from 'node:crypto';

/** Names a key where the warehouse keeps something of it, without telling it. */
export function keyIdOf(key: string | undefined): string {
  return createHash('sha256')
    .update(`hyperstudy-warehouse ledger ${key ?? ''}`)
    .digest('base64url')
    .slice(0, 16);
}
