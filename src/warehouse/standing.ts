import type { Position } from './positions.ts';

/**
 * How a stream stands, in one word: complete · incomplete: read, but not accounted for · failed: the last read ended in an
 * error · lost: it was read, and the key may not read it any more · gone: what it belongs to is no longer given to the key ·
 * unread: no read has ended yet · skipped: the key could never read it · unconfigured: the configuration no longer asks
 * for it.
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
  if (kinds.has('no-scope') || lastStatus === 'skipped') return dataAsOf === undefined ? 'skipped' : 'lost';
  if (kinds.has('failed') || lastStatus === 'failed') return 'failed';
  return dataAsOf === undefined && lastStatus === undefined ? 'unread' : 'incomplete';
}

/** A stream as `isWell` judges it. */
export interface Judged {
  readonly standing: Standing;
  /** Whether the configuration, or a person, asks for its data type by name. */
  readonly isNamed: boolean;
}

/**
 * Whether all is well with the streams: each is complete, or is one that the key never could read and that was not asked
 * for by name; and the key can read some of them. What is no longer configured does not count.
 */
export function isWell(streams: readonly Judged[]): boolean {
  const wanted = streams.filter(({ standing }) => standing !== 'unconfigured');
  const isAllSkipped = wanted.length > 0 && wanted.every(({ standing }) => standing === 'skipped');
  return wanted.every(isFine) && !isAllSkipped;
}

/** Whether that is all right with a stream by itself. */
export function isFine({ standing, isNamed }: Judged): boolean {
  return standing === 'complete' || (standing === 'skipped' && !isNamed);
}
