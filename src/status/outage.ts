import type { ErrorCode } from '../shared/errors.ts';

/** What keeps the daemon, or kept the last sync, from reading anything. */
export interface OutageState {
  /** Milliseconds since 1970 UTC. */
  readonly since: number;
  readonly code: ErrorCode;
  /** In words that contain no secret. */
  readonly text: string;
  readonly hint: string | undefined;
  /** Whether a sync met it that is over: nothing tries again by itself. */
  readonly isOfSync?: boolean;
}
