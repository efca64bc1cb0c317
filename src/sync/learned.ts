import { z } from 'zod';
import { readLearned, writeLearned } from '../warehouse/positions.ts';
import type { Db } from '../warehouse/open.ts';
import type { Stream } from '../datasets/stream.ts';

/** Undocumented behaviour of an endpoint, as seen so far; what is absent has not shown itself. */
const Learned = z.object({
  /** Whether `startTime` with `sort` works: ignored or rejected filters make a stream be listed whole. */
  startTime: z.enum(['honoured', 'ignored', 'rejected']).optional(),
  /** `sort` and `order` are refused: a listing does without. */
  sort: z.literal('rejected').optional(),
  /** `order=desc` does not turn the order around. */
  descending: z.literal('ignored').optional(),
  endTime: z.enum(['honoured', 'ignored', 'rejected']).optional(),
  /** `total` disagreed with a full read: it is not asked again. */
  total: z.literal('wrong').optional(),
  /** When asking in narrower requests last failed to get what an answer lacked (ms since 1970 UTC). */
  narrowFailedAt: z.number().optional(),
  /** The largest page that it served when asked for one. */
  pageSize: z.number().int().positive().optional(),
  /** It was asked for a larger page and did not serve it: it is not asked again. */
  pageSizeTried: z.literal(true).optional(),
  /** The longest answer without `pagination`: a shorter one was not cut down to a page size, so it is the last. */
  largestPage: z.number().int().positive().optional(),
});
export type Learned = z.infer<typeof Learned>;

/** The memory of one endpoint, shared by all its streams and kept over restarts. */
export interface Memory {
  readonly learned: Readonly<Learned>;
  learn(what: Partial<Learned>): void;
  /** Makes a trial of the endpoint, unless another stream is at one: then, undefined. */
  tryOut<T>(trial: () => Promise<T>): Promise<T> | undefined;
}

export function openMemory(db: Db, { dataset, scope }: Stream, now: () => number): Memory {
  const endpoint = `${dataset.name} ${scope.kind}`;
  // Read anew each time, as other streams of the endpoint are read meanwhile and learn as well.
  const read = (): Learned => {
    const stored = readLearned(db, endpoint);
    return stored === undefined ? {} : Learned.parse(JSON.parse(stored));
  };
  return {
    get learned() {
      return read();
    },
    learn(what) {
      writeLearned(db, endpoint, JSON.stringify({ ...read(), ...what }), now());
    },
    tryOut(trial) {
      const underWay = trials.get(db) ?? new Set();
      trials.set(db, underWay);
      if (underWay.has(endpoint)) return undefined;
      underWay.add(endpoint);
      return trial().finally(() => underWay.delete(endpoint));
    },
  };
}

/** The endpoints at which something is being tried out, by warehouse. */
const trials = new WeakMap<Db, Set<string>>();

/** What a walk needs of an endpoint that sends no pagination, and what it finds out. */
export function pageLengths(memory: Memory): { largestPage: number; onLength: (length: number) => void } {
  return {
    largestPage: memory.learned.largestPage ?? 0,
    onLength(length) {
      if (length > (memory.learned.largestPage ?? 0)) memory.learn({ largestPage: length });
    },
  };
}
