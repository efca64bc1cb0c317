import { STAYS } from '../api/failure.ts';
import type { Row } from '../datasets/normalise.ts';
import { streamText, type Stream } from '../datasets/stream.ts';
import { count } from '../shared/count.ts';
import { WarehouseError } from '../shared/errors.ts';
import type { Doubt } from '../warehouse/doubts.ts';
import { markOf } from './ordinals.ts';
import type { Page } from './page.ts';

/** The answers of a session brought nothing new too often. What they brought is stored; nothing more is requested. */
export class NothingNew extends WarehouseError {
  readonly doubt: Doubt;
  constructor(stream: Stream, barren: number, answers: number) {
    const text = `${count(barren)} of ${count(answers)} answers brought nothing new, so that reading stopped`;
    const hint = 'The API sends the same records again and again. The next sync tries again.';
    super('ANSWER_UNREADABLE', `${streamText(stream)}: ${text}. ${STAYS}`, { hint });
    this.doubt = { kind: 'endless', text };
  }
}

/** Limits how many answers of a session bring only records that earlier ones brought. */
export interface Novelty {
  /** @throws NothingNew before a request, if too many answers brought nothing new. */
  readonly check: () => void;
  readonly note: (page: Page) => void;
  /** A room is read by itself: a few of its answers may be empty. */
  readonly addRoom: () => void;
}

/**
 * So many answers may bring nothing new for each page that a whole listing takes, and so many in any case. Seeds
 * 1 to 20 of the simulation need less: without a limit, one reading had 196 such answers of 205, all others fewer than 145.
 */
const BARREN_PER_PAGE = 15;
const BARREN = 40;
const BARREN_PER_ROOM = 6;

/** Memory must not grow with a stream: behind so many records, each that was not among them counts as new. */
const MOST_KEPT = 50_000;

/** @param heldPages how many pages the rows take that are held already. */
export function openNovelty(stream: Stream, heldPages: () => number): Novelty {
  const met = new Set<string>();
  let [fruitful, barren, rooms] = [0, 0, 0];
  const bringsNew = ({ rows, bad }: Page): boolean => {
    const isMet = (row: Row) => met.has(markOf(row));
    if (met.size >= MOST_KEPT) return !rows.every(isMet) || !bad.every(({ text }) => met.has(text));
    const before = met.size;
    for (const row of rows) met.add(markOf(row));
    for (const { text } of bad) met.add(text);
    return met.size > before;
  };
  return {
    check() {
      const most = BARREN + BARREN_PER_PAGE * (fruitful + heldPages()) + BARREN_PER_ROOM * rooms;
      if (barren >= most) throw new NothingNew(stream, barren, barren + fruitful);
    },
    note(page) {
      if (bringsNew(page)) fruitful += 1;
      else barren += 1;
    },
    addRoom() {
      rooms += 1;
    },
  };
}
