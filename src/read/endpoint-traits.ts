import { z } from 'zod';
import { scopeText, type Stream } from '../datasets/stream.ts';
import type { Db } from '../warehouse/open.ts';
import { readLearned, writeLearned } from '../warehouse/positions.ts';
import { DAY_MS } from '../shared/time.ts';

/** Undocumented behaviour that holds for every stream of an endpoint. */
const ENDPOINT = {
  /** `startTime` is refused. */
  startTimeRefused: z.literal(true),
  /** `sort` and `order` are refused: listings are requested without them. */
  sortRefused: z.literal(true),
  endTimeRefused: z.literal(true),
  /** The largest page that it has served on request. */
  pageSize: z.number().int().positive(),
  /** A larger page was requested, and it did not serve that. */
  pageSizeTried: z.literal(true),
  /** The number of records in its longest answer: a shorter one was not cut down to the size of a page. */
  largestPage: z.number().int().positive(),
  /** Its answers name its own data type. */
  namesItself: z.literal(true),
  /** Its answers name the id of what was requested. */
  scopeNamed: z.literal(true),
  /** Its records name the experiment that was requested. */
  experimentNamed: z.literal(true),
  /** Its answers name the offset that was requested. */
  offsetNamed: z.literal(true),
};

/** Behaviour that was seen in one stream and may be due to its data. */
const STREAM = {
  /** Answers to `startTime` contained rows from before it, or lacked rows that have to be there. */
  startTimeIgnored: z.literal(true),
  /** `order=desc` did not reverse the order. */
  descendingIgnored: z.literal(true),
  endTime: z.literal('ignored'),
  /** Pages larger than this failed, although a small one came. */
  smallerPage: z.number().int().positive(),
  /** A larger `offset` returned the same rows. */
  offsetIgnored: z.literal(true),
  /** A request with `sort` leaves out records that one without it has. */
  sortOmits: z.literal(true),
  /** A request for what comes after this many records brought nothing: they are all. */
  totalProven: z.number().int().nonnegative(),
  /** Narrower requests did not bring the records that an answer lacked, in two syncs in a row. */
  narrowerFailed: z.literal(true),
  /** They did not in one sync: some answer may have been wrong. */
  narrowerMissed: z.literal(true),
  /** Records held minus records counted by the API, after everything was read twice: searching again would not help. */
  unsettled: z.number().int(),
  /** The same after one search: it may also be a record that came in the meantime. */
  suspected: z.number().int(),
  /** Records held minus records counted by the API, each time that within a day the count alone changed. */
  strayCounts: z.array(z.number().int()),
  /** The versions of the processing for which everything was to be read again within a day. */
  versions: z.array(z.string()),
  /** The experiment's start moved: another move is not believed. */
  startMoved: z.literal(true),
};

/** How long a trait counts as known, in milliseconds; then the endpoint is tried again. */
const WEEK_MS = 7 * DAY_MS;
const LASTS: Partial<Record<Name, number>> = {
  narrowerFailed: DAY_MS,
  narrowerMissed: DAY_MS,
  unsettled: DAY_MS,
  smallerPage: DAY_MS,
  strayCounts: DAY_MS,
  versions: DAY_MS,
};

/** A difference that the count alone made so often within a day is not searched for, nor listed for. */
const OFTEN = 2;
/** As many are remembered: a count that is another one each time explains nothing. */
const MOST_STRAY = 16;

export function isStray({ strayCounts = [] }: TraitValues, surplus: number): boolean {
  return strayCounts.filter((one) => one === surplus).length >= OFTEN;
}

/** Remembers a difference that the count alone made: the same records are held as before. */
export function learnStray(traits: Traits, surplus: number): void {
  if (isStray(traits.known, surplus)) return;
  const strayCounts = [...(traits.known.strayCounts ?? []), surplus].slice(-MOST_STRAY);
  traits.learn({ strayCounts }, 'it counted another number, while the records stayed the same');
}

const SCHEMAS = { ...ENDPOINT, ...STREAM };
type Name = keyof typeof SCHEMAS;
export type TraitValues = { readonly [N in Name]?: z.infer<(typeof SCHEMAS)[N]> };

const Stored = z.record(z.string(), z.object({ value: z.unknown(), at: z.number(), evidence: z.string() }));
type Stored = z.infer<typeof Stored>;

/** What is known of an endpoint and of one of its streams; kept across restarts with its evidence and date. */
export interface Traits {
  readonly known: TraitValues;
  /** @param evidence what was seen, in words. */
  learn(values: TraitValues, evidence: string): void;
  forget(name: Name): void;
  /** Tries something out on the endpoint; returns undefined if another stream is doing so. */
  tryOut<T>(trial: () => Promise<T>): Promise<T> | undefined;
}

export function openTraits(db: Db, stream: Stream, now: () => number): Traits {
  const endpoint = `${stream.dataset.name} ${stream.scope.kind}`;
  const places = { endpoint, stream: `${endpoint} of ${stream.experimentId} ${scopeText(stream)}` };
  // Read from the file each time, because other streams of the endpoint learn at the same time.
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

/** The endpoints on which something is being tried out, by warehouse. */
const trials = new WeakMap<Db, Set<string>>();

/** The stored traits that are recent enough and known to this version. */
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
