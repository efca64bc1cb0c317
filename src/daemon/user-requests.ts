import { PRIORITIES } from '../budget/priorities.ts';
import { streamText, type Stream } from '../datasets/stream.ts';
import type { Selection } from '../schedule/streams.ts';
import type { Clock } from '../shared/clock.ts';
import { runSync, type SyncOptions, type SyncResult } from '../sync/run.ts';
import { tallied, type Tally } from '../sync/tally.ts';
import { runVerify, type Check, type Verification, type VerifyOptions, type VerifyResult } from '../sync/verify.ts';
import type { Reread } from '../sync/reread.ts';
import type { Person } from '../warehouse/person.ts';
import type { Erasure, Warehouse } from '../warehouse/warehouse.ts';
import type { Background } from './background.ts';
import type { Connections } from './connections.ts';
import type { Outcomes } from './outcomes.ts';
import type { ContextOf } from './read-context.ts';
import type { StreamLeases } from './stream-leases.ts';

/** A sync that a user requested. */
export interface SyncRequest {
  readonly selection: Selection;
  readonly full: boolean;
  readonly acceptDeletes: boolean;
  readonly acceptSchema: boolean;
  readonly reread?: Reread;
}

/** A comparison with the API that a user requested. */
export interface VerifyRequest extends VerifyOptions {
  readonly selection: Selection;
  readonly acceptDeletes: boolean;
}

type SyncHooks = Pick<SyncOptions, 'onPage' | 'onStream'> & {
  readonly signal: AbortSignal;
  readonly onTally?: (tally: Tally) => void;
};
type VerifyHooks = Pick<Verification, 'onVerdict'> & { readonly signal: AbortSignal };

/** Runs what a user requested and is waiting for: its API requests go first. */
export interface UserRequests {
  /** Nothing else is read meanwhile. */
  sync(request: SyncRequest, hooks: SyncHooks): Promise<SyncResult>;
  /** As it may take hours, all other reads continue meanwhile, except for the stream that is being compared. */
  verify(request: VerifyRequest, hooks: VerifyHooks): Promise<VerifyResult>;
  /** Erases a person, with nothing being read meanwhile. @param isTrial only finds out what would be erased. */
  erase(person: Person, isTrial: boolean): Promise<Erasure>;
  /** Whether a sync is waiting or in progress. */
  readonly isSyncing: boolean;
  /** Resolves when all requests so far have ended. */
  settled(): Promise<unknown>;
}

export interface UserRequestParts {
  readonly clock: Clock;
  readonly background: Background;
  readonly connections: Connections;
  readonly contextOf: ContextOf;
  readonly warehouse: Pick<Warehouse, 'erase'>;
  readonly leases: StreamLeases;
  readonly outcomes: Outcomes;
  readonly onProgress: () => void;
  /** Called when a request has ended. */
  readonly onEnd: () => void;
}

export function createUserRequests(parts: UserRequestParts): UserRequests {
  let last: Promise<unknown> = Promise.resolve();
  let syncs = 0;
  /**
   * Runs jobs one after the other: a sync is one job, a verification one for each stream, so that neither waits long.
   */
  const inTurn = <T>(job: () => Promise<T>): Promise<T> => {
    const done = last.then(job);
    last = done.catch(() => undefined);
    return done;
  };
  /** Runs a job as soon as the one before it has ended, with nothing being read meanwhile. */
  const alone = <T>(job: () => Promise<T>): Promise<T> => {
    syncs++;
    parts.background.interrupt();
    const result = inTurn(job);
    last = last.then(() => {
      syncs--;
      parts.onEnd();
    });
    return result;
  };
  return {
    get isSyncing() {
      return syncs > 0;
    },
    settled: () => last,
    sync: (request, hooks) => alone(() => sync(parts, request, hooks)),
    erase: (person, isTrial) =>
      alone(async () => {
        await parts.leases.empty();
        return parts.warehouse.erase(person, isTrial);
      }),
    verify: (request, hooks) => verify(parts, request, hooks, inTurn).finally(() => parts.onEnd()),
  };
}

async function sync(
  { connections, contextOf, leases, outcomes, onProgress }: UserRequestParts,
  request: SyncRequest,
  hooks: SyncHooks,
): Promise<SyncResult> {
  await leases.empty();
  const over = connections.current;
  // The user may have fixed the key.
  over.client.tryKeyAgain();
  const context = contextOf(hooks.signal, PRIORITIES.user.rank);
  const asked: SyncOptions = {
    ...context,
    ...request,
    onPage(stream, progress) {
      hooks.onPage?.(stream, progress);
      context.onPage?.(stream, progress);
    },
    onStream(event) {
      hooks.onStream?.(event);
      if (event.result !== undefined && request.reread?.dryRun !== true) outcomes.noteRequested(event.result, over);
      onProgress();
    },
  };
  return runSync(tallied({ ...asked, budget: over.budget }, (tally) => hooks.onTally?.(tally))).catch(
    (error: unknown) => {
      outcomes.fail(error, { over });
      throw error;
    },
  );
}

async function verify(
  parts: UserRequestParts,
  { acceptDeletes, ...request }: VerifyRequest,
  { signal, onVerdict }: VerifyHooks,
  inTurn: <T>(job: () => Promise<T>) => Promise<T>,
): Promise<VerifyResult> {
  const { connections, contextOf, outcomes } = parts;
  let over = connections.current;
  over.client.tryKeyAgain();
  const context = () => ({ ...contextOf(signal, PRIORITIES.user.rank), acceptDeletes, full: true });
  const checked = async (stream: Stream, check: Check) => {
    const release = await claim(parts, stream);
    try {
      signal.throwIfAborted();
      // It may have changed since the verification started.
      over = connections.current;
      return await check(context());
    } finally {
      release();
    }
  };
  return runVerify({
    ...context(),
    ...request,
    whenFree: (stream, check) => inTurn(() => checked(stream, check)),
    onVerdict(stream, verdict) {
      onVerdict?.(stream, verdict);
      parts.onProgress();
    },
  }).catch((error: unknown) => {
    outcomes.fail(error, { over });
    throw error;
  });
}

/** Takes a stream as soon as it is free. A first read or a reconcile of it is interrupted and starts again later. */
function claim({ background, clock, leases }: UserRequestParts, stream: Stream): Promise<() => void> {
  const lease = leases.held.get(streamText(stream));
  if (lease !== undefined && lease.kind !== 'poll') background.interrupt();
  return leases.takeNext(stream, 'verify', () => clock.now());
}
