import type { Code } from '../shared/errors.ts';
import type { Issue } from './issue.ts';
import type { Running, Snapshot } from './snapshot.ts';

/** What the daemon shows of itself. Times are milliseconds since 1970 UTC. */
export type DaemonView = Snapshot &
  Running & {
    readonly version: string;
    readonly schedule: string;
    /** What is wrong now, with what is most urgent first. */
    readonly issues: readonly Issue[];
    /** What went wrong lately, newest first; it may be over. */
    readonly recent: readonly Notice[];
    /** Rows in the warehouse over time, oldest first. */
    readonly growth: readonly { readonly at: number; readonly rows: number }[];
  };

/** Something that went wrong at some time. */
export interface Notice {
  readonly at: number;
  readonly code: Code;
  readonly text: string;
  readonly hint: string | undefined;
}
