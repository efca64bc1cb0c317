import { PRIORITIES } from '../budget/priorities.ts';
import { isOver } from '../datasets/room-status.ts';
import type { Stream } from '../datasets/stream.ts';
import { BOUNDS } from '../schedule/intervals.ts';
import { WarehouseError } from '../shared/errors.ts';
import type { Priority } from '../shared/priority.ts';
import { enrol } from '../sync/roster.ts';
import { syncStream, type SyncContext } from '../sync/stream.ts';
import { latestRooms } from '../warehouse/structure.ts';
import { dueNow, type Entry } from '../schedule/due-times.ts';
import { noteFailure, noteResult } from './outcomes.ts';
import { plan, streamsOf, type State } from './state.ts';

/**
 * First reads under way at once; polls have the configured concurrency for themselves. Of those that may take hours one
 * fewer, so that the rooms of former days, which take a request each, do not wait for them.
 */
const MOST_FIRST_READS = { long: 2, room: 3 };
/** A stream of no more pages than this is read whole when it is looked at first. */
const LOOK_PAGES = 3;
const REPLAN_MS = 30_000;
const SHORTEST_NAP_MS = 100;
/** After a stream was read, the plan is made anew this soon. */
const SOON_MS = 1000;

type Context = Omit<SyncContext, 'full'>;

/** One turn of the engine: looks at the experiments, plans, and begins what is due. */
export async function turn(state: State, signal: AbortSignal): Promise<void> {
  const { clock, connection, experiments, troubles } = state;
  if (state.asked > 0 || clock.now() < troubles.restsUntil()) return;
  if (troubles.keyRefused() !== undefined) connection.client.tryKeyAgain();
  const hasAnswered = await experiments.look({ client: connection.client, signal }).catch((error: unknown) => {
    noteFailure(state, undefined, error, connection);
    return false;
  });
  if (hasAnswered) {
    state.plannedAt = -Infinity;
    state.isRosterDue = true;
    troubles.listed();
  }
  if (clock.now() - state.plannedAt >= REPLAN_MS) plan(state, clock.now());
  if (state.isRosterDue) keepRoster(state);
  if (signal.aborted || state.asked > 0 || clock.now() < troubles.restsUntil()) return;
  const mayWrite = state.walGuard.mayWrite(state);
  if (state.background.signal.aborted) state.background = new AbortController();
  beginDue(state, signal, mayWrite);
  if (mayWrite) beginReconcile(state, signal);
}

/** Has `_streams` say which streams are configured, never read, no longer configured, or gone. */
function keepRoster(state: State): void {
  const { connection, experiments, warehouse } = state;
  state.isRosterDue = false;
  try {
    enrol(warehouse, {
      config: connection.config,
      experiments: experiments.planned(),
      gone: [...experiments.gone().keys()],
    });
  } catch (error) {
    noteFailure(state, undefined, error);
  }
}

/** How long nothing is to be done; what ends sooner, or is asked for, ends the nap. */
export function napMs({ agenda, clock, experiments, troubles, plannedAt }: State): number {
  const now = clock.now();
  const next = agenda.entries.reduce((first, { dueAt }) => (dueAt > now ? Math.min(first, dueAt) : first), Infinity);
  const wakeAt = Math.max(troubles.restsUntil(), Math.min(next, experiments.nextLookAt, plannedAt + REPLAN_MS));
  return Math.min(Math.max(wakeAt - now, SHORTEST_NAP_MS), REPLAN_MS);
}

function beginDue(state: State, signal: AbortSignal, mayWrite: boolean): void {
  const { agenda, clock, connection, desk, troubles } = state;
  const isTrying = troubles.isTrying();
  const isFirstLook = firstLooks(state);
  for (const entry of dueNow(agenda, clock.now())) {
    const isShort = !entry.isFirstRead || isFirstLook(entry);
    if (!isShort && !mayWrite) continue;
    const kind = isShort ? 'poll' : 'first read';
    const length = entry.stream.scope.kind === 'room' ? 'room' : 'long';
    const most = isShort ? connection.config.api.concurrency : MOST_FIRST_READS[length];
    if (isTrying ? desk.work.size === 0 : desk.count(kind) < most) begin(state, entry, kind, signal);
  }
}

/**
 * Tells whether a stream was never looked at and may be going on right now. The rooms of former days can wait. It holds
 * for a moment only: each experiment's rooms are asked for once, as thousands of them may be due.
 */
function firstLooks({ looked, warehouse }: State): (entry: Entry) => boolean {
  const open = new Map<string, ReadonlySet<string | null>>();
  const openRooms = (experimentId: string) => {
    const known = open.get(experimentId);
    if (known !== undefined) return known;
    const rooms = latestRooms(warehouse.db, experimentId).filter(({ status }) => status === null || !isOver(status));
    const ids = new Set(rooms.map(({ id }) => id));
    open.set(experimentId, ids);
    return ids;
  };
  return ({ stream: { scope, experimentId }, key, isFirstRead, isReread }) =>
    isFirstRead && !isReread && !looked.has(key) && (scope.kind !== 'room' || openRooms(experimentId).has(scope.id));
}

function begin(state: State, entry: Entry, kind: 'poll' | 'first read', signal: AbortSignal): void {
  const { desk, clock, background, looked, onProgress, connection } = state;
  const { stream, key, isFirstRead } = entry;
  const release = desk.take(stream, kind, clock.now());
  if (release === undefined) return;
  // Until the next plan, which knows what came of it, it is not due.
  const entries = state.agenda.entries.map((one) => (one === entry ? { ...one, dueAt: Infinity } : one));
  state.agenda = { ...state.agenda, entries };
  const priority = kind === 'first read' ? PRIORITIES.backfill.rank : pollPriority(state, stream);
  const context = contextOf(state, isFirstRead ? AbortSignal.any([signal, background.signal]) : signal, priority);
  const isLook = isFirstRead && kind === 'poll';
  if (isLook) looked.add(key);
  void syncStream({ ...(isLook ? endedWhenLong(context) : context), full: false }, stream)
    .then(
      (result) => noteResult(state, stream, result),
      (error: unknown) => noteFailure(state, stream, error, connection),
    )
    .then(() => {
      state.plannedAt = Math.min(state.plannedAt, clock.now() - REPLAN_MS + SOON_MS);
      release();
      onProgress();
    });
}

/**
 * How important a poll is while it waits for a limit. A session may begin meanwhile: those of its streams that are polled
 * from then on must not keep this one waiting. Nor may sessions keep an idle stream waiting for ever. A sync that somebody
 * asked for begins when the polls have ended, so that they wait as it does, and it is told for what.
 */
function pollPriority(state: State, { experimentId }: Stream): Priority {
  const { clock } = state;
  const patientUntil = clock.uptime() + BOUNDS.idleMs;
  return () => {
    if (state.asked > 0) return PRIORITIES.user.rank;
    return state.agenda.live.has(experimentId) || clock.uptime() >= patientUntil
      ? PRIORITIES.live.rank
      : PRIORITIES.fresh.rank;
  };
}

/** A first look at a stream of more than a few pages ends; what it read is kept, and the rest is a first read. */
function endedWhenLong(context: Context): Context {
  const long = new AbortController();
  let pages = 0;
  return {
    ...context,
    signal: AbortSignal.any([...(context.signal === undefined ? [] : [context.signal]), long.signal]),
    onPage(stream, progress) {
      context.onPage?.(stream, progress);
      const { fetched, total = 0 } = progress;
      if (++pages >= LOOK_PAGES || total > (LOOK_PAGES * fetched) / pages)
        long.abort(new WarehouseError('INTERRUPTED', 'This stream is long: the rest of it is read later.'));
    },
  };
}

function beginReconcile(state: State, signal: AbortSignal): void {
  const { nights, clock, desk, background, troubles } = state;
  if (troubles.isTrying() || !nights.isDue(clock.now())) return;
  const ends = AbortSignal.any([signal, background.signal]);
  const claim = (stream: Stream) => desk.take(stream, 'reconcile', clock.now());
  nights
    .run(contextOf(state, ends, PRIORITIES.reconcile.rank), streamsOf(state, true), claim)
    .catch((error: unknown) => noteFailure(state, undefined, error));
}

/** What a sync works with, on the connection of the moment. */
export function contextOf(state: State, signal: AbortSignal, priority: Priority): Context {
  const { connection, warehouse, clock, log, desk, onProgress } = state;
  return {
    client: connection.client,
    config: connection.config,
    warehouse,
    clock,
    log,
    priority,
    signal,
    acceptDeletes: false,
    onPage(stream, progress) {
      desk.note(stream, progress);
      onProgress();
      state.walGuard.mayWrite(state);
    },
  };
}
