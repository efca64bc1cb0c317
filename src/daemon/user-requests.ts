import { PRIORITIES } from '../budget/priorities.ts';
import type { Selection } from '../schedule/streams.ts';
import { streamText, type Stream } from '../datasets/stream.ts';
import { runSync, type SyncOptions, type SyncResult } from '../sync/run.ts';
import type { StreamResult } from '../sync/stream.ts';
import { runVerify, type Check, type Verification, type VerifyOptions, type VerifyResult } from '../sync/verify.ts';
import type { ApiConnection } from '../runtime/api-connection.ts';
import { noteFailure } from './outcomes.ts';
import type { State } from './state.ts';
import { contextOf } from './tick.ts';

/** What somebody asked to be synced now. */
export interface SyncAsked {
  readonly selection: Selection;
  readonly full: boolean;
  readonly acceptDeletes: boolean;
}

/** What somebody asked to be compared with the API. */
export interface VerifyAsked extends VerifyOptions {
  readonly selection: Selection;
  readonly acceptDeletes: boolean;
}

type SyncHooks = Pick<SyncOptions, 'onPage' | 'onStream'> & { readonly signal: AbortSignal };
type VerifyHooks = Pick<Verification, 'onVerdict'> & { readonly signal: AbortSignal };

/** Does what somebody asked for and waits for: its requests go first. */
export interface AskedWork {
  /** Nothing else is read meanwhile. */
  sync(asked: SyncAsked, hooks: SyncHooks): Promise<SyncResult>;
  /** As it may take hours, everything else goes on meanwhile, except for the stream that is being compared. */
  verify(asked: VerifyAsked, hooks: VerifyHooks): Promise<VerifyResult>;
  /** Resolves when what was asked for so far is no longer under way. */
  settled(): Promise<unknown>;
}

export function createAskedWork(state: State, wake: () => void): AskedWork {
  let last: Promise<unknown> = Promise.resolve();
  /** One after the other: syncs as a whole, verifications stream by stream, so that neither waits long for the other. */
  const inTurn = <T>(job: () => Promise<T>): Promise<T> => {
    const done = last.then(job);
    last = done.catch(() => undefined);
    return done;
  };
  return {
    settled: () => last,
    sync(asked, hooks) {
      state.asked++;
      state.background.abort();
      const result = inTurn(() => sync(state, asked, hooks));
      last = last.then(() => {
        state.asked--;
        state.plannedAt = -Infinity;
        wake();
      });
      return result;
    },
    verify: (asked, hooks) =>
      verify(state, asked, hooks, inTurn).finally(() => {
        state.plannedAt = -Infinity;
        wake();
      }),
  };
}

async function sync(
  state: State,
  { selection, full, acceptDeletes }: SyncAsked,
  hooks: SyncHooks,
): Promise<SyncResult> {
  await state.desk.empty();
  const { connection } = state;
  askAgain(connection);
  const context = contextOf(state, hooks.signal, PRIORITIES.user.rank);
  return runSync({
    ...context,
    selection,
    full,
    acceptDeletes,
    onPage(stream, progress) {
      hooks.onPage?.(stream, progress);
      context.onPage?.(stream, progress);
    },
    onStream(event) {
      hooks.onStream?.(event);
      if (event.result !== undefined) noteAsked(state, event.result, connection);
      state.onProgress();
    },
  }).catch((error: unknown) => {
    noteFailure(state, undefined, error, connection);
    throw error;
  });
}

/** What it says of the experiment and, while the connection is still in use, that the network and the key work. */
function noteAsked({ experiments, troubles, ...state }: State, result: StreamResult, connection: ApiConnection): void {
  experiments.note(result);
  if (result.error === undefined && connection === state.connection) troubles.over();
}

/** Whoever asks may have mended the key. */
function askAgain({ client }: ApiConnection): void {
  client.tryKeyAgain();
}

async function verify(
  state: State,
  { selection, deep, repair, acceptDeletes }: VerifyAsked,
  { signal, onVerdict }: VerifyHooks,
  inTurn: <T>(job: () => Promise<T>) => Promise<T>,
): Promise<VerifyResult> {
  let { connection } = state;
  askAgain(connection);
  const context = () => ({ ...contextOf(state, signal, PRIORITIES.user.rank), acceptDeletes, full: true });
  const checked = async (stream: Stream, check: Check) => {
    const release = await claim(state, stream);
    try {
      signal.throwIfAborted();
      // It may have changed since the verification was asked for.
      connection = state.connection;
      return await check(context());
    } finally {
      release();
    }
  };
  return runVerify({
    ...context(),
    selection,
    deep,
    repair,
    whenFree: (stream, check) => inTurn(() => checked(stream, check)),
    onVerdict(stream, verdict) {
      onVerdict?.(stream, verdict);
      state.onProgress();
    },
  }).catch((error: unknown) => {
    noteFailure(state, undefined, error, connection);
    throw error;
  });
}

/** Takes a stream as soon as it is free. A first read or a reconcile of it makes room and begins again later. */
function claim(state: State, stream: Stream): Promise<() => void> {
  const { desk, clock } = state;
  const reader = desk.work.get(streamText(stream));
  if (reader !== undefined && reader.kind !== 'poll') state.background.abort();
  return desk.takeNext(stream, 'verify', () => clock.now());
}
