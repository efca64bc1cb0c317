import { streamText, type Stream } from '../datasets/stream.ts';

/** A stream that is being read. */
export interface Work {
  readonly stream: Stream;
  readonly kind: 'poll' | 'first read' | 'reconcile' | 'verify';
  readonly since: number;
  fetched: number;
  total: number | undefined;
}

/** What is being read; no stream is ever read twice at once, as the rows of one reading would count as vanished in the other. */
export interface Desk {
  readonly work: ReadonlyMap<string, Work>;
  /** Takes a stream, until the returned function is called; undefined while it is taken. */
  take(stream: Stream, kind: Work['kind'], now: number): (() => void) | undefined;
  /** Takes a stream as soon as it is free, before anybody else can. */
  takeNext(stream: Stream, kind: Work['kind'], now: () => number): Promise<() => void>;
  count(kind: Work['kind']): number;
  note(stream: Stream, progress: { fetched: number; total: number | undefined }): void;
  /** Resolves when nothing is being read. */
  empty(): Promise<void>;
  /** Resolves when everything that is being read now has ended. */
  settled(): Promise<void>;
}

export function createDesk(onRelease: () => void): Desk {
  const work = new Map<string, Work>();
  const ends = new Map<Work, Promise<undefined>>();
  const next = new Map<string, (() => void)[]>();
  let waiting: (() => void)[] = [];
  const hold = (stream: Stream, kind: Work['kind'], now: number) => {
    const key = streamText(stream);
    const one: Work = { stream, kind, since: now, fetched: 0, total: undefined };
    const end = Promise.withResolvers<undefined>();
    work.set(key, one);
    ends.set(one, end.promise);
    return () => {
      work.delete(key);
      ends.delete(one);
      end.resolve(undefined);
      next.get(key)?.shift()?.();
      if (work.size === 0) {
        for (const resolve of waiting) resolve();
        waiting = [];
      }
      onRelease();
    };
  };
  return {
    work,
    take: (stream, kind, now) => (work.has(streamText(stream)) ? undefined : hold(stream, kind, now)),
    takeNext(stream, kind, now) {
      const key = streamText(stream);
      if (!work.has(key)) return Promise.resolve(hold(stream, kind, now()));
      return new Promise((resolve) => {
        next.set(key, [...(next.get(key) ?? []), () => resolve(hold(stream, kind, now()))]);
      });
    },
    count: (kind) => [...work.values()].filter((one) => one.kind === kind).length,
    note(stream, { fetched, total }) {
      const one = work.get(streamText(stream));
      if (one === undefined) return;
      one.fetched = fetched;
      one.total = total;
    },
    async settled() {
      await Promise.all(ends.values());
    },
    empty: () => (work.size === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  };
}
