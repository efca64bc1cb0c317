import type { Client } from '../api/client.ts';
import type { Config } from '../config/schema.ts';
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

/** What one reading of one stream works with. Nothing in it changes but through the sink and the traits. */
export interface Session {
  readonly stream: Stream;
  readonly reader: Reader;
  /** What all requests for the stream have cost. */
  readonly meter: CostMeter;
  readonly traits: Traits;
  readonly warehouse: Pick<Warehouse, 'db'>;
  /** Takes what is read: writes it, or only compares it. */
  readonly sink: Sink;
  readonly client: Client;
  readonly config: Pick<Config, 'lookbackMs' | 'deletes'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal | undefined;
  /** Local time at which this reading of the stream began. */
  readonly startedAt: number;
  /** Read everything again instead of going on from the watermark. */
  readonly full: boolean;
  /** Delete what the delete guard would withhold. */
  readonly acceptDeletes: boolean;
  /** A row is deleted when a reading so many milliseconds after the first one misses it as well. */
  readonly confirmAfterMs: number;
  /** A reader of the same data type in one of the experiment's rooms. */
  readonly inRoom: (room: string) => Reader;
}

/** What a reading came to; what it read is with the sink. */
export interface Reading {
  /** Why it may lack records. */
  readonly doubts: readonly Doubt[];
  /** Keys of rows that are held in the range that was read, and did not come. */
  readonly unseen: readonly string[];
  /** The newest time up to which nothing is skipped; never ahead of the server's clock. */
  readonly upTo?: number | undefined;
  /** How many records the API counts in the whole stream, as an answer without a time filter said last. */
  readonly total?: number | undefined;
  /** How many different records were met, where all of the stream was read. */
  readonly met?: number | undefined;
  /** From which time on the answer that says `total` has all records, and how many these are. */
  readonly view?: { readonly since: number; readonly records: number };
  /** The answer that says `total` shows by more than its own words that nothing is behind it. */
  readonly isShown?: boolean;
  /** It read all of the stream, without a doubt. */
  readonly isWhole?: boolean;
  /** And did so by requests without a time filter, which may be blind for some rows. */
  readonly isListed?: boolean;
  /** It brought a listing up to date by the rooms that still change; the counts say the same of the others. */
  readonly isRenewed?: boolean;
  /** The rooms together were proven to be all of the stream. */
  readonly byRoom?: boolean;
}

export const NOTHING_READ: Reading = { doubts: [], unseen: [] };

/** Two readings of the same stream, one after the other, as one. */
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

/** The server's clock according to its last answer; the local one if no answer had it. */
export function serverNow({ reader, clock }: Pick<Session, 'reader' | 'clock'>): number {
  return reader.serverInfo().serverTime ?? clock.now();
}
