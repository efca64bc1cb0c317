import type { BadRecord, Row } from '../datasets/normalise.ts';
import type { Doubt } from '../warehouse/doubts.ts';
import { NothingNew } from './novelty.ts';
import { sweep, timeAt, type Met, type Pass, type Start } from './pass.ts';
import type { Page } from './page.ts';

/** The records of one timestamp that fills more than a page. */
export interface SameTimestamp extends Page {
  /** The place after its last record, counted from where it was first seen. */
  readonly length: number;
  /** Rows after it in the last answer. */
  readonly following: readonly Row[];
  /** Nothing comes after it. */
  readonly isLast: boolean;
  /** A request for what comes after it brought nothing new. */
  readonly isEnd: boolean;
}

export interface SameTimestampOptions {
  /** Whether nothing comes after a page. */
  readonly isEnd: (page: Page) => boolean;
  /** Whether the first page certainly begins with the timestamp's first record. */
  readonly isHeld: boolean;
  /** Where a later pass begins: at or before the timestamp's first record, wherever that is by then. */
  readonly again: () => Promise<Start>;
}

/** How often a timestamp is read until it is certain that nothing was missed. */
const MOST_PASSES = 30;
const UNSTABLE: Doubt = {
  kind: 'unstable',
  text: 'more records share one timestamp than fit a page, and their order changes from answer to answer',
};

/**
 * Reads a timestamp that fills a whole page. Its records may come in another order in each answer, and may come and go
 * in the meantime, so that one pass over its places can read one record twice and miss another. Passes are repeated
 * until one is shown to be right:
 * - by itself, if each page began with the last records of the previous page;
 * - by an equal pass before it: everything that came first was still there, so nothing moved;
 * - in any order, if as many records as the pass had places came both up to its end and after it: these existed at its
 *   end, and no others. Records that came only before that are gone.
 * @param pageAt reads the page at that many places after the first one.
 * @param first the page that begins with the timestamp, as far as is known.
 */
export async function readSameTimestamp(
  pageAt: (offset: number) => Promise<Page>,
  first: Start,
  { isEnd, isHeld, again }: SameTimestampOptions,
): Promise<SameTimestamp> {
  const time = timeAt(first);
  const passes: Pass[] = [];
  for (;;) {
    const before = passes.at(-1);
    let pass: Pass;
    try {
      pass = await sweep(pageAt, before === undefined ? first : await again(), time, isEnd);
    } catch (error) {
      if (before === undefined || !(error instanceof NothingNew)) throw error;
      // What came exists.
      return sameTimestampOf({ ...before, doubts: [error.doubt] }, metSince(passes, 0));
    }
    passes.push(pass);
    const isAlone = pass.isSteady && (isHeld || before !== undefined);
    const isTwice = before !== undefined && isEqual(before, pass);
    if (isTwice || (pass.isEndSeen && (pass.isOneAnswer || isAlone))) return sameTimestampOf(pass, pass.met);
    // Repetition does not remove a doubt that the API itself raised.
    if (pass.doubts.length > 0) return sameTimestampOf(pass, metSince(passes, 0));
    const moment = passes.findIndex((_, i) => isAccountedFor(passes, i));
    if (pass.isEndSeen && moment >= 0) return sameTimestampOf(pass, metSince(passes, moment + 1));
    if (passes.length === MOST_PASSES) {
      // All of these records exist; an exact repeat cannot be distinguished from a record that was read twice.
      return sameTimestampOf({ ...pass, doubts: [UNSTABLE] }, metSince(passes, 0));
    }
  }
}

function sameTimestampOf({ page, end, doubts, following, isLast, isEnd }: Pass, met: readonly Met[]): SameTimestamp {
  return {
    ...page,
    rows: met.map(({ row }) => row).filter((row): row is Row => row !== undefined),
    bad: met.map(({ bad }) => bad).filter((bad): bad is BadRecord => bad !== undefined),
    doubts,
    length: end,
    following,
    isLast,
    isEnd,
  };
}

/** Whether two passes had the same record at each place, and the same one after them. */
function isEqual({ met, places, end, following }: Pass, other: Pass): boolean {
  const isSame = (length: number) => length === met.length;
  return (
    [places, other.places, other.met.length].every(isSame) &&
    end === other.end &&
    following[0]?.key === other.following[0]?.key &&
    met.every(({ mark }, i) => mark === other.met[i]?.mark)
  );
}

/** The different records of the passes from one of them on. */
function metSince(passes: readonly Pass[], from: number): readonly Met[] {
  const met = passes.slice(from).flatMap((pass) => pass.met);
  return [...new Map(met.map((one) => [one.mark, one])).values()];
}

/**
 * Whether everything that existed at the end of a pass came both up to then and afterwards. The next pass has to have
 * as many places: rows that were deleted before the timestamp while it was read would make them seem fewer. A malformed
 * record without a time may or may not belong to the timestamp.
 */
function isAccountedFor(passes: readonly Pass[], moment: number): boolean {
  const pass = passes[moment];
  if (pass === undefined || pass.places !== passes[moment + 1]?.places) return false;
  if (passes.some(({ met }) => met.some(({ row, time }) => row === undefined && time === undefined))) return false;
  const before = new Set(passes.slice(0, moment + 1).flatMap(({ met }) => met.map(({ mark }) => mark)));
  return metSince(passes, moment + 1).filter(({ mark }) => before.has(mark)).length === pass.places;
}
