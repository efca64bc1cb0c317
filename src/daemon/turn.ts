import type { Stream } from '../datasets/stream.ts';
import { PRIORITY, syncStream, type SyncContext } from '../sync/stream.ts';
import { dueNow, type Entry } from './agenda.ts';
import { noteFailure, noteResult } from './outcomes.ts';
import { plan, streamsOf, type State } from './state.ts';

/** First reads under way at once; polls have the configured concurrency for themselves. */
const MOST_FIRST_READS = 2;
const REPLAN_MS = 30_000;
const SHORTEST_NAP_MS = 100;
/** After a stream was read, the plan is made anew this soon. */
const SOON_MS = 1000;

/** One turn of the engine: looks at the experiments, plans, and begins what is due. */
export async function turn(state: State, signal: AbortSignal): Promise<void> {
  const { clock, connection, experiments, troubles } = state;
  if (state.asked > 0 || clock.now() < troubles.restsUntil()) return;
  await experiments
    .look({ client: connection.client, signal })
    .catch((error: unknown) => noteFailure(state, undefined, error));
  if (clock.now() - state.plannedAt >= REPLAN_MS) plan(state, clock.now());
  if (signal.aborted || clock.now() < troubles.restsUntil()) return;
  const mayWrite = state.walGuard.mayWrite(state);
  if (!mayWrite && state.background.signal.aborted) state.background = new AbortController();
  beginDue(state, signal, mayWrite);
  if (mayWrite) beginReconcile(state, signal);
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
  for (const entry of dueNow(agenda, clock.now())) {
    if (entry.isFirstRead && !mayWrite) continue;
    const most = entry.isFirstRead ? MOST_FIRST_READS : connection.config.api.concurrency;
    const kind = entry.isFirstRead ? 'first read' : 'poll';
    if (isTrying ? desk.work.size === 0 : desk.count(kind) < most) begin(state, entry, signal);
  }
}

function begin(state: State, entry: Entry, signal: AbortSignal): void {
  const { desk, clock, background, onProgress } = state;
  const { stream, live, isFirstRead } = entry;
  const release = desk.take(stream, isFirstRead ? 'first read' : 'poll', clock.now());
  if (release === undefined) return;
  // Until the next plan, which knows what came of it, it is not due.
  const entries = state.agenda.entries.map((one) => (one === entry ? { ...one, dueAt: Infinity } : one));
  state.agenda = { ...state.agenda, entries };
  const priority = isFirstRead ? PRIORITY.backfill : live ? PRIORITY.live : PRIORITY.fresh;
  const ends = isFirstRead ? AbortSignal.any([signal, background.signal]) : signal;
  void syncStream({ ...contextOf(state, ends, priority), full: false }, stream)
    .then(
      (result) => noteResult(state, stream, result),
      (error: unknown) => noteFailure(state, stream, error),
    )
    .then(() => {
      state.plannedAt = Math.min(state.plannedAt, clock.now() - REPLAN_MS + SOON_MS);
      release();
      onProgress();
    });
}

function beginReconcile(state: State, signal: AbortSignal): void {
  const { nights, clock, desk, background, troubles } = state;
  if (troubles.isTrying() || !nights.isDue(clock.now())) return;
  const ends = AbortSignal.any([signal, background.signal]);
  const claim = (stream: Stream) => desk.take(stream, 'reconcile', clock.now());
  nights
    .run(contextOf(state, ends, PRIORITY.reconcile), streamsOf(state, true), claim)
    .catch((error: unknown) => noteFailure(state, undefined, error));
}

/** What a sync works with, on the connection of the moment. */
export function contextOf(state: State, signal: AbortSignal, priority: number): Omit<SyncContext, 'full'> {
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
    },
  };
}
