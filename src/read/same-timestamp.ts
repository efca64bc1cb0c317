import type { BadRecord, Row } from '../datasets/normalise.ts';
import type { Doubt } from '../warehouse/doubts.ts';
import { sweep, timeAt, type Met, type Pass, type Start } from './pass.ts';
import type { Page } from './reader.ts';

/** The records of one timestamp that fills more than a page. */
export interface SameTimestamp extends Page {
  /** The place behind its last record, counted from where it was met. */
  readonly length: number;
  /** Rows behind it that the last answer had. */
  readonly following: readonly Row[];
  /** Nothing comes behind it. */
  readonly isLast: boolean;
  /** A request for what comes behind it brought nothing new. */
  readonly isEnd: boolean;
}

export interface SameTimestampOptions {
  /** Whether nothing comes behind a page. */
  readonly isEnd: (page: Page) => boolean;
  /** Whether it is certain that the first page begins with the group's first record. */
  readonly isHeld: boolean;
  /** Where a later pass begins: at or before the group's first record, wherever that is by then. */
  readonly again: () => Promise<Start>;
}

/** How often a group is read until its order shows no gap. */
const MOST_PASSES = 30;
const UNSTABLE: Doubt = {
  kind: 'unstable',
  text: 'more records share one timestamp than fit a page, and their order changes from answer to answer',
};

/**
 * Reads a timestamp that fills a whole page. Its records may come in another order in each answer, and may come and go
 * meanwhile, so that one pass over its places can meet one twice and miss another. Passes are repeated until one is
 * shown to be right:
 * - by itself, where each page began with the records with which the former ended;
 * - by an equal one before it: all that came first was still there, so that nothing moved;
 * - in whatever order, where as many records as it had places were met both up to its end and behind it: all of them
 *   existed at its end, and no others. What was met only before that is gone.
 * @param pageAt reads the page so many places behind the first one.
 * @param first the page that begins with the group, as far as is known.
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
    const pass = await sweep(pageAt, before === undefined ? first : await again(), time, isEnd);
    passes.push(pass);
    const isAlone = pass.isSteady && (isHeld || before !== undefined);
    const isTwice = before !== undefined && isEqual(before, pass);
    if (isTwice || (pass.isEndSeen && (pass.isOneAnswer || isAlone))) return sameTimestampOf(pass, pass.met);
    // What the API itself doubts is not made certain by repeating it.
    if (pass.doubts.length > 0) return sameTimestampOf(pass, metSince(passes, 0));
    const moment = passes.findIndex((_, i) => isAccountedFor(passes, i));
    if (pass.isEndSeen && moment >= 0) return sameTimestampOf(pass, metSince(passes, moment + 1));
    if (passes.length === MOST_PASSES) {
      // What was met exists; a repeat of a record without an id cannot be distinguished from a record met twice.
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

/** Whether each place of two passes had the same record, and the same one stood behind them. */
function isEqual({ met, places, end, following }: Pass, other: Pass): boolean {
  const isSame = (length: number) => length === met.length;
  return (
    [places, other.places, other.met.length].every(isSame) &&
    end === other.end &&
    following[0]?.key === other.following[0]?.key &&
    met.every(({ mark }, i) => mark === other.met[i]?.mark)
  );
}

/** The different records of the passes from one on. */
function metSince(passes: readonly Pass[], from: number): readonly Met[] {
  const met = passes.slice(from).flatMap((pass) => pass.met);
  return [...new Map(met.map((one) => [one.mark, one])).values()];
}

/**
 * Whether all that existed at the end of a pass was met both up to then and afterwards. The next pass has to find as
 * many places: rows that went in front of the group while it was read would make them seem fewer. Of what is no row and
 * has no time it is not known whether it is among them.
 */
function isAccountedFor(passes: readonly Pass[], moment: number): boolean {
  const pass = passes[moment];
  if (pass === undefined || pass.places !== passes[moment + 1]?.places) return false;
  if (passes.some(({ met }) => met.some(({ row, time }) => row === undefined && time === undefined))) return false;
  const before = new Set(passes.slice(0, moment + 1).flatMap(({ met }) => met.map(({ mark }) => mark)));
  return metSince(passes, moment + 1).filter(({ mark }) => before.has(mark)).length === pass.places;
}
