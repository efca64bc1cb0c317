import { z } from 'zod';
import type { Code, WarehouseError } from '../shared/errors.ts';
import { scrub } from '../shared/log.ts';
import type { Db } from './open.ts';
import { recall, remember } from './state.ts';

/** The API refuses the key · it cannot be reached. What is wrong with the file itself cannot be stored in it. */
const OUTAGES = ['KEY_REFUSED', 'SERVER_UNREACHABLE'] as const satisfies readonly Code[];

const Outage = z.object({
  /** When it was first met, in milliseconds since 1970 UTC. */
  since: z.number(),
  code: z.enum(OUTAGES),
  /** In words that hold no secret. */
  text: z.string(),
  hint: z.string().optional(),
  /** Identifies the key that was used, as in the ledger. */
  keyId: z.string(),
});

/** What kept everything from being read, so that it is known also when no daemon runs. */
export type StoredOutage = z.infer<typeof Outage>;

const NAME = 'outage';

/** Stores what ended a sync or halts the daemon, if it is an outage; one that lasts keeps its beginning. */
export function rememberOutage(
  db: Db,
  { code, message, hint }: Pick<WarehouseError, 'code' | 'message' | 'hint'>,
  keyId: string,
  now: number,
): void {
  const outage = OUTAGES.find((known) => known === code);
  if (outage === undefined) return;
  const before = recallOutage(db, keyId);
  const since = before?.code === outage ? Math.min(before.since, now) : now;
  const met: StoredOutage = {
    since,
    code: outage,
    text: scrub(message),
    keyId,
    ...(hint === undefined ? {} : { hint }),
  };
  remember(db, NAME, JSON.stringify(met), now);
}

/** It is over. */
export function forgetOutage(db: Db, now: number): void {
  if (recallOutage(db) !== undefined) remember(db, NAME, 'null', now);
}

/** The outage that was last met and is not known to be over, if it was met with the given key. */
export function recallOutage(db: Db, keyId?: string): StoredOutage | undefined {
  const last = Outage.safeParse(JSON.parse(recall(db, NAME) ?? 'null')).data;
  return keyId === undefined || last?.keyId === keyId ? last : undefined;
}
