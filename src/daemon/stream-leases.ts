import { streamText, type Stream } from '../datasets/stream.ts';

/** A stream that is being read. */
export interface Lease {
  readonly stream: Stream;
  readonly kind: 'poll' | 'first read' | 'reconcile' | 'verify';
  readonly since: number;
  readonly fetched: number;
  readonly total: number | undefined;
}

/**
 * Which streams are being read, and for what. No stream is ever read twice at once, as rows that one read adds would
 * count as deleted upstream in the other.
 */
export interface StreamLeases {
  /** The leases in use, by the name of their stream. */
  readonly held: ReadonlyMap<string, Lease>;
  /** Takes a stream until the returned function is called; returns undefined if it is already taken. */
  take(stream: Stream, kind: Lease['kind'], now: number): (() => void) | undefined;
  /** Takes a stream as soon as it is free, before any other reader. */
  takeNext(stream: Stream, kind: Lease['kind'], now: () => number): Promise<() => void>;
  count(kind: Lease['kind']): number;
  note(stream: Stream, progress: Pick<Lease, 'fetched' | 'total'>): void;
  /** Resolves when nothing is being read. */
  empty(): Promise<void>;
  /** Resolves when every read in progress now has ended. */
  settled(): Promise<void>;
}

export function createStreamLeases(onRelease: () => void): StreamLeases {
  const held = new Map<string, Lease>();
  const ends = new Map<string, PromiseWithResolvers<undefined>>();
  const next = new Map<string, (() => void)[]>();
  let waiting: (() => void)[] = [];
  const hold = (stream: Stream, kind: Lease['kind'], now: number) => {
    const key = streamText(stream);
    const end = Promise.withResolvers<undefined>();
    held.set(key, { stream, kind, since: now, fetched: 0, total: undefined });
    ends.set(key, end);
    return () => {
      held.delete(key);
      ends.delete(key);
      end.resolve(undefined);
      next.get(key)?.shift()?.();
      if (held.size === 0) {
        for (const resolve of waiting) resolve();
        waiting = [];
      }
      onRelease();
    };
  };
  return {
    held,
    take: (stream, kind, now) => (held.has(streamText(stream)) ? undefined : hold(stream, kind, now)),
    takeNext(stream, kind, now) {
      const key = streamText(stream);
      if (!held.has(key)) return Promise.resolve(hold(stream, kind, now()));
      return new Promise((resolve) => {
        next.set(key, [...(next.get(key) ?? []), () => resolve(hold(stream, kind, now()))]);
      });
    },
    count: (kind) => [...held.values()].filter((lease) => lease.kind === kind).length,
    note(stream, { fetched, total }) {
      const key = streamText(stream);
      const lease = held.get(key);
      if (lease !== undefined) held.set(key, { ...lease, fetched, total });
    },
    async settled() {
      await Promise.all([...ends.values()].map(({ promise }) => promise));
    },
    empty: () => (held.size === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  };
}
