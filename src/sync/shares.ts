import type { Client } from '../api/client.ts';
import type { Clock } from '../shared/clock.ts';
import { WarehouseError, type ErrorCode } from '../shared/errors.ts';
import type { Priority } from '../shared/priority.ts';
import { DAY_MS, MINUTE_MS } from '../shared/time.ts';
import type { Db } from '../warehouse/open.ts';
import { readShare, writeShare, type Share, type Shared } from '../warehouse/shares.ts';
import { knownDeployments, knownExperiments } from '../warehouse/structure.ts';
import { listAll, listExperiments, listRequests, type Listed, type Listing } from './experiment-list.ts';

/** How the lists of experiments and of what is shared are requested. */
export interface ListOptions {
  readonly client: Client;
  readonly db: Db;
  readonly clock: Pick<Clock, 'now'>;
  /** How long a list of what is shared counts as known. */
  readonly everyMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly priority?: Priority | undefined;
}

export interface WholeListing extends Listing {
  /** Whether the listing does not cover an experiment, because its list was not requested or is not available. */
  readonly isUnrequested: (experimentId: string) => boolean;
}

const ADDRESSES: Readonly<Record<Shared, { path: string; what: string }>> = {
  experiments: { path: '/experiments/shared', what: 'the list of shared experiments' },
  deployments: { path: '/deployments', what: 'the list of deployments' },
};

/** How an API without such a list answers: it may take `shared` for an experiment's id, or require an organization. */
const NO_LIST: ReadonlySet<ErrorCode> = new Set(['NOT_FOUND', 'PARAMETER_REFUSED', 'SCOPE_MISSING']);

/** How long the lists of what is shared count as known, because they take two more requests. */
export const SHARES_EVERY_MS = 10 * MINUTE_MS;

/** How long a list that the API does not have is not requested again. */
const ABSENT_MS = DAY_MS;

/**
 * Every experiment that is at least partly accessible to the key: its own, those that other organizations share, and
 * those of which only deployments are shared.
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
    // An experiment that was accessible as a whole and left the list may be deleted: its deployments are not followed.
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

/** Selects the deployments of experiments that are not known otherwise. */
function isOfOther(known: ReadonlySet<string>) {
  return (deployment: Listed): deployment is Listed & { readonly experimentId: string } => {
    const { experimentId } = deployment;
    return typeof experimentId === 'string' && experimentId !== '' && !known.has(experimentId);
  };
}

/** Reads a list of what is shared; undefined if the API has no such list. */
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

/** How many requests the lists of what is shared would take in a sync now, as far as is known. */
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

/** Whether a list is requested again: it is old, or was requested for another organization. */
function isDue(
  before: Share,
  { organization, everyMs, now }: { organization: string | null; everyMs: number; now: number },
): boolean {
  return before.organization !== organization || now - before.askedAt >= (before.isGiven ? everyMs : ABSENT_MS);
}

interface Found {
  readonly others: Share['found'];
  /** Experiments that are accessible otherwise, so that they are not shared. */
  readonly known: ReadonlySet<string>;
}

interface RequestedList extends Listing, Pick<Found, 'others'> {
  readonly isRequested: boolean;
  /** Experiments that were shared before and are not covered now. */
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
