import type { ListIssue } from '../warehouse/experiment-list.ts';
import type { StoredPosition } from '../warehouse/positions.ts';
import type { MediaCounts } from '../warehouse/media.ts';
import type { SchemaChange } from '../warehouse/schema-changes.ts';
import type { Refusal } from '../warehouse/refusal.ts';
import type { Judged } from '../warehouse/standing.ts';
import type { OutageState } from './outage.ts';

/** What is known at one moment; every report of the state is made from it. Times are milliseconds since 1970 UTC. */
export interface Snapshot extends Partial<Running> {
  readonly now: number;
  /** The configured experiments that are known, and those that are gone. */
  readonly experiments: readonly ExperimentView[];
  /** Streams that are no longer configured. */
  readonly unconfigured: readonly StreamView[];
  /** What is wrong with the list of experiments, apart from single experiments. */
  readonly list: readonly (ListIssue & { readonly since?: number | undefined })[];
  /** New fields and types that were read lately, the latest first. */
  readonly schemaChanges: readonly SchemaChange[];
  readonly keyExpiresAt: number | undefined;
  /** When the API last answered 429 although we were within the limits. */
  readonly refusal: Pick<Refusal, 'at' | 'endpoint' | 'waitMs'> | undefined;
  /** The share of the limits that is left to other programs. */
  readonly reserve: number;
  readonly warehouse: {
    readonly path: string;
    readonly walBytes: number;
    readonly freeBytes: number;
    /** The size of the disk that holds it. */
    readonly totalBytes: number;
  };
  /** The files of recordings; undefined where none are wanted. */
  readonly media?: MediaCounts | undefined;
  /** The share of the disk, from 0 to 1, that should be free. */
  readonly leastFree: number;
  /** The share of the limits for the nightly reconcile; undefined if no daemon runs it. */
  readonly comparing: number | undefined;
}

/** What only a running daemon knows. */
export interface Running {
  readonly startedAt: number;
  /** When the last page was committed or the last sync of a stream ended. */
  readonly lastProgressAt: number | undefined;
  /** The longest time without progress, in milliseconds, before it counts as stuck while there is something to do. */
  readonly patienceMs: number;
  /** What the API said when it refused the key; undefined while it accepts it. */
  readonly keyRefused: string | undefined;
  readonly outage: OutageState | undefined;
  /** Until when it has, or last had, a reason to wait: a limit or an outage. */
  readonly waitsUntil: number | undefined;
  /**
   * Failures before this time say nothing about now: since then the daemon was started, was given another key, or an
   * outage ended.
   */
  readonly countsFrom: number;
  readonly budget: Spent;
  readonly work: readonly Work[];
  /** The rooms that are live now. */
  readonly liveRooms: readonly LiveRoom[];
}

export interface ExperimentView {
  readonly id: string;
  readonly name: string | undefined;
  readonly live: boolean;
  /** Whether it left the list of experiments that the key can see. */
  readonly isGone: boolean;
  readonly streams: readonly StreamView[];
}

/** A stream, its standing, and when it is read next. */
export interface StreamView extends StoredPosition, Judged {
  readonly nextAt?: number | undefined;
}

export interface Spent {
  readonly hour: { readonly used: number; readonly allowed: number };
  readonly minute: readonly { readonly endpoint: string; readonly used: number; readonly allowed: number }[];
  /** Requests in each of the last 60 minutes, oldest first. */
  readonly perMinute: readonly number[];
  /** When the last of the requests that wait for a limit may start; in the past when none waits. */
  readonly waitsUntil: number | undefined;
}

/** A stream that is being read. */
export interface Work {
  readonly stream: string;
  readonly since: number;
  readonly fetched: number;
  readonly total: number | undefined;
}

export interface LiveRoom {
  readonly experimentId: string;
  readonly room: string;
  readonly lastRowAt: number | undefined;
  readonly startedAt: number;
  /** The time up to which all its data were read: later rows may not be read yet. Undefined if some were never read. */
  readonly readTo: number | undefined;
}

/** The streams that are configured. */
export function streamsIn({ experiments }: Pick<Snapshot, 'experiments'>): StreamView[] {
  return experiments.flatMap(({ streams }) => streams);
}

/** When any of these streams was last read to its end; undefined if none ever was. */
export function latestRead(streams: readonly Pick<StoredPosition, 'dataAsOf'>[]): number | undefined {
  return streams.reduce<number | undefined>(
    (latest, { dataAsOf }) => (dataAsOf === undefined ? latest : Math.max(latest ?? dataAsOf, dataAsOf)),
    undefined,
  );
}

/** Whether nothing at all can be read. */
export function isHalted({ keyRefused, outage }: Pick<Snapshot, 'keyRefused' | 'outage'>): boolean {
  return keyRefused !== undefined || outage !== undefined;
}

/** Whether the list of experiments is empty. */
export function seesNothing({ list }: Pick<Snapshot, 'list'>): boolean {
  return list.some(({ code }) => code === 'NO_EXPERIMENTS');
}
