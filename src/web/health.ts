import { formatDuration, HOUR_MS } from '../shared/time.ts';
import { earliest, streamName, wasRead } from '../status/summary.ts';
import type { DaemonView } from '../status/view.ts';

/** The most stream names in one answer; how many more there are is said. */
const NAMED = 20;

/**
 * Why the process should be taken for stuck; undefined while it makes progress, has nothing to do, or rightly waits.
 * It has something to do while a stream is being read or one's next read is overdue; the time without progress counts
 * from then on. Waiting is right while the key is refused, while requests wait for a limit, in the hour after the API
 * answered 429, and from one try to the next while the network is away or the disk is full: a restart would help in none
 * of them. Names no experiment, as anybody may ask.
 */
export function stall(view: DaemonView, maxAgeMs: number): string | undefined {
  const { now, lastProgressAt = view.startedAt, waitsUntil = 0, budget, work, experiments } = view;
  const isRefused = budget.refusedAt !== undefined && now - budget.refusedAt < HOUR_MS;
  if (view.keyRefused !== undefined || isRefused || budget.hour.used >= budget.hour.allowed) return undefined;
  const next = earliest(experiments.flatMap(({ streams }) => streams).map(({ nextAt }) => nextAt));
  const due = earliest([...work.map(({ since }) => since), next]);
  if (due === undefined || due >= now) return undefined;
  const idleMs = now - Math.max(lastProgressAt, due, waitsUntil);
  if (idleMs <= maxAgeMs) return undefined;
  const what = work.length > 0 ? 'a stream is being read' : 'a stream is overdue';
  return `No progress for ${formatDuration(idleMs)} although ${what}.`;
}

/** Why the warehouse should not be relied on yet; empty when the key works and each stream was read at least once. */
export function unreadiness(view: DaemonView): string[] {
  const reasons = view.keyRefused === undefined ? [] : [`The key is refused: ${view.keyRefused}`];
  const streams = view.experiments.flatMap((experiment) =>
    experiment.streams
      .filter(({ standing }) => standing !== 'skipped' && standing !== 'gone')
      .map((stream) => ({ name: streamName(experiment, stream), isRead: wasRead(stream) })),
  );
  const unread = streams.filter(({ isRead }) => !isRead).map(({ name }) => name);
  if (view.experiments.length === 0) reasons.push('No experiment is known yet.');
  if (unread.length > 0) {
    const more = unread.length > NAMED ? ` and ${unread.length - NAMED} more` : '';
    reasons.push(
      `${unread.length} of ${streams.length} streams were not read yet: ${unread.slice(0, NAMED).join(', ')}${more}.`,
    );
  }
  return reasons;
}
