/**
 * The undocumented sides of the API, each as a switch: a client must be right under every one of them. The defaults
 * are the most ordinary reading.
 */
export interface Readings {
  readonly startTime: 'inclusive' | 'exclusive';
  readonly endTime: 'inclusive' | 'exclusive';
  /** Records of one timestamp: in the same order in every answer, or in another one each time. */
  readonly ties: 'stable' | 'shuffled';
  /** What happens to a limit above `maxLimit`. */
  readonly overLimit: 'accepted' | 'clamped' | 'rejected';
  readonly maxLimit: number;
  /** What data types do with `startTime` and `endTime`, and with `sort` and `order`; a data type not named honours them. */
  readonly timeFilter: Readonly<Record<string, 'ignored' | 'rejected'>>;
  readonly sort: Readonly<Record<string, 'ignored' | 'rejected'>>;
  /** What data types do with the filters that name a field, such as `category`. */
  readonly fieldFilter: Readonly<Record<string, 'ignored' | 'rejected'>>;
  /** Whether pages carry the pagination block, or its total, limit and offset flat in the metadata; for all data types or some. */
  readonly pagination:
    'sent' | 'flat' | 'missing' | { readonly missingFor: readonly string[]; readonly flatFor?: readonly string[] };
  /** What `metadata.query` repeats: what was given, what the endpoint parsed with its defaults, or nothing. */
  readonly echo: 'given' | 'parsed' | 'missing';
  /** Whether a room's agent decisions come with the runs of its agents, told apart by `_type` (Python SDK 0.4.1). */
  readonly runsAmongDecisions: 'absent' | 'present';
  readonly total: 'right' | 'wrong' | 'missing';
  readonly times: 'milliseconds' | 'seconds' | 'offset';
  /** Whether a limit counts a data type's requests together or each path's by itself. */
  readonly endpoint: 'dataType' | 'path';
  /** Whether a limit counts the hour (minute) before each request, or the hour (minute) on the clock. */
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
