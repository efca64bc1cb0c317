import { z } from 'zod';
import type { Db } from './open.ts';
import { recall, remember } from './state.ts';

/** What may be shared with the key beside its own experiments: whole experiments of others, or deployments of them. */
export type Shared = 'experiments' | 'deployments';

/** What is known of what is shared. */
const Share = z.object({
  /** When the API was last asked for it (milliseconds since 1970 UTC), and for which organization. */
  askedAt: z.number(),
  organization: z.string().nullable(),
  /** Whether it had an answer: an API without such a list says nothing of what is shared. */
  isGiven: z.boolean(),
  /** The experiments, those that were shared before included; with the deployments where only these are shared. */
  found: z.record(z.string(), z.array(z.string())),
});
export type Share = Readonly<z.infer<typeof Share>>;

const NEVER_ASKED: Share = { askedAt: -Infinity, organization: null, isGiven: false, found: {} };

export function readShare(db: Db, what: Shared): Share {
  const text = recall(db, `shared-${what}`);
  return text === undefined ? NEVER_ASKED : Share.parse(JSON.parse(text));
}

export function writeShare(db: Db, what: Shared, share: Share, now: number): void {
  remember(db, `shared-${what}`, JSON.stringify(share), now);
}

/** Whether an experiment is shared by another organization. */
export function isShared(db: Db, experimentId: string): boolean {
  return Object.hasOwn(readShare(db, 'experiments').found, experimentId);
}

/** The deployments of an experiment where only these are shared; undefined where the experiment is. */
export function sharedDeployments(db: Db, experimentId: string): readonly string[] | undefined {
  const { found } = readShare(db, 'deployments');
  return Object.hasOwn(found, experimentId) ? found[experimentId] : undefined;
}
