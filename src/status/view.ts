import type { Code } from '../shared/errors.ts';
import type { Issue } from './issue.ts';
import type { Running, Snapshot } from './snapshot.ts';

export type { ExperimentRows, People, RoomRows } from '../warehouse/experiment-rows.ts';

/** The daemon's state as it is shown. Times are milliseconds since 1970 UTC. */
export type DaemonView = Snapshot &
  Running & {
    readonly version: string;
    readonly schedule: string;
    /** What is wrong now, most urgent first. */
    readonly issues: readonly Issue[];
    /** Recent errors, newest first; they may be over. */
    readonly recent: readonly Notice[];
    /** Rows in the warehouse over time, oldest first. */
    readonly growth: readonly { readonly at: number; readonly rows: number }[];
  };

/** An error at some time. */
export interface Notice {
  readonly at: number;
  readonly code: Code;
  readonly text: string;
  readonly hint: string | undefined;
}
