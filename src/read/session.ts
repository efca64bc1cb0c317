import type { Client } from '../api/client.ts';
import type { Config } from '../config/schema.ts';
import type { Dataset } from '../datasets/define.ts';
import type { Stream } from '../datasets/stream.ts';
import type { Clock } from '../shared/clock.ts';
import type { Log } from '../shared/log.ts';
import type { Doubt } from '../warehouse/doubts.ts';
import { readPosition, type Position } from '../warehouse/positions.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import type { CostMeter } from './cost.ts';
import type { Traits } from './endpoint-traits.ts';
import type { Reader } from './reader.ts';
import type { Sink } from './sink.ts';

/** What one reading of one stream works with. Only the sink, the traits and the meter change. */
export interface Session {
  readonly stream: Stream;
  readonly reader: Reader;
  /** What all requests for the stream have cost. */
  readonly meter: CostMeter;
  readonly traits: Traits;
  readonly warehouse: Pick<Warehouse, 'db'>;
  /** Receives what is read, and writes it or only compares it. */
  readonly sink: Sink;
  readonly client: Client;
  readonly config: Pick<Config, 'lookbackMs' | 'deletes' | 'data' | 'experiments'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal | undefined;
  /** Local time at which this reading of the stream began (milliseconds since 1970 UTC). */
  readonly startedAt: number;
  /** Read everything again instead of continuing from the watermark. */
  readonly full: boolean;
  /** Delete what the delete guard would withhold. */
  readonly acceptDeletes: boolean;
  /** Commit each page of a first read by itself. */
  readonly commitsEachPage?: boolean;
  /** A row is deleted if a reading at least this many milliseconds after the first one misses it as well. */
  readonly confirmAfterMs: number;
  /** Creates a reader of the same data type in one of the experiment's rooms. */
  readonly inRoom: (room: string) => Reader;
  /** Creates a reader of another data type of the experiment. */
  readonly readerOf: (dataset: Dataset) => Reader;
}

/** The result of a reading; its rows went to the sink. */
export interface Reading {
  /** Why records may be missing from it. */
  readonly doubts: readonly Doubt[];
  /** Keys of stored rows in the range that was read that did not come. */
  readonly unseen: readonly string[];
  /** The newest time up to which nothing was skipped; never ahead of the server's clock. */
  readonly upTo?: number | undefined;
  /** How many records the API counts in the whole stream, by the last answer without a time filter. */
  readonly total?: number | undefined;
  /** How many different records came, if the whole stream was read. */
  readonly met?: number | undefined;
  /** From which time on the answer with `total` has all records, and how many these are. */
  readonly view?: { readonly since: number; readonly records: number };
  /** The answer with `total` is shown to be the last by more than its own words. */
  readonly isShown?: boolean;
  /** It read the whole stream without a doubt. */
  readonly isWhole?: boolean;
  /** It did so without a time filter, which may not see all rows. */
  readonly isListed?: boolean;
  /** It brought a listing up to date by reading the rooms that still change; the counts of the others are equal. */
  readonly isRenewed?: boolean;
  /** The rooms together were proven to cover the whole stream. */
  readonly byRoom?: boolean;
}

export const NOTHING_READ: Reading = { doubts: [], unseen: [] };

/** Combines two readings of the same stream, the first one earlier. */
export function both(first: Reading, second: Reading): Reading {
  return {
    doubts: [...first.doubts, ...second.doubts],
    unseen: [...new Set([...first.unseen, ...second.unseen])],
    upTo: later(first.upTo, second.upTo),
    total: second.total ?? first.total,
    met: second.met ?? first.met,
    isShown:
      second.total === undefined && second.met === undefined ? (first.isShown ?? false) : (second.isShown ?? false),
    isWhole: (first.isWhole ?? false) || (second.isWhole ?? false),
    isListed: (first.isListed ?? false) || (second.isListed ?? false),
    isRenewed: (first.isRenewed ?? false) || (second.isRenewed ?? false),
    byRoom: second.byRoom ?? first.byRoom ?? false,
  };
}

export function later(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.max(a, b);
}

export function position({ warehouse, stream }: Pick<Session, 'warehouse' | 'stream'>): Position {
  return readPosition(warehouse.db, stream);
}

/** The server's clock according to its last answer; the local clock if no answer had it. */
export function serverNow({ reader, clock }: Pick<Session, 'reader' | 'clock'>): number {
  return reader.serverInfo().serverTime ?? clock.now();
}
