import type { Standing } from '../warehouse/standing.ts';
import type { StreamView } from './snapshot.ts';

/**
 * complete · incomplete: read, but rows may be missing · failed: the last read ended in an error, or it is no longer
 * available to the key · skipped: the key could never read it · unread: its first read has not ended yet.
 */
export type StreamState = 'complete' | 'incomplete' | 'failed' | 'skipped' | 'unread';

const STATES: Record<Standing, StreamState> = {
  complete: 'complete',
  incomplete: 'incomplete',
  unconfigured: 'incomplete',
  failed: 'failed',
  lost: 'failed',
  gone: 'failed',
  skipped: 'skipped',
  unread: 'unread',
};

export function stateOf({ standing }: StreamView): StreamState {
  return STATES[standing];
}

/** Whether a read of the stream has ever reached its end, with doubts or without. */
export function wasRead({ dataAsOf, lastStatus }: StreamView): boolean {
  return dataAsOf !== undefined || lastStatus === 'ok' || lastStatus === 'incomplete';
}

/** The state of a group of streams: the most urgent of theirs. */
export function worst(states: readonly StreamState[]): StreamState {
  return BY_URGENCY.find((state) => states.includes(state)) ?? 'unread';
}

const BY_URGENCY: readonly StreamState[] = ['failed', 'incomplete', 'unread', 'complete', 'skipped'];

export function countStates(streams: readonly StreamView[]): Record<StreamState, number> {
  const counts = { complete: 0, incomplete: 0, failed: 0, skipped: 0, unread: 0 };
  for (const stream of streams) counts[stateOf(stream)] += 1;
  return counts;
}

/**
 * The age in milliseconds of the stalest of the streams that are still being read; undefined if none was ever read.
 * A stream without a next read is finished (a room that has ended): its age means nothing.
 */
export function oldestAge(streams: readonly StreamView[], now: number): number | undefined {
  const read = streams.filter(({ dataAsOf, lastStatus }) => dataAsOf !== undefined && lastStatus !== 'skipped');
  const followed = read.filter(({ nextAt }) => nextAt !== undefined);
  const stalest = earliest((followed.length > 0 ? followed : read).map(({ dataAsOf }) => dataAsOf));
  return stalest === undefined ? undefined : Math.max(0, now - stalest);
}

/** The earliest of the known times. */
export function earliest(times: readonly (number | undefined)[]): number | undefined {
  return times.reduce((first, at) => (first === undefined || (at !== undefined && at < first) ? at : first), undefined);
}

export function totalRows(streams: readonly StreamView[]): number {
  return streams.reduce((sum, { rows }) => sum + rows, 0);
}

/** The streams of an experiment by data type, in the order in which the data types first appear. */
export function byData(streams: readonly StreamView[]): Map<string, StreamView[]> {
  return Map.groupBy(streams, ({ data }) => data);
}
