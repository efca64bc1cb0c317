import { z } from 'zod';
import { scopeText, type Stream } from '../datasets/stream.ts';
import type { Db } from '../warehouse/open.ts';
import { readLearned, writeLearned } from '../warehouse/positions.ts';
import { DAY_MS } from '../shared/time.ts';

/** Undocumented behaviour that holds for every stream of an endpoint. */
const ENDPOINT = {
  /** `startTime` is refused. */
  startTimeRefused: z.literal(true),
  /** `sort` and `order` are refused: a listing does without. */
  sortRefused: z.literal(true),
  endTimeRefused: z.literal(true),
  /** The largest page that it served when asked for one. */
  pageSize: z.number().int().positive(),
  /** It was asked for a larger page and did not serve it. */
  pageSizeTried: z.literal(true),
  /** The longest answer that it ever gave: a shorter one was not cut down to a page. */
  largestPage: z.number().int().positive(),
};

/** What showed in one stream and may be due to its data. */
const STREAM = {
  /** Answers to `startTime` held rows from before it, or lacked rows that must be there. */
  startTimeIgnored: z.literal(true),
  /** `order=desc` did not turn the order around. */
  descendingIgnored: z.literal(true),
  endTime: z.literal('ignored'),
  /** Larger pages than this failed where a small one came. */
  smallerPage: z.number().int().positive(),
  /** `offset` gave the same rows again. */
  offsetIgnored: z.literal(true),
  /** A request with `sort` leaves out records that one without it has. */
  sortOmits: z.literal(true),
  /** Up to so many records, the API's `total` was confirmed by a request for what comes behind them. */
  totalProven: z.number().int().nonnegative(),
  /** Asking in narrower requests did not bring what an answer lacked. */
  narrowerFailed: z.literal(true),
  /** What is held less what the API counts, after everything was read twice: searching again would not help. */
  unsettled: z.number().int(),
  /** The same after one search: a record that came meanwhile looks like this as well. */
  suspected: z.number().int(),
  /** The experiment's start moved: it is not believed to have moved again. */
  startMoved: z.literal(true),
};

/** How long a trait is taken as known, in milliseconds; then the endpoint is tried again. */
const WEEK_MS = 7 * DAY_MS;
const LASTS: Partial<Record<Name, number>> = { narrowerFailed: DAY_MS, unsettled: DAY_MS, smallerPage: DAY_MS };

const SCHEMAS = { ...ENDPOINT, ...STREAM };
type Name = keyof typeof SCHEMAS;
export type TraitValues = { readonly [N in Name]?: z.infer<(typeof SCHEMAS)[N]> };

const Stored = z.record(z.string(), z.object({ value: z.unknown(), at: z.number(), evidence: z.string() }));
type Stored = z.infer<typeof Stored>;

/** What is known of an endpoint and of one stream of it; kept over restarts with its evidence and date. */
export interface Traits {
  readonly known: TraitValues;
  /** @param evidence what showed it, in words. */
  learn(values: TraitValues, evidence: string): void;
  forget(name: Name): void;
  /** Makes a trial of the endpoint, unless another stream is at one: then, undefined. */
  tryOut<T>(trial: () => Promise<T>): Promise<T> | undefined;
}

export function openTraits(db: Db, stream: Stream, now: () => number): Traits {
  const endpoint = `${stream.dataset.name} ${stream.scope.kind}`;
  const places = { endpoint, stream: `${endpoint} of ${stream.experimentId} ${scopeText(stream)}` };
  // Read again each time, as other streams of the endpoint are read meanwhile and learn as well.
  const read = (place: string): Stored => {
    const text = readLearned(db, place);
    return text === undefined ? {} : Stored.parse(JSON.parse(text));
  };
  const change = (place: string, to: (stored: Stored) => Stored) =>
    writeLearned(db, place, JSON.stringify(to(read(place))), now());
  return {
    get known() {
      return { ...current(read(places.endpoint), now()), ...current(read(places.stream), now()) };
    },
    learn(values, evidence) {
      for (const [name, value] of Object.entries(values)) {
        const place = Object.hasOwn(ENDPOINT, name) ? places.endpoint : places.stream;
        change(place, (stored) => ({ ...stored, [name]: { value, at: now(), evidence } }));
      }
    },
    forget(name) {
      const place = Object.hasOwn(ENDPOINT, name) ? places.endpoint : places.stream;
      if (read(place)[name] === undefined) return;
      change(place, (stored) => Object.fromEntries(Object.entries(stored).filter(([one]) => one !== name)));
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

/** Those of the stored traits that are young enough and that this version knows. */
function current(stored: Stored, now: number): TraitValues {
  const values = Object.entries(SCHEMAS).flatMap(([name, schema]) => {
    const trait = stored[name];
    const lasts = (LASTS as Readonly<Record<string, number | undefined>>)[name] ?? WEEK_MS;
    if (trait === undefined || now - trait.at > lasts) return [];
    const parsed = schema.safeParse(trait.value);
    return parsed.success ? [[name, parsed.data] as const] : [];
  });
  return Object.fromEntries(values);
}
