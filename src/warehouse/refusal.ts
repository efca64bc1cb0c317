import { z } from 'zod';
import type { Db } from './open.ts';
import { recall, remember } from './state.ts';

const Refusal = z.object({
  /** Milliseconds since 1970 UTC. */
  at: z.number(),
  endpoint: z.string(),
  /** How long the API asked to wait. */
  waitMs: z.number(),
  /** Identifies the key that was used, as in the ledger. */
  keyId: z.string(),
});

/** The API answered 429 although the ledger had a request left: another program uses the key. */
export type Refusal = z.infer<typeof Refusal>;

const NAME = 'refused';

export function rememberRefusal(db: Db, refusal: Refusal): void {
  remember(db, NAME, JSON.stringify(refusal), refusal.at);
}

/** The last refusal, if it was of the given key. */
export function recallRefusal(db: Db, keyId?: string): Refusal | undefined {
  const last = Refusal.safeParse(JSON.parse(recall(db, NAME) ?? 'null')).data;
  return keyId === undefined || last?.keyId === keyId ? last : undefined;
}
