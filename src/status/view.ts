import type { Standing } from '../warehouse/standing.ts';
import { DAY_MS } from '../shared/time.ts';

/** How long people are told of a refusal. */
export const REFUSAL_MATTERS_MS = DAY_MS;

/** What the daemon shows of itself. Times are milliseconds since 1970 UTC. */
export interface DaemonView {
  readonly version: string;
  readonly startedAt: number;
  readonly now: number;
  /** When the last page was committed or the last sync of a stream ended. */
  readonly lastProgressAt: number | undefined;
  readonly warehouse: { readonly path: string; readonly walBytes: number; readonly freeBytes: number };
  /** Why the key is refused, in words; undefined while it works. */
  readonly keyRefused: string | undefined;
  /** What keeps the daemon from reading anything: a refused key, a network that is away, a full disk. */
  readonly trouble:
    | { readonly since: number; readonly code: string; readonly text: string; readonly hint: string | undefined }
    | undefined;
  /** Until when it rightly waits, or last did: for a limit, or for such a trouble to be over. */
  readonly waitsUntil: number | undefined;
  readonly schedule: string;
  readonly budget: {
    readonly hour: { readonly used: number; readonly allowed: number };
    readonly minute: readonly { readonly endpoint: string; readonly used: number; readonly allowed: number }[];
    /** Requests in each of the last 60 minutes, oldest first. */
    readonly perMinute: readonly number[];
    /** When the API last answered 429 although we were within the limits: somebody else uses the key. */
    readonly refusedAt: number | undefined;
    /** When the last of the requests that wait for a limit may start; in the past when none waits. */
    readonly waitsUntil: number | undefined;
  };
  readonly work: readonly {
    readonly stream: string;
    readonly since: number;
    readonly fetched: number;
    readonly total: number | undefined;
  }[];
  readonly experiments: readonly {
    readonly id: string;
    readonly name: string | undefined;
    readonly live: boolean;
    readonly streams: readonly StreamView[];
  }[];
  /** Recent problems in plain words, newest first. */
  readonly problems: readonly {
    readonly at: number;
    readonly code: string;
    readonly text: string;
    readonly hint: string | undefined;
  }[];
  /** Rows in the warehouse over time, oldest first. */
  readonly growth: readonly { readonly at: number; readonly rows: number }[];
}

export interface StreamView {
  readonly data: string;
  readonly scope: string;
  readonly rows: number;
  readonly complete: boolean;
  readonly standing: Standing;
  readonly reason: string | undefined;
  readonly dataAsOf: number | undefined;
  readonly verifiedAt: number | undefined;
  readonly lastStatus: string | undefined;
  readonly nextAt: number | undefined;
}
