import type { Client } from '../api/client.ts';
import type { Clock } from '../shared/clock.ts';
import { WarehouseError, type ErrorCode } from '../shared/errors.ts';
import type { Priority } from '../shared/priority.ts';
import { DAY_MS, MINUTE_MS } from '../shared/time.ts';
import type { Db } from '../warehouse/open.ts';
import { readShare, writeShare, type Share, type Shared } from '../warehouse/shares.ts';
import { knownDeployments, knownExperiments } from '../warehouse/structure.ts';
import { listAll, listExperiments, listRequests, type Listed, type Listing } from './experiment-list.ts';

/** How the list of experiments, and of what is shared, is asked for. */
export interface ListOptions {
  readonly client: Client;
  readonly db: Db;
  readonly clock: Pick<Clock, 'now'>;
  /** How long what was found shared is taken as known. */
  readonly everyMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly priority?: Priority | undefined;
}

export interface WholeListing extends Listing {
  /** Whether the listing says nothing of an experiment: what it belongs to was not asked for, or is not given. */
  readonly isUnrequested: (experimentId: string) => boolean;
}

const ADDRESSES: Readonly<Record<Shared, { path: string; what: string }>> = {
  experiments: { path: '/experiments/shared', what: 'the list of shared experiments' },
  deployments: { path: '/deployments', what: 'the list of deployments' },
};

/** What an API that has no such list answers: it may take `shared` for the id of an experiment, or want an organization. */
const NO_LIST: ReadonlySet<ErrorCode> = new Set(['NOT_FOUND', 'PARAMETER_REFUSED', 'SCOPE_MISSING']);

/** How long what is shared is taken as known, as it takes two requests more. */
export const SHARES_EVERY_MS = 10 * MINUTE_MS;

/** How long an API without a list is not asked for it again. */
const ABSENT_MS = DAY_MS;

/**
 * Every experiment of which the key is given something: its own, those that other organizations share, and those of which
 * only deployments are shared.
 */
export async function listWithShares(options: ListOptions): Promise<WholeListing> {
  const { client, db, signal, priority } = options;
  const own = await listExperiments(client, signal, priority);
  const shared = await requestList('experiments', options, (listed) => {
    const isOwn = new Set(own.listed.map(({ id }) => id));
    const others = listed.map(({ id }) => id).filter((id) => !isOwn.has(id));
    return { others: Object.fromEntries(others.map((id) => [id, []])), known: isOwn };
  });
  const whole = new Set([...own.listed, ...shared.listed].map(({ id }) => id));
  const parts = await requestList('deployments', options, (listed) => {
    const before = readShare(db, 'deployments').found;
    // One that was given as a whole is not followed by its deployments once it left the list: it may be deleted.
    const met = [...knownExperiments(db), ...Object.keys(readShare(db, 'experiments').found)];
    const known = new Set([...whole, ...met.filter((id) => !Object.hasOwn(before, id))]);
    const others = Map.groupBy(listed.filter(isOfOther(known)), ({ experimentId }) => experimentId);
    return { others: Object.fromEntries([...others].map(([id, all]) => [id, all.map((one) => one.id)])), known: whole };
  });
  const found = parts.isRequested ? Object.keys(parts.others).map((id) => ({ id })) : [];
  const unrequested = new Set([...shared.unrequested, ...parts.unrequested]);
  return {
    listed: [...own.listed, ...shared.listed.filter(({ id }) => Object.hasOwn(shared.others, id)), ...found],
    isWhole: [own, shared, parts].every(({ isWhole }) => isWhole),
    doubt: own.doubt ?? shared.doubt ?? parts.doubt,
    isUnrequested: (id) => unrequested.has(id) && !whole.has(id),
  };
}

/** Deployments of experiments that are not known otherwise. */
function isOfOther(known: ReadonlySet<string>) {
  return (deployment: Listed): deployment is Listed & { readonly experimentId: string } => {
    const { experimentId } = deployment;
    return typeof experimentId === 'string' && experimentId !== '' && !known.has(experimentId);
  };
}

/** What a list of what is shared has; undefined where the API has no such list. */
export async function listShared(
  client: Client,
  what: Shared,
  signal?: AbortSignal,
  priority?: Priority,
): Promise<Listing | undefined> {
  try {
    return await listAll(client, ADDRESSES[what], signal, priority);
  } catch (error) {
    if (!(error instanceof WarehouseError) || !NO_LIST.has(error.code)) throw error;
    return undefined;
  }
}

/** Requests that the lists of what is shared take in a sync now, by what was last known of them. */
export function shareRequests(db: Db, organization: string | undefined, now: number): number {
  const due = (what: Shared) =>
    isDue(readShare(db, what), { organization: organization ?? null, everyMs: SHARES_EVERY_MS, now });
  const whole = Object.keys(readShare(db, 'experiments').found).length;
  const parts = Object.values(readShare(db, 'deployments').found).flat();
  const own = knownExperiments(db).flatMap((id) => knownDeployments(db, id));
  return (
    (due('experiments') ? listRequests(whole) : 0) +
    (due('deployments') ? listRequests(new Set([...own, ...parts]).size) : 0)
  );
}

/** Whether a list is asked for again: what it said is old, or was said for another organization. */
function isDue(
  before: Share,
  { organization, everyMs, now }: { organization: string | null; everyMs: number; now: number },
): boolean {
  return before.organization !== organization || now - before.askedAt >= (before.isGiven ? everyMs : ABSENT_MS);
}

interface Found {
  readonly others: Share['found'];
  /** Experiments that are given otherwise, so that they are not shared. */
  readonly known: ReadonlySet<string>;
}

interface RequestedList extends Listing, Pick<Found, 'others'> {
  readonly isRequested: boolean;
  /** Experiments that were found shared, and of which nothing is said now. */
  readonly unrequested: readonly string[];
}

async function requestList(
  what: Shared,
  { client, db, clock, everyMs, signal, priority }: ListOptions,
  find: (listed: readonly Listed[]) => Found,
): Promise<RequestedList> {
  const before = readShare(db, what);
  const organization = client.organization ?? null;
  const unrequested = { listed: [], isWhole: true, doubt: undefined, isRequested: false, others: {} };
  if (!isDue(before, { organization, everyMs, now: clock.now() }))
    return { ...unrequested, unrequested: Object.keys(before.found) };
  const note = (isGiven: boolean, found: Share['found']) =>
    writeShare(db, what, { askedAt: clock.now(), organization, isGiven, found }, clock.now());
  const listing = await listShared(client, what, signal, priority);
  if (listing === undefined) {
    note(false, before.found);
    return { ...unrequested, unrequested: Object.keys(before.found) };
  }
  const { others, known } = find(listing.listed);
  const former = Object.entries(before.found).filter(([id]) => !known.has(id));
  note(true, { ...Object.fromEntries(former), ...others });
  return { ...listing, isRequested: true, others, unrequested: [] };
}
