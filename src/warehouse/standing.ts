import type { Position } from './positions.ts';

/**
 * The state of a stream, in one word: complete · incomplete: read, but not accounted for · failed: the last read ended
 * in an error · lost: it or others of its data type were read, and the key may not read it now · gone: what it belongs to is no longer available
 * to the key · unread: no read has ended yet · skipped: the key could never read it · unconfigured: it is no longer
 * configured.
 */
export type Standing = 'complete' | 'incomplete' | 'failed' | 'lost' | 'gone' | 'unread' | 'skipped' | 'unconfigured';

export function standingOf({
  complete,
  doubts,
  dataAsOf,
  lastStatus,
}: Pick<Position, 'complete' | 'doubts' | 'dataAsOf' | 'lastStatus'>): Standing {
  if (complete) return 'complete';
  const kinds = new Set(doubts.map(({ kind }) => kind));
  if (kinds.has('unconfigured')) return 'unconfigured';
  if (kinds.has('gone')) return 'gone';
  if (kinds.has('no-scope') || lastStatus === 'skipped')
    return dataAsOf === undefined && lastStatus !== 'failed' ? 'skipped' : 'lost';
  if (kinds.has('failed') || lastStatus === 'failed') return 'failed';
  return dataAsOf === undefined && lastStatus === undefined ? 'unread' : 'incomplete';
}

/** A stream as `isWell` judges it. */
export interface Judged {
  readonly standing: Standing;
  /** Whether the configuration, or the user, names its data type. */
  readonly isNamed: boolean;
}

/**
 * Whether all is well with the streams: each is complete, or was never readable with the key and not requested by name;
 * and the key can read some of them. What is no longer configured does not count.
 */
export function isWell(streams: readonly Judged[]): boolean {
  const wanted = streams.filter(({ standing }) => standing !== 'unconfigured');
  const isAllSkipped = wanted.length > 0 && wanted.every(({ standing }) => standing === 'skipped');
  return wanted.every(isFine) && !isAllSkipped;
}

/** Whether a stream by itself is well. */
export function isFine({ standing, isNamed }: Judged): boolean {
  return standing === 'complete' || (standing === 'skipped' && !isNamed);
}
