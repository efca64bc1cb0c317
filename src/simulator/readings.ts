/**
 * Undocumented behaviour of the API, each as a switch: a client must be right under every setting. The defaults are the
 * most likely readings of the documentation.
 */
export interface Readings {
  readonly startTime: 'inclusive' | 'exclusive';
  readonly endTime: 'inclusive' | 'exclusive';
  /** The order of records with one timestamp: the same in every answer, or different each time. */
  readonly ties: 'stable' | 'shuffled';
  /** What happens to a limit above `maxLimit`. */
  readonly overLimit: 'accepted' | 'clamped' | 'rejected';
  readonly maxLimit: number;
  /** What data types do with `startTime` and `endTime`, and with `sort` and `order`; by default they honour them. */
  readonly timeFilter: Readonly<Record<string, 'ignored' | 'rejected'>>;
  readonly sort: Readonly<Record<string, 'ignored' | 'rejected'>>;
  /** What data types do with the filters that name a field, such as `category`. */
  readonly fieldFilter: Readonly<Record<string, 'ignored' | 'rejected'>>;
  /**
   * Whether pages have the pagination block, or its total, limit and offset flat in the metadata; for all or some data
   * types.
   */
  readonly pagination:
    'sent' | 'flat' | 'missing' | { readonly missingFor: readonly string[]; readonly flatFor?: readonly string[] };
  /** What `metadata.query` shows: the query as given, as the endpoint parsed it with its defaults, or nothing. */
  readonly echo: 'given' | 'parsed' | 'missing';
  /** Whether a room's agent decisions include the runs of its agents, marked by `_type` (Python SDK 0.4.1). */
  readonly runsAmongDecisions: 'absent' | 'present';
  readonly total: 'right' | 'wrong' | 'missing';
  readonly times: 'milliseconds' | 'seconds' | 'offset';
  /** Whether a limit counts a data type's requests together or those of each path separately. */
  readonly endpoint: 'dataType' | 'path';
  /** Whether a limit counts in a rolling hour (minute) or in each hour (minute) of the clock. */
  readonly window: 'rolling' | 'fixed';
  readonly retryAfter: 'seconds' | 'date';
}

export const ORDINARY: Readings = {
  startTime: 'inclusive',
  endTime: 'inclusive',
  ties: 'stable',
  overLimit: 'clamped',
  maxLimit: 1000,
  timeFilter: {},
  sort: {},
  fieldFilter: {},
  pagination: 'sent',
  echo: 'parsed',
  runsAmongDecisions: 'present',
  total: 'right',
  times: 'milliseconds',
  endpoint: 'dataType',
  window: 'rolling',
  retryAfter: 'seconds',
};
