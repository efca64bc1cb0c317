import { z } from 'zod';
import type { Db } from './open.ts';
import { recall, remember } from './state.ts';

const Refusal = z.object({
  /** Milliseconds since 1970 UTC. */
  at: z.number(),
  endpoint: z.string(),
  /** How long the API asked to wait. */
  waitMs: z.number(),
  /** Names the key that was used, as the ledger does. */
  keyId: z.string(),
});

/** The API answered 429 although the ledger had a request left: somebody else uses the key. */
export type Refusal = z.infer<typeof Refusal>;

const NAME = 'refused';

export function rememberRefusal(db: Db, refusal: Refusal): void {
  remember(db, NAME, JSON.stringify(refusal), refusal.at);
}

/** The last refusal; of another key than the given one it says nothing. */
export function recallRefusal(db: Db, keyId?: string): Refusal | undefined {
  const last = Refusal.safeParse(JSON.parse(recall(db, NAME) ?? 'null')).data;
  return keyId === undefined || last?.keyId === keyId ? last : undefined;
}
