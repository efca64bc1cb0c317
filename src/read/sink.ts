import { withoutOrdinal } from '../datasets/keys.ts';
import type { BadRecord, Row } from '../datasets/normalise.ts';
import type { Stream } from '../datasets/stream.ts';
import type { Json } from '../shared/json.ts';
import { matchDoubles, newRepeats } from '../warehouse/doubles.ts';
import { countErased, newlyErased as uncounted } from '../warehouse/erased-records.ts';
import { createNamer, erasuresOf, type Remaining } from '../warehouse/erasures.ts';
import { repeatedDoubt } from '../warehouse/doubts.ts';
import { readPosition, type PositionChange } from '../warehouse/positions.ts';
import { countQuarantined } from '../warehouse/quarantine.ts';
import { compareRows, countRows, type TimeRange } from '../warehouse/records.ts';
import { withKnownScope } from '../warehouse/filled.ts';
import { createSeen } from '../warehouse/seen.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import { NO_DIFFERENCES, openDifferences, type Differences } from './differences.ts';
import { rereadMark } from './reread-mark.ts';

/** What a reading passes to the sink at once. */
export interface Batch {
  readonly rows: readonly Row[];
  readonly bad?: readonly BadRecord[];
  readonly position?: PositionChange;
  /** Whether an answer says that it lacks records. */
  readonly isPartial?: boolean;
  /** Whether the reading has met the record of a key elsewhere, so that a row with its id is another one. */
  readonly isMet?: ((key: string) => boolean) | undefined;
}

/** What the sink did with a batch. */
export interface Taken {
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
}

/** Rows that a reading no longer finds: those to mark as missing, and those to delete. */
export interface Gone {
  readonly missing: readonly string[];
  readonly deleted: readonly string[];
  /** When that reading began (local time, milliseconds since 1970 UTC). */
  readonly missedAt: number;
}

/** The rows that a sink took, by their keys. */
export interface SeenRows {
  has(key: string): boolean;
  /**
   * Keys of stored rows in a range that were not taken. They are the stored keys, because only these show which of
   * several records with one id came.
   * @param part of the stream; by default all of it.
   */
  missing(range: TimeRange, part?: Stream): readonly string[];
  /** Whether several records with one id were taken. */
  readonly hasSharedIds: boolean;
  /** How many of the rows that were taken are exact repeats of others, and were held in no such number before. */
  readonly newRepeats: number;
}

/** Where a reading's rows go. */
export interface Sink {
  take(batch: Batch): Taken;
  /** Updates what is known about the stream; `metadata` is what its answers say besides the records. */
  note(position: PositionChange, metadata?: Readonly<Record<string, Json>>): void;
  drop(gone: Gone): void;
  /**
   * Called after the whole stream was read from this local time on. Malformed records that did not come again leave the
   * quarantine, rows that are held no longer are not missing, and the number of rows that belong elsewhere is stored.
   */
  settle(since: number): void;
  /** How many of the records that the API counts are held, rows and quarantined records, including what was taken. */
  held(): number;
  /** Which rows were taken. */
  readonly seen: SeenRows;
  /** What was taken so far, as counts. */
  readonly tally: Tally;
  /** How the rows differed from the stored ones, if the sink was created to report it. */
  readonly differences: Differences;
  /** Forgets which rows were taken. */
  close(): void;
}

/** The counts of everything a sink took. */
export interface Tally {
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly deleted: number;
  /** Rows that were newly marked as missing. */
  readonly marked: number;
  readonly bad: number;
  /** The earliest time of the rows that were inserted. */
  readonly oldestNew: number | undefined;
  /** How many of the rows that were stored before differ, by column. */
  readonly changes: ReadonlyMap<string, number>;
  /** Whether it marked the stream to be read again, because many of its known rows changed at once. */
  readonly isMarked: boolean;
}

/**
 * A sink that writes each batch in one transaction with the position.
 * @param withDifferences whether to report how the rows differed before they were written.
 * @param freezes whether a new field or another type stops the stream, so that its watermark stays.
 */
export function committing(
  warehouse: Warehouse,
  stream: Stream,
  { withDifferences = false, freezes = false } = {},
): Sink {
  const differences = withDifferences ? openDifferences() : undefined;
  let tally: Tally = EMPTY;
  const seen = openSeen(warehouse, stream);
  const commit = (batch: Parameters<Warehouse['commit']>[1]) => {
    const done = warehouse.commit(stream, { ...batch, freezes });
    tally = {
      ...tally,
      inserted: tally.inserted + done.inserted,
      updated: tally.updated + done.updated,
      unchanged: tally.unchanged + done.unchanged,
      deleted: tally.deleted + done.deleted,
      marked: tally.marked + done.marked,
      bad: tally.bad + (batch.bad?.length ?? 0),
      oldestNew: earlier(tally.oldestNew, done.oldestNew),
    };
    return done;
  };
  const doubted = (position: PositionChange = {}): PositionChange => {
    const others = readPosition(warehouse.db, stream).doubts.filter(({ kind }) => kind !== 'repeated');
    return { ...position, doubts: [...others, repeatedDoubt(seen.newRepeats)] };
  };
  return {
    take({ position, ...came }) {
      const before = seen.newRepeats;
      const { rows, bad, erased } = seen.note(came);
      // With the rows, as a reading that ends here would not report them.
      let known = seen.newRepeats > before ? doubted(position) : position;
      const stored = readPosition(warehouse.db, stream);
      // In a first read no stored row could differ.
      if (differences !== undefined || stored.backfilled) {
        const difference = compareRows(warehouse.db, stream, rows);
        tally = { ...tally, changes: withChanges(tally.changes, difference.changed) };
        differences?.note(rows, difference);
        const mark = rereadMark(stream, stored, rows.length, difference);
        if (mark !== undefined) {
          tally = { ...tally, isMarked: true };
          known = { ...known, ...mark, doubts: [...(known?.doubts ?? stored.doubts), ...mark.doubts] };
        }
      }
      return commit({ rows, bad, erased, ...(known === undefined ? {} : { position: known }) });
    },
    note: (position, metadata = {}) => void commit({ rows: [], position, metadata }),
    drop({ missing, deleted, missedAt }) {
      differences?.noteExtra([...missing, ...deleted]);
      if (missing.length + deleted.length > 0) commit({ rows: [], missing, deleted, missedAt });
    },
    settle(since) {
      const known = readPosition(warehouse.db, stream);
      const elsewhereRows = seen.countElsewhere();
      const isSettled = known.quarantinedRecords + known.missingRows === 0 && countErased(warehouse.db, stream) === 0;
      if (!isSettled) commit({ rows: [], wholeSince: since });
      if (known.elsewhereRows !== elsewhereRows) commit({ rows: [], position: { elsewhereRows } });
    },
    held() {
      const elsewhere = Math.max(readPosition(warehouse.db, stream).elsewhereRows, seen.countElsewhere());
      return heldRows(warehouse, stream) + elsewhere + countQuarantined(warehouse.db, stream);
    },
    seen,
    get tally() {
      return tally;
    },
    get differences() {
      return differences?.found() ?? NO_DIFFERENCES;
    },
    close: seen.close,
  };
}

/** A sink that writes nothing and only reports what differs. */
export function comparing(warehouse: Pick<Warehouse, 'db'>, stream: Stream): Sink {
  const differences = openDifferences();
  let { elsewhereRows } = readPosition(warehouse.db, stream);
  let quarantined = countQuarantined(warehouse.db, stream);
  const bad = new Set<string>();
  const erasedNow = new Set<string>();
  const newlyErased = new Set<string>();
  let isWhole = false;
  const seen = openSeen(warehouse, stream);
  let tally: Tally = EMPTY;
  return {
    take(came) {
      const { rows, bad: malformed, erased } = seen.note(came);
      for (const { mark } of erased) erasedNow.add(mark);
      for (const mark of uncounted(warehouse.db, stream, erased)) newlyErased.add(mark);
      const difference = compareRows(warehouse.db, stream, rows);
      const { missing, changed } = difference;
      differences.note(rows, difference);
      for (const { text } of malformed) bad.add(text);
      tally = { ...tally, bad: bad.size, changes: withChanges(tally.changes, changed) };
      const unchanged = rows.length - missing.length - changed.length;
      return { inserted: missing.length, updated: changed.length, unchanged };
    },
    note: () => undefined,
    drop({ missing, deleted }) {
      differences.noteExtra([...missing, ...deleted]);
    },
    settle() {
      quarantined = 0;
      elsewhereRows = 0;
      isWhole = true;
    },
    held() {
      const elsewhere = Math.max(elsewhereRows, seen.countElsewhere());
      // A whole reading shows which records of erased people are left.
      const gone = isWhole ? countErased(warehouse.db, stream) + newlyErased.size - erasedNow.size : 0;
      const held = heldRows(warehouse, stream) + newlyErased.size - gone;
      return held + elsewhere + differences.countMissing() + Math.max(quarantined, bad.size);
    },
    seen,
    get tally() {
      return tally;
    },
    get differences() {
      return differences.found();
    },
    close: seen.close,
  };
}

/**
 * The keys of the rows that a reading took. They are kept only if stored rows could be missing among them, or if rows
 * may belong elsewhere.
 */
function openSeen(warehouse: Pick<Warehouse, 'db'>, stream: Stream) {
  const isPart = stream.scope.kind !== 'experiment';
  const keys = isPart || heldRows(warehouse, stream) > 0 ? createSeen(warehouse.db) : undefined;
  const isShared = readPosition(warehouse.db, stream).doubts.some(({ kind }) => kind === 'shared-id');
  let hasShared = false;
  const repeats = new Set<string>();
  const namesOf = createNamer();
  return {
    note({ rows, bad = [], isPartial, isMet }: Batch): Remaining {
      const allowed = erasuresOf(warehouse.db)?.apply(stream.dataset, { rows, bad }, namesOf) ?? {
        rows,
        bad,
        erased: [],
      };
      // Which of several records with one id comes first depends on the request; their content does not.
      const own =
        isShared || hasShared || isMet !== undefined
          ? matchDoubles(warehouse.db, stream, allowed.rows, { isPartial, isMet })
          : allowed.rows;
      const settled = keys === undefined ? own : withKnownScope(warehouse.db, stream, own);
      hasShared ||= settled.some(({ key, needsOrdinal }) => !needsOrdinal && withoutOrdinal(key) !== key);
      keys?.add(settled.map(({ key }) => key));
      for (const key of newRepeats(warehouse.db, stream, settled)) repeats.add(key);
      return { ...allowed, rows: settled };
    },
    has: (key: string) => keys === undefined || keys.has(key),
    missing: (range: TimeRange, part = stream) => keys?.missing(part, range) ?? [],
    get hasSharedIds() {
      return hasShared;
    },
    get newRepeats() {
      return repeats.size;
    },
    countElsewhere: () => keys?.countElsewhere(stream) ?? 0,
    close: () => keys?.drop(),
  };
}

const EMPTY: Tally = {
  inserted: 0,
  updated: 0,
  unchanged: 0,
  deleted: 0,
  marked: 0,
  bad: 0,
  oldestNew: undefined,
  changes: new Map(),
  isMarked: false,
};

/** How many rows of a stream the table has; if it cannot distinguish them, how many the stream brought. */
function heldRows({ db }: Pick<Warehouse, 'db'>, stream: Stream): number {
  return countRows(db, stream) ?? readPosition(db, stream).rows + countErased(db, stream);
}

function withChanges(
  before: ReadonlyMap<string, number>,
  changed: readonly { readonly columns: readonly string[] }[],
): ReadonlyMap<string, number> {
  if (changed.length === 0) return before;
  const counts = new Map(before);
  for (const column of changed.flatMap(({ columns }) => columns)) counts.set(column, (counts.get(column) ?? 0) + 1);
  return counts;
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.min(a, b);
}
