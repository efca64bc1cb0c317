/** What a bench finds out, as its JSON has it. */
import type { Noticed } from './contenders.ts';
import type { Cost } from './measure.ts';

/** The median of each measure over the runs, and the size of what was left. */
export interface Medians extends Cost {
  readonly fileMb: number;
}

export interface ContenderResult {
  readonly name: string;
  readonly read: Medians;
  /** Again, with nothing new. */
  readonly poll: Cost;
  /** After upstream changes: what the next poll noticed, then what reading everything again did, and its cost. */
  readonly changes: {
    readonly poll: Cost & { readonly noticed: Noticed };
    readonly full: Cost & { readonly noticed: Noticed };
  };
}

/** A question to the warehouse, its time when the file is in memory, and how SQLite answers it. */
export interface QueryResult {
  readonly source: string;
  readonly sql: string;
  readonly ms: number;
  /** The same without the query indexes. */
  readonly withoutMs: number;
  readonly plan: string;
}

/** The daemon in a first read: how long its loop was blocked, and how long its page took to answer. */
export interface DaemonResults {
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly page: { readonly medianMs: number; readonly p99Ms: number; readonly maxMs: number };
}

/** Of our own command alone. */
export interface OwnResults {
  readonly eventLoop: { readonly p99Ms: number; readonly maxMs: number };
  readonly daemon: DaemonResults;
  readonly commands: readonly (Cost & { readonly name: string })[];
  /** The bytes of the file that each table and index takes for one rating, the largest first. */
  readonly bytesARating: readonly { readonly name: string; readonly bytes: number }[];
}

export interface Results {
  readonly date: string;
  readonly commit: { readonly id: string; readonly isChanged: boolean } | null;
  readonly rows: number;
  readonly runs: number;
  readonly versions: Readonly<Record<string, string>>;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGb: number;
    /** Programs that wanted to run, on average over a quarter of an hour, the bench among them. */
    readonly load: number;
    readonly kernel: string;
    readonly fileSystem: string;
  };
  readonly skipped: readonly string[];
  readonly contenders: readonly ContenderResult[];
  /** Of our own command alone, if it was measured. */
  readonly own?: OwnResults;
}

/** The measures of the queries, from `npm run bench-queries`. */
export interface QueryResults {
  readonly date: string;
  readonly commit: Results['commit'];
  readonly rows: number;
  readonly versions: Readonly<Record<string, string>>;
  readonly machine: Results['machine'];
  readonly indexes: readonly { readonly name: string; readonly mb: number; readonly buildMs: number }[];
  readonly fileMb: number;
  readonly queries: readonly QueryResult[];
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = NaN, high = NaN] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]];
  return (low + high) / 2;
}

export function medianCost(costs: readonly Cost[]): Cost {
  const of = (name: keyof Cost) => median(costs.map((cost) => cost[name]));
  return {
    requests: of('requests'),
    cpuSeconds: of('cpuSeconds'),
    wallSeconds: of('wallSeconds'),
    maxRssMb: of('maxRssMb'),
    writtenMb: of('writtenMb'),
    toDiskMb: of('toDiskMb'),
  };
}
