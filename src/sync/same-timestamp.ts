import { contentOf } from '../datasets/keys.ts';
import type { BadRecord, Row } from '../datasets/normalise.ts';
import type { Doubt } from '../warehouse/doubts.ts';
import { markOf } from './ordinals.ts';
import type { Page } from './reader.ts';

/** The records of one timestamp that fills more than a page. */
export interface Group extends Page {
  /** Places that the group fills. */
  readonly length: number;
  /** Time of the first row behind it. */
  readonly next: number | undefined;
  /** Nothing comes behind it. */
  readonly isLast: boolean;
  /** A request for what comes behind it brought nothing new. */
  readonly isEnd: boolean;
}

/** How often a group is read until its order shows no gap. */
const MOST_PASSES = 30;
/** Pages in a row that bring nothing new, although the API says there is more, before a walk gives up. */
export const MOST_IDLE = 3;
export const ENDLESS: Doubt = {
  kind: 'endless',
  text: 'the API keeps saying that there is more but sends nothing new',
};
const UNSTABLE: Doubt = {
  kind: 'unstable',
  text: 'more records share one timestamp than fit a page, and their order changes from answer to answer',
};

/**
 * Reads a timestamp that fills a whole page. Its rows may come in another order in each answer, so one pass over its
 * places can meet a row twice and miss another: passes are repeated until as many different records were met as there
 * are places or, as exact repeats are fewer than their places, until two passes in a row met the same ones in the same
 * order: then the order is stable, and each pass is right. (The same ones in another order may be the same mistake twice.)
 * @param pageAt reads the page so many places behind the group's first.
 * @param first the page at place 0.
 * @param isEnd whether nothing comes behind a page.
 */
export async function readGroup(
  pageAt: (offset: number) => Promise<Page>,
  first: Page,
  isEnd: (page: Page) => boolean,
): Promise<Group> {
  // Several records may share an id: what they say tells them apart.
  const found = new Map<string, Row>();
  let previous: string | undefined;
  for (let pass = 1; ; pass++) {
    const group = await sweep(pageAt, pass === 1 ? first : await pageAt(0), isEnd);
    const marks = group.rows.map((row) => `${row.key} ${contentOf(row)}`);
    group.rows.forEach((row, i) => found.set(marks[i] ?? row.key, row));
    const met = marks.join('\n');
    if (found.size >= group.rows.length) return { ...group, rows: [...found.values()] };
    if (met === previous) return group;
    // What comes again and again is counted as often only by mistake.
    if (group.doubts.includes(ENDLESS)) return { ...group, rows: [...found.values()] };
    previous = met;
    if (pass === MOST_PASSES) {
      // What was met exists; how often a record without an id repeats cannot be told from a record met twice.
      return { ...group, rows: [...found.values()], doubts: [...group.doubts, UNSTABLE] };
    }
  }
}

/** One pass over the places of a group. */
async function sweep(
  pageAt: (offset: number) => Promise<Page>,
  first: Page,
  isEnd: (page: Page) => boolean,
): Promise<Group> {
  const rows: Row[] = [];
  const bad: BadRecord[] = [];
  const doubts = new Set<Doubt>();
  const time = first.rows[0]?.time;
  const met = new Set<string>();
  let page = first;
  let idle = 0;
  for (let length = 0; ; page = await pageAt(length)) {
    for (const doubt of page.doubts) doubts.add(doubt);
    const other = page.rows.findIndex((row) => row.time !== time);
    const own = other === -1 ? page.rows : page.rows.slice(0, other);
    idle = page.bad.length === 0 && own.every((row) => met.has(markOf(row))) ? idle + 1 : 0;
    const isRepeat = length > 0 && page.hasMore === undefined && sameKeys(page, first);
    if (!isRepeat) {
      for (const row of own) met.add(markOf(row));
      rows.push(...own);
      bad.push(...page.bad);
      length += other === -1 ? page.returned : (page.places[other] ?? page.returned);
    }
    if (idle === MOST_IDLE) doubts.add(ENDLESS);
    const isLast = other === -1 && (isEnd(page) || page.returned === 0 || isRepeat || idle === MOST_IDLE);
    if (other >= 0 || isLast) {
      return {
        ...page,
        rows,
        bad,
        doubts: [...doubts],
        length,
        next: page.rows[other]?.time,
        isLast,
        isEnd: isLast && (page.returned === 0 || isRepeat),
      };
    }
  }
}

/** An endpoint that ignores `offset` gives the same records again, in whatever order. */
function sameKeys(page: Page, first: Page): boolean {
  const marks = new Set(first.rows.map(markOf));
  return page.returned === first.returned && page.rows.every((row) => marks.has(markOf(row)));
}
