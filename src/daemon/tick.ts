import type { Clock } from '../shared/clock.ts';
import { enrol } from '../sync/roster.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import type { Background } from './background.ts';
import type { Connections } from './connections.ts';
import type { Experiments } from './experiments.ts';
import type { Outage } from './outage.ts';
import type { Outcomes } from './outcomes.ts';
import type { Plan } from './plan.ts';
import type { Reads } from './reads.ts';
import type { UserRequests } from './user-requests.ts';
import type { WalGuard } from './wal-guard.ts';

export interface TickParts {
  readonly warehouse: Warehouse;
  readonly clock: Clock;
  readonly background: Background;
  readonly connections: Connections;
  readonly experiments: Experiments;
  readonly outage: Outage;
  readonly outcomes: Outcomes;
  readonly plan: Plan;
  readonly reads: Reads;
  readonly requests: Pick<UserRequests, 'isSyncing'>;
  readonly walGuard: WalGuard;
}

const SHORTEST_NAP_MS = 100;
const LONGEST_NAP_MS = 30_000;

/** One tick of the engine: checks the list of experiments, plans, and starts the reads that are due. */
export async function tick(parts: TickParts, signal: AbortSignal): Promise<void> {
  const { background, clock, connections, outage, plan, reads, requests, walGuard } = parts;
  const mayNotRead = () => requests.isSyncing || clock.now() < outage.restsUntil();
  if (mayNotRead()) return;
  if (await look(parts, signal)) {
    plan.expireStreams();
    outage.listed();
  }
  if (clock.now() >= plan.renewAt) {
    const { isRosterDue } = plan.renew(connections.current, connections.since);
    if (isRosterDue) keepRoster(parts);
  }
  if (signal.aborted || mayNotRead()) return;
  const mayWait = walGuard.mayWrite();
  background.resume();
  reads.beginDue(signal, mayWait);
  if (mayWait) reads.beginNightly(signal);
}

/** Requests the list of experiments, if that is due. Returns whether it was read. */
async function look({ connections, experiments, outage, outcomes }: TickParts, signal: AbortSignal): Promise<boolean> {
  const { current } = connections;
  if (outage.keyRefused() !== undefined) current.client.tryKeyAgain();
  try {
    return await experiments.look({ client: current.client, signal });
  } catch (error) {
    outcomes.fail(error, { over: current });
    return false;
  }
}

/** Records in `_streams` which streams are configured, never read, no longer configured, or gone. */
function keepRoster({ connections, experiments, outcomes, warehouse }: TickParts): void {
  try {
    enrol(warehouse, {
      config: connections.current.config,
      experiments: experiments.planned(),
      gone: [...experiments.gone().keys()],
    });
  } catch (error) {
    outcomes.fail(error);
  }
}

/** How long there is nothing to do; a read that ends, or a request, wakes the engine sooner. */
export function napMs({ clock, experiments, outage, plan }: TickParts): number {
  const now = clock.now();
  const { entries } = plan.dueTimes;
  const next = entries.reduce((first, { dueAt }) => (dueAt > now ? Math.min(first, dueAt) : first), Infinity);
  const wakeAt = Math.max(outage.restsUntil(), Math.min(next, experiments.nextLookAt, plan.renewAt));
  return Math.min(Math.max(wakeAt - now, SHORTEST_NAP_MS), LONGEST_NAP_MS);
}
